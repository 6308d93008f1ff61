/**
 * Little-endian numbers and names in bytes of a file that may be damaged: what lies outside is an error that says so.
 *
 * @module
 */
import { ObjectError } from "./object_error.ts";

const utf8 = new TextDecoder();

export class Reader {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #what: string;

  /** @param what is read, for messages: "section .BTF" */
  constructor(bytes: Uint8Array, what: string) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#what = what;
  }

  get length(): number {
    return this.bytes.length;
  }

  u8(at: number): number {
    return this.#view.getUint8(this.#inside(at, 1));
  }

  u16(at: number): number {
    return this.#view.getUint16(this.#inside(at, 2), true);
  }

  u32(at: number): number {
    return this.#view.getUint32(this.#inside(at, 4), true);
  }

  i32(at: number): number {
    return this.#view.getInt32(this.#inside(at, 4), true);
  }

  i64(at: number): bigint {
    return this.#view.getBigInt64(this.#inside(at, 8), true);
  }

  /** A size or an offset: more than a file can have is an error. */
  size(at: number): number {
    const high = this.u32(at + 4);
    if (high > 0x1f_ffff)
      throw new ObjectError(`${this.#what}: a size of ${high} * 2^32 at ${at} is too large`);
    return high * 0x1_0000_0000 + this.u32(at);
  }

  /** The text at an offset, up to its NUL. */
  text(at: number): string {
    const end = this.bytes.indexOf(0, this.#inside(at, 1));
    if (end < 0) throw new ObjectError(`${this.#what}: the name at ${at} has no end`);
    return utf8.decode(this.bytes.subarray(at, end));
  }

  /** Some of the bytes, as they are. */
  part(at: number, length: number, what: string): Uint8Array {
    if (at + length > this.length) {
      throw new ObjectError(`${what} is outside of ${this.#what}: ${at} + ${length} > ${this.length}`);
    }
    return this.bytes.subarray(at, at + length);
  }

  #inside(at: number, bytes: number): number {
    if (at < 0 || at + bytes > this.length) {
      throw new ObjectError(
        `${this.#what} is too short: ${bytes} bytes at ${at} are needed, it has ${this.length}`,
      );
    }
    return at;
  }
}
