// What a split or a merge does to the entries of its two buckets, with the chains behind them. In the shared build both are locked.
import { SHARED } from "../../build";
import { further, insist } from "../../damage";
import { OVERFLOW_SLOTS, SLOTS, field } from "../layout/header";
import { blockWithRoom, chain, countEntries, freeOverflow, newOverflow, tidyChain } from "../layout/overflow";

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

/** Moves all entries of `high` to `low`, which has room for them. How many moved out of slots of the bucket. */
@inline export function join<B>(table: usize, low: usize, high: usize): i32 {
  if (changetype<B>(high).link(true)) joinChains<B>(low, high);
  const moved = <i32>popcnt(changetype<B>(high).occupied(table, true));
  const left = changetype<B>(low).absorb(table, high);
  if (left) chainUp<B>(table, low, high, left);
  return moved;
}

/** Moves the entries of the slots `left` to the chain of `low`. */
function chainUp<B>(table: usize, low: usize, high: usize, left: u32): void {
  while (left) {
    const target = blockWithRoom<B>(table, changetype<B>(low).link(true), false);
    insist(target != 0);
    const free = changetype<B>(target).vacant(table, false, false);
    changetype<B>(high).move(table, <u32>ctz(left), true, target, <u32>ctz(free), false);
    left &= left - 1;
  }
}

/** Chains empty blocks to `low` until it can take the slots of `high`. On failure the chain is as it was. */
@inline export function makeRoom<B>(table: usize, low: usize, high: usize): bool {
  const needed = popcnt(changetype<B>(high).occupied(table, true));
  return needed <= popcnt(changetype<B>(low).vacant(table, true, false)) || chainRoomTo<B>(table, low, high, <i32>needed);
}

function chainRoomTo<B>(table: usize, low: usize, high: usize, needed: i32): bool {
  let missing = needed - roomIn<B>(table, low) - chainRoom<B>(table, high);
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
