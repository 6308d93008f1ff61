/**
 * The machine numbers that programs read and write.
 *
 * @module
 */
import { type Codec, Scalar, type ScalarKind } from "../../codec/codec.ts";
import { type Range, S32, S64, signed, U32, U64, unsigned } from "./range.ts";

export interface ScalarType {
  /** As its codec is called. */
  readonly name: string;
  /** In memory. */
  readonly bytes: number;
  /** What the bytes can be, whatever was written there; undefined for floats. A u53 is a u64 in memory. */
  readonly range: Range | undefined;
}

const type = (name: string, bytes: number, range?: Range): ScalarType => ({ name, bytes, range });

const TYPES: Readonly<Record<Exclude<ScalarKind, typeof Scalar.NONE>, ScalarType>> = {
  [Scalar.U8]: type("u8", 1, unsigned(8n)),
  [Scalar.U16]: type("u16", 2, unsigned(16n)),
  [Scalar.U32]: type("u32", 4, U32),
  [Scalar.U53]: type("u53", 8, U64),
  [Scalar.U64]: type("u64", 8, U64),
  [Scalar.I8]: type("i8", 1, signed(8n)),
  [Scalar.I16]: type("i16", 2, signed(16n)),
  [Scalar.I32]: type("i32", 4, S32),
  [Scalar.I64]: type("i64", 8, S64),
  [Scalar.F32]: type("f32", 4),
  [Scalar.F64]: type("f64", 8),
};

/** A number that a place in memory, or a conversion, can be of. */
export type NumberKind = keyof typeof TYPES;

export function scalarType(scalar: NumberKind): ScalarType {
  return TYPES[scalar];
}

/** The number that a codec stands for, or undefined when it is none. */
export function numberKind(codec: Codec<unknown>): NumberKind | undefined {
  return codec.scalar === Scalar.NONE ? undefined : codec.scalar;
}
