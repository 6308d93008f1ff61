/**
 * Instructions of WebAssembly by the names of its text format, so far as generated code uses them: `I32.add` is `i32.add`.
 *
 * Numbers are those of the WebAssembly Core Specification 2.0, appendix "Index of Instructions", and of the threads proposal.
 *
 * An opcode is one byte, or a prefix and a number behind it; these are kept in one integer, `prefix << 16 | number`.
 *
 * @module
 */

/** An instruction without an immediate operand. */
export type Opcode = number;

/** An instruction that loads or stores: its opcode, and log2 of how many bytes it touches. */
export interface MemoryOpcode {
  readonly code: Opcode;
  readonly align: number;
}

/** Value types. */
export const TYPE_I32 = 0x7f;
export const TYPE_I64 = 0x7e;
export const TYPE_F32 = 0x7d;
export const TYPE_F64 = 0x7c;
export const TYPE_V128 = 0x7b;

export type ValueType =
  | typeof TYPE_I32
  | typeof TYPE_I64
  | typeof TYPE_F32
  | typeof TYPE_F64
  | typeof TYPE_V128;

/** What `code.op` and the structured instructions of `CodeWriter` write themselves. */
export const CONTROL = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  return: 0x0f,
  call: 0x10,
  drop: 0x1a,
  select: 0x1b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  i32Const: 0x41,
  i64Const: 0x42,
  f64Const: 0x44,
} as const;

const PREFIX_SATURATING = 0xfc << 16;
const PREFIX_VECTOR = 0xfd << 16;
const PREFIX_ATOMIC = 0xfe << 16;

const memory = (code: number, align: number): MemoryOpcode => ({ code, align });
const atomic = (number: number, align: number): MemoryOpcode => memory(PREFIX_ATOMIC | number, align);

export const I32 = {
  load: memory(0x28, 2),
  load8_s: memory(0x2c, 0),
  load8_u: memory(0x2d, 0),
  load16_s: memory(0x2e, 1),
  load16_u: memory(0x2f, 1),
  store: memory(0x36, 2),
  store8: memory(0x3a, 0),
  store16: memory(0x3b, 1),
  eqz: 0x45,
  eq: 0x46,
  ne: 0x47,
  lt_s: 0x48,
  lt_u: 0x49,
  gt_s: 0x4a,
  gt_u: 0x4b,
  le_s: 0x4c,
  le_u: 0x4d,
  ge_s: 0x4e,
  ge_u: 0x4f,
  clz: 0x67,
  ctz: 0x68,
  popcnt: 0x69,
  add: 0x6a,
  sub: 0x6b,
  mul: 0x6c,
  div_s: 0x6d,
  div_u: 0x6e,
  rem_s: 0x6f,
  rem_u: 0x70,
  and: 0x71,
  or: 0x72,
  xor: 0x73,
  shl: 0x74,
  shr_s: 0x75,
  shr_u: 0x76,
  rotl: 0x77,
  rotr: 0x78,
  wrap_i64: 0xa7,
  extend8_s: 0xc0,
  extend16_s: 0xc1,
  trunc_sat_f64_s: PREFIX_SATURATING | 2,
  trunc_sat_f64_u: PREFIX_SATURATING | 3,
  atomic_load: atomic(0x10, 2),
  atomic_store: atomic(0x17, 2),
  atomic_rmw_add: atomic(0x1e, 2),
  atomic_rmw_sub: atomic(0x25, 2),
  atomic_rmw_and: atomic(0x2c, 2),
  atomic_rmw_or: atomic(0x33, 2),
  atomic_rmw_xchg: atomic(0x41, 2),
  atomic_rmw_cmpxchg: atomic(0x48, 2),
} as const;

export const I64 = {
  load: memory(0x29, 3),
  load8_s: memory(0x30, 0),
  load8_u: memory(0x31, 0),
  load16_s: memory(0x32, 1),
  load16_u: memory(0x33, 1),
  load32_s: memory(0x34, 2),
  load32_u: memory(0x35, 2),
  store: memory(0x37, 3),
  store8: memory(0x3c, 0),
  store16: memory(0x3d, 1),
  store32: memory(0x3e, 2),
  eqz: 0x50,
  eq: 0x51,
  ne: 0x52,
  lt_s: 0x53,
  lt_u: 0x54,
  gt_s: 0x55,
  gt_u: 0x56,
  le_s: 0x57,
  le_u: 0x58,
  ge_s: 0x59,
  ge_u: 0x5a,
  clz: 0x79,
  ctz: 0x7a,
  popcnt: 0x7b,
  add: 0x7c,
  sub: 0x7d,
  mul: 0x7e,
  div_s: 0x7f,
  div_u: 0x80,
  rem_s: 0x81,
  rem_u: 0x82,
  and: 0x83,
  or: 0x84,
  xor: 0x85,
  shl: 0x86,
  shr_s: 0x87,
  shr_u: 0x88,
  rotl: 0x89,
  rotr: 0x8a,
  extend_i32_s: 0xac,
  extend_i32_u: 0xad,
  extend8_s: 0xc2,
  extend16_s: 0xc3,
  extend32_s: 0xc4,
  trunc_sat_f64_s: PREFIX_SATURATING | 6,
  trunc_sat_f64_u: PREFIX_SATURATING | 7,
  atomic_load: atomic(0x11, 3),
  atomic_store: atomic(0x18, 3),
  atomic_rmw_add: atomic(0x1f, 3),
  atomic_rmw_sub: atomic(0x26, 3),
  atomic_rmw_xchg: atomic(0x42, 3),
  atomic_rmw_cmpxchg: atomic(0x49, 3),
} as const;

export const F32 = {
  load: memory(0x2a, 2),
  store: memory(0x38, 2),
  demote_f64: 0xb6,
} as const;

export const F64 = {
  load: memory(0x2b, 3),
  store: memory(0x39, 3),
  eq: 0x61,
  ne: 0x62,
  lt: 0x63,
  gt: 0x64,
  le: 0x65,
  ge: 0x66,
  neg: 0x9a,
  add: 0xa0,
  sub: 0xa1,
  mul: 0xa2,
  div: 0xa3,
  min: 0xa4,
  max: 0xa5,
  convert_i32_s: 0xb7,
  convert_i32_u: 0xb8,
  convert_i64_s: 0xb9,
  convert_i64_u: 0xba,
  promote_f32: 0xbb,
} as const;

export const V128 = {
  load: memory(PREFIX_VECTOR | 0x00, 4),
  load8_splat: memory(PREFIX_VECTOR | 0x07, 0),
  load32_zero: memory(PREFIX_VECTOR | 0x5c, 2),
  load64_zero: memory(PREFIX_VECTOR | 0x5d, 3),
  store: memory(PREFIX_VECTOR | 0x0b, 4),
  /** Written by `CodeWriter.v128Const`. */
  const: PREFIX_VECTOR | 0x0c,
  not: PREFIX_VECTOR | 0x4d,
  and: PREFIX_VECTOR | 0x4e,
  andnot: PREFIX_VECTOR | 0x4f,
  or: PREFIX_VECTOR | 0x50,
  xor: PREFIX_VECTOR | 0x51,
  any_true: PREFIX_VECTOR | 0x53,
} as const;

export const I8X16 = {
  splat: PREFIX_VECTOR | 0x0f,
  eq: PREFIX_VECTOR | 0x23,
  ne: PREFIX_VECTOR | 0x24,
  lt_s: PREFIX_VECTOR | 0x25,
  lt_u: PREFIX_VECTOR | 0x26,
  gt_s: PREFIX_VECTOR | 0x27,
  gt_u: PREFIX_VECTOR | 0x28,
  le_u: PREFIX_VECTOR | 0x2a,
  ge_u: PREFIX_VECTOR | 0x2c,
  all_true: PREFIX_VECTOR | 0x63,
  bitmask: PREFIX_VECTOR | 0x64,
  narrow_i16x8_s: PREFIX_VECTOR | 0x65,
} as const;

export const I16X8 = {
  eq: PREFIX_VECTOR | 0x2d,
} as const;

/** `atomic.fence`, which has a zero byte behind it; written by `CodeWriter.fence`. */
export const ATOMIC_FENCE = PREFIX_ATOMIC | 0x03;
