/**
 * Views of parts of an array of ours, kept from call to call: callers mostly pass as many keys as the last time, and making a view
 * allocates.
 *
 * @module
 */

/** More parts than the largest array that is kept has groups. */
const MOST = 64;

export class Parts<A extends Uint8Array | Uint32Array> {
  #array: A | undefined;
  #parts: A[] = [];

  /** The elements of `array` from `start` up to `end`. */
  of(array: A, start: number, end: number): A {
    if (array !== this.#array) {
      this.#array = array;
      this.#parts = [];
    }
    const parts = this.#parts;
    const offset = start * array.BYTES_PER_ELEMENT;
    for (let i = 0; i < parts.length; i++) {
      if (parts[i].byteOffset === offset && parts[i].length === end - start) return parts[i];
    }
    const part = array.subarray(start, end) as A;
    if (parts.length < MOST) parts.push(part);
    return part;
  }
}
