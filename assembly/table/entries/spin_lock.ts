// The spin lock of a value (`bpf_spin_lock`) in the shared build. Its word is a lock like others, but lies in the value: it is never
// copied in, and reads as zero. Taking it: value_lock.ts.
import { copyBytes, zeroBytes } from "../../memory/bytes";
import { isFresh, logBytes, logLong } from "../../sync/journal";
import { LOCK_OFFSET, NO_LOCK, VALUE_SIZE, field } from "../layout/header";

const SPIN_LOCK_BYTES: u32 = 4;

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
    logBytes(target + lock + SPIN_LOCK_BYTES, size - lock - SPIN_LOCK_BYTES);
  }
  copyBytes(target, source, lock);
  copyBytes(target + lock + SPIN_LOCK_BYTES, source + lock + SPIN_LOCK_BYTES, size - lock - SPIN_LOCK_BYTES);
}

/** The spin locks of values read as zero. */
export function clearSpinLocks(table: usize, values: usize, entries: u32): void {
  if (field(table, LOCK_OFFSET) == NO_LOCK) return;
  const size = field(table, VALUE_SIZE);
  for (let i: u32 = 0; i < entries; i++) clearSpinLock(table, values + <usize>i * size);
}

/** The spin lock of a value reads as zero. */
@inline export function clearSpinLock(table: usize, value: usize): void {
  const offset = field(table, LOCK_OFFSET);
  if (offset != NO_LOCK) zeroBytes(value + offset, SPIN_LOCK_BYTES);
}
