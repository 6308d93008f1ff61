// Single operations of the shared build: values are copied in and out inside the core, under a lock or checked by the version of a
// bucket, since an address would be stale by the time JavaScript follows it. Those that one-thread hosts have, too, are in access.ts.
import { EBUSY, ENOENT, ENOMEM, EPERM, ERANGE } from "../errno";
import { EXIST, LOCK } from "../flags";
import { reverseBits } from "../hash/hash";
import { hashKey } from "../hash/key";
import { copyBytes } from "../memory/bytes";
import { LOG_SPARE, ensureLog } from "../memory/owned";
import { FIRST_ADDRESS } from "../regions";
import { isFresh, isNew, logBytes, rollback } from "../sync/journal";
import { tryAcquire, waitForValue } from "../sync/lock";
import { COPY, ERRNO, SLOT, SUM, mine, now, setMine } from "../sync/slot";
import { seenBytes } from "../table/entries/seek";
import { MOST_U53, U53, addList, addScalar, widthOf } from "../table/entries/scalar";
import { LIST, addressOf, fetch as fetchIn, fetchPart, writePart } from "../table/entries/shared_read";
import { USED, fetchNoted } from "../table/entries/shared_noted";
import { ensureValueLog, finishWrite, logList, obtain } from "../table/entries/shared_write";
import { clearSpinLock, lockOffset, writeValue, zeroFresh } from "../table/entries/spin_lock";
import { fetchSpinLocked, keepValueLock, lockValueOf } from "../table/entries/value_lock";
import { byKey, byKeyAt, byLayout, byOtherKeyAt, hashIn, hashKeyAt, layoutOf } from "../table/layout/by_layout";
import { FROZEN, KEY_SIZE, LOCK_OFFSET, NO_LOCK, SEEDS, VALUE_SIZE, field } from "../table/layout/header";
import { isNoted, isTimed } from "../table/notes/book";
import { TTL_AS_IS, TTL_OF_MAP, expiryFor, expiryIn, expiryOf, hasCopyExpired } from "../table/notes/expiry";
import { nextKeyShared } from "../table/scan/shared_scan";

@unmanaged class Fetch {
  @inline call1<B, K>(table: usize, key: K, hash: u32, target: usize): usize {
    return fetchIn<B, K>(table, key, hash, target);
  }
}

/** Copies the value of a key: 1, 0 when it is absent, or an errno. */
@inline export function fetchKey<K>(table: usize, key: K, hash: u32, layout: u32, target: usize): u32 {
  const found = <u32>byKey<Fetch, K>(layout, table, key, hash, target);
  if (found == 1) clearSpinLock(table, target);
  return found;
}

@unmanaged class Obtain {
  @inline call1<B, K>(table: usize, key: K, hash: u32, flags: usize): usize {
    return obtain<B, K>(table, key, hash, <u32>flags);
  }
}

@unmanaged class Finish {
  @inline call0<B>(table: usize): usize {
    return finishWrite<B>(table);
  }
}

function finish(table: usize, layout: u32): u32 {
  return <u32>byLayout<Finish>(layout, table);
}

/** The live address of a key's value, inserted as zeros if absent; or an errno. */
@inline export function zeroed<K>(table: usize, key: K, hash: u32, layout: u32, flags: u32): usize {
  const value = byKey<Obtain, K>(layout, table, key, hash, flags);
  if (value < FIRST_ADDRESS) return value;
  if (isFresh()) zeroFresh(table, value);
  const errno = finish(table, layout);
  return errno ? <usize>errno : value;
}

function obtainKey(table: usize, key: usize, layout: u32, flags: u32): usize {
  if (field(table, KEY_SIZE) == 4) {
    const word = load<u32>(key);
    return byKey<Obtain, u32>(layout, table, word, hashKey<u32>(table + SEEDS, word, 4), flags);
  }
  return byOtherKeyAt<Obtain>(layout, table, key, hashKeyAt(layout, table, key), flags);
}

/** A value with the expiry behind it that an obtained entry is to have, in the copy buffer of the slot: so it is written as any value is. */
function stamped(table: usize, target: usize, value: usize, ttl: f64): usize {
  const copy = <usize>mine(COPY);
  copyBytes(copy, value, seenBytes(table));
  store<u32>(expiryIn(table, copy), ttl == TTL_AS_IS ? load<u32>(expiryOf(table, target)) : expiryFor(table, ttl));
  return copy;
}

/** Writes a whole entry: 0 or an errno. With LOCK, an entry that is there is written under its spin lock. */
export function updateShared(table: usize, key: usize, value: usize, flags: u32, ttl: f64 = TTL_OF_MAP): u32 {
  const layout = layoutOf(table);
  if (!ensureValueLog(table)) return ENOMEM;
  let start: f64 = 0;
  while (true) {
    const target = obtainKey(table, key, layout, flags & ~LOCK);
    if (target < FIRST_ADDRESS) return <u32>target;
    if (flags & LOCK && !isNew()) {
      const word = target + lockOffset(table);
      if (!tryAcquire(word)) {
        const seen = atomic.load<u32>(word);
        rollback();
        if (!start) start = now();
        const errno = waitForValue(seen, start);
        if (errno) return errno;
        continue;
      }
    }
    writeValue(table, target, isTimed(table) ? stamped(table, target, value, ttl) : value);
    return finish(table, layout);
  }
}

@unmanaged class Next {
  @inline call3<B>(table: usize, position: usize, after: usize, target: usize): usize {
    return nextKeyShared<B>(table, <u32>position, after, target);
  }
}

/** `nextKey` of maps/access.ts. */
export function nextShared(table: usize, key: usize, target: usize): u32 {
  const layout = layoutOf(table);
  let position: u32 = 0;
  let after: usize = 0;
  if (key) {
    const found = addressAt(table, key);
    if (found >= FIRST_ADDRESS) {
      position = reverseBits(hashIn(layout, hashKeyAt(layout, table, key)));
      after = key;
    } else if (found) return <u32>found;
  }
  while (true) {
    const errno = <u32>byLayout<Next>(layout, table, position, after, target);
    if (errno || !isTimed(table) || addressAt(table, target)) return errno;
    // It has expired, or gone meanwhile: on from where it was.
    position = reverseBits(hashIn(layout, hashKeyAt(layout, table, target)));
    after = target;
  }
}

@unmanaged class Locate {
  @inline call0<B, K>(table: usize, key: K, hash: u32): usize {
    return addressOf<B, K>(table, key, hash);
  }
}

/** The live address of a key's value, 0 when it is absent or has expired, or an errno. */
function addressAt(table: usize, key: usize): usize {
  const layout = layoutOf(table);
  return byKeyAt<Locate>(layout, table, key, hashKeyAt(layout, table, key));
}

@unmanaged class NoteUse {
  @inline call0<B, K>(table: usize, key: K, hash: u32): usize {
    return fetchNoted<B, K>(table, key, hash, 0, USED);
  }
}

/** The same for who is going to use it. Stays what it is in a section. */
export function locate(table: usize, key: usize): usize {
  const layout = layoutOf(table);
  if (isNoted(table)) byKeyAt<NoteUse>(layout, table, key, hashKeyAt(layout, table, key));
  return addressAt(table, key);
}

@unmanaged class FetchSpinLocked {
  @inline call1<B, K>(table: usize, key: K, hash: u32, target: usize): usize {
    return fetchSpinLocked<B, K>(table, key, hash, target);
  }
}

/** Copies the value of a key: 1, 0 or an errno. With LOCK under its spin lock. */
export function fetch(table: usize, key: usize, target: usize, flags: u32): u32 {
  const layout = layoutOf(table);
  const hash = hashKeyAt(layout, table, key);
  if (flags & LOCK) return <u32>byKeyAt<FetchSpinLocked>(layout, table, key, hash, target);
  const found = <u32>byKeyAt<Fetch>(layout, table, key, hash, target);
  if (found != 1) return found;
  clearSpinLock(table, target);
  return <u32>!(isTimed(table) && hasCopyExpired(table, target));
}

@unmanaged class LockValue {
  @inline call0<B, K>(table: usize, key: K, hash: u32): usize {
    return lockValueOf<B, K>(table, key, hash);
  }
}

/** Takes the spin lock of a key's value and enters a section: the live address, 0 when it is absent, or an errno. */
export function lockValue(table: usize, key: usize): usize {
  if (field(table, LOCK_OFFSET) == NO_LOCK) return EBUSY;
  const layout = layoutOf(table);
  const value = byKeyAt<LockValue>(layout, table, key, hashKeyAt(layout, table, key));
  return value < FIRST_ADDRESS ? value : keepValueLock(table, value);
}

/** Adds to a field of a key's value, zeros if it is absent; the sum to `out`. 0, ERANGE or another errno. */
export function add(table: usize, key: usize, delta: usize, kind: u32, offset: u32, out: usize): u32 {
  const layout = layoutOf(table);
  const value = obtainKey(table, key, layout, 0);
  if (value < FIRST_ADDRESS) return <u32>value;
  if (isFresh()) zeroFresh(table, value);
  else logBytes(value + offset, widthOf(kind));
  const errno = addScalar(value + offset, kind, load<u64>(delta), out);
  if (!errno) return finish(table, layout);
  rollback();
  return errno;
}

/** Writes a part of the value of a key that is there: 0, ENOENT or another errno. */
export function setPart(table: usize, key: usize, offset: u32, bytes: u32, source: usize): u32 {
  if (!ensureValueLog(table)) return ENOMEM;
  const layout = layoutOf(table);
  const value = obtainKey(table, key, layout, EXIST);
  if (value < FIRST_ADDRESS) return <u32>value;
  logBytes(value + offset, bytes);
  copyBytes(value + offset, source, bytes);
  return finish(table, layout);
}

/** Adds to several fields of a key's value, zeros if it is absent, or to none: 0, ERANGE or another errno. See `addList`. */
export function addParts(table: usize, key: usize, list: usize, count: u32): u32 {
  if (!ensureLog(LOG_SPARE + 2 * count)) return ENOMEM;
  const layout = layoutOf(table);
  const value = obtainKey(table, key, layout, 0);
  if (value < FIRST_ADDRESS) return <u32>value;
  if (isFresh()) zeroFresh(table, value);
  else logList(value, list, count);
  const errno = addList(value, list, count);
  if (!errno) return finish(table, layout);
  rollback();
  return errno;
}

@unmanaged export class FetchPart {
  @inline call3<B, K>(table: usize, key: K, hash: u32, offset: usize, bytes: usize, target: usize): usize {
    return fetchPart<B, K>(table, key, hash, <u32>offset, <u32>bytes, target);
  }
}

/** Copies a part of a per-CPU value: 1, 0 or an errno. */
export function localRead(table: usize, key: usize, offset: u32, bytes: u32, target: usize): u32 {
  const layout = layoutOf(table);
  if (field(table, KEY_SIZE) == 4) {
    const word = load<u32>(key);
    return <u32>byKey<FetchPart, u32>(layout, table, word, hashKey<u32>(table + SEEDS, word, 4), offset, bytes, target);
  }
  return <u32>byOtherKeyAt<FetchPart>(layout, table, key, hashKeyAt(layout, table, key), offset, bytes, target);
}

@unmanaged class WritePart {
  @inline call4<B, K>(table: usize, key: K, hash: u32, offset: usize, bytes: usize, source: usize, adding: usize): usize {
    return writePart<B, K>(table, key, hash, <u32>offset, <u32>bytes, source, <u32>adding);
  }
}

/** Writes into a value that is there: 1, 0 when it is absent, or an errno. */
function writeLocal(table: usize, key: usize, offset: u32, bytes: u32, source: usize, adding: u32): u32 {
  const layout = layoutOf(table);
  if (field(table, KEY_SIZE) == 4) {
    const word = load<u32>(key);
    const hash = hashKey<u32>(table + SEEDS, word, 4);
    return <u32>byKey<WritePart, u32>(layout, table, word, hash, offset, bytes, source, adding);
  }
  return <u32>byOtherKeyAt<WritePart>(layout, table, key, hashKeyAt(layout, table, key), offset, bytes, source, adding);
}

/** Writes the calling thread's slot of a per-CPU value, without a lock if the key is there. 0 or an errno. */
export function localWrite(table: usize, key: usize, offset: u32, bytes: u32, source: usize, flags: u32): u32 {
  if (field(table, FROZEN)) return EPERM;
  while (true) {
    if (flags != 1) {
      const written = writeLocal(table, key, offset, bytes, source, 0);
      if (written == 1) return 0;
      if (written) return written;
      if (flags == EXIST) return ENOENT;
    }
    const errno = insertZeros(table, key, flags);
    if (errno) return errno;
    flags = 0;
  }
}

function insertZeros(table: usize, key: usize, flags: u32): u32 {
  const layout = layoutOf(table);
  const value = obtainKey(table, key, layout, flags);
  if (value < FIRST_ADDRESS) return <u32>value;
  if (isFresh()) zeroFresh(table, value);
  return finish(table, layout);
}

/** `add` to the calling thread's slot of a per-CPU value, without a lock if the key is there. */
export function localAdd(table: usize, key: usize, delta: usize, kind: u32, offset: u32, out: usize): u32 {
  if (field(table, FROZEN)) return EPERM;
  while (true) {
    setMine(ERRNO, 0);
    store<u64>(SLOT + SUM, load<u64>(delta));
    const written = writeLocal(table, key, offset, widthOf(kind), SLOT + SUM, kind);
    if (written == 1) {
      const errno = mine(ERRNO);
      if (!errno) store<u64>(out, load<u64>(SLOT + SUM));
      return errno;
    }
    if (written) return written;
    // Refused before there is a key: a new slot starts at 0.
    if (kind == U53 && load<u64>(delta) > MOST_U53) return ERANGE;
    const errno = insertZeros(table, key, 0);
    if (errno) return errno;
  }
}

/** `addParts` to the calling thread's slot of a per-CPU value, `offset` bytes into it, without a lock if the key is there. */
export function localAddParts(table: usize, key: usize, offset: u32, list: usize, count: u32): u32 {
  if (field(table, FROZEN)) return EPERM;
  while (true) {
    setMine(ERRNO, 0);
    const written = writeLocal(table, key, offset, count, list, LIST);
    if (written == 1) return mine(ERRNO);
    if (written) return written;
    const errno = addList(0, list, count) || insertZeros(table, key, 0);
    if (errno) return errno;
  }
}
