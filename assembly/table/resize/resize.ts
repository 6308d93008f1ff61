// Growing and shrinking by one bucket at a time (Litwin 1980): a split distributes one bucket over itself and a new last one,
// a merge puts the last bucket back into the one it was split from. Bounded work, and the order of bit-reversed hashes stands.
import { SHARED } from "../../build";
import { further, insist } from "../../damage";
import { inSection } from "../../sync/section";
import { bucketAddress } from "../layout/buckets";
import {
  BUCKETS, BUCKET_BYTES, BUCKET_SEGMENTS, COUNT, FLAGS, GROW_ABOVE, LOAD16, MASK, OVERFLOW_COUNT, OVERFLOW_SLOTS, OWES_MERGES, SHRINK_BELOW,
  SLOTS, countWork, field, setField,
} from "../layout/header";
import { blockWithRoom, chain, countEntries, freeOverflow, newOverflow, tidyChain } from "../layout/overflow";
import { dropSegment, growTo, recordsOf, segmentOf, shrinkTo } from "../layout/segments";

const REFUSED: i32 = -1;
/** Splits of one insert: one keeps pace with inserts, two repay the debt that a section left behind. */
export const MOST_SPLITS: u32 = 2;
/** Merges of one delete. */
export const MOST_MERGES: u32 = 2;
/** Entries that one merge may move: two merges and a refill then stay below 30. */
const MOST_MERGED: u32 = 14;
/** Overflow blocks that a merge may leave behind a bucket. A drain in hash order empties one end of the table while the other
 *  is full: without a bound its merges would pile the survivors up in chains of thousands. */
const MERGED_CHAIN: u32 = 3;

/** Whether a merge of two buckets would move or chain up too much. */
@inline export function isTooMuch<B>(table: usize, low: usize, high: usize): bool {
  if (!changetype<B>(low).link(true) && !changetype<B>(high).link(true)) return false;
  const fromHigh = countEntries<B>(table, high);
  const together = fromHigh + countEntries<B>(table, low);
  return together > field(table, SLOTS) + MERGED_CHAIN * field(table, OVERFLOW_SLOTS) || fromHigh > MOST_MERGED;
}

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
 * its merges would pile up the entries that are left; once there are none, whole segments go, one free each.
 */
export function dropBuckets<B>(table: usize): void {
  const array = table + BUCKET_SEGMENTS;
  const shift = load<u32>(array, 4);
  for (let segment = segmentOf(field(table, BUCKETS) - 1, shift); segment > 0; segment--) {
    dropSegment(table, array, segment, field(table, BUCKET_BYTES), recordsOf(segment, shift));
  }
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
  if (!growTo(table, table + BUCKET_SEGMENTS, buckets, field(table, BUCKET_BYTES))) return REFUSED;
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

/**
 * Distributes a detached chain over two buckets without further memory: entries go to free slots, and a block with entries
 * left goes to the side they belong to. A block with entries left for both sides needs a second one, from the pool of those
 * that became empty.
 * Invariant: the pool holds a block, or the newest blocks of the two sides have a blockful of free slots together. Then the
 * entries of one more block cannot be left over on both sides. It holds at the start, since the entries of one bucket are in two,
 * and a bucket has at least the slots of an overflow block; after a block is hung on one side; and after the pool gave one.
 */
export function splitChain<B>(table: usize, low: usize, high: usize, overflow: usize, bit: u32): i32 {
  assert(field(table, SLOTS) >= field(table, OVERFLOW_SLOTS));
  let moved: i32 = 0;
  let pool: usize = 0;
  let left: u32 = 0;
  while (overflow) {
    const block = overflow;
    overflow = changetype<B>(block).link(false);
    if (overflow) left = further(left);
    let leftLow: u32 = 0;
    let leftHigh: u32 = 0;
    let used = changetype<B>(block).occupied(table, false);
    while (used) {
      const slot = <u32>ctz(used);
      used &= used - 1;
      const isHigh = changetype<B>(block).side(table, slot, bit, false);
      if (moveToRoom<B>(table, block, slot, isHigh ? high : low)) moved++;
      else if (isHigh) leftHigh |= 1 << slot;
      else leftLow |= 1 << slot;
    }
    if (leftLow && leftHigh) {
      insist(pool != 0);
      const other = pool;
      pool = changetype<B>(pool).link(false);
      changetype<B>(other).reset(false);
      chain<B>(low, block);
      chain<B>(high, other);
      while (leftHigh) {
        const slot = <u32>ctz(leftHigh);
        leftHigh &= leftHigh - 1;
        moveToRoom<B>(table, block, slot, high);
        moved++;
      }
    } else if (leftLow) chain<B>(low, block);
    else if (leftHigh) chain<B>(high, block);
    else {
      changetype<B>(block).setLink(false, pool);
      pool = block;
    }
  }
  if (SHARED) pool = chainSpares<B>(low, pool);
  while (pool) {
    const next = changetype<B>(pool).link(false);
    freeOverflow(table, pool);
    pool = next;
  }
  return moved;
}

/** Blocks that one split frees; each may take a lot of the journal (`hasLogRoom`). */
const MOST_FREED: u32 = 2;

/** Hangs all but a few empty blocks on a bucket, where later deletes tidy them away. Those that are left. */
function chainSpares<B>(bucket: usize, pool: usize): usize {
  let kept: u32 = 0;
  let left: usize = 0;
  while (pool) {
    const next = changetype<B>(pool).link(false);
    if (kept < MOST_FREED) {
      changetype<B>(pool).setLink(false, left);
      left = pool;
      kept++;
    } else chain<B>(bucket, pool);
    pool = next;
  }
  return left;
}

/** Moves an entry of an overflow block to a free slot of a bucket or of the newest block of its chain. */
function moveToRoom<B>(table: usize, block: usize, slot: u32, bucket: usize): bool {
  let target = bucket;
  let free = changetype<B>(bucket).vacant(table, true, false);
  if (!free) {
    target = changetype<B>(bucket).link(true);
    if (!target) return false;
    free = changetype<B>(target).vacant(table, false, false);
    if (!free) return false;
  }
  changetype<B>(block).move(table, slot, false, target, <u32>ctz(free), target == bucket);
  changetype<B>(block).drop(table, slot, false, false);
  return true;
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
  shrinkTo(table, table + BUCKET_SEGMENTS, last, field(table, BUCKET_BYTES));
  setLimits(table);
  return moved;
}

/** Moves all entries of `high` to `low`, which has room for them. How many moved out of slots of the bucket. */
@inline export function join<B>(table: usize, low: usize, high: usize): i32 {
  joinChains<B>(low, high);
  let moved: i32 = 0;
  let used = changetype<B>(high).occupied(table, true);
  while (used) {
    const slot = <u32>ctz(used);
    used &= used - 1;
    let target = low;
    let free = changetype<B>(low).vacant(table, true, false);
    if (!free) {
      target = blockWithRoom<B>(table, changetype<B>(low).link(true), false);
      insist(target != 0);
      free = changetype<B>(target).vacant(table, false, false);
    }
    changetype<B>(high).move(table, slot, true, target, <u32>ctz(free), target == low);
    moved++;
  }
  return moved;
}

/** Chains empty blocks to `low` until it can take the slots of `high`. On failure the chain is as it was. */
export function makeRoom<B>(table: usize, low: usize, high: usize): bool {
  let missing = <i32>popcnt(changetype<B>(high).occupied(table, true)) - roomIn<B>(table, low) - chainRoom<B>(table, high);
  while (missing > 0) {
    const block = newOverflow<B>(table);
    if (!block) {
      tidyChain<B>(table, low);
      return false;
    }
    chain<B>(low, block);
    missing -= field(table, OVERFLOW_SLOTS);
  }
  return true;
}

function roomIn<B>(table: usize, bucket: usize): i32 {
  return <i32>popcnt(changetype<B>(bucket).vacant(table, true, false)) + chainRoom<B>(table, bucket);
}

function chainRoom<B>(table: usize, bucket: usize): i32 {
  let room: i32 = 0;
  let block = changetype<B>(bucket).link(true);
  let left: u32 = 0;
  while (block) {
    room += <i32>popcnt(changetype<B>(block).vacant(table, false, false));
    block = changetype<B>(block).link(false);
    if (!block) break;
    left = further(left);
  }
  return room;
}

/** Hangs the chain of `high` in front of the chain of `low`. */
function joinChains<B>(low: usize, high: usize): void {
  const front = changetype<B>(high).link(true);
  if (!front) return;
  let tail = front;
  let left: u32 = 0;
  while (changetype<B>(tail).link(false)) {
    left = further(left);
    tail = changetype<B>(tail).link(false);
  }
  changetype<B>(tail).setLink(false, changetype<B>(low).link(true));
  changetype<B>(low).setLink(true, front);
}
