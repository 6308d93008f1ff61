// Entries in buckets: find, insert, remove. B is the layout of the blocks, K the kind of key.
//
// What a layout answers to (table/layout/block_keys.ts, block_tags.ts, block_refs.ts); `first` tells a bucket from an overflow block:
//   holdsValues()            whether addresses of values point into blocks: then they may not move or be reused in a section
//   link, setLink, reset     the chain                       occupied, vacant   sets of slots as bit masks
//   stray                    marks that may not be, for verify/
//   find, put, drop, move    one slot                        keyAt, valueAt, copyKey, copyValue, hashAt, side
//   distribute, absorb       entries of a bucket, in a split and in a merge
//   bury                     a set of slots, in the section of a run (programs/unlink.ts)
//   newEntry, entryAt, freeEntry   memory of an entry outside the block, if the layout has any
import { SHARED } from "../../build";
import { follow, further, mostNodes } from "../../damage";
import { EEXIST, EINVAL, ENOENT, ENOMEM, EPERM } from "../../errno";
import { EXIST, NOEXIST } from "../../flags";
import { holdSectionsBack } from "../../sync/section";
import { materialise } from "../layout/bucket_array";
import { bucketIndex, bucketOf } from "../layout/buckets";
import { admit, mayBeFiltered } from "../layout/filter";
import {
  COUNT, FILTERED, FLAGS, FROZEN, GROWABLE, GROW_ABOVE, LEAN_MARK, MARK, OWES_MERGES, PREALLOCATED, SHRINK_BELOW, VERSION,
  field, isGrowable, setField,
} from "../layout/header";
import { blockWithRoom, chain, newOverflow, tidyChain } from "../layout/overflow";
import { giveCredits } from "../limit/credits";
import { atMark } from "../limit/low_water";
import { grow, pinned, repayMerges, shrinkAfter } from "../resize/resize";

/** From the first block of a chain on, which is mostly the last one, too: the others are counted. */
export function findInChain<B, K>(table: usize, block: usize, key: K, hash: u32): usize {
  const found = changetype<B>(block).find<K>(table, key, hash, false);
  if (found) return changetype<B>(block).valueAt(table, <u32>ctz(found), false);
  const next = changetype<B>(block).link(false);
  return next ? findFurther<B, K>(table, next, key, hash) : 0;
}

function findFurther<B, K>(table: usize, block: usize, key: K, hash: u32): usize {
  let left = mostNodes();
  while (block) {
    left = follow(left);
    const found = changetype<B>(block).find<K>(table, key, hash, false);
    if (found) return changetype<B>(block).valueAt(table, <u32>ctz(found), false);
    block = changetype<B>(block).link(false);
  }
  return 0;
}

/** Address of the value of a key within the bucket at `bucket`, 0 when it is absent. */
@inline export function findIn<B, K>(table: usize, bucket: usize, key: K, hash: u32): usize {
  const found = changetype<B>(bucket).find<K>(table, key, hash, true);
  if (found) return changetype<B>(bucket).valueAt(table, <u32>ctz(found), true);
  const block = changetype<B>(bucket).link(true);
  return block ? findInChain<B, K>(table, block, key, hash) : 0;
}

@inline export function find<B, K>(table: usize, key: K, hash: u32): usize {
  return findIn<B, K>(table, bucketOf<B>(table, hash), key, hash);
}

/** Writes a new entry into its bucket. Address of its value, 0 when there is no memory. */
@inline export function place<B, K>(table: usize, bucket: usize, key: K, hash: u32, entry: usize): usize {
  const free = changetype<B>(bucket).vacant(table, true, pinned<B>());
  if (free) {
    const slot = <u32>ctz(free);
    changetype<B>(bucket).put<K>(table, slot, key, hash, entry, true);
    return changetype<B>(bucket).valueAt(table, slot, true);
  }
  return placeInChain<B, K>(table, bucket, key, hash, entry);
}

function placeInChain<B, K>(table: usize, bucket: usize, key: K, hash: u32, entry: usize): usize {
  const held = pinned<B>(); // once: a section of another thread may open or close in between
  let block = blockWithRoom<B>(table, changetype<B>(bucket).link(true), held);
  if (!block) {
    if (SHARED && held) noteDebt<B>(bucket);
    block = newOverflow<B>(table);
    if (!block) return 0;
    chain<B>(bucket, block);
  }
  const free = changetype<B>(block).vacant(table, false, held);
  const slot = <u32>ctz(free);
  changetype<B>(block).put<K>(table, slot, key, hash, entry, false);
  return changetype<B>(block).valueAt(table, slot, false);
}

/** Blocks of a chain from which on sections are in the way of everybody (sync/section.ts). */
const LONG_CHAIN: u32 = 8;

function noteDebt<B>(bucket: usize): void {
  let blocks: u32 = 0;
  for (let block = changetype<B>(bucket).link(true); block; block = changetype<B>(block).link(false)) {
    if (++blocks > LONG_CHAIN) {
      holdSectionsBack();
      return;
    }
  }
}

/**
 * What an insert that finds MARK entries or more does before it picks a slot: 0 or an errno. Buckets may have been split or merged, or
 * got their memory.
 */
function lookFurther<B>(table: usize, hash: u32, entries: u32): u32 {
  const refusal = atMark(table, entries);
  if (refusal) return refusal;
  const flags = field(table, FLAGS);
  if (!(flags & (GROWABLE | PREALLOCATED)) && !materialise(table, bucketIndex(table, hash))) return ENOMEM;
  if (!pinned<B>()) {
    if (entries >= field(table, GROW_ABOVE)) grow<B>(table, entries + 1);
    else if (flags & OWES_MERGES) repayMerges<B>(table);
  }
  if (mayBeFiltered<B>() && flags & FILTERED) admit(table, hash);
  return 0;
}

/** The address of the value of a key, inserted if absent and if the flags allow it; or an errno. */
@inline export function upsert<B, K>(table: usize, key: K, hash: u32, flags: u32): usize {
  if (flags > EXIST) return EINVAL;
  if (field(table, FROZEN)) return EPERM;
  const bucket = bucketOf<B>(table, hash);
  const found = changetype<B>(bucket).find<K>(table, key, hash, true);
  if (found) return flags == NOEXIST ? <usize>EEXIST : changetype<B>(bucket).valueAt(table, <u32>ctz(found), true);
  const here = changetype<B>(0).isWord() && flags != EXIST ? changetype<B>(bucket).insertHere(table, <u32>key) : <usize>0;
  return here ? here : <usize>upsertFurther<B, K>(table, bucket, key, hash, flags);
}

/** The part of `upsert` behind a look at the slots of the bucket: a look at its chain, and the insert. */
export function upsertFurther<B, K>(table: usize, bucket: usize, key: K, hash: u32, flags: u32): usize {
  const block = changetype<B>(bucket).link(true);
  if (block) {
    const value = findInChain<B, K>(table, block, key, hash);
    if (value) return flags == NOEXIST ? <usize>EEXIST : value;
  }
  if (flags == EXIST) return ENOENT;
  const entries = field(table, COUNT);
  setField(table, VERSION, field(table, VERSION) + 1);
  if (mayBeFiltered<B>() && entries < field(table, LEAN_MARK)) admit(table, hash); // 0 in a table without a filter
  else if (entries >= field(table, MARK)) {
    // Growth comes first, so that the address returned is the entry's place until the next write.
    const errno = lookFurther<B>(table, hash, entries);
    if (errno) return errno;
    bucket = bucketOf<B>(table, hash);
  }
  const entry = changetype<B>(0).newEntry<K>(table, key);
  if (!entry) return ENOMEM;
  const value = place<B, K>(table, bucket, key, hash, entry);
  if (value) setField(table, COUNT, entries + 1);
  else changetype<B>(0).freeEntry(table, entry);
  return value ? value : ENOMEM;
}

/** Drops the entry of a slot; no other entry changes its slot. The caller lets the bucket settle. */
@inline export function dropSlot<B>(table: usize, block: usize, slot: u32, first: bool): void {
  assert(changetype<B>(block).occupied(table, first) & (1 << slot));
  const entry = changetype<B>(block).entryAt(slot);
  changetype<B>(block).drop(table, slot, first, pinned<B>());
  if (SHARED) giveCredits(table, 1);
  else {
    setField(table, COUNT, field(table, COUNT) - 1);
    setField(table, VERSION, field(table, VERSION) + 1);
  }
  changetype<B>(block).freeEntry(table, entry);
}

/** Pulls entries of the chain into free slots of the bucket and frees blocks that are empty. How many entries moved. */
export function settle<B>(table: usize, bucket: usize): u32 {
  if (!changetype<B>(bucket).link(true) || pinned<B>()) return 0;
  let moved: u32 = 0;
  tidyChain<B>(table, bucket);
  if (!isGrowable(table) && changetype<B>(bucket).holdsValues()) return 0;
  let free = changetype<B>(bucket).vacant(table, true, false);
  while (free && changetype<B>(bucket).link(true)) {
    // Where the journal had no room to free it, the newest block may be empty.
    if (SHARED && !changetype<B>(changetype<B>(bucket).link(true)).occupied(table, false)) break;
    refill<B>(table, bucket, <u32>ctz(free));
    free &= free - 1;
    moved++;
    tidyChain<B>(table, bucket);
  }
  return moved;
}

/** Removes the entry of a slot, without shrinking the table. How many entries moved. */
export function removeSlot<B>(table: usize, bucket: usize, block: usize, slot: u32): u32 {
  dropSlot<B>(table, block, slot, block == bucket);
  return settle<B>(table, bucket);
}

/** Fills a free slot of a bucket from the newest block of its chain, which is not empty. */
function refill<B>(table: usize, bucket: usize, slot: u32): void {
  const block = changetype<B>(changetype<B>(bucket).link(true));
  const from = <u32>ctz(block.occupied(table, false));
  block.move(table, from, false, bucket, slot, true);
  block.drop(table, from, false, false);
}

/** Removes a key, its value copied to `value` first unless that is 0. 0, ENOENT or EPERM. */
@inline export function remove<B, K>(table: usize, key: K, hash: u32, value: usize): u32 {
  if (field(table, FROZEN)) return EPERM;
  const bucket = bucketOf<B>(table, hash);
  const found = changetype<B>(bucket).find<K>(table, key, hash, true);
  if (found) removeFrom<B>(table, bucket, found, true, value);
  else if (!changetype<B>(bucket).link(true) || !removeFromChain<B, K>(table, bucket, key, hash, value)) return ENOENT;
  afterRemoval<B>(table, bucket, field(table, COUNT));
  return 0;
}

/** What follows from a delete that leaves so many entries: the bucket settles, and the table may have too many buckets. */
@inline export function afterRemoval<B>(table: usize, bucket: usize, entries: u32): void {
  if (changetype<B>(bucket).link(true)) settleAndShrink<B>(table, bucket);
  else if (entries < field(table, SHRINK_BELOW)) shrinkAfter<B>(table, 1, 0);
}

function settleAndShrink<B>(table: usize, bucket: usize): void {
  const moved = settle<B>(table, bucket);
  if (moved || field(table, COUNT) < field(table, SHRINK_BELOW)) shrinkAfter<B>(table, 1, moved);
}

/** Drops the entry that `find` has found in a block. */
@inline function removeFrom<B>(table: usize, block: usize, found: u32, first: bool, value: usize): void {
  const slot = <u32>ctz(found);
  if (value) changetype<B>(block).copyValue(table, slot, first, value);
  dropSlot<B>(table, block, slot, first);
}

function removeFromChain<B, K>(table: usize, bucket: usize, key: K, hash: u32, value: usize): bool {
  let block = changetype<B>(bucket).link(true);
  let left: u32 = 0;
  while (block) {
    const found = changetype<B>(block).find<K>(table, key, hash, false);
    if (found) {
      removeFrom<B>(table, block, found, false, value);
      return true;
    }
    left = further(left);
    block = changetype<B>(block).link(false);
  }
  return false;
}
