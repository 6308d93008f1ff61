// Inserts into tables that evict or whose entries expire, in the plain build: what is noted of entries is in table/notes/. An insert into a full
// table that evicts makes room by an eviction; there is one only when `maxEntries` entries are there. Where entries expire, an insert
// sweeps the key's own bucket and the next one at the sweep's hand: so a tenth of the limit at most is dead under steady inserts.
import { further } from "../../damage";
import { E2BIG, ENOMEM } from "../../errno";
import { FIRST_ADDRESS } from "../../regions";
import { bucketAddress, bucketIndex } from "../layout/buckets";
import { materialise } from "../layout/bucket_array";
import {
  BUCKETS, COUNT, EVICTS, FLAGS, GROWABLE, GROW_ABOVE, MAX_ENTRIES, OWES_MERGES, PREALLOCATED, TIMED, VERSION, field, setField,
} from "../layout/header";
import { atMark } from "../limit/low_water";
import { EXPIRED, SWEEP_AT, VICTIM_IN, count, setWord, word } from "../notes/book";
import { HAS_EXPIRED, isBufferFull, tell } from "../notes/events";
import { hasExpired } from "../notes/expiry";
import { SLOT_OF, chooseVictim } from "../notes/victim";
import { grow, pinned, repayMerges } from "../resize/resize";
import { afterRemoval, dropSlot } from "./drop";
import { evictFrom, evictSlot, putNoted } from "./evict";

/** Buckets that an insert into a full table sweeps before it is refused. */
const MOST_SWEPT: u32 = 64;

/**
 * Drops the expired entries of a bucket, which the caller lets settle. How many. With `all`, also what there is no room to tell of.
 */
export function dropExpired<B>(table: usize, bucket: usize, all: bool): u32 {
  let block = bucket;
  let swept: u32 = 0;
  let left: u32 = 0;
  while (true) {
    const first = block == bucket;
    let rest = changetype<B>(block).occupied(table, first);
    while (rest) {
      const slot = <u32>ctz(rest);
      rest &= rest - 1;
      if (!hasExpired(table, changetype<B>(block).valueAt(table, slot, first)) || (!all && isBufferFull(table))) continue;
      tell<B>(table, block, slot, first, HAS_EXPIRED);
      dropSlot<B>(table, block, slot, first);
      swept++;
    }
    block = changetype<B>(block).link(first);
    if (!block) break;
    left = further(left);
  }
  if (swept) count(table, EXPIRED, swept);
  return swept;
}

/** Removes the expired entries of a bucket. How many. */
export function sweepBucket<B>(table: usize, bucket: usize): u32 {
  const swept = dropExpired<B>(table, bucket, false);
  if (swept) afterRemoval<B>(table, bucket, field(table, COUNT));
  return swept;
}

/** Sweeps the next bucket. */
export function sweepNext<B>(table: usize): u32 {
  const at = word(table, SWEEP_AT);
  const index = at < field(table, BUCKETS) ? at : 0; // a table that shrinks has fewer by now
  setWord(table, SWEEP_AT, index + 1);
  return sweepBucket<B>(table, bucketAddress<B>(table, index));
}

/** Makes room in a full table whose entries expire, if it can. */
function sweepForRoom<B>(table: usize): bool {
  for (let swept: u32 = 0; swept < MOST_SWEPT; swept++) {
    sweepNext<B>(table);
    if (field(table, COUNT) < field(table, MAX_ENTRIES)) return true;
  }
  return false;
}

/** Inserts an absent key into a full table that evicts: another entry goes, and is not counted in between. */
@inline function replace<B, K>(table: usize, index: u32, key: K, hash: u32): usize {
  const victim = chooseVictim<B>(table, index);
  if (!victim) return E2BIG;
  const from = word(table, VICTIM_IN);
  const bucket = bucketAddress<B>(table, from);
  if (changetype<B>(bucket).link(true)) evictFrom<B>(table, from, victim, true);
  else evictSlot<B>(table, from, bucket, <u32>(victim & SLOT_OF), true, true);
  const value = putNoted<B, K>(table, index, key, hash, field(table, FLAGS));
  if (value < FIRST_ADDRESS) setField(table, COUNT, field(table, COUNT) - 1);
  setField(table, VERSION, field(table, VERSION) + 1);
  return value;
}

/** Inserts an absent key into its bucket: the address of its value, whose bytes are undefined, or an errno. */
export function insertNoted<B, K>(table: usize, index: u32, key: K, hash: u32): usize {
  const flags = field(table, FLAGS);
  if (flags & TIMED) {
    sweepBucket<B>(table, bucketAddress<B>(table, index));
    sweepNext<B>(table);
  }
  const entries = field(table, COUNT);
  if (flags & EVICTS && entries >= field(table, MAX_ENTRIES)) return replace<B, K>(table, index, key, hash);
  const refusal = atMark(table, entries);
  if (refusal && (refusal != E2BIG || !sweepForRoom<B>(table))) return refusal;
  if (!(flags & (GROWABLE | PREALLOCATED)) && !materialise(table, index)) return ENOMEM;
  if (flags & GROWABLE && !pinned<B>()) {
    const entries = field(table, COUNT);
    if (entries >= field(table, GROW_ABOVE)) grow<B>(table, entries + 1);
    else if (field(table, FLAGS) & OWES_MERGES) repayMerges<B>(table);
    index = bucketIndex(table, hash);
  }
  const value = putNoted<B, K>(table, index, key, hash, flags);
  if (value < FIRST_ADDRESS) return value;
  setField(table, COUNT, field(table, COUNT) + 1);
  setField(table, VERSION, field(table, VERSION) + 1);
  return value;
}
