// Writing in the shared build: an operation locks the one bucket that its key belongs to, and all that it changes there it
// journals (sync/journal.ts). Resizing follows behind, as operations of its own: the entry is placed where there is room, and only
// then is a bucket split. So no operation but a split or a merge holds two buckets, or an insert that evicts or sweeps (shared_noted.ts).
import { follow, mostNodes } from "../../damage";
import { E2BIG, EEXIST, EINVAL, ENOENT, ENOMEM, EPERM } from "../../errno";
import { EXIST, NOEXIST } from "../../flags";
import { LOG_SPARE, ensureLog } from "../../memory/owned";
import { commit, logBytes, logLong } from "../../sync/journal";
import { lockErrno } from "../../sync/lock";
import { ERRNO, FRESH, mine, setMine } from "../../sync/slot";
import { bucketOf } from "../layout/buckets";
import { COUNT, FROZEN, GROW_ABOVE, OWES, VALUE_SIZE, field, isGrowable } from "../layout/header";
import { takeCredit } from "../limit/credits";
import { EXPIRED, count, isNoted, isTimed } from "../notes/book";
import { hasExpired } from "../notes/expiry";
import { MOST_SPLITS } from "../resize/resize";
import { growLocked, shrinkLocked } from "../resize/shared_resize";
import { dropSlot, settle } from "./drop";
import { findIn } from "./entries";
import { isUntouched, lockBucketOf, refuse } from "./lock_bucket";
import { place } from "./place";
import { ADDITION_AT, ADDITION_BYTES, ADDITION_KIND, widthOf } from "./scalar";
import { obtainNoted } from "./shared_noted";
import { clearSpinLock } from "./spin_lock";

/**
 * Finds or inserts a key, its bucket locked: the address of its value, which the caller writes (`prepareValue`) before it ends the
 * operation with `finishWrite`; or an errno, and nothing is held. `isFresh()` tells whether the entry is new.
 */
@inline export function obtain<B, K>(table: usize, key: K, hash: u32, flags: u32): usize {
  if (flags > EXIST) return EINVAL;
  if (isNoted(table)) return obtainNoted<B, K>(table, key, hash, flags);
  const bucket = lockBucketOf<B>(table, hash);
  if (!bucket) return lockErrno();
  if (field(table, FROZEN)) return refuse(EPERM);
  const value = findIn<B, K>(table, bucket, key, hash);
  if (value) {
    setMine(FRESH, 0);
    return flags == NOEXIST ? <usize>refuse(EEXIST) : value;
  }
  if (flags == EXIST) return refuse(ENOENT);
  return insertLocked<B, K>(table, bucket, key, hash);
}

function insertLocked<B, K>(table: usize, bucket: usize, key: K, hash: u32): usize {
  if (!takeCredit(table)) return refuse(mine(ERRNO) ? mine(ERRNO) : E2BIG);
  const entry = changetype<B>(0).newEntry<K>(table, key);
  const value = entry ? place<B, K>(table, bucket, key, hash, entry) : 0;
  if (!value) return refuse(mine(ERRNO) ? mine(ERRNO) : ENOMEM);
  setMine(FRESH, 1);
  return value;
}

/** Makes room in the journal for a value of this table; before the operation begins. */
@inline export function ensureValueLog(table: usize): bool {
  return ensureLog(LOG_SPARE + (field(table, VALUE_SIZE) >> 2));
}

/** To be called before the bytes of a value are written. */
@inline export function prepareValue(at: usize, bytes: u32): void {
  if (mine(FRESH)) return;
  if (bytes == 8) logLong(at);
  else logBytes(at, bytes);
}

/** Notes the fields of a list, which are about to be written. */
export function logList(value: usize, list: usize, count: u32): void {
  const end = list + <usize>count * ADDITION_BYTES;
  for (let at = list; at < end; at += ADDITION_BYTES) logBytes(value + load<u32>(at, ADDITION_AT), widthOf(load<u32>(at, ADDITION_KIND)));
}

/** Ends an operation of `obtain`: 0 or an errno; then splits or merges, if the table needs it. */
@inline export function finishWrite<B>(table: usize): u32 {
  const inserted = mine(FRESH);
  if (!commit()) return mine(ERRNO);
  if (inserted && (field(table, COUNT) > field(table, GROW_ABOVE) || field(table, OWES))) resizeAfter<B>(table);
  return 0;
}

function resizeAfter<B>(table: usize): void {
  if (!isGrowable(table)) return;
  if (field(table, COUNT) > field(table, GROW_ABOVE)) growLocked<B>(table, MOST_SPLITS);
  else shrinkLocked<B>(table, 1);
}

/** The same, where the caller resizes behind many of them (`resizeBehind`). */
@inline export function finishOne(): u32 {
  return commit() ? 0 : mine(ERRNO);
}

/** Splits or merges for what so many operations have inserted or removed. */
export function resizeBehind<B>(table: usize, inserted: u32, removed: u32): void {
  if (!isGrowable(table)) return;
  if (inserted && field(table, COUNT) > field(table, GROW_ABOVE)) growLocked<B>(table, MOST_SPLITS * inserted);
  if (removed || field(table, OWES)) shrinkLocked<B>(table, max(removed, 1));
}

/** How many inserts may go by before the table is split for them: they make its load a sixteenth higher. */
@inline export function insertsAhead(table: usize): u32 {
  return (field(table, GROW_ABOVE) >> 4) + 1;
}

/** Removes a key, its value copied to `value` first unless that is 0. 0 or an errno. What has expired is absent, and goes by the way. */
@inline export function removeLocked<B, K>(table: usize, key: K, hash: u32, value: usize): u32 {
  const errno = removeOne<B, K>(table, key, hash, value);
  if (!errno || isTimed(table)) shrinkLocked<B>(table, 1);
  return errno;
}

/** The same, where the caller shrinks the table behind many of them (`resizeBehind`). */
@inline export function removeOne<B, K>(table: usize, key: K, hash: u32, value: usize): u32 {
  if (!isGrowable(table) && isUntouched(bucketOf<B>(table, hash))) return field(table, FROZEN) ? EPERM : ENOENT;
  const bucket = lockBucketOf<B>(table, hash);
  if (!bucket) return lockErrno();
  if (field(table, FROZEN)) return refuse(EPERM);
  let block = bucket;
  let found = changetype<B>(bucket).find<K>(table, key, hash, true);
  let left = mostNodes();
  while (!found) {
    left = follow(left);
    block = changetype<B>(block).link(block == bucket);
    if (!block) return refuse(ENOENT);
    found = changetype<B>(block).find<K>(table, key, hash, false);
  }
  const slot = <u32>ctz(found);
  const expired = isTimed(table) && hasExpired(table, changetype<B>(block).valueAt(table, slot, block == bucket));
  if (value && !expired) {
    changetype<B>(block).copyValue(table, slot, block == bucket, value);
    clearSpinLock(table, value);
  }
  dropSlot<B>(table, block, slot, block == bucket);
  if (changetype<B>(bucket).link(true)) settle<B>(table, bucket);
  if (!commit()) return mine(ERRNO);
  if (expired) count(table, EXPIRED, 1);
  return expired ? ENOENT : 0;
}
