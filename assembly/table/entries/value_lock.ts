// Taking the spin lock of a value (spin_lock.ts), for one call or until `unlockValue`. Who keeps it is also in a section, so that the
// entry stays where it is and what it is, even when somebody deletes it. Such locks are held between two calls, so they are noted in a
// list of their own (sync/slot.ts).
import { EBUSY } from "../../errno";
import { copyBytes } from "../../memory/bytes";
import { FIRST_ADDRESS } from "../../regions";
import { commit, failWith, rollback } from "../../sync/journal";
import { forgetLast, lastVersion, lockErrno, tryAcquire, waitForValue } from "../../sync/lock";
import { unlock } from "../../sync/lock_word";
import { enterSection, leaveSection } from "../../sync/section";
import { ERRNO, MOST_VALUE_LOCKS, SLOT, VALUE_LOCK, VALUE_LOCKS, mine, now, setMine } from "../../sync/slot";
import { VALUE_SIZE, field } from "../layout/header";
import { findLive } from "./shared_read";
import { lockBucketOf } from "./lock_bucket";
import { clearSpinLock, lockOffset } from "./spin_lock";

/**
 * Makes the lock that the operation has taken last, of the value at `value`, outlive the operation, and enters a section: the address
 * again, or an errno.
 */
export function keepValueLock(table: usize, value: usize): usize {
  const count = mine(VALUE_LOCKS);
  if (count == MOST_VALUE_LOCKS) {
    failWith(EBUSY);
    commit();
    return EBUSY;
  }
  enterSection();
  const entry = SLOT + VALUE_LOCK + (<usize>count << 3);
  store<u32>(entry, <u32>value + lockOffset(table));
  store<u32>(entry, lastVersion(), 4);
  setMine(VALUE_LOCKS, count + 1);
  forgetLast();
  if (commit()) return value;
  unlockValue(table, value);
  return mine(ERRNO);
}

/** Releases the spin lock of a value and leaves the section. 0, or EBUSY when it is not the one taken last. */
export function unlockValue(table: usize, value: usize): u32 {
  const count = mine(VALUE_LOCKS);
  if (!count) return EBUSY;
  const entry = SLOT + VALUE_LOCK + (<usize>(count - 1) << 3);
  const word = <usize>load<u32>(entry);
  if (word != value + lockOffset(table)) return EBUSY;
  unlock(word, load<u32>(entry, 4));
  setMine(VALUE_LOCKS, count - 1);
  leaveSection();
  return 0;
}

/**
 * Finds a key and takes the spin lock of its value, in an operation: the address of the value, 0 when it is absent, or an errno;
 * with these two nothing is held. The bucket's lock is held, too, but never while waiting for the other: who has the spin lock may
 * be about to write to this very bucket.
 */
export function lockValueOf<B, K>(table: usize, key: K, hash: u32): usize {
  let deadline: f64 = 0;
  while (true) {
    const bucket = lockBucketOf<B>(table, hash);
    if (!bucket) return lockErrno();
    const value = findLive<B, K>(table, bucket, key, hash);
    if (!value) {
      commit();
      return 0;
    }
    const word = value + lockOffset(table);
    if (tryAcquire(word)) return value;
    const seen = atomic.load<u32>(word);
    rollback();
    if (!deadline) deadline = now();
    const errno = waitForValue(seen, deadline);
    if (errno) return errno;
  }
}

/** Copies the value of a key under its spin lock: 1, 0 or an errno. */
export function fetchSpinLocked<B, K>(table: usize, key: K, hash: u32, target: usize): u32 {
  const value = lockValueOf<B, K>(table, key, hash);
  if (value < FIRST_ADDRESS) return <u32>value;
  copyBytes(target, value, field(table, VALUE_SIZE));
  commit();
  clearSpinLock(table, target);
  return 1;
}
