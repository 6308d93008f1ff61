// Tables that evict or whose entries expire, in the shared build: finding without a lock, and inserting under the lock of the key's bucket.
//
// An insert into a full table needs no credit: the newcomer takes the place of its victim in the count, in one operation, so neither the limit
// nor a thread that dies can see one more or one less. The victim is in the key's own bucket, or in another one whose lock is free: that is tried
// once and never waited for, so no order of locks is broken. What was chosen without the lock is looked at again under it.
//
// Expired is absent: an expiry is read together with its value, and compared with the clock behind the second look. An entry that has expired
// and is written again is revived in its slot, all of its value journaled.
import { E2BIG, EEXIST, EINVAL, ENOENT, ENOMEM, EPERM } from "../../errno";
import { follow, mostNodes } from "../../damage";
import { EXIST, NOEXIST } from "../../flags";
import { ensureLog } from "../../memory/owned";
import { FIRST_ADDRESS } from "../../regions";
import { isUnannounced } from "../../sync/hazard";
import { NEW, REVIVED, beginWrite, commit, commitAndGoOn, rollback, write32 } from "../../sync/journal";
import { lockErrno, releaseLast, tryAcquire, waitForValue } from "../../sync/lock";
import { LOCKED } from "../../sync/lock_word";
import { ERRNO, FRESH, fence, mine, now, setMine } from "../../sync/slot";
import { STEPPING, STEP_BLOCKED, STEP_CHECK, STEP_COPY, STEP_INDEX, STEP_READ, step } from "../../sync/step";
import { isReadable } from "../../sync/word";
import { belongs, bucketAddress, bucketIndex, bucketOf, bucketWidth, indexIn } from "../layout/buckets";
import { BUCKETS, EVICTS, FLAGS, FROZEN, GROWABLE, OVERFLOW_BYTES, PER_CPU, RETIRED, TIMED, field } from "../layout/header";
import { copyValueOut } from "../layout/lanes";
import { isFull, takeCredit } from "../limit/credits";
import { VICTIM_IN, isTimed, markOf, word } from "../notes/book";
import { eventsOf, untell } from "../notes/events";
import { TTL_OF_MAP, expiryFor, expiryOf, hasExpired, isPast, renewed, renewedFrom } from "../notes/expiry";
import { markNew, touch } from "../notes/marks";
import { SLOT_OF, chooseOwn, chooseVictim } from "../notes/victim";
import { evictFrom, evictionLog, putNoted } from "./evict";
import { lockBucketOf, refuse } from "./lock_bucket";
import { slotOf } from "./seek";
import { sweepFor, sweepForRoom } from "./shared_sweep";
import { logExpired } from "./spin_lock";

const READ_TRIES: u32 = 64;
/** In the place of a block and a slot: the bucket has changed. */
const UNSURE: usize = 1;

/** `slotOf` without a lock: what was read counts if the version of the bucket stands. */
function slotFree<B, K>(table: usize, bucket: usize, version: u32, key: K, hash: u32): usize {
  const found = changetype<B>(bucket).find<K>(table, key, hash, true);
  if (found) return bucket + <usize>ctz(found);
  const lock = changetype<B>(bucket).lock();
  let block = changetype<B>(bucket).link(true);
  let left = mostNodes();
  while (block) {
    left = follow(left);
    if (atomic.load<u32>(lock) != version || !isReadable(block, field(table, OVERFLOW_BYTES))) return UNSURE;
    if (STEPPING) step(STEP_COPY);
    const found = changetype<B>(block).find<K>(table, key, hash, false);
    if (found) return block + <usize>ctz(found);
    block = changetype<B>(block).link(false);
  }
  return 0;
}

/** How an entry that is found is used: it counts as used, and its ttl begins anew where a hit does that; or the first alone. */
export const USED: u32 = 1;
const MARKED: u32 = 2;

/**
 * Finds a key, and copies its value unless `target` is 0: 1, 0 when it is absent, or an errno. With `use` it counts as used: a byte is
 * written behind the second look at the version, which only a mark can stand in. It does not raise the version, so no reader is disturbed.
 */
export function fetchNoted<B, K>(table: usize, key: K, hash: u32, target: usize, use: u32): u32 {
  const flags = field(table, FLAGS);
  for (let tries = READ_TRIES; tries; tries--) {
    const head = atomic.load<u64>(table);
    const index = indexIn(<u32>head, hash);
    const bucket = bucketAddress<B>(table, index);
    if (STEPPING) step(STEP_INDEX);
    const lock = changetype<B>(bucket).lock();
    const version = atomic.load<u32>(lock);
    if (version & LOCKED) continue;
    if (STEPPING) step(STEP_READ);
    const found = slotFree<B, K>(table, bucket, version, key, hash);
    if (found == UNSURE) continue;
    const block = found & ~SLOT_OF;
    const value = found ? changetype<B>(block).valueAt(table, <u32>(found & SLOT_OF), block == bucket) : 0;
    const expiry = found && flags & TIMED ? load<u32>(expiryOf(table, value)) : 0;
    if (found && target) copyValueOut(table, target, value);
    const width = bucketWidth<B>(bucket);
    fence();
    if (STEPPING) step(STEP_CHECK);
    if (load<u32>(lock) != version || load<u32>(table, RETIRED) != <u32>(head >> 32)) continue;
    if (!found && flags & GROWABLE && !belongs(hash, index, width)) continue;
    if (expiry && isPast(table, expiry)) return 0;
    if (expiry && use == USED && renewedFrom(table, expiry)) renew<B, K>(table, key, hash);
    if (found && use && flags & EVICTS) touch<B>(table, markOf<B>(table, index, block, <u32>(found & SLOT_OF), block == bucket));
    return <u32>(found != 0);
  }
  return fetchNotedLocked<B, K>(table, key, hash, target);
}

function fetchNotedLocked<B, K>(table: usize, key: K, hash: u32, target: usize): u32 {
  const bucket = lockBucketOf<B>(table, hash);
  if (!bucket) return lockErrno();
  const found = slotOf<B, K>(table, bucket, key, hash);
  const block = found & ~SLOT_OF;
  const value = found ? changetype<B>(block).valueAt(table, <u32>(found & SLOT_OF), block == bucket) : 0;
  const live = value != 0 && !(isTimed(table) && hasExpired(table, value));
  if (live && target) copyValueOut(table, target, value);
  commit();
  return <u32>live;
}

/** Lets the ttl of an entry begin anew, if the lock of its bucket is free: a hit waits for nobody, and another one will do it. */
function renew<B, K>(table: usize, key: K, hash: u32): void {
  beginWrite();
  const bucket = bucketOf<B>(table, hash);
  if (!tryAcquire(changetype<B>(bucket).lock()) || bucketOf<B>(table, hash) != bucket) {
    rollback();
    return;
  }
  const found = slotOf<B, K>(table, bucket, key, hash);
  const block = found & ~SLOT_OF;
  const value = found ? changetype<B>(block).valueAt(table, <u32>(found & SLOT_OF), block == bucket) : 0;
  const expiry = value && !hasExpired(table, value) ? renewed(table, value) : 0;
  if (expiry) write32(expiryOf(table, value), expiry);
  commit();
}

/** Notes that an entry was used that another way has found. */
@inline export function noteUse<B, K>(table: usize, key: K, hash: u32): void {
  if (field(table, FLAGS) & EVICTS) fetchNoted<B, K>(table, key, hash, 0, MARKED);
}

/** Whether a block is the bucket or in its chain, and has an entry in a slot. The bucket is locked. */
function isEntry<B>(table: usize, bucket: usize, block: usize, slot: u32): bool {
  let at = bucket;
  let left = mostNodes();
  while (at && at != block) {
    left = follow(left);
    at = changetype<B>(at).link(at == bucket);
  }
  return at != 0 && (changetype<B>(at).occupied(table, at == bucket) & (1 << slot)) != 0;
}

/** Evicts what was chosen, if it is still there and the lock of its bucket is free. */
function evictChosen<B>(table: usize, own: u32, victim: usize): bool {
  if (!victim) return false;
  const index = word(table, VICTIM_IN);
  if (index == own) {
    evictFrom<B>(table, own, victim, true);
    return true;
  }
  const bucket = bucketAddress<B>(table, index);
  const lock = changetype<B>(bucket).lock();
  if (!tryAcquire(lock)) return false;
  const free = !field(table, PER_CPU) || isUnannounced(lock);
  if (free && isEntry<B>(table, bucket, victim & ~SLOT_OF, <u32>(victim & SLOT_OF))) {
    evictFrom<B>(table, index, victim, true);
    return true;
  }
  releaseLast();
  return false;
}

/** Times that the hand goes on when its buckets are locked or empty, and the own bucket is empty. */
const MOST_TRIES: u32 = 64;
/** Times that an insert begins again when it could evict nothing. */
const MOST_WAITS: u32 = 1 << 20;
/** In the place of the address of a value: nothing could be evicted, and nothing is held. */
const BLOCKED: usize = 3;

/** Removes an entry for one that will come into the bucket `own`, which is locked. False when none could be had. */
function makeWayLocked<B>(table: usize, own: u32): bool {
  for (let tries = MOST_TRIES; tries; tries--) {
    if (evictChosen<B>(table, own, chooseVictim<B>(table, own))) return true;
    const victim = chooseOwn<B>(table, own);
    if (victim) {
      evictFrom<B>(table, own, victim, true);
      return true;
    }
  }
  return false;
}

/**
 * Waits, with nothing held, for who has the bucket of the entry that could not be evicted, or where there was none, one of the first buckets:
 * a table in which that happens is small. 0, or an errno when that has gone on since `start` for too long.
 */
function awaitWay<B>(table: usize, start: f64): u32 {
  const last = word(table, VICTIM_IN);
  const buckets = min(field(table, BUCKETS), MOST_TRIES);
  for (let tried: u32 = 0; tried <= buckets; tried++) {
    const index = tried ? tried - 1 : last;
    const seen = atomic.load<u32>(changetype<B>(bucketAddress<B>(table, index)).lock());
    if (seen & LOCKED) return waitForValue(seen, start);
  }
  if (STEPPING) step(STEP_BLOCKED); // who counts in the own slot of a value, or has just let go
  return 0;
}

/** Buckets that an insert into a full table sweeps before it is refused. */
const MOST_SWEPT: u32 = 64;

/** Sweeps a full table that does not evict until a credit is had: 0, or an errno, and nothing is held. */
function sweepForCredit<B>(table: usize): u32 {
  if (!commitAndGoOn()) return lockErrno(); // the pool has been asked, and its lock is not held meanwhile
  for (let swept: u32 = 0; swept < MOST_SWEPT; swept++) {
    const went = sweepForRoom<B>(table);
    if (mine(ERRNO)) return mine(ERRNO);
    if (!went) continue;
    if (takeCredit(table)) return 0;
    if (mine(ERRNO)) return refuse(mine(ERRNO));
    if (!commitAndGoOn()) return lockErrno();
  }
  return refuse(E2BIG);
}

/** Inserts an absent key into its locked bucket: the address of its value; or an errno or BLOCKED, and nothing is held. */
function insertNotedLocked<B, K>(table: usize, bucket: usize, key: K, hash: u32): usize {
  const flags = field(table, FLAGS);
  const own = bucketIndex(table, hash);
  const evicts = (flags & EVICTS) != 0;
  if (flags & TIMED && !sweepFor<B>(table, bucket)) return lockErrno();
  const told = eventsOf(table);
  if (evicts && isFull(table)) {
    if (!makeWayLocked<B>(table, own)) return refuse(mine(ERRNO) ? mine(ERRNO) : <u32>BLOCKED);
  } else if (!takeCredit(table)) {
    if (mine(ERRNO)) return refuse(mine(ERRNO));
    if (!evicts) {
      const errno = flags & TIMED ? sweepForCredit<B>(table) : refuse(E2BIG);
      if (errno) return errno;
    } else if (!makeWayLocked<B>(table, own)) return refuse(mine(ERRNO) ? mine(ERRNO) : <u32>BLOCKED);
  }
  const value = putNoted<B, K>(table, own, key, hash, flags);
  if (value < FIRST_ADDRESS) {
    untell(table, told);
    return refuse(mine(ERRNO) ? mine(ERRNO) : <u32>value);
  }
  setMine(FRESH, NEW);
  return value;
}

/** `obtain` of shared_write.ts. */
export function obtainNoted<B, K>(table: usize, key: K, hash: u32, flags: u32): usize {
  if (flags > EXIST) return EINVAL;
  if (!ensureLog(evictionLog(table))) return ENOMEM;
  const value = obtainOnce<B, K>(table, key, hash, flags);
  return value == BLOCKED ? obtainAgain<B, K>(table, key, hash, flags) : value;
}

function obtainAgain<B, K>(table: usize, key: K, hash: u32, flags: u32): usize {
  const start = now();
  let left = MOST_WAITS;
  while (true) {
    left = follow(left);
    const errno = awaitWay<B>(table, start);
    if (errno) return errno;
    const value = obtainOnce<B, K>(table, key, hash, flags);
    if (value != BLOCKED) return value;
  }
}

function obtainOnce<B, K>(table: usize, key: K, hash: u32, flags: u32): usize {
  const bucket = lockBucketOf<B>(table, hash);
  if (!bucket) return lockErrno();
  if (field(table, FROZEN)) return refuse(EPERM);
  const found = slotOf<B, K>(table, bucket, key, hash);
  if (!found) return flags == EXIST ? <usize>refuse(ENOENT) : insertNotedLocked<B, K>(table, bucket, key, hash);
  const block = found & ~SLOT_OF;
  const slot = <u32>(found & SLOT_OF);
  const first = block == bucket;
  const value = changetype<B>(block).valueAt(table, slot, first);
  const kind = field(table, FLAGS);
  const index = bucketIndex(table, hash);
  if (kind & TIMED && hasExpired(table, value)) {
    if (flags == EXIST) return refuse(ENOENT);
    logExpired(table, value);
    store<u32>(expiryOf(table, value), expiryFor(table, TTL_OF_MAP));
    if (kind & EVICTS) markNew<B>(table, index, markOf<B>(table, index, block, slot, first), hash);
    setMine(FRESH, REVIVED);
    return value;
  }
  if (flags == NOEXIST) return refuse(EEXIST);
  if (kind & EVICTS) touch<B>(table, markOf<B>(table, index, block, slot, first));
  setMine(FRESH, 0);
  return value;
}
