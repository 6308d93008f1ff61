// The spin lock of a value (`bpf_spin_lock`) in the shared build. Its word is a lock like others, but lies in the value: it is never
// copied in, and reads as zero. Taking it: value_lock.ts.
import { insist } from "../../damage";
import { copyBytes, zeroBytes } from "../../memory/bytes";
import { isFresh, isNew, logBytes, logLong } from "../../sync/journal";
import { LOCK_OFFSET, NO_LOCK, VALUE_SIZE, field } from "../layout/header";
import { laneOf, logValue, scatter, zeroValue } from "../layout/lanes";
import { isTimed } from "../notes/book";
import { expiryOf } from "../notes/expiry";
import { seenBytes } from "./seek";

const SPIN_LOCK_BYTES: u32 = 4;

/** Where the spin lock is in a value of a table that has one. What is damaged must not lead to stores anywhere else. */
@inline export function lockOffset(table: usize): u32 {
  const offset = field(table, LOCK_OFFSET);
  insist(<u64>offset + SPIN_LOCK_BYTES <= <u64>field(table, VALUE_SIZE));
  return offset;
}

/** Writes a whole value, but for its spin lock; in an operation. */
@inline export function writeValue(table: usize, target: usize, source: usize): void {
  if (field(table, VALUE_SIZE) == 8 && field(table, LOCK_OFFSET) == NO_LOCK) {
    if (!isFresh()) logLong(target);
    store<u64>(target, load<u64>(source));
  } else writeAny(table, target, source);
}

function writeAny(table: usize, target: usize, source: usize): void {
  const size = field(table, VALUE_SIZE);
  if (laneOf(table)) {
    scatter(table, target, source, isFresh());
    return;
  }
  if (field(table, LOCK_OFFSET) == NO_LOCK) {
    if (!isFresh()) logBytes(target, size);
    copyBytes(target, source, size);
    return;
  }
  const lock = lockOffset(table);
  if (isNew()) store<u32>(target + lock, 0);
  else if (!isFresh()) {
    logBytes(target, lock);
    logBytes(target + lock + SPIN_LOCK_BYTES, size - lock - SPIN_LOCK_BYTES);
  }
  copyBytes(target, source, lock);
  copyBytes(target + lock + SPIN_LOCK_BYTES, source + lock + SPIN_LOCK_BYTES, size - lock - SPIN_LOCK_BYTES);
}

/** Notes all of a value that has expired, but for its spin lock, which somebody may hold. */
export function logExpired(table: usize, value: usize): void {
  if (field(table, LOCK_OFFSET) == NO_LOCK) {
    logValue(table, value);
    return;
  }
  const behind = lockOffset(table) + SPIN_LOCK_BYTES;
  logBytes(value, behind - SPIN_LOCK_BYTES);
  logBytes(value + behind, field(table, VALUE_SIZE) - behind);
}

/** Makes the value of an entry that counts as new zeros, but for its expiry, and for the spin lock of one that had expired. */
export function zeroFresh(table: usize, value: usize): void {
  if (field(table, LOCK_OFFSET) != NO_LOCK && !isNew()) {
    const behind = lockOffset(table) + SPIN_LOCK_BYTES;
    zeroBytes(value, behind - SPIN_LOCK_BYTES);
    zeroBytes(value + behind, seenBytes(table) - behind);
    return;
  }
  const expiry = isTimed(table) ? load<u32>(expiryOf(table, value)) : 0;
  zeroValue(table, value);
  if (expiry) store<u32>(expiryOf(table, value), expiry);
}

/** The spin locks of values read as zero. */
export function clearSpinLocks(table: usize, values: usize, entries: u32): void {
  if (field(table, LOCK_OFFSET) == NO_LOCK) return;
  const size = field(table, VALUE_SIZE);
  for (let i: u32 = 0; i < entries; i++) clearSpinLock(table, values + <usize>i * size);
}

/** The spin lock of a value reads as zero. */
@inline export function clearSpinLock(table: usize, value: usize): void {
  if (field(table, LOCK_OFFSET) != NO_LOCK) zeroBytes(value + lockOffset(table), SPIN_LOCK_BYTES);
}
