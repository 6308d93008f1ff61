// Manifests: which keys of a store are pairs with a name and a layout, and how one manifest gives way to the next. The core knows a
// manifest as a text, which JavaScript reads, and as the owner of each key (kv/store.ts); what a layout means it does not know.
//
// A rollout claims keys for the pairs to come and puts their values, staged, beside the old ones. Then one operation switches: it
// compares the values that were converted with what is there now, and if none has changed, it changes owners, text and generation at
// once. So no update is lost, a reader finds one manifest or the other, and whoever dies before has changed nothing that anybody sees.
// The old values are retained for an undo, until the next rollout. Keys that are staged while nobody holds the lock of rollouts are
// leftovers of one that did not get to its end, which the next one frees.
import { SHARED } from "../build";
import { E2BIG, EBUSY, ENOMEM, ENOSPC, ESTALE } from "../errno";
import { copyBytes } from "../memory/bytes";
import { LOG_SPARE, ensureLog } from "../memory/owned";
import { beginWrite, commit, failWith, logWord, rollback } from "../sync/journal";
import { forgetLast, lastVersion, lockErrno, tryAcquire, waitForValue } from "../sync/lock";
import { LOCKED, unlock } from "../sync/lock_word";
import { MOST_VALUE_LOCKS, SLOT, VALUE_LOCK, VALUE_LOCKS, fence, mine, now, setMine } from "../sync/slot";
import { STEPPING, STEP_CHECK, STEP_READ, step } from "../sync/step";
import { isReadable } from "../sync/word";
import { tableAllocate, tableRelease } from "../table/layout/account";
import { MAX_ENTRIES, field, setField } from "../table/layout/header";
import { beginKv, beginRead, endKv, refuseKv } from "./access";
import { assign, unassign } from "./space";
import {
  GATE, GENERATION, KV_LOCK, OWNERS, ROLLOUT, STAGED, TEXT, TEXT_BYTES, ensureOwners, metaAddress, ownerOf, sizeOf, valueAddress,
} from "./store";

/** An entry of the list for `kvSwitch`: u32 key | u32 its owner to be | u32 bytes that its value must have, or 0 | u32 how many. */
export const CHANGE_BYTES: u32 = 16;
/** Results of `kvSwitch` from here on: the value of that entry has changed. */
export const KV_CHANGED: u32 = 4096;

function setOwner(kv: usize, key: u32, owner: u32): void {
  const at = <usize>field(kv, OWNERS) + (<usize>key << 1);
  if (SHARED) logWord(at & ~3);
  store<u16>(at, <u16>owner);
}

/** Claims the lowest free key and puts its value, staged: the key, or -errno, which is -E2BIG when no key is free. */
export function kvClaim(kv: usize, source: usize, size: u32): i32 {
  const errno = beginKv(kv);
  if (errno) return -<i32>errno;
  if (!ensureOwners(kv)) return -<i32>refuseKv(ENOMEM);
  const keys = field(kv, MAX_ENTRIES);
  let key: u32 = 0;
  while (key < keys && (load<u32>(metaAddress(kv, key)) || ownerOf(kv, key))) key++;
  if (key == keys) return -<i32>refuseKv(E2BIG);
  const address = assign(kv, key, size);
  if (address <= ENOSPC) return -<i32>refuseKv(<u32>address);
  setOwner(kv, key, STAGED);
  copyBytes(address, source, size);
  const failed = endKv();
  return failed ? -<i32>failed : <i32>key;
}

/** Frees all keys of an owner, STAGED or RETAINED, each in an operation of its own, for who holds the lock of rollouts. 0 or an errno. */
export function kvSweep(kv: usize, owner: u32): u32 {
  const keys = field(kv, MAX_ENTRIES);
  for (let key: u32 = 0; key < keys; key++) {
    if (ownerOf(kv, key) != owner) continue;
    const errno = beginKv(kv);
    if (errno) return errno;
    if (load<u32>(metaAddress(kv, key))) unassign(kv, key);
    setOwner(kv, key, 0);
    const failed = endKv();
    if (failed) return failed;
  }
  return 0;
}

/** Whether a value is these bytes. Not equalBytes: a page may be the last of the memory, and nothing may be read behind it. */
function hasBytes(kv: usize, key: u32, bytes: usize, size: u32): bool {
  const word = load<u32>(metaAddress(kv, key));
  if (!word || sizeOf(word) != size) return false;
  const value = valueAddress(kv, word);
  let i: u32 = 0;
  for (; i + 8 <= size; i += 8) if (load<u64>(value + i) != load<u64>(bytes + i)) return false;
  for (; i < size; i++) if (load<u8>(value + i) != load<u8>(bytes + i)) return false;
  return true;
}

/**
 * Puts a manifest in force in the place of that of `generation`: 0, ESTALE when there is another by now, KV_CHANGED + number of an entry
 * whose value is not what it must be, ENOMEM or another errno.
 */
export function kvSwitch(kv: usize, changes: usize, count: u32, text: usize, bytes: u32, generation: u32): u32 {
  if (SHARED && !ensureLog(LOG_SPARE + count)) return ENOMEM;
  const errno = beginKv(kv);
  if (errno) return errno;
  if (field(kv, GENERATION) != generation) return refuseKv(ESTALE);
  for (let i: u32 = 0; i < count; i++) {
    const change = changes + i * CHANGE_BYTES;
    const expected = <usize>load<u32>(change, 8);
    if (expected && !hasBytes(kv, load<u32>(change), expected, load<u32>(change, 12))) return refuseKv(KV_CHANGED + i);
  }
  if (!ensureOwners(kv)) return refuseKv(ENOMEM);
  const block = tableAllocate(kv, bytes);
  if (!block) return refuseKv(ENOMEM);
  copyBytes(block, text, bytes);
  if (field(kv, TEXT)) tableRelease(kv, <usize>field(kv, TEXT), field(kv, TEXT_BYTES));
  for (let i: u32 = 0; i < count; i++) {
    const change = changes + i * CHANGE_BYTES;
    setOwner(kv, load<u32>(change), load<u32>(change, 4));
  }
  setField(kv, TEXT, <u32>block);
  setField(kv, TEXT_BYTES, bytes);
  setField(kv, GENERATION, generation + 1);
  return endKv();
}

/** Copies generation and text to `target`, as much as there is room for. Bytes of the text. */
function copyText(kv: usize, target: usize, room: u32): u32 {
  const text = <usize>field(kv, TEXT);
  const bytes = field(kv, TEXT_BYTES);
  const copied = min(bytes, room);
  store<u32>(target, field(kv, GENERATION));
  if (!SHARED || isReadable(text, copied)) copyBytes(target + 4, text, copied);
  return bytes;
}

/** Copies u32 generation and the text of the manifest in force to `target`: bytes of the text, which may be more than `room`, or -errno. */
export function kvManifest(kv: usize, target: usize, room: u32): i32 {
  if (!SHARED) return <i32>copyText(kv, target, room);
  const lock = kv + KV_LOCK;
  const version = atomic.load<u32>(lock);
  if (!(version & LOCKED)) {
    if (STEPPING) step(STEP_READ);
    const bytes = copyText(kv, target, room);
    fence();
    if (STEPPING) step(STEP_CHECK);
    if (atomic.load<u32>(lock) == version) return <i32>bytes;
  }
  if (!beginRead(kv)) return -<i32>lockErrno();
  const bytes = copyText(kv, target, room);
  rollback();
  return <i32>bytes;
}

/** Takes the lock of rollouts (0) or the gate (1) for longer than an operation; it goes with the slot. 0 or an errno. Shared build only. */
export function kvHold(kv: usize, gate: u32): u32 {
  const word = kv + (gate ? GATE : ROLLOUT);
  const start = now();
  while (true) {
    beginWrite();
    if (tryAcquire(word)) return keepLock(word);
    const seen = atomic.load<u32>(word);
    rollback();
    const errno = waitForValue(seen, start);
    if (errno) return errno;
  }
}

/** As a thread keeps the spin lock of a value (table/entries/value_lock.ts), in the same list. */
function keepLock(word: usize): u32 {
  const count = mine(VALUE_LOCKS);
  if (count == MOST_VALUE_LOCKS) {
    failWith(EBUSY);
    commit();
    return EBUSY;
  }
  const entry = SLOT + VALUE_LOCK + (<usize>count << 3);
  store<u32>(entry, <u32>word);
  store<u32>(entry, lastVersion(), 4);
  setMine(VALUE_LOCKS, count + 1);
  forgetLast();
  return commit() ? 0 : lockErrno();
}

/** Releases what `kvHold` has taken, the last first: 0, or EBUSY when this thread holds another lock that it took later. */
export function kvRelease(kv: usize, gate: u32): u32 {
  const count = mine(VALUE_LOCKS);
  const entry = SLOT + VALUE_LOCK + (<usize>(count - 1) << 3);
  const word = kv + (gate ? GATE : ROLLOUT);
  if (!count || <usize>load<u32>(entry) != word) return EBUSY;
  unlock(word, load<u32>(entry, 4));
  setMine(VALUE_LOCKS, count - 1);
  return 0;
}
