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
import { follow, further, mostNodes } from "../../damage";
import { EEXIST, EINVAL, ENOENT, ENOMEM, EPERM } from "../../errno";
import { EXIST, NOEXIST } from "../../flags";
import { materialise } from "../layout/bucket_array";
import { bucketIndex, bucketOf } from "../layout/buckets";
import { admit, mayBeFiltered } from "../layout/filter";
import {
  COUNT, FILTERED, FLAGS, FROZEN, GROWABLE, GROW_ABOVE, LEAN_MARK, MARK, OWES_MERGES, PREALLOCATED, VERSION, field, setField,
} from "../layout/header";
import { atMark } from "../limit/low_water";
import { grow, pinned, repayMerges } from "../resize/resize";
import { afterRemoval, dropSlot } from "./drop";
import { place } from "./place";

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

/**
 * What an insert that finds MARK entries or more does before it picks a slot: 0 or an errno. Buckets may have been split or merged, or
 * got their memory.
 */
function lookFurther<B, K>(table: usize, key: K, hash: u32, entries: u32): usize {
  const flags = field(table, FLAGS);
  const refusal = atMark(table, entries);
  if (refusal) return refusal;
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
    const done = lookFurther<B, K>(table, key, hash, entries);
    if (done) return done;
    bucket = bucketOf<B>(table, hash);
  }
  const entry = changetype<B>(0).newEntry<K>(table, key);
  if (!entry) return ENOMEM;
  const value = place<B, K>(table, bucket, key, hash, entry);
  if (value) setField(table, COUNT, entries + 1);
  else changetype<B>(0).freeEntry(table, entry);
  return value ? value : ENOMEM;
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
