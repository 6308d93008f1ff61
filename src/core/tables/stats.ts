import type { ScratchMemory } from "../memory/scratch.ts";
import { sharedCore } from "../memory/shared_core.ts";

/** How a table stores its entries. */
export type MapLayout = "inline-keys" | "inline-tags" | "out-of-line" | "texts" | "array";

/** What {@link BpfMap.stats} tells about the structure of a map. */
export interface MapStats {
  readonly entries: number;
  readonly maxEntries: number;
  /**
   * Entries (of arrays: the index) from which on fewer slots are free than the `lowWater` hook of the map asks for; `maxEntries`
   * without one.
   */
  readonly lowWaterAt: number;
  /** Entries move between buckets as the map grows and shrinks by one bucket at a time (linear hashing). */
  readonly buckets: number;
  /** Entries that fit a bucket before it needs an overflow block. An array has no buckets. */
  readonly slotsPerBucket: number;
  readonly overflowBlocks: number;
  /** Bytes of the table with all its structures. */
  readonly bytes: number;
  /** bytes / entries; 0 when empty. */
  readonly bytesPerEntry: number;
  /** entries / (buckets * slotsPerBucket); 1 of an array. */
  readonly load: number;
  /** Buckets split since creation. */
  readonly splits: number;
  /** Buckets merged since creation. */
  readonly merges: number;
  /** Entries moved by splits and merges since creation. */
  readonly movedEntries: number;
  /**
   * The most that one call has done since creation: the bound on its pause. On a shared host a call does up to two splits or
   * merges for each entry, and each is counted by itself.
   */
  readonly maxPerCall: {
    readonly splits: number;
    readonly merges: number;
    readonly movedEntries: number;
  };
  readonly layout: MapLayout;
  /** lru_hash, lru_percpu_hash: entries evicted since creation, by all threads. */
  readonly evicted: number;
  /** Maps with a ttl: entries that had expired and were taken out. */
  readonly expired: number;
  /** Buckets that evictions have looked at. */
  readonly looked: number;
  /** Entries above the count at which the table would have split, postponed by a section; 0 when there is none. */
  readonly debt: number;
}

const LAYOUTS: readonly MapLayout[] = ["inline-keys", "inline-tags", "out-of-line", "texts", "array"];

/** Has the core write the counters of a table to the scratch; where, as an index of `u32`. */
function readCounters(host: ScratchMemory, handle: number): number {
  host.scratch.turn++;
  host.core.tableStats(handle, host.scratch.value);
  return host.scratch.value >>> 2;
}

/** Bytes of a table with all its structures. */
export function tableBytes(host: ScratchMemory, handle: number): number {
  // A thread that lists the maps of a shared memory may have none of its own, and no scratch.
  if (host.shared) return host.u32[(handle + sharedCore(host).BYTES_OFFSET.value) >>> 2];
  return host.u32[readCounters(host, handle) + 4];
}

/** Entries of a table; of an array, its length. */
export function tableEntries(host: ScratchMemory, handle: number): number {
  if (host.shared) return sharedCore(host).entries(handle) >>> 0;
  return host.u32[(handle + host.layout.count) >>> 2];
}

export function tableStats(host: ScratchMemory, handle: number): MapStats {
  const first = readCounters(host, handle);
  const [
    entries,
    buckets,
    slotsPerBucket,
    overflowBlocks,
    bytes,
    splits,
    merges,
    movedLow,
    maxSplits,
    maxMerges,
    maxMoved,
    layout,
    maxEntries,
    debt,
    movedHigh,
    lowWaterAt,
  ] = host.u32.subarray(first, first + 16);
  host.core.noteStats(handle, host.scratch.value);
  const [evicted, expired, looked] = host.u32.subarray(first, first + 3);
  return {
    entries,
    maxEntries,
    lowWaterAt,
    buckets,
    slotsPerBucket,
    overflowBlocks,
    bytes,
    bytesPerEntry: entries === 0 ? 0 : bytes / entries,
    load: buckets === 0 ? 1 : entries / (buckets * slotsPerBucket),
    splits,
    merges,
    movedEntries: movedHigh * 2 ** 32 + movedLow,
    maxPerCall: { splits: maxSplits, merges: maxMerges, movedEntries: maxMoved },
    evicted,
    expired,
    looked,
    layout: LAYOUTS[layout],
    // An array has none.
    debt: buckets === 0 ? 0 : debt,
  };
}
