/**
 * Typed arrays on the memory of an array map.
 *
 * @module
 */
import { describe } from "../arguments/mismatch.ts";
import { Scalar, type ScalarKind } from "../codec/codec.ts";
import type { CoreHost } from "../core/core_host.ts";
import type { Table } from "../core/tables/table.ts";

export type AnyView =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigUint64Array
  | BigInt64Array;

/** The typed arrays of the machine numbers, by their names. */
export interface ViewsByName {
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly u32: Uint32Array;
  readonly i8: Int8Array;
  readonly i16: Int16Array;
  readonly i32: Int32Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  readonly u53: BigUint64Array;
  readonly u64: BigUint64Array;
  readonly i64: BigInt64Array;
}

/** What {@link ArrayMap.view} gives without an argument for values of type `V` with a codec of name `N`, as far as that is known. */
export type ArrayView<V, N extends string = string> = N extends keyof ViewsByName
  ? ViewsByName[N]
  : unknown extends V
    ? AnyView
    : V extends number
      ? Exclude<AnyView, BigInt64Array>
      : V extends bigint
        ? BigUint64Array | BigInt64Array
        : Uint8Array;

/** The constructor of a typed array. */
export interface ViewType<A extends AnyView> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): A;
}

/** Elements of an array map that lie side by side; see {@link ArrayMap.views}. */
export interface ArrayPiece<A extends AnyView> {
  /** Index of the first element. */
  readonly first: number;
  /** How many elements. */
  readonly count: number;
  /** The elements, as {@link ArrayMap.view} shows them. */
  readonly view: A;
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

/** Throws for what is no constructor of a typed array. */
export function checkViewType(what: string, Type: unknown): void {
  if (ALL.has(Type)) return;
  throw new TypeError(`${what}: expected the constructor of a typed array, got ${describe(Type)}`);
}

const NONE: readonly ArrayPiece<AnyView>[] = Object.freeze([]);

/** The views of one array map, kept as long as they are good. */
export class ArrayViews {
  readonly #host: CoreHost;
  readonly #table: Table;
  readonly #stride: number;
  #view: AnyView | undefined;
  #pieces = NONE;
  /** Elements that the pieces show. */
  #shown = 0;

  constructor(host: CoreHost, table: Table, stride: number) {
    this.#host = host;
    this.#table = table;
    this.#stride = stride;
  }

  /** The elements of the first block. */
  first(Type: ViewType<AnyView>, data: number, base: number): AnyView {
    const known = this.#view;
    if (known !== undefined && known.constructor === Type && known.length !== 0) return known;
    this.#view = this.#show(Type, data, base);
    return this.#view;
  }

  /** All elements, in order. */
  all(Type: ViewType<AnyView>): readonly ArrayPiece<AnyView>[] {
    const { maxEntries } = this.#table;
    const known = this.#pieces[0]?.view;
    if (known?.constructor === Type && known.length !== 0 && this.#shown === maxEntries) return this.#pieces;
    const { core } = this.#host;
    const { handle } = this.#table;
    const pieces: ArrayPiece<AnyView>[] = [];
    for (let first = 0; first < maxEntries; ) {
      const count = Math.min(core.arrayRun(handle, first) >>> 0, maxEntries - first);
      const address = core.arrayElement(handle, first) >>> 0;
      pieces.push(Object.freeze({ first, count, view: this.#show(Type, address, count) }));
      first += count;
    }
    this.#pieces = Object.freeze(pieces);
    this.#shown = maxEntries;
    return this.#pieces;
  }

  /** Whether a view shows every element of the map: it is on the memory as it is now, and begins and ends with the map. */
  isWhole(view: AnyView, data: number): boolean {
    const bytes = this.#table.maxEntries * this.#stride;
    return view.buffer === this.#host.u8.buffer && view.byteOffset === data && view.byteLength === bytes;
  }

  #show(Type: ViewType<AnyView>, address: number, count: number): AnyView {
    return new Type(this.#host.u8.buffer, address, (count * this.#stride) / Type.BYTES_PER_ELEMENT);
  }
}
