/**
 * Typed arrays on the memory of an array map.
 *
 * @module
 */
import { Scalar, type ScalarKind } from "../codec/codec.ts";
import { describe } from "../codec/mismatch.ts";
import type { BpfMap } from "./bpf_map.ts";
import { subjectOf } from "./failure.ts";

type NumberView =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Float32Array
  | Float64Array;

export type AnyView = NumberView | BigUint64Array | BigInt64Array;

/** What {@link ArrayMap.view} gives without an argument for values that are of type `V` or, when that is never, no number. */
export type ArrayView<V> = [V] extends [never]
  ? Uint8Array
  : [V] extends [bigint]
    ? BigUint64Array | BigInt64Array
    : [V] extends [number]
      ? NumberView | BigUint64Array
      : AnyView;

/** The constructor of a typed array. */
export interface ViewType<A extends AnyView> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): A;
}

const TYPES: Readonly<Partial<Record<ScalarKind, ViewType<AnyView>>>> = {
  [Scalar.U8]: Uint8Array,
  [Scalar.U16]: Uint16Array,
  [Scalar.U32]: Uint32Array,
  [Scalar.I8]: Int8Array,
  [Scalar.I16]: Int16Array,
  [Scalar.I32]: Int32Array,
  [Scalar.F32]: Float32Array,
  [Scalar.F64]: Float64Array,
  [Scalar.U53]: BigUint64Array,
  [Scalar.U64]: BigUint64Array,
  [Scalar.I64]: BigInt64Array,
};
const ALL = new Set<unknown>(Object.values(TYPES));

export function viewType(scalar: ScalarKind): ViewType<AnyView> {
  return TYPES[scalar] ?? Uint8Array;
}

export function checkViewType(map: BpfMap<unknown, unknown>, Type: unknown): void {
  if (ALL.has(Type)) return;
  throw new TypeError(
    `view: ${subjectOf(map)}: expected the constructor of a typed array, got ${describe(Type)}`,
  );
}
