// Growing and shrinking by one bucket at a time (Litwin 1980): a split distributes one bucket over itself and a new last one,
// a merge puts the last bucket back into the one it was split from. Bounded work, and the order of bit-reversed hashes stands.
import { insist } from "../../damage";
import { inSection } from "../../sync/section";
import { cutBuckets, growBuckets, shrinkBuckets } from "../layout/bucket_array";
import { bucketAddress } from "../layout/buckets";
import { divideFiltered, growFilter, isFiltered, mergeFilter, resetFilter, shrinkFilter } from "../layout/filter";
import {
  BUCKETS, BUCKET_SEGMENTS, COUNT, FLAGS, FLAT_BUCKETS, GROW_ABOVE, LOAD16, MASK, MAX_ENTRIES, OVERFLOW_COUNT, OWES_MERGES, SHRINK_BELOW, TIMED,
  countMerges, countSplits, field, setField,
} from "../layout/header";
import { firstOf, segmentOf } from "../layout/segments";
import { markOf, setMark, storeMark } from "../limit/low_water";
import { isTooMuch, join, makeRoom, splitChain } from "./chains";

const REFUSED: i32 = -1;
/** Splits of one insert: one keeps pace with inserts, two repay the debt that a section left behind. */
export const MOST_SPLITS: u32 = 2;
/** Merges of one delete. */
export const MOST_MERGES: u32 = 2;

/** Sets how many entries make a table with so many buckets, and room for `room`, grow or shrink. Those above which it grows. */
@inline function setBounds(table: usize, buckets: u32, room: u32): u32 {
  const full = entriesFor(table, buckets);
  const above = growAbove(buckets, room, full);
  setField(table, GROW_ABOVE, above);
  setField(table, SHRINK_BELOW, buckets > 1 ? full >> 1 : 0);
  return above;
}

/** Sets that of a table as it is, and the mark (table/limit/low_water.ts). Plain build. */
export function setLimits(table: usize): void {
  setBounds(table, field(table, BUCKETS), field(table, FLAT_BUCKETS));
  setMark(table);
}

/** The same where a table has been split or merged, which grows: its mark follows from fewer words. */
@inline function followBuckets(table: usize, buckets: u32): void {
  const above = setBounds(table, buckets, field(table, FLAT_BUCKETS));
  storeMark(table, field(table, FLAGS) & (OWES_MERGES | TIMED) ? 0 : min(above, markOf(table, field(table, MAX_ENTRIES))));
}

/** The same in the shared build, where there is no mark. */
export function setLimitsFor(table: usize, buckets: u32): void {
  setBounds(table, buckets, bucketsHeld(table, buckets));
}

/** Entries of a table that is full: at the load target. What fits into a memory of 4 GiB is far below 2^32 of them. */
@inline export function entriesFor(table: usize, buckets: u32): u32 {
  return <u32>((<u64>buckets * field(table, LOAD16)) >> 4);
}

/**
 * Entries above which a table splits, `full` when it is full. While the flat part has room, or in the shared build the segments of a
 * small table, another bucket takes no byte: then at three quarters of the load target, where few entries have to go to overflow blocks.
 */
@inline export function growAbove(buckets: u32, flat: u32, full: u32): u32 {
  return buckets < flat ? full - (full >> 2) : full;
}

/** Buckets that the segments of a small table have room for, each segment as large as all before it; of others, those that there are. */
export function bucketsHeld(table: usize, buckets: u32): u32 {
  const shift = load<u32>(table + BUCKET_SEGMENTS, 4);
  return buckets > 1 << shift ? buckets : firstOf(segmentOf(buckets - 1, shift) + 1, shift);
}

/** Splits until the table has room for `entries`, within the bound of one insert. A split without memory is left out. */
export function grow<B>(table: usize, entries: u32): void {
  let moved = split<B>(table);
  if (moved == REFUSED) return;
  let splits: u32 = 1;
  // A table that may split early has no debt: one split is enough.
  while (splits < MOST_SPLITS && entries > field(table, GROW_ABOVE) && entries > entriesFor(table, field(table, BUCKETS))) {
    const n = split<B>(table);
    if (n == REFUSED) break;
    moved += n;
    splits++;
  }
  countSplits(table, splits, moved);
}

/** Whether entries and free slots must stay as they are because addresses into blocks are held. */
@inline export function pinned<B>(): bool {
  return changetype<B>(0).holdsValues() && inSection();
}

/** Keeps the number of buckets in step after `removed` deletes that moved `moved` entries. Postponed inside a section. */
export function shrinkAfter<B>(table: usize, removed: u32, moved: u32): void {
  if (field(table, COUNT) >= field(table, SHRINK_BELOW)) {
    if (moved) countMerges(table, 0, moved);
    return;
  }
  if (pinned<B>()) oweMerges(table);
  else if (!(field(table, COUNT) | field(table, OVERFLOW_COUNT))) dropBuckets<B>(table);
  else shrink<B>(table, removed, moved);
}

/** Notes that there are more buckets than the entries need, so that inserts merge too. */
@inline export function oweMerges(table: usize): void {
  setField(table, FLAGS, field(table, FLAGS) | OWES_MERGES);
  setMark(table);
}

/**
 * Takes a growing table without entries back to one bucket. A drain in hash order leaves nearly all buckets standing, since
 * its merges would pile up the entries that are left; once there are none, whole segments go.
 */
export function dropBuckets<B>(table: usize): void {
  if (isFiltered<B>(table)) resetFilter(table);
  cutBuckets(table);
  setField(table, BUCKETS, 1);
  setField(table, MASK, 1);
  setLimits(table);
  changetype<B>(bucketAddress<B>(table, 0)).reset(true);
}

/** Goes on with the merges that earlier deletes have left to later writes. */
export function repayMerges<B>(table: usize): void {
  if (field(table, COUNT) < field(table, SHRINK_BELOW)) shrink<B>(table, 1, 0);
  if (field(table, COUNT) < field(table, SHRINK_BELOW)) return;
  setField(table, FLAGS, field(table, FLAGS) & ~OWES_MERGES);
  setMark(table);
}

/** Merges a table that has too many buckets as long as it has, within the bound of `removed` deletes. */
function shrink<B>(table: usize, removed: u32, moved: u32): void {
  let left = MOST_MERGES * removed;
  let merges: u32 = 0;
  let n: i32 = 0;
  do {
    n = left ? merge<B>(table) : REFUSED;
    if (n == REFUSED) break;
    moved += n;
    merges++;
    left--;
  } while (field(table, COUNT) < field(table, SHRINK_BELOW));
  if (n == REFUSED) oweMerges(table);
  if (removed > 1) countCalls(table, removed, merges, moved);
  else countMerges(table, merges, moved);
}

/** A batch of deletes counts as that many calls. */
function countCalls(table: usize, calls: u32, merges: u32, moved: u32): void {
  countMerges(table, (merges + calls - 1) / calls, (moved + calls - 1) / calls);
}

/** One split. How many entries moved, or REFUSED when there is no memory. */
function split<B>(table: usize): i32 {
  const buckets = field(table, BUCKETS);
  const mask = field(table, MASK);
  const bit = (mask >> 1) + 1; // the hash bit that tells the two halves apart
  const filtered = isFiltered<B>(table);
  if (filtered && !growFilter(table, buckets)) return REFUSED;
  if (!growBuckets(table, buckets)) {
    if (filtered) shrinkFilter(table, buckets);
    return REFUSED;
  }
  const low = bucketAddress<B>(table, buckets - bit);
  const high = bucketAddress<B>(table, buckets);
  const overflow = changetype<B>(low).link(true);
  changetype<B>(high).reset(true);
  assert(!pinned<B>());
  let moved = <i32>(filtered ? divideFiltered(table, buckets - bit, buckets, bit) : changetype<B>(low).distribute(table, bit, high));
  if (overflow) {
    changetype<B>(low).setLink(true, 0);
    moved += splitChain<B>(table, low, high, overflow, bit);
  }
  setField(table, BUCKETS, buckets + 1);
  if (buckets + 1 > mask) setField(table, MASK, (mask << 1) | 1);
  followBuckets(table, buckets + 1);
  return moved;
}

/** One merge. How many entries moved, or REFUSED when too many entries would meet or there is no memory. */
function merge<B>(table: usize): i32 {
  assert(!pinned<B>());
  insist(field(table, BUCKETS) > 1);
  const last = field(table, BUCKETS) - 1;
  let mask = field(table, MASK);
  let bit = (mask >> 1) + 1;
  if (last < bit) {
    mask >>= 1;
    bit >>= 1;
  }
  const low = bucketAddress<B>(table, last - bit);
  const high = bucketAddress<B>(table, last);
  if (isTooMuch<B>(table, low, high)) return REFUSED;
  if (!makeRoom<B>(table, low, high)) return REFUSED;
  const moved = join<B>(table, low, high);
  setField(table, BUCKETS, last);
  setField(table, MASK, mask);
  if (isFiltered<B>(table)) {
    mergeFilter(table, last - bit, last);
    shrinkFilter(table, last);
  }
  shrinkBuckets(table, last);
  followBuckets(table, last);
  return moved;
}
