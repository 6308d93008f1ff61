/**
 * The calls of hash-like maps that take entries out: one, many, all, or those that a filter chooses.
 *
 * @module
 */
import { BPF_NOEXIST } from "../../constants.ts";
import { takeEntry } from "../../core/tables/table_calls.ts";
import { ERRNO } from "../../errors.ts";
import type { Batch } from "../../ops/batch/batch.ts";
import { type BatchOptions, batchSizeOf } from "../../ops/batch/batch_size.ts";
import { DrainIterator } from "../../ops/batch/drain.ts";
import type { ValueIterator } from "../../ops/iterator_base.ts";
import { passing } from "../../ops/low_water.ts";
import { processMap } from "../../runs/process.ts";
import type { ProcessOptions, ProcessResult } from "../../runs/process_types.ts";
import { EntryMap } from "../base/entry_map.ts";

/** A map whose keys come and go: see {@link HashMap}. */
export abstract class DeletableMap<K, V> extends EntryMap<K, V> {
  /** Deletes a key; false when it was absent. */
  abstract delete(key: K): boolean;

  override clear(): void {
    if (this.writing === 0) this.refuse("clear");
    const errno = this.host.core.clear(this.writing);
    if (errno !== 0) this.fail("clear", errno);
  }

  /** Deletes a key and gives the value it had (`bpf_map_lookup_and_delete_elem`); undefined when it was absent. */
  lookupAndDelete(key: K): V | undefined {
    if (this.reading === 0 || this.writing === 0) this.refuse("lookupAndDelete");
    const { host, table } = this;
    const { scratch } = host;
    if (this.encodeKey("lookupAndDelete", key) === 0) return undefined;
    const errno = takeEntry(host, table, scratch.key, scratch.value);
    if (errno === ERRNO.ENOENT) return undefined;
    if (errno !== 0) this.fail("lookupAndDelete", errno);
    try {
      return this.decodeValue("lookupAndDelete", host.view, scratch.value);
    } catch (error) {
      // The bytes mean nothing to the codec (a u53 beyond 2^53 - 1): a call that throws has changed nothing.
      this.#putTaken();
      throw error;
    }
  }

  /** Inserts what is in the scratch. It crosses no mark that it had not crossed before. */
  #putTaken(): void {
    const { host, table } = this;
    const { scratch } = host;
    const put = () => this.put(scratch.key, scratch.value, BPF_NOEXIST);
    passing(host, table, table.maxEntries, put);
    if (host.u8.length === 0) host.refresh();
  }

  /**
   * As {@link lookupBatch}, and deletes the entries.
   *
   * @example
   * ```ts
   * import { createMap, u32 } from "bpfmap";
   *
   * const map = createMap({ type: "hash", key: u32, value: u32, maxEntries: 100 });
   * map.set(1, 10).set(2, 20).set(3, 30);
   * const batch = map.createBatch(2);
   * console.log(map.lookupAndDeleteBatch(batch), batch.count, map.size); // true 2 1
   * batch.close();
   * ```
   */
  lookupAndDeleteBatch(batch: Batch<K, V>): boolean {
    if (this.reading === 0 || this.writing === 0) this.refuse("lookupAndDeleteBatch");
    if (this.frozen) this.fail("lookupAndDeleteBatch", ERRNO.EPERM);
    return batch.take(this, "lookupAndDeleteBatch");
  }

  /**
   * Deletes the first `batch.count` keys of the batch; its values do not matter.
   *
   * @throws BpfError ENOENT at the first key that is absent (also one that stands there twice), with its `count` and
   *   `batch.count` the number of keys before it, which are deleted; EPERM, EINVAL without a count: nothing is deleted.
   * @example
   * ```ts
   * import { BpfError, createMap, u32 } from "bpfmap";
   *
   * const map = createMap({ type: "hash", key: u32, value: u32, maxEntries: 100 });
   * map.set(1, 10).set(2, 20);
   * const batch = map.createBatch(3);
   * batch.keys.set(new Uint8Array(Uint32Array.of(1, 9, 2).buffer));
   * try {
   *   map.deleteBatch(batch);
   * } catch (error) {
   *   if (!(error instanceof BpfError)) throw error;
   *   console.log(error.code, error.count, [...map.keys()]); // ENOENT 1 [ 2 ]
   * }
   * batch.close();
   * ```
   */
  deleteBatch(batch: Batch<K, V>): void {
    if (this.writing === 0) this.refuse("deleteBatch");
    batch.remove(this);
  }

  /**
   * Takes all entries out and yields them, until it finds the map empty. What is inserted meanwhile may come, too, or stay. On a
   * shared host it goes over the map once, and what other threads insert behind it stays.
   *
   * Entries are taken out `size` at a time. When the loop is left early, those not yielded yet are put back, except where their
   * key has been inserted again; so leave it by `break`, `throw` or `return()`, or let it end.
   *
   * @param options `size`: entries per batch, by default what fits 64 KiB
   * @throws BpfError ENOMEM when there is no memory for the batch; E2BIG, ENOMEM, EPERM when the map did not take back what was
   *   not yielded, since the loop filled or froze it: those entries are lost.
   * @example
   * ```ts
   * import { createMap, u32 } from "bpfmap";
   *
   * const map = createMap({ type: "rhash", key: u32, value: u32, maxEntries: 100 });
   * map.set(1, 10).set(2, 20).set(3, 30);
   * let sum = 0;
   * for (const [key, value] of map.drain({ size: 100 })) sum += value;
   * console.log(sum, map.size); // 60 0
   * ```
   */
  drain(options: BatchOptions = {}): ValueIterator<[K, V]> {
    if (this.reading === 0 || this.writing === 0) this.refuse("drain");
    if (this.frozen) this.fail("drain", ERRNO.EPERM);
    return new DrainIterator(this, batchSizeOf("drain", this, options));
  }

  /**
   * Runs a filter over all entries and deletes what it chooses (programmable batches). The filter sees every entry exactly once,
   * whatever it or other threads insert, delete and resize meanwhile, as one reused object; what it has deleted is unlinked at once,
   * and given to the dumper when no other thread can hold its address any more. Nothing moves, and nothing unlinked is used again,
   * until the run is over.
   *
   * The filter may change the map: entries it deletes do not come any more, entries it inserts may come or not, values are
   * the live ones. It may start runs of its own. When it throws or returns something else than actions, what it had deleted until then
   * stays deleted, and goes to the dumper. When the dumper throws, what it has not seen goes back into the map.
   *
   * With a budget it does a part, and says where to go on. See `docs/guide/process.md`.
   *
   * @returns how many entries were visited and deleted, and whether the filter ended the run
   * @throws BpfError EINVAL when the filter returns anything but `ACT_*` bits; EPERM for a frozen map; EDEADLK with a dumper in a
   *   section on a shared host; ENOMEM. What the filter or the dumper throws.
   * @example
   * ```ts
   * import { ACT_DELETE, ACT_KEEP, createMap, struct, u32 } from "bpfmap";
   *
   * const flows = createMap({ type: "rhash", key: u32, value: struct({ lastSeen: u32, bytes: u32 }), maxEntries: 100 });
   * flows.set(1, { lastSeen: 10, bytes: 500 }).set(2, { lastSeen: 99, bytes: 60 });
   * let bytes = 0;
   * const result = flows.process({
   *   filter: (entry) => (entry.value.lastSeen < 50 ? ACT_DELETE : ACT_KEEP),
   *   dumper: (entry) => { bytes += entry.value.bytes; },
   * });
   * console.log(result, bytes); // { visited: 2, deleted: 1, stopped: false } 500
   * ```
   */
  process(options: ProcessOptions<K, V>): ProcessResult {
    return processMap(this, options);
  }
}
