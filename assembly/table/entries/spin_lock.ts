// The spin lock of a value (`bpf_spin_lock`) in the shared build. Its word is a lock like others, but lies in the value: it is never
// copied in, and reads as zero. Who holds it by `lockValue` is also in a section, so that the entry stays where it is and what it is,
// even when somebody deletes it. Such locks are held between two calls, so they are noted in a list of their own (sync/slot.ts).
import { EBUSY } from "../../errno";
import { copyBytes } from "../../memory/bytes";
import { commit, failWith, isFresh, logBytes, logLong } from "../../sync/journal";
import { forgetLast, lastVersion } from "../../sync/lock";
import { unlock } from "../../sync/lock_word";
import { enterSection, leaveSection } from "../../sync/section";
import { ERRNO, MOST_VALUE_LOCKS, SLOT, VALUE_LOCK, VALUE_LOCKS, mine, setMine } from "../../sync/slot";
import { LOCK_OFFSET, NO_LOCK, VALUE_SIZE, field } from "../layout/header";

const BYTES: u32 = 4;

/** Writes a whole value, but for its spin lock; in an operation. */
export function writeValue(table: usize, target: usize, source: usize): void {
  const size = field(table, VALUE_SIZE);
  const lock = field(table, LOCK_OFFSET);
  if (lock == NO_LOCK) {
    if (!isFresh()) {
      if (size == 8) logLong(target);
      else logBytes(target, size);
    }
    copyBytes(target, source, size);
    return;
  }
  if (isFresh()) store<u32>(target + lock, 0);
  else {
    logBytes(target, lock);
    logBytes(target + lock + BYTES, size - lock - BYTES);
  }
  copyBytes(target, source, lock);
  copyBytes(target + lock + BYTES, source + lock + BYTES, size - lock - BYTES);
}

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
  store<u32>(entry, <u32>value + field(table, LOCK_OFFSET));
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
  if (word != value + field(table, LOCK_OFFSET)) return EBUSY;
  unlock(word, load<u32>(entry, 4));
  setMine(VALUE_LOCKS, count - 1);
  leaveSection();
  return 0;
}
