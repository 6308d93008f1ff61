/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Batches: flat buffers of keys and values in host memory, and the cursor of a scan.
 *
 * @module
 */

import { checkInteger } from "../../arguments/integer.ts";
import { BPF_F_LOCK } from "../../constants.ts";
import { noBlock, roundUp64, scanLayout } from "../../core/memory/scratch.ts";
import { clearTimers } from "../../core/tables/special_fields.ts";
import { drainTable, drainTableAny, isNoted } from "../../core/tables/table_calls.ts";
import { CURSOR_ENDED } from "../../core/wasm/exports.ts";
import { bpfError, ERRNO, type Operation } from "../../errors.ts";
import { READ_AHEAD } from "../../generated/abi.js";
import { compareBy } from "../../print/hidden.ts";
import { INSPECT, type Inspect, printEntries, printList } from "../../print/inspect.ts";
import { checkFlags, updateFlags } from "../calls/flags.ts";
import { partError, subjectOf } from "../failure.ts";
import type { EntryHandle, MapHandle } from "../handle.ts";
import { callLowWater, LOW_WATER, passing } from "../low_water.ts";
import { groupSize } from "./key_array.ts";
import { type PutBack, putBack } from "./put_back.ts";

/** What batches are compared by. */
function contentsOfBatch(this: Batch<unknown, unknown>): unknown {
  return [this.toJSON(), this.closed ? "closed" : [...this.entries()]];
}

/** In the place of the condition of updates: entries are deleted. */
const REMOVING = -1;

/**
 * The kernel's batch struct over buffers in host memory. Made by {@link EntryMap.createBatch}; belongs to that map.
 *
 * The views `keys` and `values` are replaced when host memory grows: read them from the batch each time.
 *
 * @example
 * ```ts
 * import { createMap, u32 } from "bpfmap";
 *
 * const map = createMap({ type: "hash", key: u32, value: u32, maxEntries: 8 });
 * map.set(7, 70);
 * const batch = map.createBatch(4);
 * console.log(map.lookupBatch(batch), batch.count); // false 1
 * console.log(batch.key(0), batch.value(0), batch.keys.length); // 7 70 16
 * batch.close();
 * ```
 */
export class Batch<K, V> {
  readonly #capacity: number;
  #count: number;
  #elemFlags = 0;
  #flags = 0;
  #map: EntryHandle<K, V>;
  /** The block: cursor, keys, values, and the stage of its calls, so that they need no memory of a host that is full by then. 0 when closed. */
  #cursor: number;
  #stage: number;
  #bytes: number;
  #keysAt: number;
  #valuesAt: number;
  #keys: Uint8Array = new Uint8Array(0);
  #values: Uint8Array = new Uint8Array(0);

  /** @internal Use {@link EntryMap.createBatch}. */
  constructor(map: EntryHandle<K, V>, capacity: number) {
    const { host, table } = map;
    const layout = scanLayout(host, table.keySize, table.storedBytes, capacity);
    const copies = host.shared
      ? roundUp64(groupSize(capacity, table.keySize) * table.keySize + READ_AHEAD)
      : 0;
    this.#bytes = layout.bytes + roundUp64(host.layout.stageBytes) + copies;
    this.#cursor = host.allocate(this.#bytes);
    if (this.#cursor === 0) throw noBlock(host, "createBatch", subjectOf(map));
    this.#stage = this.#cursor + layout.bytes;
    this.#map = map;
    this.#keysAt = this.#cursor + layout.keys;
    this.#valuesAt = this.#cursor + layout.values;
    this.#capacity = capacity;
    this.#count = capacity;
    compareBy(this, contentsOfBatch);
    map.resources.add(this);
    this.rewind();
  }

  /** Entries that the buffers hold. */
  get capacity(): number {
    return this.#capacity;
  }

  /** Before a call: how many entries to take, up to `capacity`. After it: how many were done. */
  get count(): number {
    return this.#count;
  }

  set count(count: number) {
    this.#count = count;
  }

  /** 0, or `BPF_F_LOCK` when the value has a spinLock; for {@link EntryMap.updateBatch} also the condition of the updates. */
  get elemFlags(): number {
    return this.#elemFlags;
  }

  set elemFlags(flags: number) {
    this.#elemFlags = flags;
  }

  /** 0: the kernel has no flags here yet. */
  get flags(): number {
    return this.#flags;
  }

  set flags(flags: number) {
    this.#flags = flags;
  }

  /** The keys, packed: `capacity * keySize` bytes of host memory. */
  get keys(): Uint8Array {
    this.#check("batch.keys");
    if (this.#keys.length === 0) {
      const { host, table } = this.#map;
      this.#keys = host.u8.subarray(this.#keysAt, this.#keysAt + this.capacity * table.keySize);
    }
    return this.#keys;
  }

  /**
   * The values, packed: `capacity * valueSize` bytes of host memory. Of per-CPU
   * maps, a value is one slot per CPU, each at a multiple of 8 bytes.
   */
  get values(): Uint8Array {
    this.#check("batch.values");
    if (this.#values.length === 0) {
      const { host, table } = this.#map;
      this.#values = host.u8.subarray(this.#valuesAt, this.#valuesAt + this.capacity * table.valueBytes);
    }
    return this.#values;
  }

  /** Key number `index`. */
  key(index: number): K {
    this.#checkIndex("batch.key", index);
    const { host } = this.#map;
    return this.#map.decodeKey("batch.key", host.view, this.#key(index));
  }

  /** Value number `index`. */
  value(index: number): V {
    this.#checkIndex("batch.value", index);
    const { host } = this.#map;
    return this.#map.decodeValue("batch.value", host.view, this.#value(index));
  }

  /** Writes key and value number `index`; neither is written when one of them does not fit its codec. */
  set(index: number, key: K, value: V): void {
    this.#checkIndex("batch.set", index);
    const { host, table } = this.#map;
    this.#map.encodeValue("batch.set", value);
    this.#map.encodeKey("batch.set", key);
    this.#check("batch.set"); // a getter may have closed it
    host.copy(this.#key(index), host.scratch.key, table.keySize);
    host.copy(this.#value(index), host.scratch.value, table.valueBytes);
  }

  /** The first `count` entries. */
  *entries(): Generator<[K, V], void, undefined> {
    const { count } = this;
    for (let i = 0; i < count; i++) yield [this.key(i), this.value(i)];
  }

  /** Puts the cursor back to the beginning and `count` to `capacity`. */
  rewind(): void {
    this.#check("batch.rewind");
    const { host } = this.#map;
    host.putWord(this.#cursor, 0);
    host.putWord(this.#cursor + 4, 0);
    this.#count = this.#capacity;
  }

  /** Gives the buffers back. Calling it again does nothing. */
  close(): void {
    if (this.#cursor === 0) return;
    this.#map.host.release(this.#cursor, this.#bytes);
    this.#map.resources.delete(this);
    this.#cursor = 0;
    this.#keys = this.#values = new Uint8Array(0);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  get [Symbol.toStringTag](): string {
    return "Batch";
  }

  /** What `JSON.stringify` gives: the numbers of the batch, without its entries. */
  toJSON(): { capacity: number; count: number; elemFlags: number; flags: number } {
    const { capacity, count, elemFlags, flags } = this;
    return { capacity, count, elemFlags, flags };
  }

  /** @internal */
  [INSPECT](_depth?: number, options: object = {}, inspect?: Inspect): string {
    const title = `Batch(${this.count} of ${this.capacity}) of ${subjectOf(this.#map)}`;
    if (this.#cursor === 0) return `${title} (closed)`;
    const printed = printEntries(this.entries(), options, inspect);
    return printList(title, printed, this.count - printed.length);
  }

  /** @internal Whether it was closed. */
  get closed(): boolean {
    return this.#cursor === 0;
  }

  /** @internal The next `count` entries from the cursor; false once the scan has ended. */
  fill(map: EntryHandle<K, V>, operation: Operation): boolean {
    this.#checkCall(map, operation);
    this.#checkFlags(operation);
    const wanted = this.#count;
    this.#count = map.scan(this.#cursor, this.#keysAt, this.#valuesAt, wanted);
    if (wanted > 0) map.checkScan(operation, this.#count);
    this.#clearTimers();
    return !this.#ended();
  }

  /** @internal As {@link fill}, and removes the entries. */
  take(map: EntryHandle<K, V>, operation: Operation): boolean {
    this.#checkCall(map, operation);
    this.#checkFlags(operation);
    const { host, table } = map;
    const wanted = this.#count;
    this.#count = drainTable(host, table, this.#cursor, this.#keysAt, this.#valuesAt, wanted);
    if (host.u8.length === 0) host.refresh();
    if (wanted > 0) map.checkScan(operation, this.#count);
    this.#clearTimers();
    return !this.#ended();
  }

  /** @internal Writes the first `count` entries; throws at the first that fails. */
  write(map: EntryHandle<K, V>): void {
    this.#checkCall(map, "updateBatch");
    checkFlags(map, "updateBatch", this.#elemFlags);
    const condition = updateFlags(map, "updateBatch", this.#elemFlags);
    if (map.frozen) map.fail("updateBatch", ERRNO.EPERM);
    this.#clearTimers();
    const wanted = this.#count;
    this.#count = 0;
    let errno = this.#eachGroup(map, wanted, condition);
    // A method of its own: the closure in it would cost every call an allocation.
    while (errno === LOW_WATER) errno = this.#passMark(map, wanted, condition);
    if (errno !== 0) throw partError(map, "updateBatch", errno, this.#count, wanted);
  }

  /** Has the low-water hook called and writes on. */
  #passMark(map: EntryHandle<K, V>, wanted: number, condition: number): number {
    const done = this.#count;
    const maxEntries = callLowWater(map, "updateBatch");
    this.#check("updateBatch");
    // The hook may have used the batch.
    this.#count = done;
    // The entry that was told goes on, and no other.
    const errno = passing(map.host, map.table, maxEntries, () => this.#eachGroup(map, done + 1, condition));
    return errno === 0 ? this.#eachGroup(map, wanted, condition) : errno;
  }

  /**
   * Has entries from number `count` up to number `end` done, and counts them. Another thread may write to the keys of a shared host
   * while they are hashed and compared: there they go through the stage, group by group. 0, or the errno that ended it.
   *
   * @param condition of updates, or REMOVING
   */
  #eachGroup(map: EntryHandle<K, V>, end: number, condition: number): number {
    const { host, table } = map;
    const { keySize, valueBytes } = table;
    const stage = this.#stage;
    let at = this.#count;
    const room = host.shared ? groupSize(end - at, keySize) : end - at;
    while (at < end) {
      const entries = Math.min(room, end - at);
      let keys = this.#keysAt + at * keySize;
      if (host.shared) {
        const copies = stage + roundUp64(host.layout.stageBytes);
        host.copy(copies, keys, entries * keySize);
        keys = copies;
      }
      const done =
        condition === REMOVING
          ? removeEntries(map, stage, keys, entries)
          : map.writeEntries(stage, keys, entries, this.#valuesAt + at * valueBytes, condition);
      at += done;
      this.#count = at;
      if (host.u8.length === 0) host.refresh();
      if (done < entries) return host.word(stage + host.layout.stageErrno);
    }
    return 0;
  }

  /** @internal Deletes the first `count` keys; throws at the first that is absent. */
  remove(map: EntryHandle<K, V>): void {
    this.#checkCall(map, "deleteBatch");
    this.#checkFlags("deleteBatch");
    if (map.frozen) map.fail("deleteBatch", ERRNO.EPERM);
    const wanted = this.#count;
    this.#count = 0;
    const errno = this.#eachGroup(map, wanted, REMOVING);
    if (errno !== 0) throw partError(map, "deleteBatch", errno, this.#count, wanted);
  }

  /** @internal Takes up to `capacity` entries out for {@link HashMap.drain}; false when the map is empty then. */
  drain(map: EntryHandle<K, V>): boolean {
    // Entries may not move inside a section, so there a cursor goes over them; another thread may be in one at any time.
    if (map.host.shared || map.host.registry.sections > 0) {
      this.#count = this.#capacity;
      return this.take(map, "drain");
    }
    const { host, table } = map;
    this.#count = drainTableAny(host, table, this.#stage, this.#keysAt, this.#valuesAt, this.#capacity);
    if (host.u8.length === 0) host.refresh();
    this.#clearTimers();
    return this.#count === this.#capacity;
  }

  /** @internal Puts the entries from number `from` on back. */
  putBack(map: EntryHandle<K, V>, from: number): PutBack {
    return putBack(map, "drain", from, this.#count, (i) => [this.#key(i), this.#value(i)]);
  }

  /** Where key number `index` is. */
  #key(index: number): number {
    return this.#keysAt + index * this.#map.table.keySize;
  }

  #value(index: number): number {
    return this.#valuesAt + index * this.#map.table.valueBytes;
  }

  /** Timers of the values in the buffers read as zeros, and are written as such. */
  #clearTimers(): void {
    const { host, table } = this.#map;
    clearTimers(host.u8, table, this.#valuesAt, this.#count);
  }

  #ended(): boolean {
    return this.#map.host.word(this.#cursor + 4) === CURSOR_ENDED;
  }

  #check(operation: Operation): void {
    if (this.#cursor === 0) {
      throw bpfError(ERRNO.EBADF, operation, `a batch of ${subjectOf(this.#map)}`, "is closed");
    }
  }

  #checkIndex(operation: Operation, index: number): void {
    this.#check(operation);
    // Messages only for what fails: building them costs more than the call.
    if (index >>> 0 === index && index < this.#capacity) return;
    checkInteger(`${operation}: ${subjectOf(this.#map)}: index`, index, 0, this.#capacity - 1);
  }

  #checkCall(map: EntryHandle<K, V>, operation: Operation): void {
    if (this.#map !== map) {
      const cause = `was given a batch of ${subjectOf(this.#map)}`;
      throw bpfError(ERRNO.EINVAL, operation, subjectOf(map), cause);
    }
    if (this.#cursor === 0)
      throw bpfError(ERRNO.EBADF, operation, subjectOf(map), "was given a closed batch");
    const count = this.#count;
    if (count >>> 0 !== count || count > this.#capacity) {
      checkInteger(`${operation}: ${subjectOf(map)}: batch.count`, count, 0, this.#capacity);
    }
    if (this.#flags !== 0) this.#refuseFlags(operation);
  }

  /** Throws for elemFlags other than BPF_F_LOCK. */
  #checkFlags(operation: Operation): void {
    const allowed = this.#map.table.lockOffset === undefined ? 0 : BPF_F_LOCK;
    if (this.#elemFlags !== 0 && this.#elemFlags !== allowed) this.#refuseFlags(operation);
  }

  #refuseFlags(operation: Operation): never {
    const cause = `was given a batch with elemFlags = ${this.#elemFlags}, flags = ${this.#flags}`;
    throw bpfError(ERRNO.EINVAL, operation, subjectOf(this.#map), cause);
  }
}

/** Removes keys; how many, with the errno that ended it in the stage. */
function removeEntries(map: MapHandle<unknown, unknown>, stage: number, keys: number, count: number): number {
  try {
    const { core, host, table } = map;
    if (!isNoted(host, table)) return core.removeMany(table.handle, stage, keys, count);
    host.expiry.touch();
    return core.removeManyNoted(table.handle, stage, keys, count);
  } catch (trap) {
    throw map.trapped("deleteBatch", trap);
  }
}
