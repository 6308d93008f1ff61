// Growing and shrinking by one bucket at a time (Litwin 1980): a split distributes one bucket over itself and a new last one,
// a merge puts the last bucket back into the one it was split from. Bounded work, and the order of bit-reversed hashes stands.
import { insist } from "../../damage";
import { inSection } from "../../sync/section";
import { cutBuckets, growBuckets, shrinkBuckets } from "../layout/bucket_array";
import { bucketAddress } from "../layout/buckets";
import {
  BUCKETS, COUNT, FLAGS, GROW_ABOVE, LOAD16, MASK, OVERFLOW_COUNT, OWES_MERGES, SHRINK_BELOW, countWork,
  field, setField,
} from "../layout/header";
import { isTooMuch, join, makeRoom, splitChain } from "./chains";

const REFUSED: i32 = -1;
/** Splits of one insert: one keeps pace with inserts, two repay the debt that a section left behind. */
export const MOST_SPLITS: u32 = 2;
/** Merges of one delete. */
export const MOST_MERGES: u32 = 2;

/** Sets how many entries make the table grow or shrink. */
export function setLimits(table: usize): void {
  setLimitsFor(table, field(table, BUCKETS));
}

@inline export function setLimitsFor(table: usize, buckets: u32): void {
  const above = (<u64>buckets * field(table, LOAD16)) >> 4;
  setField(table, GROW_ABOVE, above > 0xffffffff ? 0xffffffff : <u32>above);
  setField(table, SHRINK_BELOW, buckets > 1 ? <u32>(above >> 1) : 0);
}

/** Splits until the table has room for `entries`, within the bound of one insert. A split without memory is left out. */
export function grow<B>(table: usize, entries: u32): void {
  let splits: u32 = 0;
  let moved: u32 = 0;
  while (splits < MOST_SPLITS && entries > field(table, GROW_ABOVE)) {
    const n = split<B>(table);
    if (n == REFUSED) break;
    moved += n;
    splits++;
  }
  if (splits) countWork(table, splits, 0, moved);
}

/** Whether entries and free slots must stay as they are because addresses into blocks are held. */
@inline export function pinned<B>(): bool {
  return changetype<B>(0).holdsValues() && inSection();
}

/** Keeps the number of buckets in step after `removed` deletes that moved `moved` entries. Postponed inside a section. */
export function shrinkAfter<B>(table: usize, removed: u32, moved: u32): void {
  if (field(table, COUNT) >= field(table, SHRINK_BELOW)) {
    if (moved) countWork(table, 0, 0, moved);
    return;
  }
  if (pinned<B>()) oweMerges(table);
  else if (!field(table, COUNT) && !field(table, OVERFLOW_COUNT)) dropBuckets<B>(table);
  else shrink<B>(table, removed, moved);
}

/** Notes that there are more buckets than the entries need, so that inserts merge too. */
@inline export function oweMerges(table: usize): void {
  setField(table, FLAGS, field(table, FLAGS) | OWES_MERGES);
}

/**
 * Takes a growing table without entries back to one bucket. A drain in hash order leaves nearly all buckets standing, since
 * its merges would pile up the entries that are left; once there are none, whole segments go.
 */
export function dropBuckets<B>(table: usize): void {
  cutBuckets(table);
  setField(table, BUCKETS, 1);
  setField(table, MASK, 1);
  setLimits(table);
  changetype<B>(bucketAddress<B>(table, 0)).reset(true);
}

/** Goes on with the merges that earlier deletes have left to later writes. */
export function repayMerges<B>(table: usize): void {
  shrink<B>(table, 1, 0);
  if (field(table, COUNT) >= field(table, SHRINK_BELOW)) setField(table, FLAGS, field(table, FLAGS) & ~OWES_MERGES);
}

/** Merges as long as there are too many buckets, within the bound of `removed` deletes. */
function shrink<B>(table: usize, removed: u32, moved: u32): void {
  const most = MOST_MERGES * removed;
  let merges: u32 = 0;
  while (merges < most && field(table, COUNT) < field(table, SHRINK_BELOW)) {
    const n = merge<B>(table);
    if (n == REFUSED) break;
    moved += n;
    merges++;
  }
  if (field(table, COUNT) < field(table, SHRINK_BELOW)) oweMerges(table);
  // A batch of deletes counts as that many calls.
  if (merges | moved) {
    const calls = max(removed, 1);
    countWork(table, 0, (merges + calls - 1) / calls, (moved + calls - 1) / calls);
  }
}

/** One split. How many entries moved, or REFUSED when there is no memory. */
function split<B>(table: usize): i32 {
  const buckets = field(table, BUCKETS);
  const mask = field(table, MASK);
  const bit = (mask >> 1) + 1; // the hash bit that tells the two halves apart
  if (!growBuckets(table, buckets)) return REFUSED;
  const low = bucketAddress<B>(table, buckets - bit);
  const high = bucketAddress<B>(table, buckets);
  const overflow = changetype<B>(low).link(true);
  changetype<B>(high).reset(true);
  assert(!pinned<B>());
  let moved = <i32>changetype<B>(low).distribute(table, bit, high);
  if (overflow) {
    changetype<B>(low).setLink(true, 0);
    moved += splitChain<B>(table, low, high, overflow, bit);
  }
  setField(table, BUCKETS, buckets + 1);
  if (buckets + 1 > mask) setField(table, MASK, (mask << 1) | 1);
  setLimits(table);
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
  shrinkBuckets(table, last);
  setLimits(table);
  return moved;
}
