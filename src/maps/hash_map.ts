/**
 * What all hash-like maps have in common. The calls that decide the speed (`get`, `set`, `has`, `delete`, `lookup`) are
 * written out in one subclass per kind of key: V8 inlines a call into WebAssembly only at a call site that has seen one
 * function, so that none of them can be shared.
 *
 * @module
 */
import { BPF_ANY, BPF_EXIST, BPF_F_LOCK, BPF_NOEXIST } from "../constants.ts";
import { bpfError, ERRNO } from "../errors.ts";
import { checkInteger } from "../host/options.ts";
import { Batch, type BatchOptions, checkBatchSize, defaultBatchSize, eachBatch } from "./batch.ts";
import { BpfMap } from "./bpf_map.ts";
import { subjectOf } from "./failure.ts";
import { EntryIterator } from "./iterator.ts";
import { type KeyArray, Lookups, type ValueArray } from "./lookup_many.ts";

const U32_MAX = 0xffff_ffff;

/**
 * A BPF hash map with the interface of a JavaScript `Map`. Made by {@link createMap} or {@link Host.createMap}; holds host
 * memory until it is closed.
 *
 * Every method throws BpfError EBADF once the map or its host is closed, and EPERM when the map's flags or `freeze` forbid
 * what it does. A key or value that its codec cannot hold is a TypeError or RangeError. A call that throws has changed
 * nothing.
 */
export abstract class HashMap<K, V> extends BpfMap<K, V> {
  #lookups: Lookups<K, V> | undefined;

  /** The value of a key (a copy), or undefined when it is absent. */
  abstract get(key: K): V | undefined;

  /**
   * Inserts or overwrites, as {@link update} with BPF_ANY.
   *
   * @throws BpfError E2BIG when the key is new and the map full; ENOMEM when host memory is used up.
   */
  abstract set(key: K, value: V): this;

  abstract has(key: K): boolean;

  /** Deletes a key; false when it was absent. */
  abstract delete(key: K): boolean;

  /**
   * The address of the live value in host memory, 0 when the key is absent; to read and write through `map.host.u32` and
   * the other views. hash: valid until the entry is deleted. rhash: until the map is next written, or to the end of the
   * surrounding {@link Host.section}.
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

  /** @internal Address of the value of the key at an address, 0 when absent; for iterators. */
  abstract find(handle: number, key: number): number;

  /** Entries in the map. */
  get size(): number {
    if (this.closed) this.refuse("size");
    return this.host.u32[(this.table.handle + this.host.layout.count) >>> 2];
  }

  /** Deletes all entries. */
  clear(): void {
    if (this.writing === 0) this.refuse("clear");
    const errno = this.host.core.clear(this.writing);
    if (errno !== 0) this.fail("clear", errno);
  }

  /**
   * Inserts or overwrites under a condition (`bpf_map_update_elem`).
   *
   * @param flags `BPF_ANY`, `BPF_NOEXIST` or `BPF_EXIST`; with a spinLock in the value also `| BPF_F_LOCK`
   * @throws BpfError EEXIST, ENOENT as the flags say; EINVAL for other flags; E2BIG when full; ENOMEM.
   * @example
   * ```ts
   * import { BPF_NOEXIST, createMap, u32 } from "bpfmap";
   *
   * const map = createMap({ type: "hash", name: "m", key: u32, value: u32, maxEntries: 8 });
   * map.update(1, 10, BPF_NOEXIST);
   * try {
   *   map.update(1, 11, BPF_NOEXIST);
   * } catch (error) {
   *   console.log(error.code, map.get(1)); // EEXIST 10
   * }
   * ```
   */
  update(key: K, value: V, flags: number = BPF_ANY): void {
    if (this.writing === 0) this.refuse("update");
    checkInteger(`update: ${subjectOf(this)}: flags`, flags, 0, Number.MAX_SAFE_INTEGER);
    const { host } = this;
    const { scratch } = host;
    this.encodeValue("update", value);
    this.encodeKey("update", key);
    // BPF_F_LOCK only says how to write, and every write here is under the lock of a single thread.
    const condition = this.table.hasLock && flags <= U32_MAX ? (flags & ~BPF_F_LOCK) >>> 0 : flags;
    if (condition > BPF_EXIST) {
      // The kernel looks at the permission before the flags.
      if (host.u32[(this.writing + host.layout.frozen) >>> 2] !== 0) this.fail("update", ERRNO.EPERM);
      const locked = (flags & BPF_F_LOCK) !== 0 && !this.table.hasLock;
      const cause = locked
        ? "has no spinLock in its value for BPF_F_LOCK"
        : `was given unknown flags ${flags}`;
      throw bpfError(ERRNO.EINVAL, "update", subjectOf(this), cause);
    }
    const errno = host.core.update(this.writing, scratch.key, scratch.value, condition);
    if (host.u8.length === 0) host.refresh();
    if (errno !== 0) this.fail("update", errno);
  }

  /** Deletes a key and gives the value it had (`bpf_map_lookup_and_delete_elem`); undefined when it was absent. */
  lookupAndDelete(key: K): V | undefined {
    if (this.reading === 0 || this.writing === 0) this.refuse("lookupAndDelete");
    const { host } = this;
    const { core, scratch } = host;
    this.encodeKey("lookupAndDelete", key);
    const errno = core.take(this.writing, scratch.key, scratch.value);
    if (errno === ERRNO.ENOENT) return undefined;
    if (errno !== 0) this.fail("lookupAndDelete", errno);
    try {
      return this.decodeValue("lookupAndDelete", host.view, scratch.value);
    } catch (error) {
      // The bytes mean nothing to the codec (a u53 beyond 2^53 - 1): a call that throws has changed nothing.
      core.update(this.writing, scratch.key, scratch.value, BPF_NOEXIST);
      if (host.u8.length === 0) host.refresh();
      throw error;
    }
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
  nextKey(key?: K): K | undefined {
    if (this.reading === 0) this.refuse("nextKey");
    const { host } = this;
    const { scratch } = host;
    let from = 0;
    if (key !== undefined) {
      this.encodeKey("nextKey", key);
      from = scratch.key;
    }
    scratch.turn++;
    const errno = host.core.nextKey(this.reading, from, scratch.out);
    return errno === 0 ? this.decodeKey("nextKey", host.view, scratch.out) : undefined;
  }

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

  keys(): IterableIterator<K> {
    return new EntryIterator<K, V, K>(this, "keys", "keys");
  }

  values(): IterableIterator<V> {
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
   */
  entries(): IterableIterator<[K, V]> {
    return new EntryIterator<K, V, [K, V]>(this, "entries", "entries");
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries();
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
    return batch.fill(this, "lookupBatch", false);
  }

  /** As {@link lookupBatch}, and deletes the entries. */
  lookupAndDeleteBatch(batch: Batch<K, V>): boolean {
    if (this.reading === 0 || this.writing === 0) this.refuse("lookupAndDeleteBatch");
    const { host } = this;
    if (host.u32[(this.writing + host.layout.frozen) >>> 2] !== 0) {
      this.fail("lookupAndDeleteBatch", ERRNO.EPERM);
    }
    return batch.fill(this, "lookupAndDeleteBatch", true);
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
    const { size = defaultBatchSize(this) } = options;
    checkBatchSize(`batches: ${subjectOf(this)}: size`, size);
    return eachBatch(this, size);
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

  /**
   * Raises the limit of the entry count of an rhash. It allocates nothing: the table grows with its entries.
   *
   * @throws BpfError EINVAL for a hash, whose size is fixed, and for a limit below the present one; E2BIG beyond 2^31.
   * @example
   * ```ts
   * import { createMap, u32 } from "bpfmap";
   *
   * const map = createMap({ type: "rhash", key: u32, value: u32, maxEntries: 1 });
   * map.set(1, 10);
   * map.grow(2);
   * console.log(map.info.maxEntries); // 2
   * ```
   */
  grow(maxEntries: number): void {
    if (this.writing === 0) this.refuse("grow");
    const { host, table } = this;
    const subject = subjectOf(this);
    checkInteger(`grow: ${subject}: maxEntries`, maxEntries, 0, U32_MAX);
    if (table.type !== "rhash") {
      const cause = `is fixed at maxEntries = ${table.maxEntries}: a hash never grows`;
      throw bpfError(ERRNO.EINVAL, "grow", subject, cause, 'create it with type "rhash"');
    }
    if (maxEntries < table.maxEntries) {
      const cause = `has maxEntries = ${table.maxEntries} already, more than ${maxEntries}`;
      throw bpfError(ERRNO.EINVAL, "grow", subject, cause);
    }
    if (maxEntries > 2 ** 31) {
      throw bpfError(
        ERRNO.E2BIG,
        "grow",
        subject,
        `cannot have maxEntries = ${maxEntries}; the limit is 2^31`,
      );
    }
    if (host.u32[(table.handle + host.layout.frozen) >>> 2] !== 0) this.fail("grow", ERRNO.EPERM);
    const errno = host.core.setMaxEntries(table.handle, maxEntries);
    if (errno !== 0) this.fail("grow", errno);
    table.maxEntries = maxEntries;
  }
}
