// Putting, getting and deleting values. In the shared build a store has one lock. Writers hold it, with all they change in their journal
// (sync/journal.ts); readers take no lock: they copy between two looks at its version, as in table/entries/shared_read.ts. What they follow meanwhile
// is a word of metadata and an entry of the page table, which name memory that is there whatever they say: a value read from a
// page that has become something else is dropped, since the version has changed. One lock, not one for each key, so that several
// values can be read as of one moment, too (kvSnapshot), and since values share words at their edges, which the journal puts back whole.
//
// Who holds the gate of a store is the only one to write to it: the end of a rollout whose conversions others keep outrunning.
import { SHARED } from "../build";
import { EINVAL, ENOENT, ENOSPC, EPERM, ESTALE } from "../errno";
import { copyBytes } from "../memory/bytes";
import { beginWrite, commit, logBytes, rollback } from "../sync/journal";
import { acquire, lockErrno, waitForValue } from "../sync/lock";
import { LOCKED, isHeldBy } from "../sync/lock_word";
import { fence, now, ownCpu } from "../sync/slot";
import { STEPPING, STEP_CHECK, STEP_READ, step } from "../sync/step";
import { MAX_ENTRIES, field } from "../table/layout/header";
import { assign, unassign } from "./space";
import { GATE, GENERATION, KV_LOCK, RETAINED, metaAddress, ownerOf, sizeOf, valueAddress } from "./store";

const READ_TRIES: u32 = 64;
/** In the place of a generation: the value belongs to a key that is staged or retained, and to no other. */
export const STAGING: u32 = 0xffffffff;

/** Begins an operation that writes: 0, or an errno, and the operation is over. */
export function beginKv(kv: usize): u32 {
  if (!SHARED) return 0;
  let start: f64 = 0;
  while (true) {
    beginWrite();
    if (!acquire(kv + KV_LOCK)) {
      rollback();
      return lockErrno();
    }
    const gate = atomic.load<u32>(kv + GATE);
    if (!(gate & LOCKED) || isHeldBy(gate, ownCpu())) return 0;
    rollback();
    if (!start) start = now();
    const errno = waitForValue(gate, start);
    if (errno) return errno;
  }
}

/** Ends an operation in which nothing may hold. */
export function refuseKv(errno: u32): u32 {
  if (!SHARED) return errno;
  const cause = lockErrno();
  rollback();
  return cause ? cause : errno;
}

export function endKv(): u32 {
  if (!SHARED) return 0;
  return commit() ? 0 : lockErrno();
}

/** Why a value of a size may not be put: 0, EPERM, EINVAL or ESTALE. `generation` 0: whoever it is knows of no manifest. */
function refusal(kv: usize, key: u32, size: u32, generation: u32): u32 {
  const owner = ownerOf(kv, key);
  if (generation == STAGING) return owner >= RETAINED ? 0 : EPERM;
  if (generation && generation != field(kv, GENERATION)) return ESTALE;
  if (owner >= RETAINED) return EPERM;
  return owner && owner != size ? EINVAL : 0;
}

/** Notes the bytes that a value is about to be written over; the other bytes of its new room are free ones. */
function logOverlap(kv: usize, old: u32, address: usize, size: u32, before: usize): void {
  const start = max(address, before);
  const end = min(address + size, before + sizeOf(old));
  if (start < end) logBytes(start, <u32>(end - start));
}

/** Puts a value of 1 to 4096 bytes: 0 or an errno. */
export function kvPut(kv: usize, key: u32, source: usize, size: u32, generation: u32): u32 {
  const errno = beginKv(kv);
  if (errno) return errno;
  const refused = refusal(kv, key, size, generation);
  if (refused) return refuseKv(refused);
  const old = load<u32>(metaAddress(kv, key));
  const before = old ? valueAddress(kv, old) : 0; // its page may go
  const address = assign(kv, key, size);
  if (address <= ENOSPC) return refuseKv(<u32>address);
  if (SHARED && old) logOverlap(kv, old, address, size, before);
  copyBytes(address, source, size);
  return endKv();
}

/** Deletes a value that belongs to no manifest: 0, ENOENT, EPERM or another errno. */
export function kvDelete(kv: usize, key: u32): u32 {
  const errno = beginKv(kv);
  if (errno) return errno;
  if (ownerOf(kv, key)) return refuseKv(EPERM);
  if (!load<u32>(metaAddress(kv, key))) return refuseKv(ENOENT);
  unassign(kv, key);
  return endKv();
}

/** Copies the value of a key; a plain copy, whatever others write. Its size, or 0. */
function copyOut(kv: usize, key: u32, target: usize): u32 {
  const word = atomic.load<u32>(metaAddress(kv, key));
  if (!word) return 0;
  const size = sizeOf(word);
  copyBytes(target, valueAddress(kv, word), size);
  return size;
}

/** Copies the value of a key to `target`, room for 4096 bytes: its size, 0 when there is none, or -errno. Only in the shared build. */
export function kvGet(kv: usize, key: u32, target: usize, generation: u32): i32 {
  const lock = kv + KV_LOCK;
  for (let tries = READ_TRIES; tries; tries--) {
    const version = atomic.load<u32>(lock);
    if (version & LOCKED) continue;
    if (STEPPING) step(STEP_READ);
    const stale = generation && generation != field(kv, GENERATION);
    const size = copyOut(kv, key, target);
    fence();
    if (STEPPING) step(STEP_CHECK);
    if (atomic.load<u32>(lock) != version) continue;
    return stale ? -<i32>ESTALE : <i32>size;
  }
  if (!beginRead(kv)) return -<i32>lockErrno();
  const stale = generation && generation != field(kv, GENERATION);
  const size = copyOut(kv, key, target);
  rollback();
  return stale ? -<i32>ESTALE : <i32>size;
}

/** Begins an operation that reads under the lock. Not stopped by the gate. */
export function beginRead(kv: usize): bool {
  beginWrite();
  if (acquire(kv + KV_LOCK)) return true;
  rollback();
  return false;
}

/** Copies some values of known sizes, one behind the other: false when a size differs. */
function copyAll(kv: usize, keys: usize, count: u32, target: usize): bool {
  for (let i: u32 = 0; i < count; i++) {
    const key = load<u32>(keys + (<usize>i << 3));
    const size = load<u32>(keys + (<usize>i << 3), 4);
    const word = key < field(kv, MAX_ENTRIES) ? atomic.load<u32>(metaAddress(kv, key)) : 0;
    if (!word || sizeOf(word) != size) return false;
    copyBytes(target, valueAddress(kv, word), size);
    target += size;
  }
  return true;
}

/**
 * Copies the values of pairs as of one moment to `target`: 0, ESTALE, EINVAL or another errno. `keys`: u32 key, u32 size of each.
 * Only in the shared build.
 */
export function kvSnapshot(kv: usize, keys: usize, count: u32, target: usize, generation: u32): u32 {
  const lock = kv + KV_LOCK;
  for (let tries = READ_TRIES; tries; tries--) {
    const version = atomic.load<u32>(lock);
    if (version & LOCKED) continue;
    if (STEPPING) step(STEP_READ);
    const stale = generation != field(kv, GENERATION);
    const whole = copyAll(kv, keys, count, target);
    fence();
    if (STEPPING) step(STEP_CHECK);
    if (atomic.load<u32>(lock) != version) continue;
    return stale ? ESTALE : whole ? 0 : EINVAL;
  }
  if (!beginRead(kv)) return lockErrno();
  const stale = generation != field(kv, GENERATION);
  const whole = copyAll(kv, keys, count, target);
  rollback();
  return stale ? ESTALE : whole ? 0 : EINVAL;
}
