const INITIAL_CAPACITY = 1 << 16;

/**
 * The part of an input stream that has arrived and has not been used up. A parser reads at `bytes[at]` as long as `at` stays
 * below `end`, and moves `at` on; what is left is moved to the front when the next chunk needs the room, so that a file of any
 * size passes through a buffer of a few megabytes.
 */
export class Window {
  bytes: Uint8Array;
  view: DataView;
  at = 0;
  end = 0;
  /** Offset in the stream of `bytes[0]`. */
  private base = 0;
  /** Bytes that are to be dropped as they arrive. */
  private debt = 0;

  constructor(capacity: number = INITIAL_CAPACITY) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Bytes at hand. */
  get available(): number {
    return this.end - this.at;
  }

  /** Offset in the stream of the next byte that a parser reads. */
  get offset(): number {
    return this.base + this.at;
  }

  /** Offset in the stream of the end of what has arrived. */
  get received(): number {
    return this.base + this.end;
  }

  append(chunk: Uint8Array): void {
    const dropped = Math.min(this.debt, chunk.length);
    this.debt -= dropped;
    const length = chunk.length - dropped;
    if (this.at === this.end) {
      // Nothing is left over, and bytes that are dropped count as read.
      this.base += this.end + dropped;
      this.at = 0;
      this.end = 0;
    }
    if (this.end + length > this.bytes.length) this.makeRoom(length);
    this.bytes.set(dropped === 0 ? chunk : chunk.subarray(dropped), this.end);
    this.end += length;
  }

  /**
   * As `append`, of what `read` puts into `bytes` from `at` on, up to `most` bytes: it is copied nowhere. Returns how many it gave.
   */
  fill(most: number, read: (bytes: Uint8Array, at: number, most: number) => number): number {
    if (this.at === this.end) {
      this.base += this.end;
      this.at = 0;
      this.end = 0;
    }
    if (this.end + most > this.bytes.length) this.makeRoom(most);
    const length = read(this.bytes, this.end, most);
    this.end += length;
    // As long as there is a debt, nothing is left over.
    const dropped = Math.min(this.debt, length);
    this.debt -= dropped;
    this.at += dropped;
    return length;
  }

  /** Moves on by `count` bytes, which need not have arrived and are not kept when they do. */
  discard(count: number): void {
    const atHand = Math.min(count, this.available);
    this.at += atHand;
    this.debt += count - atHand;
  }

  /** True while discarded bytes are still to arrive. */
  get discarding(): boolean {
    return this.debt > 0;
  }

  private makeRoom(length: number): void {
    const left = this.available;
    let capacity = this.bytes.length;
    while (capacity < left + length) capacity *= 2;
    if (capacity > this.bytes.length) {
      const bytes = new Uint8Array(capacity);
      bytes.set(this.bytes.subarray(this.at, this.end));
      this.bytes = bytes;
      this.view = new DataView(bytes.buffer);
    } else this.bytes.copyWithin(0, this.at, this.end);
    this.base += this.at;
    this.at = 0;
    this.end = left;
  }
}
