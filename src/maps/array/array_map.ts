/**
 * Arrays: maps whose keys are the indices below `maxEntries`, all there from the start, side by side in host memory.
 *
 * @module
 */
import type { Codec } from "../../codec/codec.ts";
import type { FieldOf, FieldPath } from "../../codec/path.ts";
import { BPF_NOEXIST } from "../../constants.ts";
import type { CoreHost } from "../../core/core_host.ts";
import { fitsScalar, isU32, readScalar, writeScalar } from "../../core/memory/scalar.ts";
import { roundUp8 } from "../../core/tables/registry.ts";
import type { Table } from "../../core/tables/table.ts";
import { CURSOR_ENDED, ERRNO_LIMIT } from "../../core/wasm/exports.ts";
import { bpfError, ERRNO, type Operation } from "../../errors.ts";
import {
  type AnyView,
  type ArrayPiece,
  type ArrayView,
  ArrayViews,
  checkViewType,
  type ViewType,
  viewType,
} from "../../ops/array_view.ts";
import type { DeltaArray } from "../../ops/batch/add_many.ts";
import type { Batch } from "../../ops/batch/batch.ts";
import type { KeyArray } from "../../ops/batch/key_array.ts";
import type { AddArguments, Count, FieldDeltas } from "../../ops/calls/counter.ts";
import type { Field } from "../../ops/calls/field.ts";
import { subjectOf } from "../../ops/failure.ts";
import { growTo } from "../../ops/grow.ts";
import { callLowWater, LOW_WATER, passing } from "../../ops/low_water.ts";
import { slotCodec } from "../../ops/percpu.ts";
import { hide } from "../../print/hidden.ts";
import type { CountingMap } from "../base/counting_map.ts";
import { EntryMap } from "../base/entry_map.ts";
import type { FieldMap } from "../base/field_map.ts";
import type { ViewableMap } from "./viewable_map.ts";

const INDICES_MAX = 2 ** 32; // memory ends before

/**
 * A BPF array (`BPF_MAP_TYPE_ARRAY`) with the interface of a JavaScript `Map` with the keys 0..maxEntries - 1. Every index is
 * there from the start, with a value of zeros, and none can be deleted. It can {@link grow}, and no element ever moves.
 *
 * Every method throws BpfError EBADF once the map or its host is closed, and EPERM when the map's flags or `freeze` forbid
 * what it does. A key or value of the wrong type is a TypeError, one that its codec has no room for a RangeError; but to
 * calls that only ask for a key, such a key is absent. A call that throws has changed
 * nothing, but for the entries that the `count` of a BpfError counts.
 *
 * @example
 * ```ts
 * import { createMap, f64, u32 } from "bpfmap";
 *
 * const map = createMap({ type: "array", key: u32, value: f64, maxEntries: 4 });
 * map.set(1, 0.5);
 * console.log(map.get(1), map.get(3), map.get(4)); // 0.5 0 undefined
 * map.view(Float64Array).fill(7);
 * console.log([...map.values()]); // [ 7, 7, 7, 7 ]
 * ```
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the methods are those of InPlaceMap and EntryMap, which say nothing of their types.
export class ArrayMap<V, A extends AnyView = ArrayView<V>>
  extends EntryMap<number, V>
  implements ViewableMap<A>
{
  /**
   * Bytes from the start of one element to the next, in {@link view} and in each of {@link views}: the size of the value rounded
   * up to 8, of a percpu_array times the number of CPUs.
   */
  declare readonly stride: number;
  /** Address of element 0. It never moves. */
  readonly #data: number;
  /** Elements that lie side by side from there on: as many as the array was created with. */
  readonly #base: number;
  readonly #views: ArrayViews;

  /** @internal Use {@link createMap}. */
  constructor(
    host: CoreHost,
    table: Table,
    key: Codec<number>,
    value: Codec<V>,
    readable: boolean,
    writable: boolean,
  ) {
    super(host, table, key, value, readable, writable);
    hide<ArrayMap<V, A>>(this, { stride: roundUp8(table.valueBytes) });
    this.#data = host.u32[(table.handle + host.layout.arrayData) >>> 2];
    this.#base = host.u32[(table.handle + host.layout.arrayBase) >>> 2];
    this.#views = new ArrayViews(host, table, this.stride);
  }

  /** The value of an index (a copy), or undefined beyond the array. */
  override get(index: number, flags?: number): V | undefined {
    if (this.reading === 0) this.refuse("get");
    if (flags !== undefined) return this.getWith(index, flags);
    const address = this.locate("get", index);
    if (address === 0) return undefined;
    const { host } = this;
    const value = readScalar(host, this.valueScalar, address);
    return value === undefined ? this.decodeValue("get", host.view, address) : (value as V);
  }

  /**
   * Writes the value of an index.
   *
   * @throws BpfError E2BIG beyond the array
   */
  override set(index: number, value: V): this {
    if (this.writing === 0) this.refuse("set");
    const { host } = this;
    const direct = fitsScalar(this.valueScalar, value);
    if (!direct) this.encodeValue("set", value);
    const address = this.obtain("set", index);
    if (direct) writeScalar(host, this.valueScalar, address, value);
    else host.copy(address, host.scratch.value, this.table.valueBytes);
    return this;
  }

  override get size(): number {
    if (this.closed) this.refuse("size");
    return this.table.maxEntries;
  }

  /** Whether the index is below `maxEntries`. */
  override has(index: number): boolean {
    if (this.reading === 0) this.refuse("has");
    return this.locate("has", index) !== 0;
  }

  override lookup(index: number): number {
    if (this.reading === 0) this.refuse("lookup");
    return this.locate("lookup", index);
  }

  override clear(): void {
    if (this.writing === 0) this.refuse("clear");
    const errno = this.host.core.arrayClear(this.writing);
    if (errno !== 0) this.fail("clear", errno);
  }

  /**
   * Makes the array longer. The new elements are zeros, and no element moves: addresses of {@link lookup} and the views stay good.
   * What is added lies in pieces of its own, of up to 64 KiB; see {@link views}. Another thread of a shared host has the new indices
   * as soon as this returns; iterators and scans that have not ended go on into them.
   *
   * @throws BpfError EINVAL for a length below the present one; ENOMEM, with the array as it was, when the host's memory does not
   *   hold it.
   * @example
   * ```ts
   * import { createMap, f64, u32 } from "bpfmap";
   *
   * const map = createMap({ type: "array", key: u32, value: f64, maxEntries: 2 });
   * map.grow(1_000_000);
   * console.log(map.size, map.get(999_999)); // 1000000 0
   * ```
   */
  grow(maxEntries: number): void {
    if (this.writing === 0) this.refuse("grow");
    growTo(this, maxEntries, INDICES_MAX);
  }

  /** The index after `index`, or 0 without one and for one beyond the array; undefined after the last, as `get_next_key`. */
  override nextKey(index?: number): number | undefined {
    if (this.reading === 0) this.refuse("nextKey");
    if (index === undefined) return 0;
    if (!isU32(index)) this.encodeKey("nextKey", index);
    const { maxEntries } = this.table;
    if (!isU32(index) || index >= maxEntries) return 0;
    return index + 1 === maxEntries ? undefined : index + 1;
  }

  /** @internal Always throws BpfError EINVAL: every index of an array is there for good, as in the kernel. */
  delete(index: number): never {
    if (this.writing === 0) this.refuse("delete");
    this.checkIndex("delete", index);
    return this.#never("delete", ERRNO.EINVAL);
  }

  /** @internal Always throws BpfError ENOTSUPP, as in the kernel. */
  lookupAndDelete(index: number): never {
    if (this.reading === 0 || this.writing === 0) this.refuse("lookupAndDelete");
    this.checkIndex("lookupAndDelete", index);
    return this.#never("lookupAndDelete", ERRNO.ENOTSUPP);
  }

  /** @internal Always throws BpfError ENOTSUPP, as in the kernel. */
  lookupAndDeleteBatch(_batch: Batch<number, V>): never {
    if (this.reading === 0 || this.writing === 0) this.refuse("lookupAndDeleteBatch");
    return this.#never("lookupAndDeleteBatch", ERRNO.ENOTSUPP);
  }

  /** @internal Always throws BpfError ENOTSUPP, as in the kernel. */
  deleteBatch(_batch: Batch<number, V>): never {
    if (this.writing === 0) this.refuse("deleteBatch");
    return this.#never("deleteBatch", ERRNO.ENOTSUPP);
  }

  /** @internal Always throws BpfError ENOTSUPP, as {@link lookupAndDeleteBatch}, which a drain is made of. */
  drain(): never {
    if (this.reading === 0 || this.writing === 0) this.refuse("drain");
    return this.#never("drain", ERRNO.ENOTSUPP);
  }

  view(): A;
  view<B extends AnyView>(Type: ViewType<B>): B;
  view(Type: ViewType<AnyView> = viewType(slotCodec(this.valueCodec).scalar)): AnyView {
    if (this.reading === 0) this.refuse("view");
    checkViewType(`view: ${subjectOf(this)}`, Type);
    return this.#views.first(Type, this.#data, this.#base);
  }

  views(): readonly ArrayPiece<A>[];
  views<B extends AnyView>(Type: ViewType<B>): readonly ArrayPiece<B>[];
  views(
    Type: ViewType<AnyView> = viewType(slotCodec(this.valueCodec).scalar),
  ): readonly ArrayPiece<AnyView>[] {
    if (this.reading === 0) this.refuse("views");
    checkViewType(`views: ${subjectOf(this)}`, Type);
    return this.#views.all(Type);
  }

  isWhole(view: AnyView): boolean {
    if (this.reading === 0) this.refuse("view");
    checkViewType(`isWhole: ${subjectOf(this)}`, view?.constructor);
    return this.#views.isWhole(view, this.#data);
  }

  override find(_handle: number, key: number): number {
    return this.#at(this.host.u32[key >>> 2]);
  }

  override locate(operation: Operation, index: number): number {
    if (isU32(index)) return this.#at(index);
    this.checkIndex(operation, index);
    return 0;
  }

  #at(index: number): number {
    if (index < this.#base) return this.#data + index * this.stride;
    return this.host.core.arrayElement(this.table.handle, index) >>> 0;
  }

  override obtain(operation: Operation, index: number): number {
    if (!isU32(index)) this.checkIndex(operation, index);
    if (this.frozen) this.fail(operation, ERRNO.EPERM);
    const address = this.#forWriting(index);
    if (address < ERRNO_LIMIT) return this.refused(operation, address, this.obtain, operation, index);
    return address;
  }

  #forWriting(index: number): number {
    if (index < this.table.direct) return this.#data + index * this.stride;
    return this.host.core.arrayObtain(this.table.handle, index) >>> 0;
  }

  override get absent(): number {
    return ERRNO.E2BIG;
  }

  /** @internal */
  override lockValue(key: number): number {
    const index = this.host.u32[key >>> 2];
    if (index >= this.table.maxEntries) return 0;
    this.announce(index, key);
    return super.lockValue(key);
  }

  /** @internal Tells the low-water hook of the write that may follow, as long as nothing is locked. The key is in the scratch. */
  protected announce(index: number, key: number): void {
    if (this.host.core.arrayObtain(this.table.handle, index) >>> 0 !== LOW_WATER) return;
    callLowWater(this, "locked");
    this.host.u32[key >>> 2] = index;
  }

  /** @internal */
  override writeLocked(address: number): void {
    passing(this.host, this.table, this.table.maxEntries, () => super.writeLocked(address));
  }

  override put(key: number, value: number, condition: number): number {
    const { host } = this;
    const index = host.u32[key >>> 2];
    if (this.frozen) return ERRNO.EPERM;
    if (condition === BPF_NOEXIST) return index < this.table.maxEntries ? ERRNO.EEXIST : ERRNO.E2BIG;
    const address = this.#forWriting(index);
    if (address < ERRNO_LIMIT) return address;
    host.copy(address, value, this.table.valueBytes);
    return 0;
  }

  /** The cursor is the next index. As in the kernel, a scan ends when it is asked for more than there is, not before. */
  override scan(cursor: number, keys: number, values: number, room: number): number {
    const { core, u32 } = this.host;
    const first = cursor >>> 2;
    const count = core.arrayScan(this.reading, u32[first], keys, values, room);
    u32[first] += count;
    if (count < room) u32[first + 1] = CURSOR_ENDED;
    return count;
  }

  override columns(state: number, addresses: number, keys: number, room: number): number {
    return this.host.core.arrayColumns(this.reading, state, addresses, keys, room);
  }

  override lookupKeys(_stage: number, keys: number, count: number, values: number, found: number): number {
    return this.host.core.arrayLookupMany(this.reading, keys, count, values, found);
  }

  override writeEntries(
    stage: number,
    keys: number,
    count: number,
    values: number,
    condition: number,
  ): number {
    const { core, layout, u32 } = this.host;
    if (condition === BPF_NOEXIST) {
      u32[(stage + layout.stageErrno) >>> 2] =
        u32[keys >>> 2] < this.table.maxEntries ? ERRNO.EEXIST : ERRNO.E2BIG;
      return 0;
    }
    return core.arrayUpdateMany(this.writing, keys, count, values, stage);
  }

  override addDeltas(
    stage: number,
    keys: number,
    count: number,
    deltas: number,
    width: number,
    offset: number,
  ): number {
    return this.host.core.arrayAddMany(this.writing, keys, count, deltas, width, offset, stage);
  }

  /** @internal Throws for an index that is no u32, unless it is only asked for. */
  protected checkIndex(operation: Operation, index: number): void {
    if (!isU32(index)) this.encodeKey(operation, index);
  }

  #never(operation: Operation, errno: number): never {
    if (this.frozen) this.fail(operation, ERRNO.EPERM);
    const cause = "is an array, whose elements cannot be deleted";
    throw bpfError(errno, operation, subjectOf(this), cause, "write zeros, or clear() it");
  }
}

// biome-ignore lint/correctness/noUnusedVariables: all declarations of a class must have the same parameters.
export interface ArrayMap<V, A extends AnyView = ArrayView<V>>
  extends CountingMap<number, V>,
    FieldMap<number, V> {
  add(index: number, ...count: AddArguments<V, Count<V, number>>): Count<V, number>;
  add(index: number, ...count: AddArguments<V, Count<V, bigint>>): Count<V, bigint>;
  addMany(
    keys: KeyArray<number>,
    ...counts: AddArguments<V, Count<V, number>, DeltaArray<Count<V, number>>>
  ): void;
  addMany(
    keys: KeyArray<number>,
    ...counts: AddArguments<V, Count<V, bigint>, DeltaArray<Count<V, bigint>>>
  ): void;
  field<P extends FieldPath<V>>(path: P): Field<number, FieldOf<V, P>>;
  addFields(index: number, deltas: FieldDeltas<V>): void;
}
