/**
 * Views of parts of an array of ours, or of host memory, kept from call to call: callers mostly pass as many keys as the last time, and
 * making a view allocates.
 *
 * @module
 */

/** As many parts as the largest array that is kept has groups. */
const MOST = 64;

export class Parts<A extends Uint8Array | Uint32Array> {
  #most: number;
  #array: A | undefined;
  #parts: A[] = [];
  /** The part that a further one takes the place of, when there are as many as are kept. */
  #next = 0;

  constructor(most = MOST) {
    this.#most = most;
  }

  /** The elements of `array` from `start` up to `end`. */
  of(array: A, start: number, end: number): A {
    if (array !== this.#array) {
      this.drop();
      this.#array = array;
    }
    const parts = this.#parts;
    const offset = start * array.BYTES_PER_ELEMENT;
    for (let i = 0; i < parts.length; i++) {
      if (parts[i].byteOffset === offset && parts[i].length === end - start) return parts[i];
    }
    const part = array.subarray(start, end) as A;
    if (parts.length < this.#most) parts.push(part);
    else {
      parts[this.#next] = part;
      this.#next = (this.#next + 1) % this.#most;
    }
    return part;
  }

  /** Lets go of the array. */
  drop(): void {
    this.#array = undefined;
    this.#parts = [];
    this.#next = 0;
  }
}
