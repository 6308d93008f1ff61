/**
 * Bytes of a WebAssembly binary as they come: a buffer that grows, and the encodings of numbers and names. Format:
 * WebAssembly Core Specification, chapter 5 "Binary Format".
 *
 * @module
 */

const text = new TextEncoder();
const number = new DataView(new ArrayBuffer(8));

export class ByteWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** A copy of what was written. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  bytes(values: Uint8Array): void {
    this.#reserve(values.length);
    this.#bytes.set(values, this.#length);
    this.#length += values.length;
  }

  /** Unsigned LEB128: 7 bits per byte, the lowest first, bit 7 set in all bytes but the last. */
  u32(value: number): void {
    if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) {
      throw new RangeError(`wasm: expected a u32, got ${value}`);
    }
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) this.byte((rest & 0x7f) | 0x80);
    this.byte(rest);
  }

  /** Signed LEB128. Bit 6 of the last byte is the sign, so that a number ends when all that is left are copies of it. */
  i32(value: number): void {
    let rest = value | 0;
    for (; rest < -64 || rest > 63; rest >>= 7) this.byte((rest & 0x7f) | 0x80);
    this.byte(rest & 0x7f);
  }

  i64(value: bigint): void {
    let rest = BigInt.asIntN(64, value);
    for (; rest < -64n || rest > 63n; rest >>= 7n) this.byte(Number(rest & 0x7fn) | 0x80);
    this.byte(Number(rest & 0x7fn));
  }

  f64(value: number): void {
    number.setFloat64(0, value, true);
    for (let i = 0; i < 8; i++) this.byte(number.getUint8(i));
  }

  /** A name: its length in bytes and its UTF-8. */
  name(value: string): void {
    const encoded = text.encode(value);
    this.u32(encoded.length);
    this.bytes(encoded);
  }

  #reserve(room: number): void {
    const needed = this.#length + room;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}
