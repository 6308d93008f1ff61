// Entries in buckets: find, insert, remove. B is the layout of the blocks, K the kind of key.
//
// What a layout answers to (table/layout/block_keys.ts, block_tags.ts, block_refs.ts); `first` tells a bucket from an overflow block:
//   holdsValues()            whether addresses of values point into blocks: then they may not move or be reused in a section
//   link, setLink, reset     the chain                       occupied, vacant   sets of slots as bit masks
//   stray                    marks that may not be, for verify/
//   find, put, drop, move    one slot                        keyAt, valueAt, copyKey, copyValue, hashAt, side
//   bury                     a set of slots, in the section of a run (programs/unlink.ts)
//   newEntry, entryAt, freeEntry   memory of an entry outside the block, if the layout has any
import { SHARED } from "../../build";
import { follow, further, mostNodes } from "../../damage";
import { EEXIST, EINVAL, ENOENT, ENOMEM, EPERM } from "../../errno";
import { holdSectionsBack } from "../../sync/section";
import { materialise } from "../layout/bucket_array";
import { bucketIndex, bucketOf } from "../layout/buckets";
import {
  COUNT, FLAGS, FROZEN, GROWABLE, GROW_ABOVE, MARK, OWES_MERGES, PREALLOCATED, SHRINK_BELOW, VERSION,
  field, isGrowable, setField,
} from "../layout/header";
import { blockWithRoom, chain, newOverflow, tidyChain } from "../layout/overflow";
import { giveCredits } from "../limit/credits";
import { atMark } from "../limit/low_water";
import { grow, pinned, repayMerges, shrinkAfter } from "../resize/resize";

const NOEXIST: u32 = 1;
const EXIST: u32 = 2;

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

/** Inserts a key that is not present in `bucket`, its own. Address of its value, not yet written; 0 when there is no memory. */
@inline function insert<B, K>(table: usize, bucket: usize, key: K, hash: u32): usize {
  const entries = field(table, COUNT) + 1;
  const flags = field(table, FLAGS);
  setField(table, VERSION, field(table, VERSION) + 1);
  // Growth comes first, so that the address returned is the entry's place until the next write.
  if (entries > field(table, GROW_ABOVE) || (flags & (GROWABLE | PREALLOCATED | OWES_MERGES)) != GROWABLE) {
    if (!makeRoom<B>(table, hash, entries)) return 0;
    bucket = bucketOf<B>(table, hash);
  }
  const entry = changetype<B>(0).newEntry<K>(table, key);
  if (!entry) return 0;
  const value = place<B, K>(table, bucket, key, hash, entry);
  if (value) setField(table, COUNT, entries);
  else changetype<B>(0).freeEntry(table, entry);
  return value;
}

/** What an insert does for its table before it picks a slot; buckets may have been split or merged, or got their memory. */
function makeRoom<B>(table: usize, hash: u32, entries: u32): bool {
  const flags = field(table, FLAGS);
  if (!(flags & (GROWABLE | PREALLOCATED)) && !materialise(table, bucketIndex(table, hash))) return false;
  if (pinned<B>()) return true;
  if (entries > field(table, GROW_ABOVE)) grow<B>(table, entries);
  else if (flags & OWES_MERGES) repayMerges<B>(table);
  return true;
}

/** The address of the value of a key, inserted if absent and if the flags allow it; or an errno. */
@inline export function upsert<B, K>(table: usize, key: K, hash: u32, flags: u32): usize {
  if (flags > EXIST) return EINVAL;
  if (field(table, FROZEN)) return EPERM;
  const bucket = bucketOf<B>(table, hash);
  const value = findIn<B, K>(table, bucket, key, hash);
  if (value) return flags == NOEXIST ? <usize>EEXIST : value;
  if (flags == EXIST) return ENOENT;
  if (field(table, COUNT) >= field(table, MARK)) {
    const refusal = atMark(table);
    if (refusal) return refusal;
  }
  const inserted = insert<B, K>(table, bucket, key, hash);
  return inserted ? inserted : ENOMEM;
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
  let block = bucket;
  let found = changetype<B>(bucket).find<K>(table, key, hash, true);
  let left: u32 = 0;
  while (!found) {
    block = changetype<B>(block).link(block == bucket);
    if (!block) return ENOENT;
    found = changetype<B>(block).find<K>(table, key, hash, false);
    if (!found) left = further(left);
  }
  const slot = <u32>ctz(found);
  if (value) changetype<B>(block).copyValue(table, slot, block == bucket, value);
  dropSlot<B>(table, block, slot, block == bucket);
  const moved: u32 = changetype<B>(bucket).link(true) ? settle<B>(table, bucket) : 0;
  if (moved || field(table, COUNT) < field(table, SHRINK_BELOW)) shrinkAfter<B>(table, 1, moved);
  return 0;
}
