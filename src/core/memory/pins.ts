/**
 * Memory that outlives what closes it.
 *
 * While a call holds addresses and runs code of the caller's (a getter of a value, a codec, a hook), that code may close anything: the
 * batch that the call writes to, the map, the last map and with it the scratch. Such a call is pinned: what is closed meanwhile is
 * closed for everybody, but its memory goes back to the arena only when the last pinned call is done (docs/arguments.md).
 *
 * @module
 */
export class Pins {
  /** Pinned calls under way. They nest. When the host closes meanwhile, they touch its memory no more. */
  calls = 0;
  /** The same of encodings, which go on writing whatever has closed. */
  encodings = 0;
  readonly #waiting: (() => void)[] = [];

  get isHeld(): boolean {
    return this.calls + this.encodings > 0;
  }

  /** Ends what `calls++` began. */
  letGo(): void {
    this.calls--;
    if (this.#waiting.length > 0) this.#give();
  }

  /** Ends what `encodings++` began. */
  encoded(): void {
    this.encodings--;
    if (this.#waiting.length > 0) this.#give();
  }

  /** Gives memory back, now or when nothing is pinned any more. */
  release(give: () => void): void {
    if (this.isHeld) this.#waiting.push(give);
    else give();
  }

  /** Gives back what waits, since the host closes. */
  flush(): void {
    for (const give of this.#waiting.splice(0)) give();
  }

  #give(): void {
    if (!this.isHeld) this.flush();
  }
}
