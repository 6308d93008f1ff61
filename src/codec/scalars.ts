/**
 * The machine numbers. In keys they are compared by their bytes, as the kernel does it: the floats 0 and -0 are two keys.
 *
 * @module
 */
import { describe, outOfRange, wrongType } from "../arguments/mismatch.ts";
import { type Codec, Scalar } from "./codec.ts";

function refuse(expected: string, value: unknown): Error {
  return typeof value === "number"
    ? outOfRange(expected, String(value))
    : wrongType(expected, describe(value));
}

function refuseBig(expected: string, value: unknown): Error {
  return typeof value === "bigint" ? outOfRange(expected, `${value}n`) : wrongType(expected, describe(value));
}

/**
 * `__u8`: an integer from 0 to 255. 1 byte.
 *
 * @example
 * const view = new DataView(new ArrayBuffer(u8.size));
 * u8.encode(255, view, 0);
 * u8.decode(view, 0); // 255
 */
export const u8: Codec<number, "u8"> = {
  name: "u8",
  size: 1,
  align: 1,
  scalar: Scalar.U8,
  encode(value, view, offset) {
    if (typeof value !== "number" || (value & 0xff) !== value) throw refuse("u8 (0..255)", value);
    view.setUint8(offset, value);
  },
  decode(view, offset) {
    return view.getUint8(offset);
  },
};

/**
 * `__u16`: an integer from 0 to 65535. 2 bytes, little-endian: a port in network byte order is `bytes(2)`.
 *
 * @example
 * const view = new DataView(new ArrayBuffer(u16.size));
 * u16.encode(443, view, 0);
 * u16.decode(view, 0); // 443
 */
export const u16: Codec<number, "u16"> = {
  name: "u16",
  size: 2,
  align: 2,
  scalar: Scalar.U16,
  encode(value, view, offset) {
    if (typeof value !== "number" || (value & 0xffff) !== value) throw refuse("u16 (0..65535)", value);
    view.setUint16(offset, value, true);
  },
  decode(view, offset) {
    return view.getUint16(offset, true);
  },
};

/**
 * `__u32`: an integer from 0 to 4294967295. 4 bytes.
 *
 * @example
 * const view = new DataView(new ArrayBuffer(u32.size));
 * u32.encode(0xffffffff, view, 0);
 * u32.decode(view, 0); // 4294967295
 */
export const u32: Codec<number, "u32"> = {
  name: "u32",
  size: 4,
  align: 4,
  scalar: Scalar.U32,
  encode(value, view, offset) {
    if (typeof value !== "number" || value >>> 0 !== value) throw refuse("u32 (0..4294967295)", value);
    view.setUint32(offset, value, true);
  },
  decode(view, offset) {
    return view.getUint32(offset, true);
  },
};

/**
 * `__s8`: an integer from -128 to 127. 1 byte.
 *
 * @example
 * const view = new DataView(new ArrayBuffer(i8.size));
 * i8.encode(-128, view, 0);
 * i8.decode(view, 0); // -128
 */
export const i8: Codec<number, "i8"> = {
  name: "i8",
  size: 1,
  align: 1,
  scalar: Scalar.I8,
  encode(value, view, offset) {
    if (typeof value !== "number" || (value << 24) >> 24 !== value) throw refuse("i8 (-128..127)", value);
    view.setInt8(offset, value);
  },
  decode(view, offset) {
    return view.getInt8(offset);
  },
};

/**
 * `__s16`: an integer from -32768 to 32767. 2 bytes.
 *
 * @example
 * const view = new DataView(new ArrayBuffer(i16.size));
 * i16.encode(-32768, view, 0);
 * i16.decode(view, 0); // -32768
 */
export const i16: Codec<number, "i16"> = {
  name: "i16",
  size: 2,
  align: 2,
  scalar: Scalar.I16,
  encode(value, view, offset) {
    if (typeof value !== "number" || (value << 16) >> 16 !== value)
      throw refuse("i16 (-32768..32767)", value);
    view.setInt16(offset, value, true);
  },
  decode(view, offset) {
    return view.getInt16(offset, true);
  },
};

/**
 * `__s32`: an integer from -2147483648 to 2147483647. 4 bytes.
 *
 * @example
 * const view = new DataView(new ArrayBuffer(i32.size));
 * i32.encode(-1, view, 0);
 * i32.decode(view, 0); // -1
 */
export const i32: Codec<number, "i32"> = {
  name: "i32",
  size: 4,
  align: 4,
  scalar: Scalar.I32,
  encode(value, view, offset) {
    if (typeof value !== "number" || (value | 0) !== value)
      throw refuse("i32 (-2147483648..2147483647)", value);
    view.setInt32(offset, value, true);
  },
  decode(view, offset) {
    return view.getInt32(offset, true);
  },
};

/**
 * C's `float`: rounded to the nearest; infinities and NaN pass, a finite number beyond the largest float does not.
 * 4 bytes.
 *
 * @example
 * const view = new DataView(new ArrayBuffer(f32.size));
 * f32.encode(0.1, view, 0);
 * f32.decode(view, 0); // 0.10000000149011612
 */
export const f32: Codec<number, "f32"> = {
  name: "f32",
  size: 4,
  align: 4,
  scalar: Scalar.F32,
  encode(value, view, offset) {
    if (typeof value !== "number" || (Number.isFinite(value) && !Number.isFinite(Math.fround(value)))) {
      throw refuse("f32 (a number up to 3.4028234663852886e+38, Infinity or NaN)", value);
    }
    view.setFloat32(offset, value, true);
  },
  decode(view, offset) {
    return view.getFloat32(offset, true);
  },
};

/**
 * C's `double`: any number. 8 bytes.
 *
 * @example
 * const view = new DataView(new ArrayBuffer(f64.size));
 * f64.encode(0.1, view, 0);
 * f64.decode(view, 0); // 0.1
 */
export const f64: Codec<number, "f64"> = {
  name: "f64",
  size: 8,
  align: 8,
  scalar: Scalar.F64,
  encode(value, view, offset) {
    if (typeof value !== "number") throw refuse("f64 (a number)", value);
    view.setFloat64(offset, value, true);
  },
  decode(view, offset) {
    return view.getFloat64(offset, true);
  },
};

const U53_EXPECTED = "u53 (0..9007199254740991)";

/** 2^32, and the largest upper word of an integer below 2^53. */
const WORD = 0x1_0000_0000;
const U53_HIGH_MAX = 0x1f_ffff;

/**
 * `__u64` held as a JavaScript number, for counters: several times as fast as `u64`, which makes a bigint per read.
 * 8 bytes.
 *
 * @throws RangeError beyond 2^53 - 1, both ways: a number above it would silently be another one.
 * @example
 * const view = new DataView(new ArrayBuffer(u53.size));
 * u53.encode(Number.MAX_SAFE_INTEGER, view, 0);
 * u53.decode(view, 0); // 9007199254740991
 */
export const u53: Codec<number, "u53"> = {
  name: "u53",
  size: 8,
  align: 8,
  scalar: Scalar.U53,
  encode(value, view, offset) {
    if (!Number.isSafeInteger(value) || value < 0) throw refuse(U53_EXPECTED, value);
    view.setUint32(offset, value, true);
    view.setUint32(offset + 4, value / WORD, true);
  },
  decode(view, offset) {
    const high = view.getUint32(offset + 4, true);
    if (high > U53_HIGH_MAX) {
      throw outOfRange(U53_EXPECTED, `${view.getBigUint64(offset, true)} in memory (u64 reads it)`);
    }
    return high * WORD + view.getUint32(offset, true);
  },
};

const U64_MAX = 0xffff_ffff_ffff_ffffn;
const I64_MIN = -0x8000_0000_0000_0000n;
const I64_MAX = 0x7fff_ffff_ffff_ffffn;

/**
 * `__u64`: a bigint from 0 to 2^64 - 1. 8 bytes.
 *
 * @example
 * const view = new DataView(new ArrayBuffer(u64.size));
 * u64.encode(2n ** 64n - 1n, view, 0);
 * u64.decode(view, 0); // 18446744073709551615n
 */
export const u64: Codec<bigint, "u64"> = {
  name: "u64",
  size: 8,
  align: 8,
  scalar: Scalar.U64,
  encode(value, view, offset) {
    if (typeof value !== "bigint" || value < 0n || value > U64_MAX) {
      throw refuseBig("u64 (bigint 0..18446744073709551615)", value);
    }
    view.setBigUint64(offset, value, true);
  },
  decode(view, offset) {
    return view.getBigUint64(offset, true);
  },
};

/**
 * `__s64`: a bigint from -2^63 to 2^63 - 1. 8 bytes.
 *
 * @example
 * const view = new DataView(new ArrayBuffer(i64.size));
 * i64.encode(-1n, view, 0);
 * i64.decode(view, 0); // -1n
 */
export const i64: Codec<bigint, "i64"> = {
  name: "i64",
  size: 8,
  align: 8,
  scalar: Scalar.I64,
  encode(value, view, offset) {
    if (typeof value !== "bigint" || value < I64_MIN || value > I64_MAX) {
      throw refuseBig("i64 (bigint -9223372036854775808..9223372036854775807)", value);
    }
    view.setBigInt64(offset, value, true);
  },
  decode(view, offset) {
    return view.getBigInt64(offset, true);
  },
};

const SCALARS: readonly unknown[] = [u8, u16, u32, i8, i16, i32, f32, f64, u53, u64, i64];

/** Whether a codec is one of these, and no other with the same `scalar`. */
export function isScalarCodec(codec: Codec<unknown>): boolean {
  return SCALARS.includes(codec);
}
