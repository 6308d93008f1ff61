// What a map says of itself, and its two settings.
import { growArray } from "../arrays/grow";
import { SHARED } from "../build";
import { EINVAL } from "../errno";
import { beginWrite, commit } from "../sync/journal";
import { acquire, lockErrno } from "../sync/lock";
import {
  BUCKETS, BYTES, COUNT, FROZEN, LAYOUT, LAYOUT_ARRAY, MAX_ENTRIES, MERGES, MOST_MERGES, MOST_MOVED, MOST_SPLITS, MOVED,
  LOCK_OFFSET, LOW_FREE, OVERFLOW_COUNT, POOL_LOCK, SEEDS, SLOTS, SPLITS, VERSION, field, isGrowable, setField,
} from "../table/layout/header";
import { entriesOf, relax, tighten } from "../table/limit/credits";
import { markOf, setLimit } from "../table/limit/low_water";
import { EVICTED, EXPIRED, LISTENER, LOOKED, isNoted, setWord, sumOf } from "../table/notes/book";
import { entriesFor } from "../table/resize/resize";

/** Words of a header that JavaScript reads without a call. */
export const COUNT_OFFSET: u32 = <u32>COUNT;
export const VERSION_OFFSET: u32 = <u32>VERSION;
export const FROZEN_OFFSET: u32 = <u32>FROZEN;
export const LOW_FREE_OFFSET: u32 = <u32>LOW_FREE;
/** The secrets of the hash: 24 bytes. */
export const SEEDS_OFFSET: u32 = <u32>SEEDS;

@inline function put(target: usize, index: u32, value: u32): void {
  store<u32>(target + (<usize>index << 2), value);
}

/** What `tableStats` writes. */
export const STATS_BYTES: u32 = 64;

/** Writes the counters of a map as 16 words; src/core/tables/stats.ts names them. */
export function tableStats(table: usize, target: usize): void {
  const entries = SHARED && field(table, LAYOUT) != LAYOUT_ARRAY ? entriesOf(table) : field(table, COUNT);
  const full = isGrowable(table) ? entriesFor(table, field(table, BUCKETS)) : 0xffffffff;
  put(target, 0, entries);
  put(target, 1, field(table, BUCKETS));
  put(target, 2, field(table, SLOTS));
  put(target, 3, field(table, OVERFLOW_COUNT));
  put(target, 4, field(table, BYTES));
  put(target, 5, field(table, SPLITS));
  put(target, 6, field(table, MERGES));
  put(target, 7, field(table, MOVED));
  put(target, 8, field(table, MOST_SPLITS));
  put(target, 9, field(table, MOST_MERGES));
  put(target, 10, field(table, MOST_MOVED));
  put(target, 11, field(table, LAYOUT));
  put(target, 12, field(table, MAX_ENTRIES));
  put(target, 13, entries > full ? entries - full : 0);
  put(target, 14, field(table, MOVED + 4));
  put(target, 15, markOf(table, field(table, MAX_ENTRIES)));
}

/** What `noteStats` writes: entries evicted, entries that expired and were swept, buckets looked at by evictions. */
export function noteStats(table: usize, target: usize): void {
  const noted = field(table, LAYOUT) != LAYOUT_ARRAY && isNoted(table);
  put(target, 0, noted ? sumOf(table, EVICTED) : 0);
  put(target, 1, noted ? sumOf(table, EXPIRED) : 0);
  put(target, 2, noted ? sumOf(table, LOOKED) : 0);
}

/** Has the calling thread told of what it evicts and sweeps, in a buffer (table/notes/events.ts); 0: no more. */
export function listen(table: usize, buffer: usize): void {
  setWord(table, LISTENER, <u32>buffer);
}

/** Makes a map read-only for good. */
export function freeze(table: usize): void {
  if (SHARED) atomic.store<u32>(table, 1, FROZEN);
  else setField(table, FROZEN, 1);
}

/** Counting goes by the limit under the pool lock. It only rises: CPUs may hold credits up to the old one. */
function setMaxShared(table: usize, entries: u32): u32 {
  if (entries < field(table, MAX_ENTRIES)) return EINVAL;
  beginWrite();
  if (acquire(table + POOL_LOCK)) {
    setField(table, MAX_ENTRIES, entries);
    relax(table, field(table, COUNT), entries);
  }
  return commit() ? 0 : lockErrno();
}

/**
 * Sets the limit on the entries of an rhash, or the length of an array, which only grows: 0, ENOMEM, or EINVAL for a hash, whose
 * buckets are counted out at creation.
 */
export function setMaxEntries(table: usize, entries: u32): u32 {
  if (field(table, LAYOUT) == LAYOUT_ARRAY) return growArray(table, entries);
  if (!isGrowable(table)) return EINVAL;
  if (SHARED) return setMaxShared(table, entries);
  setLimit(table, entries);
  return 0;
}

/** Sets how many slots the low-water mark keeps free, 0: none. 0, or in the shared build the errno of a lock. */
export function setLowWater(table: usize, free: u32): u32 {
  if (!SHARED) {
    setField(table, LOW_FREE, free);
    setLimit(table, field(table, MAX_ENTRIES));
    return 0;
  }
  beginWrite();
  if (acquire(table + POOL_LOCK)) {
    setField(table, LOW_FREE, free);
    if (field(table, LAYOUT) != LAYOUT_ARRAY) tighten(table);
  }
  return commit() ? 0 : lockErrno();
}

/** Says where in a value its spin lock is; once, before others know of the map. Shared build. */
export function setLockOffset(table: usize, offset: u32): void {
  store<u32>(table, offset, LOCK_OFFSET);
}
