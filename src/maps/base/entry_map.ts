/**
 * What all maps with keys and values have in common, hash-like maps and arrays. The calls that decide the speed (`get`, `set`,
 * `has`, `lookup`) stand in one subclass per kind of key: V8 inlines a call into WebAssembly only at a call site that has seen one
 * function, so that none of them can be shared. Those of hash maps are written from one template, scripts/hash_maps.template.ts.
 *
 * @module
 */
import { type Codec, Scalar } from "../../codec/codec.ts";
import { BPF_ANY, BPF_EXIST } from "../../constants.ts";
import type { CoreHost } from "../../core/core_host.ts";
import { addTo, addToAny, addU32, addU53, fitsU53 } from "../../core/memory/add.ts";
import { readScalar, writeScalar } from "../../core/memory/scalar.ts";
import { plainSpans } from "../../core/tables/special_fields.ts";
import type { Table } from "../../core/tables/table.ts";
import type { ReadonlyEntry } from "../../entries/entry.ts";
import { type IteratorOptions, MapIterator } from "../../entries/iterator.ts";
import type { Operation } from "../../errors.ts";
import { type AddMany, addMany } from "../../ops/batch/add_many.ts";
import { Batch } from "../../ops/batch/batch.ts";
import { type BatchOptions, batchSizeOf, checkBatchSize } from "../../ops/batch/batch_size.ts";
import { eachBatch } from "../../ops/batch/batches.ts";
import type { KeyArray, ValueArray } from "../../ops/batch/key_array.ts";
import { Lookups } from "../../ops/batch/lookup_many.ts";
import { type Additions, addFields } from "../../ops/calls/add_fields.ts";
import { type AddOptions, type Counter, Counters, checkDelta, outOfU53 } from "../../ops/calls/counter.ts";
import { Field } from "../../ops/calls/field.ts";
import { checkFlags, checkGetFlags, updateFlags } from "../../ops/calls/flags.ts";
import { getOrInsert, getOrInsertComputed } from "../../ops/calls/get_or_insert.ts";
import { locked } from "../../ops/calls/locked.ts";
import type { Part } from "../../ops/calls/part.ts";
import { subjectOf } from "../../ops/failure.ts";
import type { ValueIterator } from "../../ops/iterator_base.ts";
import { entriesOf, forEachOf, keysOf, valuesOf } from "../../ops/iterators/iterators.ts";
import { slotCodec } from "../../ops/percpu.ts";
import { MapTimer, MapWorkqueue } from "../../ops/timers/map_timers.ts";
import { hide } from "../../print/hidden.ts";
import type { BatchMap } from "./batch_map.ts";
import { BpfMap } from "./bpf_map.ts";
import type { LockableMap } from "./lockable_map.ts";
import type { TimedMap } from "./timed_map.ts";

/** A map of keys and values with the interface of a JavaScript `Map`. */
export abstract class EntryMap<K, V>
  extends BpfMap<K, V>
  implements BatchMap<K, V>, LockableMap<K, V>, TimedMap<K>
{
  /** @internal */
  declare readonly counters: Counters;
  /** @internal What `addMany` has kept for its next call. */
  declare additions: AddMany<K, V> | undefined;
  /** @internal What `addFields` has kept for its next call. */
  declare spareAdditions: Additions | undefined;
  #lookups: Lookups<K, V> | undefined;

  /** @internal Use {@link createMap}. */
  constructor(
    host: CoreHost,
    table: Table,
    key: Codec<K>,
    value: Codec<V>,
    readable: boolean,
    writable: boolean,
  ) {
    super(host, table, key, value, readable, writable);
    hide<EntryMap<K, V>>(this, {
      counters: new Counters(slotCodec(value)),
      additions: undefined,
      spareAdditions: undefined,
    });
  }

  abstract get(key: K, flags?: number): V | undefined;

  /**
   * Inserts or overwrites, as {@link update} with BPF_ANY.
   *
   * @throws BpfError E2BIG when the key is new and the map full, or an index beyond the array; ENOMEM when host memory is
   *   used up.
   */
  abstract set(key: K, value: V): this;

  abstract has(key: K): boolean;

  /**
   * The address of the live value in host memory, 0 when the key is absent; to read and write through `map.host.u32` and
   * the other views. hash, arrays: valid until the entry is deleted. rhash: until the map is next written, or to the end of
   * the surrounding {@link Host.section}. Other threads delete and write, too: on a shared host look up in a section, and note
   * that nothing but aligned words of up to 8 bytes is read or written in one step.
   *
   * @example
   * ```ts
   * import { createMap, u32 } from "bpfmap";
   *
   * const map = createMap({ type: "hash", key: u32, value: u32, maxEntries: 8 });
   * map.set(7, 41);
   * map.host.u32[map.lookup(7) >>> 2]++;
   * console.log(map.get(7)); // 42
   * ```
   */
  abstract lookup(key: K): number;

  // What differs between tables and arrays, or by the kind of key.
  /** @internal The errno for an update with BPF_EXIST of a key that is not there. */
  abstract get absent(): number;
  /** @internal Address of the value of the key at an address, 0 when absent; on shared hosts, of a copy, or an errno. */
  abstract find(handle: number, key: number): number;
  /** @internal Update and copy the value, both at addresses; 0 | errno. */
  abstract put(key: number, value: number, condition: number): number;
  /** @internal Address of the value of a key, 0 when absent; whatever the handle allows. */
  abstract locate(operation: Operation, key: K): number;
  /** @internal Address of the value of a key, for writing; a new one is zeros. Throws what the core answers. */
  abstract obtain(operation: Operation, key: K): number;
  /** @internal The next entries from a cursor, packed; how many. */
  abstract scan(cursor: number, keys: number, values: number, room: number): number;
  /** @internal The next entries of an iterator, as columns; how many, 0 at the end. */
  abstract columns(state: number, addresses: number, keys: number, room: number): number;
  /** @internal Multi-get; how many were found. */
  abstract lookupKeys(stage: number, keys: number, count: number, values: number, found: number): number;
  /** @internal Writes entries; how many, with the errno that ended it in the stage. */
  abstract writeEntries(
    stage: number,
    keys: number,
    count: number,
    values: number,
    condition: number,
  ): number;
  /** @internal Adds to a field of values; how many, with the errno that ended it in the stage. */
  abstract addDeltas(
    stage: number,
    keys: number,
    count: number,
    deltas: number,
    width: number,
    offset: number,
  ): number;

  /** @internal Throws when a scan that gave so many entries has ended early, since shared memory was locked too long. */
  checkScan(_operation: Operation, _count: number): void {}

  /** @internal The result of a lookup that gave no address: undefined for an absent key; throws an errno. */
  protected missed(operation: Operation, errno: number): undefined {
    if (errno !== 0) this.fail(operation, errno);
    return undefined;
  }

  /** @internal Whether `freeze` was called. */
  get frozen(): boolean {
    return this.host.word(this.table.handle + this.host.layout.frozen) !== 0;
  }

  /** Entries in the map; of arrays, `maxEntries`. While other threads insert and delete it may be off by as many as they do. */
  get size(): number {
    if (this.closed) this.refuse("size");
    return this.host.word(this.table.handle + this.host.layout.count);
  }

  /** Deletes all entries; of arrays, sets all values to zeros. */
  abstract clear(): void;

  /**
   * Inserts or overwrites under a condition (`bpf_map_update_elem`).
   *
   * @param flags `BPF_ANY`, `BPF_NOEXIST` or `BPF_EXIST`; with a spinLock in the value also `| BPF_F_LOCK`
   * @throws BpfError EEXIST, ENOENT as the flags say; EINVAL for other flags; E2BIG when full; ENOMEM.
   * @example
   * ```ts
   * import { BPF_NOEXIST, BpfError, createMap, u32 } from "bpfmap";
   *
   * const map = createMap({ type: "hash", name: "m", key: u32, value: u32, maxEntries: 8 });
   * map.update(1, 10, BPF_NOEXIST);
   * try {
   *   map.update(1, 11, BPF_NOEXIST);
   * } catch (error) {
   *   if (!(error instanceof BpfError)) throw error;
   *   console.log(error.code, map.get(1)); // EEXIST 10
   * }
   * ```
   */
  update(key: K, value: V, flags: number = BPF_ANY): void {
    this.write("update", key, value, flags);
  }

  /** @internal {@link update}, as part of another operation. */
  write(operation: Operation, key: K, value: V, flags: number): void {
    if (this.writing === 0) this.refuse(operation);
    const { host } = this;
    const { scratch } = host;
    checkFlags(this, operation, flags);
    this.encodeValue(operation, value);
    this.encodeKey(operation, key);
    const errno = this.put(scratch.key, scratch.value, updateFlags(this, operation, flags));
    if (host.u8.length === 0) host.refresh();
    if (errno !== 0) this.refused(operation, errno, this.write, operation, key, value, flags);
  }

  /**
   * The value of a key, after inserting `value` when it is absent, as JavaScript's Map has it. On a shared host all threads get the value
   * of the one that inserted it.
   *
   * @returns the value in the map (a copy)
   * @throws BpfError as {@link set}
   * @example
   * ```ts
   * import { createMap, u32 } from "bpfmap";
   *
   * const map = createMap({ type: "hash", key: u32, value: u32, maxEntries: 8 });
   * console.log(map.getOrInsert(1, 10), map.getOrInsert(1, 20)); // 10 10
   * ```
   */
  getOrInsert(key: K, value: V): V {
    return getOrInsert(this, key, value);
  }

  /**
   * {@link getOrInsert} with a function that makes the value, which is called when the key is absent. On a shared host another thread may
   * insert the key meanwhile; then its value stays.
   *
   * @throws TypeError for what is no function; what the function throws; BpfError as {@link set}
   * @example
   * ```ts
   * import { createMap, u32 } from "bpfmap";
   *
   * const map = createMap({ type: "hash", key: u32, value: u32, maxEntries: 8 });
   * console.log(map.getOrInsertComputed(3, (key) => key * key), map.get(3)); // 9 9
   * ```
   */
  getOrInsertComputed(key: K, make: (key: K) => V): V {
    return getOrInsertComputed(this, key, make);
  }

  /**
   * The key after `key`, or the first one without it, as `get_next_key` does it: undefined after the last key, and the first
   * key again when `key` is absent. So fetch the next key before deleting the current one, or use an iterator.
   *
   * @example
   * ```ts
   * import { createMap, u32 } from "bpfmap";
   *
   * const map = createMap({ type: "hash", key: u32, value: u32, maxEntries: 8 });
   * map.set(1, 10);
   * console.log(map.nextKey(), map.nextKey(1), map.nextKey(99)); // 1 undefined 1
   * ```
   */
  abstract nextKey(key?: K): K | undefined;

  /**
   * Calls `callback(value, key, map)` for each entry; see {@link entries} for what it may meet.
   */
  forEach(callback: (value: V, key: K, map: this) => void, thisArg?: unknown): void {
    if (typeof callback !== "function")
      throw new TypeError(`forEach: ${subjectOf(this)}: expected a function`);
    forEachOf<K, V, this>(this, callback, thisArg);
  }

  keys(): ValueIterator<K> {
    return keysOf(this);
  }

  values(): ValueIterator<V> {
    return valuesOf(this);
  }

  /**
   * Iterates over the entries, in an order that the hash decides. The map may be changed meanwhile: an entry present from
   * start to end comes exactly once, also when the map is resized; one deleted before it is reached does not come; values are
   * those of the moment they come, also where they were written through an address of {@link lookup}. See docs/guide/maps.md.
   *
   * @example
   * ```ts
   * import { createMap, u32 } from "bpfmap";
   *
   * const map = createMap({ type: "rhash", key: u32, value: u32, maxEntries: 8 });
   * map.set(1, 10).set(2, 20).set(3, 30);
   * for (const [key, value] of map) if (value < 25) map.delete(key);
   * console.log([...map]); // [ [ 3, 30 ] ]
   * ```
   *
   * Where JavaScript's iterators have `map`, `filter`, `take` and the other helpers (Node 22), these have them, too.
   */
  entries(): ValueIterator<[K, V]> {
    return entriesOf(this);
  }

  [Symbol.iterator](): ValueIterator<[K, V]> {
    return this.entries();
  }

  /**
   * Turns the entries into text or bytes and gives them in pieces of at most `bufferSize` bytes, as a BPF iterator does
   * (`bpf_iter`, read by the rules of `seq_file`): `show` writes each entry to `seq`, and a piece ends with the last entry that fits
   * whole. See {@link MapIterator} for how to read them, and docs/guide/iterators.md for the rules.
   *
   * @example
   * ```ts
   * import { createMap, u32 } from "bpfmap";
   *
   * const map = createMap({ type: "array", key: u32, value: u32, maxEntries: 3 });
   * map.set(2, 7);
   * const iterator = map.iterator({
   *   bufferSize: 16,
   *   show(seq, entry) {
   *     if (seq.number === 0) seq.write("map\n");
   *     if (entry) seq.write(`${entry.key}: ${entry.value}\n`);
   *     else seq.write(`${seq.number} in all\n`);
   *   },
   * });
   * const text = new TextDecoder();
   * console.log(JSON.stringify(text.decode(iterator.read()))); // "map\n0: 0\n1: 0\n"
   * console.log(JSON.stringify(text.decode(iterator.read()))); // "2: 7\n3 in all\n"
   * console.log(iterator.read()); // undefined
   * ```
   */
  iterator(options: IteratorOptions<ReadonlyEntry<K, V>>): MapIterator {
    if (this.reading === 0) this.refuse("iterator");
    return new MapIterator(this, options as IteratorOptions<unknown>);
  }

  createBatch(capacity: number): Batch<K, V> {
    if (this.closed) this.refuse("createBatch");
    checkBatchSize(`createBatch: ${subjectOf(this)}: capacity`, capacity);
    return new Batch(this, capacity);
  }

  lookupBatch(batch: Batch<K, V>): boolean {
    if (this.reading === 0) this.refuse("lookupBatch");
    return batch.fill(this, "lookupBatch");
  }

  updateBatch(batch: Batch<K, V>): void {
    if (this.writing === 0) this.refuse("updateBatch");
    batch.write(this);
  }

  batches(options: BatchOptions = {}): Generator<Batch<K, V>, void, undefined> {
    if (this.reading === 0) this.refuse("batches");
    return eachBatch(this, batchSizeOf("batches", this, options));
  }

  lookupMany(keys: KeyArray<K>, values?: ValueArray): number {
    if (this.reading === 0) this.refuse("lookupMany");
    this.#lookups ??= new Lookups(this);
    return this.#lookups.run(keys, values);
  }

  found(index: number): boolean {
    if (this.closed) this.refuse("found");
    this.#lookups ??= new Lookups(this);
    return this.#lookups.found(index);
  }

  /** @internal See {@link CountingMap.add}: {@link HashMap} and {@link ArrayMap} have its type. */
  add(key: K, delta?: unknown, options?: AddOptions<unknown>): unknown {
    if (this.reading === 0 || this.writing === 0) this.refuse("add");
    return this.count("add", key, this.counters.find(this, "add", options), delta);
  }

  /** @internal Adds to one integer of a value; the new count. */
  count(operation: Operation, key: K, counter: Counter, delta: unknown): unknown {
    checkDelta(this, operation, counter, delta);
    const { scalar, offset } = counter;
    if (scalar === Scalar.U32)
      return addU32(this.host, this.obtain(operation, key) + offset, delta as number);
    if (scalar === Scalar.U53) return this.#addU53(operation, key, counter, delta as number);
    return addTo(this.host, scalar, this.obtain(operation, key) + offset, delta as number | bigint);
  }

  #addU53(operation: Operation, key: K, counter: Counter, delta: number): number {
    // A new one starts at 0, so that a negative delta is refused before the key is inserted.
    const absent = delta < 0 && this.locate(operation, key) === 0;
    const count = absent ? -1 : addU53(this.host, this.obtain(operation, key) + counter.offset, delta);
    if (count < 0) throw outOfU53(counter, `${operation}: ${subjectOf(this)}: `, delta);
    return count;
  }

  /** @internal See {@link FieldMap.addFields}. */
  addFields(key: K, deltas: unknown): void {
    addFields(this, key, deltas);
  }

  /** @internal Adds to several integers of a value, or to none. */
  countAll(key: K, { counters, deltas, count }: Additions): void {
    const { host } = this;
    // As in #addU53.
    let mayRefuse = false;
    for (let i = 0; i < count; i++) mayRefuse ||= counters[i].scalar === Scalar.U53 && deltas[i] < 0;
    const absent = mayRefuse && this.locate("addFields", key) === 0;
    const address = absent ? 0 : this.obtain("addFields", key);
    for (let i = 0; i < count; i++) {
      if (counters[i].scalar !== Scalar.U53) continue;
      const delta = deltas[i] as number;
      if (absent ? delta >= 0 : fitsU53(host, address + counters[i].offset, delta)) continue;
      throw outOfU53(counters[i], `addFields: ${subjectOf(this)}: `, delta);
    }
    for (let i = 0; i < count; i++) {
      addToAny(host, counters[i].scalar, address + counters[i].offset, deltas[i]);
    }
  }

  /** @internal See {@link FieldMap.field}. */
  field(path: string): Field<K, unknown> {
    return new Field<K, unknown>(this, path);
  }

  /** @internal A part of the value of a key; undefined when it is absent. */
  getPart(key: K, part: Part): unknown {
    if (this.reading === 0) this.refuse("field.get");
    const address = this.locate("field.get", key);
    if (address === 0) return undefined;
    const { host } = this;
    const at = address + part.offset;
    return readScalar(host, part.scalar, at) ?? this.decodeValue("field.get", host.view, at, part.codec);
  }

  /** @internal Writes a number that fits, or else what is in the scratch, to a part of the value of a key: whether it was there. */
  setPart(key: K, part: Part, fits: boolean, x: unknown): boolean {
    if (this.locate("field.set", key) === 0) return false;
    this.storePart(this.obtain("field.set", key), part, fits, x);
    return true;
  }

  /** @internal */
  protected storePart(address: number, part: Part, fits: boolean, x: unknown): void {
    const { host } = this;
    if (fits) writeScalar(host, part.scalar, address + part.offset, x);
    else host.copy(address + part.offset, host.scratch.value, part.codec.size);
  }

  /** @internal See {@link CountingMap.addMany}. */
  addMany(keys: KeyArray<K>, deltas?: unknown, options?: AddOptions<unknown>): void {
    addMany(this, keys, deltas, options);
  }

  locked(key: K, fn: (value: V, address: number) => V | undefined): V | undefined {
    return locked(this, key, fn);
  }

  timer(key: K): MapTimer<K, this> {
    return new MapTimer(this, key);
  }

  workqueue(key: K): MapWorkqueue<K, this> {
    return new MapWorkqueue(this, key);
  }

  /** Writes a value but for its timers, which others may start and cancel meanwhile: 0 or an errno. */
  #putAround(key: number, value: number): number {
    for (const [start, end] of plainSpans(this.table)) {
      const errno = this.putPart(key, start, end - start, value + start);
      if (errno !== 0) return errno;
    }
    return 0;
  }

  /** @internal Writes a part of the value of the key at an address; 0 or an errno. */
  protected putPart(key: number, offset: number, bytes: number, source: number): number {
    const address = this.live(key);
    if (address === 0) return this.absent;
    this.host.copy(address + offset, source, bytes);
    return 0;
  }

  /** @internal Address of the live value of the key at an address: see {@link TimedHandle}. */
  live(key: number): number {
    return this.find(this.table.handle, key);
  }

  /** @internal {@link get} with flags. */
  protected getWith(key: K, flags: number): V | undefined {
    checkGetFlags(this, flags);
    return flags === 0 ? this.get(key) : this.getLocked(key);
  }

  /** @internal {@link get} under the value's lock. A host of one thread holds every lock already. */
  protected getLocked(key: K): V | undefined {
    return this.get(key);
  }

  /** @internal Takes the lock of the value of the key at an address, and enters a section: the value's address, 0 when absent. */
  lockValue(key: number): number {
    const address = this.find(this.writing, key);
    if (address === 0) return 0;
    this.host.core.enterSection();
    this.host.registry.sections++;
    return address;
  }

  /** @internal Ends what {@link lockValue} began. */
  unlockValue(_address: number): void {
    this.host.core.leaveSection();
    this.host.registry.leaveSection();
  }

  /** @internal The value of the key in the scratch, whose lock is held. */
  decodeLocked(address: number): V {
    return this.decodeValue("locked", this.host.view, address);
  }

  /** @internal Writes the value in the scratch over that of the key in the scratch, whose lock is held; if it is still there. */
  writeLocked(_address: number): void {
    const { key, value } = this.host.scratch;
    const { table } = this;
    const timed = table.timerOffset !== undefined || table.workqueueOffset !== undefined;
    const errno = timed ? this.#putAround(key, value) : this.put(key, value, BPF_EXIST);
    if (errno !== 0 && errno !== this.absent) this.fail("locked", errno);
  }
}
