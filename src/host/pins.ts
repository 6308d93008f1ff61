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
  /** Pinned calls under way. They nest. */
  depth = 0;
  readonly #waiting: (() => void)[] = [];

  /** Ends what `depth++` began. */
  letGo(): void {
    if (--this.depth === 0 && this.#waiting.length > 0) for (const give of this.#waiting.splice(0)) give();
  }

  /** Gives memory back, now or when no call is pinned any more. */
  release(give: () => void): void {
    if (this.depth === 0) give();
    else this.#waiting.push(give);
  }

  /** The host has closed: what waits has gone with its memory. */
  forget(): void {
    this.#waiting.length = 0;
  }
}
