// Inserts into tables that evict or whose entries expire, in the plain build: what is noted of entries is in table/notes/. An insert into a full
// table that evicts makes room by an eviction; there is one only when `maxEntries` entries are there. Where entries expire, an insert
// sweeps the key's own bucket and the next one at the sweep's hand: so a tenth of the limit at most is dead under steady inserts.
import { further } from "../../damage";
import { E2BIG, ENOMEM } from "../../errno";
import { bucketAddress, bucketIndex } from "../layout/buckets";
import { materialise } from "../layout/bucket_array";
import {
  BUCKETS, COUNT, EVICTS, FLAGS, GROWABLE, GROW_ABOVE, MAX_ENTRIES, OWES_MERGES, PREALLOCATED, TIMED, VERSION, field, setField,
} from "../layout/header";
import { tidyChain } from "../layout/overflow";
import { atMark } from "../limit/low_water";
import { EVICTED, EXPIRED, SWEEP_AT, VICTIM_IN, count, markOf, setWord, word } from "../notes/book";
import { TTL_OF_MAP, expiryFor, expiryOf, hasExpired } from "../notes/expiry";
import { addGhost, ghostOf, markNew } from "../notes/marks";
import { SLOT_OF, chooseOwn, chooseVictim } from "../notes/victim";
import { grow, pinned, repayMerges } from "../resize/resize";
import { afterRemoval, dropSlot } from "./drop";
import { roomInChain } from "./place";

/** Buckets that an insert into a full table sweeps before it is refused. */
const MOST_SWEPT: u32 = 64;

/** Removes the victim that was chosen; false when there was none. */
function evict<B>(table: usize, victim: usize): bool {
  if (!victim) return false;
  const index = word(table, VICTIM_IN);
  const bucket = bucketAddress<B>(table, index);
  const block = victim & ~SLOT_OF;
  const slot = <u32>(victim & SLOT_OF);
  addGhost(table, index, ghostOf(changetype<B>(block).ghostAt(table, slot, block == bucket) << 24));
  dropSlot<B>(table, block, slot, block == bucket);
  if (changetype<B>(bucket).link(true) && !pinned<B>()) tidyChain<B>(table, bucket);
  count(table, EVICTED, 1);
  return true;
}

/** Removes the expired entries of a bucket. How many. */
export function sweepBucket<B>(table: usize, index: u32): u32 {
  const bucket = bucketAddress<B>(table, index);
  let block = bucket;
  let swept: u32 = 0;
  let left: u32 = 0;
  while (true) {
    const first = block == bucket;
    let rest = changetype<B>(block).occupied(table, first);
    while (rest) {
      const slot = <u32>ctz(rest);
      rest &= rest - 1;
      if (!hasExpired(table, changetype<B>(block).valueAt(table, slot, first))) continue;
      dropSlot<B>(table, block, slot, first);
      swept++;
    }
    block = changetype<B>(block).link(first);
    if (!block) break;
    left = further(left);
  }
  if (!swept) return 0;
  count(table, EXPIRED, swept);
  afterRemoval<B>(table, bucket, field(table, COUNT));
  return swept;
}

/** Sweeps the next bucket. */
export function sweepNext<B>(table: usize): u32 {
  const at = word(table, SWEEP_AT);
  const bucket = at < field(table, BUCKETS) ? at : 0; // a table that shrinks has fewer by now
  setWord(table, SWEEP_AT, bucket + 1);
  return sweepBucket<B>(table, bucket);
}

/** Makes room in a full table, if it can. */
function makeWay<B>(table: usize, hash: u32, flags: u32): bool {
  if (flags & EVICTS) return evict<B>(table, chooseVictim<B>(table, bucketIndex(table, hash)));
  if (!(flags & TIMED)) return false;
  for (let swept: u32 = 0; swept < MOST_SWEPT; swept++) {
    sweepNext<B>(table);
    if (field(table, COUNT) < field(table, MAX_ENTRIES)) return true;
  }
  return false;
}

/** Evicts from the key's own bucket, where there is no memory for another entry. In a section that would not help: its slots and elements stay. */
@inline function evictOwn<B>(table: usize, index: u32, flags: u32): bool {
  return (flags & EVICTS) != 0 && !pinned<B>() && evict<B>(table, chooseOwn<B>(table, index));
}

/** Inserts an absent key: the address of its value, or an errno. */
export function insertNoted<B, K>(table: usize, key: K, hash: u32): usize {
  const flags = field(table, FLAGS);
  if (flags & TIMED) {
    sweepBucket<B>(table, bucketIndex(table, hash));
    sweepNext<B>(table);
  }
  const refusal = atMark(table, field(table, COUNT));
  if (refusal && (refusal != E2BIG || !makeWay<B>(table, hash, flags))) return refusal;
  if (!(flags & (GROWABLE | PREALLOCATED)) && !materialise(table, bucketIndex(table, hash))) return ENOMEM;
  if (flags & GROWABLE && !pinned<B>()) {
    const entries = field(table, COUNT);
    if (entries >= field(table, GROW_ABOVE)) grow<B>(table, entries + 1);
    else if (field(table, FLAGS) & OWES_MERGES) repayMerges<B>(table);
  }
  const index = bucketIndex(table, hash);
  const bucket = bucketAddress<B>(table, index);
  let entry = changetype<B>(0).newEntry<K>(table, key);
  while (!entry) {
    if (!evictOwn<B>(table, index, flags)) return ENOMEM;
    entry = changetype<B>(0).newEntry<K>(table, key);
  }
  let block = bucket;
  let free = changetype<B>(bucket).vacant(table, true, pinned<B>());
  while (!free) {
    block = roomInChain<B>(table, bucket, pinned<B>());
    if (!block && !evictOwn<B>(table, index, flags)) {
      changetype<B>(0).freeEntry(table, entry);
      return ENOMEM;
    }
    if (!block) block = bucket;
    free = changetype<B>(block).vacant(table, block == bucket, pinned<B>());
  }
  const first = block == bucket;
  const slot = <u32>ctz(free);
  changetype<B>(block).put<K>(table, slot, key, hash, entry, first);
  setField(table, COUNT, field(table, COUNT) + 1);
  setField(table, VERSION, field(table, VERSION) + 1);
  if (flags & EVICTS) markNew<B>(table, index, markOf<B>(table, index, block, slot, first), hash);
  const value = changetype<B>(block).valueAt(table, slot, first);
  if (flags & TIMED) store<u32>(expiryOf(table, value), expiryFor(table, TTL_OF_MAP));
  return value;
}
