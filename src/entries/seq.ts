/**
 * What a `show` callback writes to: the `seq_file` of an iterator.
 *
 * @module
 */
import { elementsOf, isUint8Array } from "../arguments/byte_array.ts";
import { describe } from "../arguments/mismatch.ts";
import { bpfError, ERRNO } from "../errors.ts";
import type { MapHandle } from "../ops/handle.ts";

const NONE = new Uint8Array(0);
const encoder = new TextEncoder();
/**
 * Longest text that is written character by character. `encodeInto` costs 60 ns however short the text is, with the view of the rest
 * of the buffer that it needs, and the loop 2.4 ns per character (Node 20).
 */
const SHORT = 24;

/** How many iterators this thread has made. */
let sessions = 0;

/** The output of a {@link MapIterator}. */
export class Seq {
  /** The map that is iterated over. */
  readonly map: MapHandle<unknown, unknown>;
  /** Tells the iterators of this thread apart: a number that counts up, as the kernel's `session_id`. */
  readonly session: number = ++sessions;
  readonly #subject: string;
  readonly #size: number;
  #buffer: Uint8Array<ArrayBuffer> = NONE;
  #count = 0;
  #overflowed = false;
  #showing = false;
  #number = 0;

  /**
   * @internal
   * @param subject how errors call the map
   * @param size bytes of the buffer
   */
  constructor(map: MapHandle<unknown, unknown>, subject: string, size: number) {
    this.map = map;
    this.#subject = subject;
    this.#size = size;
  }

  /**
   * How many elements have been shown before this one: 0 for the first, and in the final call, all of them. An element that is shown
   * again has the same number again. (The kernel's `seq_num`, which in the final call is one less.)
   */
  get number(): number {
    return this.#number;
  }

  /**
   * Appends text, as UTF-8, or bytes to what this element shows. Once that is more than the buffer has room for, nothing of it is
   * kept, and the element will be shown again.
   *
   * @throws TypeError for anything else; BpfError EBADF outside of `show`.
   */
  write(data: string | Uint8Array): void {
    if (!this.#showing) {
      throw bpfError(ERRNO.EBADF, "seq.write", this.#subject, "is written to outside of show()");
    }
    if (typeof data === "string") this.#writeText(data);
    else if (isUint8Array(data)) this.#writeBytes(data);
    else {
      const expected = "expected a string or a Uint8Array";
      throw new TypeError(`seq.write: ${this.#subject}: ${expected}, got ${describe(data)}`);
    }
  }

  /** @internal Bytes that are kept so far. */
  get count(): number {
    return this.#count;
  }

  /** @internal Whether what the element has written did not fit. */
  get overflowed(): boolean {
    return this.#overflowed;
  }

  /** @internal An element begins. */
  begin(): void {
    if (this.#buffer === NONE) this.#buffer = this.#allocate();
    this.#overflowed = false;
    this.#showing = true;
  }

  /** @internal The callback has returned, or thrown. */
  end(): void {
    this.#showing = false;
  }

  /** @internal Takes back what was written since there were `count` bytes. */
  discard(count: number): void {
    this.#count = count;
  }

  /** @internal The element stays. */
  keep(): void {
    this.#number++;
  }

  /** @internal Takes the output of a read; undefined when there is none. */
  take(): Uint8Array<ArrayBuffer> | undefined {
    const count = this.#count;
    this.#count = 0;
    return count === 0 ? undefined : this.#buffer.slice(0, count);
  }

  /** @internal Gives the buffer back, also while it is being written to. */
  release(): void {
    this.#showing = false;
    this.#buffer = NONE;
    this.#count = 0;
  }

  #allocate(): Uint8Array<ArrayBuffer> {
    try {
      return new Uint8Array(this.#size);
    } catch {
      const cause = `could not get a buffer of bufferSize = ${this.#size} bytes`;
      throw bpfError(ERRNO.ENOMEM, "iterator.read", this.#subject, cause, "ask for less");
    }
  }

  #writeBytes(data: Uint8Array): void {
    const bytes = elementsOf(data);
    if (bytes > this.#size - this.#count) this.#overflowed = true;
    if (this.#overflowed || bytes === 0) return;
    // A view of just these bytes would be an allocation. What a growing array has more does not count, and goes under the next.
    this.#buffer.set(data, this.#count);
    this.#count += bytes;
  }

  #writeText(text: string): void {
    const { length } = text;
    // Each unit of UTF-16 becomes at least one byte.
    if (length > this.#size - this.#count) this.#overflowed = true;
    if (this.#overflowed) return;
    if (length > SHORT || !this.#writeAscii(text)) this.#writeUtf8(text);
  }

  /** Writes a text that fits when it is ASCII; false when it is not. */
  #writeAscii(text: string): boolean {
    const { length } = text;
    const buffer = this.#buffer;
    const start = this.#count;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit >= 0x80) return false;
      buffer[start + i] = unit;
    }
    this.#count = start + length;
    return true;
  }

  #writeUtf8(text: string): void {
    const { read, written } = encoder.encodeInto(text, this.#buffer.subarray(this.#count));
    if (read < text.length) this.#overflowed = true;
    else this.#count += written;
  }
}
