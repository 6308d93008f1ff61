/**
 * What maps have for many entries at once.
 *
 * @module
 */
import type { Batch } from "../../ops/batch/batch.ts";
import type { BatchOptions } from "../../ops/batch/batch_size.ts";
import type { KeyArray, ValueArray } from "../../ops/batch/key_array.ts";

/** A map whose entries are read and written in batches. */
export interface BatchMap<K, V> {
  /**
   * Makes buffers in host memory for batches of up to `capacity` entries. Close the batch to give them back; closing the map
   * does, too.
   *
   * @throws RangeError for a capacity below 1; BpfError ENOMEM.
   */
  createBatch(capacity: number): Batch<K, V>;

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
  lookupBatch(batch: Batch<K, V>): boolean;

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
  updateBatch(batch: Batch<K, V>): void;

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
  batches(options?: BatchOptions): Generator<Batch<K, V>, void, undefined>;

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
  lookupMany(keys: KeyArray<K>, values?: ValueArray): number;

  /** Whether the last {@link lookupMany} found its key number `index`. */
  found(index: number): boolean;
}
