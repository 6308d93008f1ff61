// Sweeping what has expired, in the shared build: under the lock of its bucket, journaled as deletes are. Who inserts a new key sweeps the key's
// own bucket, whose lock it holds, and the next one at the hand of its CPU, if the lock of that is free: it is tried once and never waited for,
// so no order of locks is broken. Both are committed before the insert begins, which goes on under the lock of its own bucket: so the insert
// finds every slot and element as if they had been free for long, and needs no journal for what it writes there.
import { LOG_SPARE } from "../../memory/owned";
import { isUnannounced } from "../../sync/hazard";
import { beginWrite, commit, commitAndGoOn, logLeft, rollback } from "../../sync/journal";
import { releaseLast, tryAcquire } from "../../sync/lock";
import { bucketAddress } from "../layout/buckets";
import { BUCKETS, COUNT, OWES, PER_CPU, SHRINK_BELOW, field, isGrowable } from "../layout/header";
import { countEntries } from "../layout/overflow";
import { SWEEP_AT, setWord, word } from "../notes/book";
import { eventsOf, untell } from "../notes/events";
import { settle } from "./drop";
import { isUntouched } from "./lock_bucket";
import { dropExpired } from "./noted";

/** Entries of the journal for each entry that goes, and the one that may move into its place. */
const DROP_ENTRIES: u32 = 28;

/** Drops what has expired in a locked bucket, if the journal has room for all of its entries. How many. */
export function sweepLocked<B>(table: usize, bucket: usize): u32 {
  if (countEntries<B>(table, bucket) * DROP_ENTRIES + LOG_SPARE > logLeft()) return 0;
  const swept = dropExpired<B>(table, bucket, false);
  if (!swept) return 0;
  settle<B>(table, bucket);
  if (isGrowable(table) && field(table, COUNT) < field(table, SHRINK_BELOW)) store<u32>(table, 1, OWES); // a hint: inserts merge
  return swept;
}

/** The same of the next bucket at the hand, within an operation. Its lock is kept if something went. */
function sweepNextLocked<B>(table: usize): u32 {
  const at = word(table, SWEEP_AT);
  const index = at < atomic.load<u32>(table, BUCKETS) ? at : 0; // a table that shrinks has fewer by now
  setWord(table, SWEEP_AT, index + 1);
  const bucket = bucketAddress<B>(table, index);
  if (isUntouched(bucket)) return 0;
  const lock = changetype<B>(bucket).lock();
  if (!tryAcquire(lock)) return 0;
  const isThere = index < atomic.load<u32>(table, BUCKETS) && bucketAddress<B>(table, index) == bucket;
  const isFree = isThere && (!field(table, PER_CPU) || isUnannounced(lock));
  const swept = isFree ? sweepLocked<B>(table, bucket) : 0;
  if (!swept) releaseLast();
  return swept;
}

/** Ends the sweeping, and goes on under the first lock. False when that failed: nothing is held, and nothing went. */
function goOn(table: usize, told: u32): bool {
  if (commitAndGoOn()) return true;
  untell(table, told);
  return false;
}

/** Before an insert into a bucket that is locked, and no other: false when it failed, and nothing is held. */
export function sweepFor<B>(table: usize, bucket: usize): bool {
  const told = eventsOf(table);
  const swept = sweepLocked<B>(table, bucket) + sweepNextLocked<B>(table);
  return !swept || goOn(table, told);
}

/** Sweeps the next bucket for an insert into a full table. Whether something went; nothing is held when ERRNO of the slot says that it failed. */
export function sweepForRoom<B>(table: usize): bool {
  const told = eventsOf(table);
  return sweepNextLocked<B>(table) != 0 && goOn(table, told);
}

/** Sweeps the next bucket, as an operation of its own. How many entries went. */
export function sweepAlone<B>(table: usize): u32 {
  beginWrite();
  const told = eventsOf(table);
  const swept = sweepNextLocked<B>(table);
  if (!swept) {
    rollback();
    return 0;
  }
  if (commit()) return swept;
  untell(table, told);
  return 0;
}
