// Kinds of numbers: Scalar of src/codec/codec.ts has them; and adding to an integer of a value.
import { ERANGE } from "../../errno";

/** Of no number. */
export const NONE: u32 = 0;
export const U8: u32 = 1;
export const U16: u32 = 2;
export const U32: u32 = 3;
export const I8: u32 = 4;
export const I16: u32 = 5;
export const I32: u32 = 6;
export const F32: u32 = 7;
export const F64: u32 = 8;
export const U53: u32 = 9;
export const U64: u32 = 10;
export const I64: u32 = 11;

export const MOST_U53: u64 = (1 << 53) - 1;

/** Bytes of a number of a kind. */
@inline export function widthOf(kind: u32): u32 {
  if (kind == U8 || kind == I8) return 1;
  if (kind == U16 || kind == I16) return 2;
  return kind == U32 || kind == I32 || kind == F32 ? 4 : 8;
}

@inline function read(at: usize, width: u32): u64 {
  if (width == 8) return load<u64>(at);
  if (width == 4) return <u64>load<u32>(at);
  return width == 2 ? <u64>load<u16>(at) : <u64>load<u8>(at);
}

@inline function write(at: usize, width: u32, value: u64): void {
  if (width == 8) store<u64>(at, value);
  else if (width == 4) store<u32>(at, <u32>value);
  else if (width == 2) store<u16>(at, <u16>value);
  else store<u8>(at, <u8>value);
}

/**
 * Adds modulo 2^(8 * width), or not at all when a u53 would leave its range: ERANGE. The bytes of the sum go to `out`, zero-extended
 * to 8.
 */
export function addScalar(at: usize, kind: u32, delta: u64, out: usize): u32 {
  const width = widthOf(kind);
  const before = read(at, width);
  const sum = before + delta;
  if (kind == U53 && (before > MOST_U53 || sum > MOST_U53)) return ERANGE;
  write(at, width, sum);
  if (out) store<u64>(out, width == 8 ? sum : sum & ((<u64>1 << (<u64>width << 3)) - 1));
  return 0;
}

/** Log2 of the bytes of a delta: 8 for fields of 8 bytes, otherwise 4. */
@inline export function deltaShift(width: u32): u32 {
  return width == 8 ? 3 : 2;
}

/** Adds modulo 2^(8 * width), as an atomic add of the kernel's would. */
@inline export function addTo(at: usize, width: u32, delta: usize): void {
  if (width == 8) store<u64>(at, load<u64>(at) + load<u64>(delta));
  else if (width == 4) store<u32>(at, load<u32>(at) + load<u32>(delta));
  else if (width == 2) store<u16>(at, <u16>(load<u16>(at) + load<u32>(delta)));
  else store<u8>(at, <u8>(load<u8>(at) + load<u32>(delta)));
}

// What is added to several fields of a value: a list of
//
//   0 u64 delta; in the first of the list, which field refused when one did | 8 u32 bytes from the start of the value | 12 u32 kind
export const ADDITION_BYTES: usize = 16;
export const ADDITION_AT: usize = 8;
export const ADDITION_KIND: usize = 12;

/** Adds to several fields of a value (0: of zeros, which nothing is written to), or to none when a u53 would leave its range: ERANGE. */
export function addList(value: usize, list: usize, count: u32): u32 {
  for (let i: u32 = 0; i < count; i++) {
    const at = list + <usize>i * ADDITION_BYTES;
    if (load<u32>(at, ADDITION_KIND) != U53) continue;
    const before = value ? load<u64>(value + load<u32>(at, ADDITION_AT)) : 0;
    if (before <= MOST_U53 && before + load<u64>(at) <= MOST_U53) continue;
    store<u64>(list, i);
    return ERANGE;
  }
  if (!value) return 0;
  for (let i: u32 = 0; i < count; i++) {
    const at = list + <usize>i * ADDITION_BYTES;
    addScalar(value + load<u32>(at, ADDITION_AT), load<u32>(at, ADDITION_KIND), load<u64>(at), 0);
  }
  return 0;
}
