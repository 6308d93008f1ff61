/**
 * What all maps with keys and values have in common, hash-like maps and arrays. The calls that decide the speed (`get`, `set`,
 * `has`, `lookup`) stand in one subclass per kind of key: V8 inlines a call into WebAssembly only at a call site that has seen one
 * function, so that none of them can be shared. Those of hash maps are written from one template, scripts/hash_maps.template.ts.
 *
 * @module
 */
import { BPF_ANY } from "../../constants.ts";
import type { ReadonlyEntry } from "../../entries/entry.ts";
import { type IteratorOptions, MapIterator } from "../../entries/iterator.ts";
import type { Operation } from "../../errors.ts";
import { Batch, type BatchOptions, batchSizeOf, checkBatchSize, eachBatch } from "../../ops/batch/batch.ts";
import type { KeyArray, ValueArray } from "../../ops/batch/key_array.ts";
import { Lookups } from "../../ops/batch/lookup_many.ts";
import { EntryIterator } from "../../ops/entry_iterator.ts";
import { subjectOf } from "../../ops/failure.ts";
import { getOrInsert, getOrInsertComputed } from "../../ops/get_or_insert.ts";
import type { ValueIterator } from "../../ops/iterator_base.ts";
import { LockableMap } from "./lockable_map.ts";

/** A map of keys and values with the interface of a JavaScript `Map`. */
export abstract class EntryMap<K, V> extends LockableMap<K, V> {
  #lookups: Lookups<K, V> | undefined;

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
  /** @internal Address of the value of a key, 0 when absent; whatever the handle allows. */
  abstract locate(operation: Operation, key: K): number;
  /** @internal Address of the value of a key, for writing; a new one is zeros. Throws what the core answers. */
  abstract obtain(operation: Operation, key: K): number;
  /** @internal The next entries from a cursor, packed; how many. */
  abstract scan(cursor: number, keys: number, values: number, room: number): number;
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
    this.checkFlags(operation, flags);
    this.encodeValue(operation, value);
    this.encodeKey(operation, key);
    const errno = this.put(scratch.key, scratch.value, this.condition(operation, flags));
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
    for (const [key, value] of new EntryIterator<K, V, [K, V]>(this, "entries", "forEach")) {
      callback.call(thisArg, value, key, this);
    }
  }

  keys(): ValueIterator<K> {
    return new EntryIterator<K, V, K>(this, "keys", "keys");
  }

  values(): ValueIterator<V> {
    return new EntryIterator<K, V, V>(this, "values", "values");
  }

  /**
   * Iterates over the entries, in an order that the hash decides. The map may be changed meanwhile: an entry present from
   * start to end comes exactly once, also when the map is resized; one deleted before it is reached does not come; values are
   * those of the moment they come. (A write through an address of {@link lookup} may be missed by the 128 entries that were
   * fetched already.)
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
    return new EntryIterator<K, V, [K, V]>(this, "entries", "entries");
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

  /**
   * Makes buffers in host memory for batches of up to `capacity` entries. Close the batch to give them back; closing the map
   * does, too.
   *
   * @throws RangeError for a capacity below 1; BpfError ENOMEM.
   */
  createBatch(capacity: number): Batch<K, V> {
    if (this.closed) this.refuse("createBatch");
    checkBatchSize(`createBatch: ${subjectOf(this)}: capacity`, capacity);
    return new Batch(this, capacity);
  }

  /**
   * Fills `batch.keys` and `batch.values` with the next `batch.count` entries and sets `batch.count` to how many there were.
   * Resizes between the calls neither repeat nor skip an entry.
   *
   * @returns false once the scan has ended; `batch.count` may be > 0 then
   * @example
   * ```ts
   * import { createMap, u32 } from "bpfmap";
   *
   * const map = createMap({ type: "hash", key: u32, value: u32, maxEntries: 100 });
   * for (let key = 0; key < 10; key++) map.set(key, key);
   * const batch = map.createBatch(4);
   * let entries = 0;
   * let more = true;
   * while (more) {
   *   more = map.lookupBatch(batch);
   *   entries += batch.count;
   * }
   * batch.close();
   * console.log(entries); // 10
   * ```
   */
  lookupBatch(batch: Batch<K, V>): boolean {
    if (this.reading === 0) this.refuse("lookupBatch");
    return batch.fill(this, "lookupBatch");
  }

  /**
   * Writes the first `batch.count` entries of the batch, in its order. With a key that stands there twice, the last one wins.
   *
   * `batch.elemFlags` is the condition for each of them: BPF_ANY, BPF_NOEXIST or BPF_EXIST (the kernel's UPDATE_BATCH refuses
   * the latter two), with a spinLock in the value also `| BPF_F_LOCK`.
   *
   * @throws BpfError EEXIST, ENOENT, E2BIG, ENOMEM at the first entry that fails, with its `count` and `batch.count` the number
   *   of entries before it, which are written; EPERM, EINVAL without a count: nothing is written.
   * @example
   * ```ts
   * import { BPF_NOEXIST, BpfError, createMap, u32 } from "bpfmap";
   *
   * const map = createMap({ type: "hash", key: u32, value: u32, maxEntries: 100 });
   * const batch = map.createBatch(3);
   * batch.set(0, 1, 10);
   * batch.set(1, 2, 20);
   * batch.set(2, 1, 30);
   * map.updateBatch(batch);
   * console.log(map.get(1), map.get(2)); // 30 20
   * batch.elemFlags = BPF_NOEXIST;
   * map.delete(1);
   * try {
   *   map.updateBatch(batch);
   * } catch (error) {
   *   if (!(error instanceof BpfError)) throw error;
   *   console.log(error.code, error.count, map.get(1)); // EEXIST 1 10
   * }
   * batch.close();
   * ```
   */
  updateBatch(batch: Batch<K, V>): void {
    if (this.writing === 0) this.refuse("updateBatch");
    batch.write(this);
  }

  /**
   * Scans the map in batches of `size` entries. It is one batch that is filled again, and closed at the end of the loop.
   *
   * @param options `size`: entries per batch, by default what fits 64 KiB
   * @example
   * ```ts
   * import { createMap, u32 } from "bpfmap";
   *
   * const map = createMap({ type: "hash", key: u32, value: u32, maxEntries: 100 });
   * for (let key = 0; key < 10; key++) map.set(key, 1);
   * const counts = [];
   * for (const batch of map.batches({ size: 4 })) counts.push(batch.count);
   * console.log(counts); // [ 4, 4, 2 ]
   * ```
   */
  batches(options: BatchOptions = {}): Generator<Batch<K, V>, void, undefined> {
    if (this.reading === 0) this.refuse("batches");
    return eachBatch(this, batchSizeOf("batches", this, options));
  }

  /**
   * Looks many keys up at once, several times as fast as one by one.
   *
   * @param keys an array of keys; or all keys flat in a typed array, whose elements are the keys themselves (`Uint32Array`
   *   for u32) or their bytes (`Uint8Array`)
   * @param values takes the values flat, `keys * valueSize` bytes; zeros for absent keys
   * @returns how many were found; {@link found} tells which
   * @throws TypeError or RangeError for arrays of the wrong type or length.
   * @example
   * ```ts
   * import { createMap, u32 } from "bpfmap";
   *
   * const map = createMap({ type: "hash", key: u32, value: u32, maxEntries: 8 });
   * map.set(1, 10).set(3, 30);
   * const values = new Uint32Array(3);
   * console.log(map.lookupMany(Uint32Array.of(1, 2, 3), values)); // 2
   * console.log(values, map.found(1)); // Uint32Array(3) [ 10, 0, 30 ] false
   * ```
   */
  lookupMany(keys: KeyArray<K>, values?: ValueArray): number {
    if (this.reading === 0) this.refuse("lookupMany");
    this.#lookups ??= new Lookups(this);
    return this.#lookups.run(keys, values);
  }

  /** Whether the last {@link lookupMany} found its key number `index`. */
  found(index: number): boolean {
    if (this.closed) this.refuse("found");
    this.#lookups ??= new Lookups(this);
    return this.#lookups.found(index);
  }
}
