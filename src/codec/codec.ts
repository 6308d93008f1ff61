/**
 * What a codec is: the C layout of one key or value, and the way between its bytes and JavaScript.
 *
 * @module
 */
import {
  SCALAR_F32,
  SCALAR_F64,
  SCALAR_I8,
  SCALAR_I16,
  SCALAR_I32,
  SCALAR_I64,
  SCALAR_NONE,
  SCALAR_U8,
  SCALAR_U16,
  SCALAR_U32,
  SCALAR_U53,
  SCALAR_U64,
} from "../generated/abi.js";

/**
 * Which machine number a codec stands for. The hot paths of the maps switch on it and read and write typed arrays
 * themselves, which saves them the call of `encode` or `decode`. `NONE` is everything that is not one number.
 */
export const Scalar = {
  NONE: SCALAR_NONE,
  U8: SCALAR_U8,
  U16: SCALAR_U16,
  U32: SCALAR_U32,
  I8: SCALAR_I8,
  I16: SCALAR_I16,
  I32: SCALAR_I32,
  F32: SCALAR_F32,
  F64: SCALAR_F64,
  U53: SCALAR_U53,
  U64: SCALAR_U64,
  I64: SCALAR_I64,
} as const;

/** One of the numbers of {@link Scalar}. */
export type ScalarKind = (typeof Scalar)[keyof typeof Scalar];

/**
 * The C layout of values of type `T`: always little-endian, naturally aligned, `size` bytes wide. `N` is its name, which of the
 * machine numbers says which one it is: `u32` is a `Codec<number, "u32">`.
 *
 * @example
 * const flow = struct({ address: u32, port: u16 });
 * const view = new DataView(new ArrayBuffer(flow.size));
 * flow.encode({ address: 0x7f000001, port: 443 }, view, 0);
 * flow.decode(view, 0); // { address: 2130706433, port: 443 }
 */
export interface Codec<T, N extends string = string> {
  /** The layout in words, as the error messages give it: `u32`, `bytes(16)`, `struct { a: u32, b: u64 }`. */
  readonly name: N;
  /** Bytes, as C's `sizeof`: a multiple of `align`. */
  readonly size: number;
  /** Bytes, as C's `_Alignof`: 1, 2, 4 or 8. */
  readonly align: number;
  readonly scalar: ScalarKind;
  /**
   * Checks `value` and writes all `size` bytes at `offset`, padding as zeros. Allocates nothing.
   *
   * When it throws, some of the bytes may have been written: encode into scratch memory what must not be torn.
   *
   * @throws TypeError for a value of the wrong JavaScript type, or an object with a missing or an extra field.
   * @throws RangeError for a value that does not fit: `.src.port: expected u16 (0..65535), got 70000`.
   */
  encode(value: T, view: DataView, offset: number): void;
  /**
   * Reads the `size` bytes at `offset`. Allocates nothing but what it returns, and never returns a view of memory.
   *
   * @throws RangeError when the bytes hold a number that JavaScript's `number` cannot (`u53` only).
   */
  decode(view: DataView, offset: number): T;
}

/** The codec of a text of any length up to a limit. */
export interface TextCodec extends Codec<string> {
  /** Bytes of UTF-8 that a text has at most. */
  readonly maxBytes: number;
  /** @internal The same, but what stands behind a text is anything: for keys that take only the bytes that they have. */
  readonly bare: TextCodec;
}

/** Whether a layout is one that `text` has made. */
export function isText(codec: Codec<unknown>): codec is TextCodec & Codec<unknown> {
  return "bare" in codec;
}

/**
 * The JavaScript type of what a codec reads and writes.
 *
 * @example
 * const flow = struct({ address: u32, name: cstring(16) });
 * // type Flow = Infer<typeof flow>;   { address: number; name: string }
 */
export type Infer<C> = C extends Codec<infer T> ? T : never;

/** Bytes. Sizes are `u32` in `union bpf_attr`; half of that keeps every offset a small integer for the engine. */
export const SIZE_MAX = 0x7fff_ffff;

/**
 * Checks the length that a layout is made with and the size that comes of it.
 *
 * @param call - What the user wrote, for the message: `bytes(0)`.
 * @param elementSize - Bytes per unit of `length`.
 * @returns The size in bytes.
 */
export function checkedSize(call: string, length: unknown, elementSize: number): number {
  const max = Math.floor(SIZE_MAX / elementSize);
  const expected = `${call}: expected a length of 1..${max}`;
  if (typeof length !== "number") throw new TypeError(`${expected}, got ${typeof length}`);
  if (!Number.isInteger(length) || length < 1 || length > max)
    throw new RangeError(`${expected}, got ${length}`);
  return length * elementSize;
}

/** Whether a value has what {@link Codec} asks for; layouts come from JavaScript callers, too. */
export function isCodec(value: unknown): value is Codec<unknown> {
  if (typeof value !== "object" || value === null) return false;
  const { size, align, encode, decode } = value as Partial<Codec<unknown>>;
  return (
    typeof encode === "function" &&
    typeof decode === "function" &&
    (align === 1 || align === 2 || align === 4 || align === 8) &&
    Number.isInteger(size) &&
    Number(size) > 0 &&
    Number(size) % align === 0
  );
}
