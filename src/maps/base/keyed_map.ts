/**
 * What all maps with keys and values have in common, hash-like maps and arrays: the calls on one key. Those that decide the speed (`get`,
 * `set`, `has`, `lookup`) stand in one subclass per kind of key: V8 inlines a call into WebAssembly only at a call site that has seen one
 * function, so that none of them can be shared. Those of hash maps are written from one template, scripts/hash_maps.template.ts.
 *
 * @module
 */
import { BPF_ANY } from "../../constants.ts";
import type { Operation } from "../../errors.ts";
import { checkFlags, updateFlags } from "../../ops/calls/flags.ts";
import { getOrInsert, getOrInsertComputed } from "../../ops/calls/get_or_insert.ts";
import { BpfMap } from "./bpf_map.ts";

/** A map that is asked and written key by key: see {@link EntryMap}. */
export abstract class KeyedMap<K, V> extends BpfMap<K, V> {
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
}
