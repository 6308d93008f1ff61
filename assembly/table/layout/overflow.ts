// Overflow blocks: where a bucket's entries go when its slots are full. A chain hangs on the bucket, newest block first.
import { SHARED } from "../../build";
import { follow, further, mostNodes } from "../../damage";
import { hasLogRoom, logBytes, write32 } from "../../sync/journal";
import { acquireOnce } from "../../sync/lock";
import { tableAllocate, tableRelease } from "./account";
import {
  BUCKETS, EVICTS, FLAGS, MAX_ENTRIES, OVERFLOW_BYTES, OVERFLOW_COUNT, OVERFLOW_RESERVE, POOL_LOCK, PREALLOCATED, field, setField,
} from "./header";

/** The first bytes of a block, which `reset` writes in every layout. */
const RESET_BYTES: u32 = 24;

/** A block, empty and linked to nothing; 0 when there is no memory. */
export function newOverflow<B>(table: usize): usize {
  if (SHARED && !acquireOnce(table + POOL_LOCK)) return 0;
  let block = <usize>field(table, OVERFLOW_RESERVE);
  // A table that evicts may have freed the block in this very operation: all that `reset` writes goes back with it.
  if (SHARED && block) logBytes(block, field(table, FLAGS) & EVICTS ? RESET_BYTES : 4);
  if (block) setField(table, OVERFLOW_RESERVE, load<u32>(block));
  else block = tableAllocate(table, field(table, OVERFLOW_BYTES));
  if (!block) return 0;
  changetype<B>(block).reset(false);
  setField(table, OVERFLOW_COUNT, field(table, OVERFLOW_COUNT) + 1);
  return block;
}

/** Frees a block that no chain holds. A preallocated table keeps its blocks: what fitted once must fit again. */
export function freeOverflow(table: usize, block: usize): void {
  if (SHARED && !acquireOnce(table + POOL_LOCK)) return; // the operation fails at its end
  setField(table, OVERFLOW_COUNT, field(table, OVERFLOW_COUNT) - 1);
  if (field(table, FLAGS) & PREALLOCATED) reserveOverflow(table, block);
  else tableRelease(table, block, field(table, OVERFLOW_BYTES));
}

/**
 * Overflow blocks that a preallocated table keeps. How many a full one needs varies with the keys; measured with random ones it stays
 * below N/4, and 8 * sqrt(N) more are far outside its spread. Only keys chosen with knowledge of the seed need memory beyond that. A
 * table that evicts reserves none: where there is no memory for a block, an entry of the bucket goes.
 */
@inline export function blocksToReserve(table: usize): u32 {
  if (field(table, FLAGS) & EVICTS) return 0;
  const buckets = field(table, BUCKETS);
  return min((buckets >> 2) + 8 * <u32>sqrt(<f64>buckets), field(table, MAX_ENTRIES));
}

@inline export function reserveOverflow(table: usize, block: usize): void {
  write32(block, field(table, OVERFLOW_RESERVE));
  setField(table, OVERFLOW_RESERVE, <u32>block);
}

/** Puts a block at the head of a bucket's chain. */
@inline export function chain<B>(bucket: usize, block: usize): void {
  changetype<B>(block).setLink(false, changetype<B>(bucket).link(true));
  changetype<B>(bucket).setLink(true, block);
}

/** Takes the empty blocks out of a bucket's chain. Not while a section may hold addresses into them. */
export function tidyChain<B>(table: usize, bucket: usize): void {
  let previous = bucket;
  let block = changetype<B>(bucket).link(true);
  let left: u32 = 0;
  while (block) {
    const next = changetype<B>(block).link(false);
    if (SHARED && !hasLogRoom()) return; // the rest another time
    if (changetype<B>(block).occupied(table, false)) previous = block;
    else {
      changetype<B>(previous).setLink(previous == bucket, next);
      freeOverflow(table, block);
    }
    if (!next) return;
    left = further(left);
    block = next;
  }
}

/** Blocks of a bucket's chain. */
export function countBlocks<B>(bucket: usize): u32 {
  const most = mostNodes();
  let left = most;
  for (let block = changetype<B>(bucket).link(true); block; block = changetype<B>(block).link(false)) left = follow(left);
  return most - left;
}

/** Entries of a bucket with its chain. */
export function countEntries<B>(table: usize, bucket: usize): u32 {
  let entries = <u32>popcnt(changetype<B>(bucket).occupied(table, true));
  let block = changetype<B>(bucket).link(true);
  let left: u32 = 0;
  while (block) {
    entries += <u32>popcnt(changetype<B>(block).occupied(table, false));
    block = changetype<B>(block).link(false);
    if (!block) break;
    left = further(left);
  }
  return entries;
}

/** The first block of a chain that has a free slot, 0 when there is none. */
export function blockWithRoom<B>(table: usize, block: usize, pinned: bool): usize {
  let left: u32 = 0;
  while (block && !changetype<B>(block).vacant(table, false, pinned)) {
    left = further(left);
    block = changetype<B>(block).link(false);
  }
  return block;
}
