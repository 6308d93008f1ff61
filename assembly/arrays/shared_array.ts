// Elements of an array in the shared build. Up to 8 bytes a value is one aligned word, read and written as a whole. A larger one
// is written under the lock of its stripe, and read between two looks at that lock's version, as entries of a hash map are under
// that of their bucket (table/entries/shared_read.ts).
import { ENOMEM } from "../errno";
import { LOCK } from "../flags";
import { copyBytes, zeroBytes } from "../memory/bytes";
import { LOG_SPARE, ensureLog } from "../memory/owned";
import { beginWrite, commit, logBytes, rollback } from "../sync/journal";
import { acquire, lockErrno, tryAcquire, waitForValue } from "../sync/lock";
import { LOCKED } from "../sync/lock_word";
import { FRESH, SLOT, WORD, fence, now, setMine } from "../sync/slot";
import { STEPPING, STEP_CHECK, STEP_READ, step } from "../sync/step";
import { addList, addScalar, addTo, widthOf } from "../table/entries/scalar";
import { logList } from "../table/entries/shared_write";
import { clearSpinLock, lockOffset, writeValue } from "../table/entries/spin_lock";
import { keepValueLock } from "../table/entries/value_lock";
import { ARRAY_BASE, LATE_STRIPES, LOCK_OFFSET, NO_LOCK, STRIPES, STRIPE_MASK, VALUE_SIZE, field } from "../table/layout/header";
import { MOST_STRIPES, STRIPE_BYTES } from "../table/life/dismantle";
import { rearmLowWater } from "../table/limit/low_water";
import { arrayError, arrayLength, elementOf } from "./array";

const READ_TRIES: u32 = 64;
const WORD_BYTES: u32 = 8;

/** The lock of an element. Those behind the first block have locks of their own, as many as threads can contend for. */
@inline function lockOf(table: usize, index: u32): usize {
  if (index < field(table, ARRAY_BASE)) return <usize>field(table, STRIPES) + (index & field(table, STRIPE_MASK)) * STRIPE_BYTES;
  return <usize>field(table, LATE_STRIPES) + (index & (MOST_STRIPES - 1)) * STRIPE_BYTES;
}

/** Begins an operation on an element. False when it gave up, and the operation is over. */
function begin(table: usize, index: u32): bool {
  beginWrite();
  setMine(FRESH, 0);
  if (acquire(lockOf(table, index))) return true;
  rollback();
  return false;
}

/** Begins an operation on an element and takes the spin lock of its value. 0 or an errno. */
function beginLocked(table: usize, index: u32): u32 {
  const word = elementOf(table, index) + lockOffset(table);
  const start = now();
  while (true) {
    if (!begin(table, index)) return lockErrno();
    if (tryAcquire(word)) return 0;
    const seen = atomic.load<u32>(word);
    rollback();
    const errno = waitForValue(seen, start);
    if (errno) return errno;
  }
}

/** Copies a value: 1, 0 beyond the array, or an errno. With LOCK under its spin lock. */
export function arrayGet(table: usize, index: u32, target: usize, flags: u32): u32 {
  if (index >= arrayLength(table)) return 0;
  const size = field(table, VALUE_SIZE);
  if (flags & LOCK) {
    const errno = beginLocked(table, index);
    if (errno) return errno;
    copyBytes(target, elementOf(table, index), size);
    commit();
    clearSpinLock(table, target);
    return 1;
  }
  const found = copyOut(table, index, 0, size, target);
  if (found == 1) clearSpinLock(table, target);
  return found;
}

/** Copies a part of a value: 1, 0 beyond the array, or an errno. */
export function arrayGetPart(table: usize, index: u32, offset: u32, bytes: u32, target: usize): u32 {
  return index < arrayLength(table) ? copyOut(table, index, offset, bytes, target) : 0;
}

function copyOut(table: usize, index: u32, offset: u32, bytes: u32, target: usize): u32 {
  const element = elementOf(table, index);
  if (field(table, VALUE_SIZE) <= WORD_BYTES) {
    store<u64>(SLOT + WORD, atomic.load<u64>(element));
    copyBytes(target, SLOT + WORD + offset, bytes);
    return 1;
  }
  const lock = lockOf(table, index);
  for (let tries = READ_TRIES; tries; tries--) {
    const version = atomic.load<u32>(lock);
    if (version & LOCKED) continue;
    if (STEPPING) step(STEP_READ);
    copyBytes(target, element + offset, bytes);
    fence();
    if (STEPPING) step(STEP_CHECK);
    if (atomic.load<u32>(lock) == version) return 1;
  }
  if (!begin(table, index)) return lockErrno();
  copyBytes(target, element + offset, bytes);
  commit();
  return 1;
}

/** Writes a value, in an operation. */
function writeElement(table: usize, element: usize, source: usize): void {
  const size = field(table, VALUE_SIZE);
  if (size > WORD_BYTES || field(table, LOCK_OFFSET) < size) {
    writeValue(table, element, source);
    return;
  }
  store<u64>(SLOT + WORD, 0);
  copyBytes(SLOT + WORD, source, size);
  atomic.store<u64>(element, load<u64>(SLOT + WORD)); // one store: nothing to undo
}

/** Writes a value: 0, EPERM, E2BIG or another errno. With LOCK under its spin lock. */
export function arraySet(table: usize, index: u32, source: usize, flags: u32): u32 {
  const refusal = arrayError(table, index);
  if (refusal) return refusal;
  if (!ensureLog(LOG_SPARE + (field(table, VALUE_SIZE) >> 2))) return ENOMEM;
  if (flags & LOCK) {
    const errno = beginLocked(table, index);
    if (errno) return errno;
  } else if (!begin(table, index)) return lockErrno();
  writeElement(table, elementOf(table, index), source);
  return commit() ? 0 : lockErrno();
}

/** Adds to a field of a value; the sum to `out`. 0, ERANGE, EPERM, E2BIG or another errno. */
export function arrayAdd(table: usize, index: u32, delta: usize, kind: u32, offset: u32, out: usize): u32 {
  const refusal = arrayError(table, index);
  if (refusal) return refusal;
  if (!begin(table, index)) return lockErrno();
  const at = elementOf(table, index) + offset;
  logBytes(at, widthOf(kind));
  const errno = addScalar(at, kind, load<u64>(delta), out);
  if (errno) {
    rollback();
    return errno;
  }
  return commit() ? 0 : lockErrno();
}

/** Stores a value of up to 8 bytes from SLOT + WORD at once: nothing to undo. Not its spin lock, which others may take meanwhile. */
function storeWord(table: usize, element: usize): void {
  if (field(table, LOCK_OFFSET) == NO_LOCK) {
    atomic.store<u64>(element, load<u64>(SLOT + WORD));
    return;
  }
  const rest = 4 - lockOffset(table);
  atomic.store<u32>(element + rest, load<u32>(SLOT + WORD + rest));
}

/** Writes a part of a value: 0, EPERM, E2BIG or another errno. */
export function arraySetPart(table: usize, index: u32, offset: u32, bytes: u32, source: usize): u32 {
  const refusal = arrayError(table, index);
  if (refusal) return refusal;
  if (!ensureLog(LOG_SPARE + (bytes >> 2))) return ENOMEM;
  if (!begin(table, index)) return lockErrno();
  const element = elementOf(table, index);
  if (field(table, VALUE_SIZE) <= WORD_BYTES) {
    store<u64>(SLOT + WORD, load<u64>(element));
    copyBytes(SLOT + WORD + offset, source, bytes);
    storeWord(table, element);
  } else {
    logBytes(element + offset, bytes);
    copyBytes(element + offset, source, bytes);
  }
  return commit() ? 0 : lockErrno();
}

/** Adds to several fields of a value, or to none: 0, ERANGE, EPERM, E2BIG or another errno. See `addList`. */
export function arrayAddParts(table: usize, index: u32, list: usize, count: u32): u32 {
  const refusal = arrayError(table, index);
  if (refusal) return refusal;
  if (!ensureLog(LOG_SPARE + 2 * count)) return ENOMEM;
  if (!begin(table, index)) return lockErrno();
  const element = elementOf(table, index);
  let errno: u32;
  if (field(table, VALUE_SIZE) <= WORD_BYTES) {
    store<u64>(SLOT + WORD, load<u64>(element));
    errno = addList(SLOT + WORD, list, count);
    if (!errno) storeWord(table, element);
  } else {
    logList(element, list, count);
    errno = addList(element, list, count);
  }
  if (!errno) return commit() ? 0 : lockErrno();
  rollback();
  return errno;
}

/** Adds a delta of a batch to a field, modulo its width: 0 or an errno. */
export function arrayAddTo(table: usize, index: u32, delta: usize, width: u32, offset: u32): u32 {
  const refusal = arrayError(table, index);
  if (refusal) return refusal;
  if (!begin(table, index)) return lockErrno();
  const at = elementOf(table, index) + offset;
  logBytes(at, width);
  addTo(at, width, delta);
  return commit() ? 0 : lockErrno();
}

/** Sets all values to zeros, one after the other. 0 or an errno. */
export function clearElements(table: usize): u32 {
  const size = field(table, VALUE_SIZE);
  if (!ensureLog(LOG_SPARE + (size >> 2))) return ENOMEM;
  const entries = arrayLength(table);
  for (let index: u32 = 0; index < entries; index++) {
    if (!begin(table, index)) return lockErrno();
    const element = elementOf(table, index);
    if (size > WORD_BYTES) {
      logBytes(element, size);
      zeroBytes(element, size);
    } else atomic.store<u64>(element, 0);
    if (!commit()) return lockErrno();
  }
  rearmLowWater(table);
  return 0;
}

/** Takes the spin lock of a value and enters a section: the live address, 0 beyond the array, or an errno. */
export function arrayLockValue(table: usize, index: u32): usize {
  if (index >= arrayLength(table)) return 0;
  const errno = beginLocked(table, index);
  return errno ? <usize>errno : keepValueLock(table, elementOf(table, index));
}
