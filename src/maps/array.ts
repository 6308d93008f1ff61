/**
 * Arrays: maps whose keys are the indices below `maxEntries`, all there from the start, side by side in host memory.
 *
 * @module
 */
import type { Codec } from "../codec/codec.ts";
import { BPF_NOEXIST } from "../constants.ts";
import { bpfError, ERRNO, type Operation } from "../errors.ts";
import type { Host } from "../host/host.ts";
import type { Table } from "../host/table.ts";
import { roundUp8 } from "../host/tables.ts";
import { CURSOR_ENDED } from "../host/wasm.ts";
import { type AnyView, type ArrayView, checkViewType, type ViewType, viewType } from "./array_view.ts";
import type { Batch } from "./batch.ts";
import type { AnyCounts, Counts } from "./counter.ts";
import { CountingMap } from "./counting_map.ts";
import { subjectOf } from "./failure.ts";
import { slotCodec } from "./percpu.ts";
import { fitsScalar, isU32, readScalar, writeScalar } from "./scalar.ts";

/**
 * A BPF array (`BPF_MAP_TYPE_ARRAY`) with the interface of a JavaScript `Map` with the keys 0..maxEntries - 1. Every index is
 * there from the start, with a value of zeros, and none can be deleted.
 *
 * Every method throws BpfError EBADF once the map or its host is closed, and EPERM when the map's flags or `freeze` forbid
 * what it does. A key or value that its codec cannot hold is a TypeError or RangeError. A call that throws has changed
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
export class ArrayMap<V, C extends AnyCounts = Counts<V>> extends CountingMap<number, V, C> {
  /**
   * Bytes from the start of one element to the next, in host memory and in {@link view}: the size of the value rounded up to 8,
   * of a percpu_array times the number of CPUs.
   */
  readonly stride: number;
  /** Address of element 0. It never moves. */
  #data: number;
  #view: AnyView | undefined;

  /** @internal Use {@link createMap}. */
  constructor(
    host: Host,
    table: Table,
    key: Codec<number>,
    value: Codec<V>,
    readable: boolean,
    writable: boolean,
  ) {
    super(host, table, key, value, readable, writable);
    this.stride = roundUp8(table.valueBytes);
    this.#data = host.u32[(table.handle + host.layout.arrayData) >>> 2];
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
    if (this.frozen) this.fail("clear", ERRNO.EPERM);
    this.host.u8.fill(0, this.#data, this.#data + this.table.maxEntries * this.stride);
    this.written();
  }

  /** The index after `index`, or 0 without one and for one beyond the array; undefined after the last, as `get_next_key`. */
  override nextKey(index?: number): number | undefined {
    if (this.reading === 0) this.refuse("nextKey");
    if (index === undefined) return 0;
    this.checkIndex("nextKey", index);
    const { maxEntries } = this.table;
    if (index >= maxEntries) return 0;
    return index + 1 === maxEntries ? undefined : index + 1;
  }

  /** @throws BpfError EINVAL: every index of an array is there for good, as in the kernel. */
  delete(index: number): never {
    if (this.writing === 0) this.refuse("delete");
    this.checkIndex("delete", index);
    return this.#never("delete", ERRNO.EINVAL);
  }

  /** @throws BpfError ENOTSUPP, as in the kernel. */
  lookupAndDelete(index: number): never {
    if (this.reading === 0 || this.writing === 0) this.refuse("lookupAndDelete");
    this.checkIndex("lookupAndDelete", index);
    return this.#never("lookupAndDelete", ERRNO.ENOTSUPP);
  }

  /** @throws BpfError ENOTSUPP, as in the kernel. */
  lookupAndDeleteBatch(_batch: Batch<number, V>): never {
    if (this.reading === 0 || this.writing === 0) this.refuse("lookupAndDeleteBatch");
    return this.#never("lookupAndDeleteBatch", ERRNO.ENOTSUPP);
  }

  /** @throws BpfError ENOTSUPP, as in the kernel. */
  deleteBatch(_batch: Batch<number, V>): never {
    if (this.writing === 0) this.refuse("deleteBatch");
    return this.#never("deleteBatch", ERRNO.ENOTSUPP);
  }

  /** @throws BpfError ENOTSUPP, as {@link lookupAndDeleteBatch}, which a drain is made of. */
  drain(): never {
    if (this.reading === 0 || this.writing === 0) this.refuse("drain");
    return this.#never("drain", ERRNO.ENOTSUPP);
  }

  /**
   * All elements as one typed array on the map's memory, as `mmap` gives it in the kernel: no copy, and what is written there is
   * in the map at once. Element `i` starts at byte `i * stride`, so with 8-byte numbers the view is dense, and otherwise element
   * `i` is at `view[(i * map.stride) / view.BYTES_PER_ELEMENT]`: elements start at multiples of 8 bytes, as in the kernel.
   *
   * The view is of the type of the codec: `Uint32Array` for u32, `Float64Array` for f64, `BigUint64Array` for u64 and u53, and
   * `Uint8Array` for values that are not one number.
   *
   * Growth of host memory, which any insert into a map of the host may cause, detaches every view: it has length 0 then, reads
   * undefined and drops what is written. So call `view()` again after inserting: it gives the same array as long as it is good.
   *
   * On a shared host memory does not grow, and other threads see each word as it is written.
   *
   * Writes through it are not checked: `freeze` does not stop them, and iterators may miss them for the entries that they have
   * fetched already.
   *
   * @param Type another typed array to see the same bytes as
   * @example
   * ```ts
   * import { createMap, u32 } from "bpfmap";
   *
   * const map = createMap({ type: "array", key: u32, value: u32, maxEntries: 3 });
   * const view = map.view(Uint32Array);
   * const step = map.stride / view.BYTES_PER_ELEMENT;
   * view[2 * step] = 42;
   * console.log(step, view.length, map.get(2)); // 2 6 42
   * ```
   */
  view(): ArrayView<C[0]>;
  view<A extends AnyView>(Type: ViewType<A>): A;
  view(Type: ViewType<AnyView> = viewType(slotCodec(this.valueCodec).scalar)): AnyView {
    if (this.reading === 0) this.refuse("view");
    const known = this.#view;
    if (known !== undefined && known.constructor === Type && known.length !== 0) return known;
    checkViewType(this, Type);
    const bytes = this.table.maxEntries * this.stride;
    this.#view = new Type(this.host.u8.buffer, this.#data, bytes / Type.BYTES_PER_ELEMENT);
    return this.#view;
  }

  override find(_handle: number, key: number): number {
    return this.#data + this.host.u32[key >>> 2] * this.stride;
  }

  override locate(operation: Operation, index: number): number {
    if (!isU32(index)) this.checkIndex(operation, index);
    return index < this.table.maxEntries ? this.#data + index * this.stride : 0;
  }

  override obtain(operation: Operation, index: number): number {
    const address = this.locate(operation, index);
    if (this.frozen) this.fail(operation, ERRNO.EPERM);
    if (address === 0) this.fail(operation, ERRNO.E2BIG);
    this.written();
    return address;
  }

  override get absent(): number {
    return ERRNO.E2BIG;
  }

  protected override lockValue(key: number): number {
    return this.host.u32[key >>> 2] < this.table.maxEntries ? super.lockValue(key) : 0;
  }

  override put(key: number, value: number, condition: number): number {
    const { host } = this;
    const index = host.u32[key >>> 2];
    if (this.frozen) return ERRNO.EPERM;
    if (index >= this.table.maxEntries) return ERRNO.E2BIG;
    if (condition === BPF_NOEXIST) return ERRNO.EEXIST;
    host.copy(this.#data + index * this.stride, value, this.table.valueBytes);
    this.written();
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

  /** @internal Throws for an index that is no u32. */
  protected checkIndex(operation: Operation, index: number): void {
    if (!isU32(index)) this.encodeKey(operation, index);
  }

  /** @internal Iterators compare the version to see whether what they have fetched still holds. */
  protected written(): void {
    this.host.u32[(this.table.handle + this.host.layout.version) >>> 2]++;
  }

  #never(operation: Operation, errno: number): never {
    if (this.frozen) this.fail(operation, ERRNO.EPERM);
    const cause = "is an array, whose elements cannot be deleted";
    throw bpfError(errno, operation, subjectOf(this), cause, "write zeros, or clear() it");
  }
}
