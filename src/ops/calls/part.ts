/**
 * Parts of values: fields of structs that are read and written without the rest.
 *
 * @module
 */
import { type Codec, Scalar, type ScalarKind } from "../../codec/codec.ts";
import { isScalarCodec } from "../../codec/scalars.ts";
import type { MapHandle } from "../handle.ts";
import { isPerCpu, slotCodec, slotStride } from "../percpu.ts";
import { fieldOf } from "./counter.ts";

/** A field of the values of a map. */
export interface Part {
  readonly codec: Codec<unknown>;
  /** The number that it is; NONE for what only its codec can read and write. */
  readonly scalar: ScalarKind;
  /** Whether the core takes and gives it as a JavaScript number. */
  readonly isNumber: boolean;
  /** Bytes from the start of the value; of per-CPU maps, to the field in the calling thread's slot. */
  readonly offset: number;
}

/** The part that a path names, or TypeError. */
export function partOf(map: MapHandle<unknown, unknown>, path: unknown): Part {
  const { codec, offset } = fieldOf(map, "field", slotCodec(map.valueCodec), path);
  const scalar = isScalarCodec(codec) ? codec.scalar : Scalar.NONE;
  const slot = isPerCpu(map.valueCodec) ? map.host.cpu * slotStride(map) : 0;
  const isNumber = scalar >= Scalar.U8 && scalar <= Scalar.U53;
  return { codec, scalar, isNumber, offset: slot + offset };
}
