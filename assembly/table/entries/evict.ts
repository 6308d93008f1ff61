// Evicting an entry, and putting a new one into a table that evicts or whose entries expire: what both builds do alike, of the shared one under
// the locks of the buckets, and journaled.
import { ENOMEM } from "../../errno";
import { SHARED } from "../../build";
import { LOG_SPARE } from "../../memory/owned";
import { hasLogRoom, logLeft } from "../../sync/journal";
import { bucketAddress } from "../layout/buckets";
import { EVICTS, KEY_SIZE, TIMED, VALUE_SIZE, field } from "../layout/header";
import { tidyChain } from "../layout/overflow";
import { EVICTED, VICTIM_IN, count, markOf, word } from "../notes/book";
import { WAS_EVICTED, tell } from "../notes/events";
import { TTL_OF_MAP, expiryFor, expiryOf } from "../notes/expiry";
import { LEAST_GHOST, addGhost, markNew } from "../notes/marks";
import { SLOT_OF, chooseOwn } from "../notes/victim";
import { pinned } from "../resize/resize";
import { dropSlot } from "./drop";
import { roomInChain } from "./place";

/** Entries of the journal that an eviction needs. */
@inline export function evictionLog(table: usize): u32 {
  return LOG_SPARE + ((field(table, KEY_SIZE) + field(table, VALUE_SIZE)) >> 2);
}

/** Evicts the entry of a slot. With `replaced`, another entry takes its place in the count. */
@inline export function evictSlot<B>(table: usize, index: u32, block: usize, slot: u32, first: bool, replaced: bool): void {
  if (SHARED) changetype<B>(block).logEntry(table, slot, first); // the newcomer may take its slot, or its element
  addGhost(table, index, max(changetype<B>(block).ghostAt(table, slot, first), LEAST_GHOST));
  tell<B>(table, block, slot, first, WAS_EVICTED);
  dropSlot<B>(table, block, slot, first, replaced);
  count(table, EVICTED, 1);
}

/** Evicts the victim of a bucket, its block plus its slot. */
export function evictFrom<B>(table: usize, index: u32, victim: usize, replaced: bool): void {
  const bucket = bucketAddress<B>(table, index);
  const block = victim & ~SLOT_OF;
  evictSlot<B>(table, index, block, <u32>(victim & SLOT_OF), block == bucket, replaced);
  if (changetype<B>(bucket).link(true) && !pinned<B>() && (!SHARED || hasLogRoom())) tidyChain<B>(table, bucket);
}

/** Removes the victim just chosen; false when there was none. */
export function evict<B>(table: usize, victim: usize): bool {
  if (victim) evictFrom<B>(table, word(table, VICTIM_IN), victim, false);
  return victim != 0;
}

/** Evicts from a key's own bucket, where there is no memory for another entry. In a section that would not help: its slots and elements stay. */
@inline function evictOwn<B>(table: usize, index: u32, flags: u32): bool {
  return (flags & EVICTS) != 0 && !pinned<B>() && (!SHARED || logLeft() >= evictionLog(table)) && evict<B>(table, chooseOwn<B>(table, index));
}

/** Puts an absent key into its bucket, which is counted already or will be: the address of its value, or ENOMEM. */
@inline export function putNoted<B, K>(table: usize, index: u32, key: K, hash: u32, flags: u32): usize {
  const bucket = bucketAddress<B>(table, index);
  const free = changetype<B>(bucket).vacant(table, true, pinned<B>());
  const entry = free ? changetype<B>(0).newEntry<K>(table, key) : <usize>0;
  if (entry) return putInto<B, K>(table, index, bucket, <u32>ctz(free), true, key, hash, entry, flags);
  return putFurther<B, K>(table, index, key, hash, flags);
}

@inline function putInto<B, K>(
  table: usize, index: u32, block: usize, slot: u32, first: bool, key: K, hash: u32, entry: usize, flags: u32,
): usize {
  changetype<B>(block).put<K>(table, slot, key, hash, entry, first);
  if (flags & EVICTS) markNew<B>(table, index, markOf<B>(table, index, block, slot, first), hash);
  const value = changetype<B>(block).valueAt(table, slot, first);
  if (SHARED && flags & TIMED) store<u32>(expiryOf(table, value), expiryFor(table, TTL_OF_MAP));
  return value;
}

/** Where the bucket has no free slot, or there was no memory for the entry. */
function putFurther<B, K>(table: usize, index: u32, key: K, hash: u32, flags: u32): usize {
  const bucket = bucketAddress<B>(table, index);
  let entry = changetype<B>(0).newEntry<K>(table, key);
  while (!entry) {
    if (!evictOwn<B>(table, index, flags)) return ENOMEM;
    entry = changetype<B>(0).newEntry<K>(table, key);
  }
  let block = bucket;
  const held = pinned<B>(); // once: a section of another thread may open or close in between
  let free = changetype<B>(bucket).vacant(table, true, held);
  while (!free) {
    block = roomInChain<B>(table, bucket, held);
    if (!block && !evictOwn<B>(table, index, flags)) {
      changetype<B>(0).freeEntry(table, entry);
      return ENOMEM;
    }
    if (!block) block = bucket;
    free = changetype<B>(block).vacant(table, block == bucket, held);
  }
  return putInto<B, K>(table, index, block, <u32>ctz(free), block == bucket, key, hash, entry, flags);
}
