// Single operations of the shared build: values are copied in and out inside the core, under a lock or checked by the version of a
// bucket, since an address would be stale by the time JavaScript follows it. Those that one-thread hosts have, too, are in access.ts.
import { EBUSY, ENOENT, ENOMEM, EPERM, ERANGE } from "../errno";
import { reverseBits, tagged } from "../hash/hash";
import { KeyAny, hashKey } from "../hash/key";
import { zeroBytes } from "../memory/bytes";
import { FIRST_ADDRESS } from "../regions";
import { isFresh, logBytes, rollback } from "../sync/journal";
import { tryAcquire, waitForValue } from "../sync/lock";
import { ERRNO, SLOT, SUM, mine, now, setMine } from "../sync/slot";
import { MOST_U53, U53, addScalar, widthOf } from "../table/entries/scalar";
import { addressOf, fetch as fetchIn, fetchPart, writePart } from "../table/entries/shared_read";
import { ensureValueLog, finishWrite, obtain } from "../table/entries/shared_write";
import { clearSpinLock, writeValue } from "../table/entries/spin_lock";
import { fetchSpinLocked, keepValueLock, lockValueOf } from "../table/entries/value_lock";
import { BlockKeys } from "../table/layout/block_keys";
import { BlockRefs } from "../table/layout/block_refs";
import { BlockTags } from "../table/layout/block_tags";
import { FROZEN, KEY_SIZE, LAYOUT, LAYOUT_KEYS, LAYOUT_TAGS, LOCK_OFFSET, NO_LOCK, SEEDS, VALUE_SIZE, field } from "../table/layout/header";
import { nextKeyShared } from "../table/scan/shared_scan";

/** In the flags of an update or lookup. */
const LOCK: u32 = 4;

/** Copies the value of a key: 1, 0 when it is absent, or an errno. */
@inline export function fetchKey<K>(table: usize, key: K, hash: u32, layout: u32, target: usize): u32 {
  let found: u32;
  if (isInteger<K>() && sizeof<K>() == 4 && layout == LAYOUT_KEYS) found = fetchIn<BlockKeys, u32>(table, <u32>key, hash, target);
  else if (layout == LAYOUT_TAGS) found = fetchIn<BlockTags, K>(table, key, hash, target);
  else found = fetchIn<BlockRefs, K>(table, key, tagged(hash), target);
  if (found == 1) clearSpinLock(table, target);
  return found;
}

@inline function obtainIn<K>(table: usize, key: K, hash: u32, layout: u32, flags: u32): usize {
  if (isInteger<K>() && sizeof<K>() == 4) {
    if (layout == LAYOUT_KEYS) return obtain<BlockKeys, u32>(table, <u32>key, hash, flags);
  }
  if (layout == LAYOUT_TAGS) return obtain<BlockTags, K>(table, key, hash, flags);
  return obtain<BlockRefs, K>(table, key, tagged(hash), flags);
}

function finish(table: usize, layout: u32): u32 {
  if (layout == LAYOUT_KEYS) return finishWrite<BlockKeys>(table);
  if (layout == LAYOUT_TAGS) return finishWrite<BlockTags>(table);
  return finishWrite<BlockRefs>(table);
}

/** The live address of a key's value, inserted as zeros if absent; or an errno. */
@inline export function zeroed<K>(table: usize, key: K, hash: u32, layout: u32, flags: u32): usize {
  const value = obtainIn<K>(table, key, hash, layout, flags);
  if (value < FIRST_ADDRESS) return value;
  if (isFresh()) zeroBytes(value, field(table, VALUE_SIZE));
  const errno = finish(table, layout);
  return errno ? <usize>errno : value;
}

function obtainKey(table: usize, key: usize, layout: u32, flags: u32): usize {
  const size = field(table, KEY_SIZE);
  if (size == 4) return obtainIn<u32>(table, load<u32>(key), hashKey<u32>(table + SEEDS, load<u32>(key), 4), layout, flags);
  const any = changetype<KeyAny>(key);
  return obtainIn<KeyAny>(table, any, hashKey<KeyAny>(table + SEEDS, any, size), layout, flags);
}

/** Writes a whole entry: 0 or an errno. With LOCK, an entry that is there is written under its spin lock. */
export function updateShared(table: usize, key: usize, value: usize, flags: u32): u32 {
  const layout = field(table, LAYOUT);
  if (!ensureValueLog(table)) return ENOMEM;
  let start: f64 = 0;
  while (true) {
    const target = obtainKey(table, key, layout, flags & ~LOCK);
    if (target < FIRST_ADDRESS) return <u32>target;
    if (flags & LOCK && !isFresh()) {
      const word = target + field(table, LOCK_OFFSET);
      if (!tryAcquire(word)) {
        const seen = atomic.load<u32>(word);
        rollback();
        if (!start) start = now();
        const errno = waitForValue(seen, start);
        if (errno) return errno;
        continue;
      }
    }
    writeValue(table, target, value);
    return finish(table, layout);
  }
}

/** `nextKey` of maps/access.ts. */
export function nextShared(table: usize, key: usize, target: usize): u32 {
  const layout = field(table, LAYOUT);
  let position: u32 = 0;
  let after: usize = 0;
  if (key) {
    const found = locate(table, key);
    if (found >= FIRST_ADDRESS) {
      const hash = hashKey<KeyAny>(table + SEEDS, changetype<KeyAny>(key), field(table, KEY_SIZE));
      position = reverseBits(layout == LAYOUT_KEYS || layout == LAYOUT_TAGS ? hash : tagged(hash));
      after = key;
    } else if (found) return <u32>found;
  }
  if (layout == LAYOUT_KEYS) return nextKeyShared<BlockKeys>(table, position, after, target);
  if (layout == LAYOUT_TAGS) return nextKeyShared<BlockTags>(table, position, after, target);
  return nextKeyShared<BlockRefs>(table, position, after, target);
}

/** The live address of a key's value, 0 when it is absent, or an errno. Stays what it is in a section. */
export function locate(table: usize, key: usize): usize {
  const layout = field(table, LAYOUT);
  const size = field(table, KEY_SIZE);
  const any = changetype<KeyAny>(key);
  const hash = hashKey<KeyAny>(table + SEEDS, any, size);
  if (layout == LAYOUT_KEYS) return addressOf<BlockKeys, u32>(table, load<u32>(key), hash);
  if (layout == LAYOUT_TAGS) return addressOf<BlockTags, KeyAny>(table, any, hash);
  return addressOf<BlockRefs, KeyAny>(table, any, tagged(hash));
}

/** Copies the value of a key: 1, 0 or an errno. With LOCK under its spin lock. */
export function fetch(table: usize, key: usize, target: usize, flags: u32): u32 {
  const layout = field(table, LAYOUT);
  const any = changetype<KeyAny>(key);
  const hash = hashKey<KeyAny>(table + SEEDS, any, field(table, KEY_SIZE));
  if (flags & LOCK) {
    if (layout == LAYOUT_KEYS) return fetchSpinLocked<BlockKeys, u32>(table, load<u32>(key), hash, target);
    if (layout == LAYOUT_TAGS) return fetchSpinLocked<BlockTags, KeyAny>(table, any, hash, target);
    return fetchSpinLocked<BlockRefs, KeyAny>(table, any, tagged(hash), target);
  }
  if (layout == LAYOUT_KEYS) return fetchKey<u32>(table, load<u32>(key), hash, layout, target);
  return fetchKey<KeyAny>(table, any, hash, layout, target);
}

/** Takes the spin lock of a key's value and enters a section: the live address, 0 when it is absent, or an errno. */
export function lockValue(table: usize, key: usize): usize {
  if (field(table, LOCK_OFFSET) == NO_LOCK) return EBUSY;
  const layout = field(table, LAYOUT);
  const any = changetype<KeyAny>(key);
  const hash = hashKey<KeyAny>(table + SEEDS, any, field(table, KEY_SIZE));
  let value: usize;
  if (layout == LAYOUT_KEYS) value = lockValueOf<BlockKeys, u32>(table, load<u32>(key), hash);
  else if (layout == LAYOUT_TAGS) value = lockValueOf<BlockTags, KeyAny>(table, any, hash);
  else value = lockValueOf<BlockRefs, KeyAny>(table, any, tagged(hash));
  return value < FIRST_ADDRESS ? value : keepValueLock(table, value);
}

/** Adds to a field of a key's value, zeros if it is absent; the sum to `out`. 0, ERANGE or another errno. */
export function add(table: usize, key: usize, delta: usize, kind: u32, offset: u32, out: usize): u32 {
  const layout = field(table, LAYOUT);
  const value = obtainKey(table, key, layout, 0);
  if (value < FIRST_ADDRESS) return <u32>value;
  if (isFresh()) zeroBytes(value, field(table, VALUE_SIZE));
  else logBytes(value + offset, widthOf(kind));
  const errno = addScalar(value + offset, kind, load<u64>(delta), out);
  if (!errno) return finish(table, layout);
  rollback();
  return errno;
}

/** Copies a part of a per-CPU value: 1, 0 or an errno. */
export function localRead(table: usize, key: usize, offset: u32, bytes: u32, target: usize): u32 {
  const size = field(table, KEY_SIZE);
  const tags = field(table, LAYOUT) == LAYOUT_TAGS;
  if (size == 4) {
    const word = load<u32>(key);
    const hash = hashKey<u32>(table + SEEDS, word, 4);
    if (field(table, LAYOUT) == LAYOUT_KEYS) return fetchPart<BlockKeys, u32>(table, word, hash, offset, bytes, target);
    if (tags) return fetchPart<BlockTags, u32>(table, word, hash, offset, bytes, target);
    return fetchPart<BlockRefs, u32>(table, word, tagged(hash), offset, bytes, target);
  }
  const any = changetype<KeyAny>(key);
  const hash = hashKey<KeyAny>(table + SEEDS, any, size);
  if (tags) return fetchPart<BlockTags, KeyAny>(table, any, hash, offset, bytes, target);
  return fetchPart<BlockRefs, KeyAny>(table, any, tagged(hash), offset, bytes, target);
}

/** Writes into a value that is there: 1, 0 when it is absent, or an errno. */
function writeLocal(table: usize, key: usize, offset: u32, bytes: u32, source: usize, adding: u32): u32 {
  const size = field(table, KEY_SIZE);
  const tags = field(table, LAYOUT) == LAYOUT_TAGS;
  if (size == 4) {
    const word = load<u32>(key);
    const hash = hashKey<u32>(table + SEEDS, word, 4);
    if (field(table, LAYOUT) == LAYOUT_KEYS) return writePart<BlockKeys, u32>(table, word, hash, offset, bytes, source, adding);
    if (tags) return writePart<BlockTags, u32>(table, word, hash, offset, bytes, source, adding);
    return writePart<BlockRefs, u32>(table, word, tagged(hash), offset, bytes, source, adding);
  }
  const any = changetype<KeyAny>(key);
  const hash = hashKey<KeyAny>(table + SEEDS, any, size);
  if (tags) return writePart<BlockTags, KeyAny>(table, any, hash, offset, bytes, source, adding);
  return writePart<BlockRefs, KeyAny>(table, any, tagged(hash), offset, bytes, source, adding);
}

/** Writes the calling thread's slot of a per-CPU value, without a lock if the key is there. 0 or an errno. */
export function localWrite(table: usize, key: usize, offset: u32, bytes: u32, source: usize, flags: u32): u32 {
  if (field(table, FROZEN)) return EPERM;
  while (true) {
    if (flags != 1) {
      const written = writeLocal(table, key, offset, bytes, source, 0);
      if (written == 1) return 0;
      if (written) return written;
      if (flags == 2) return ENOENT;
    }
    const errno = insertZeros(table, key, flags);
    if (errno) return errno;
    flags = 0;
  }
}

function insertZeros(table: usize, key: usize, flags: u32): u32 {
  const layout = field(table, LAYOUT);
  const value = obtainKey(table, key, layout, flags);
  if (value < FIRST_ADDRESS) return <u32>value;
  if (isFresh()) zeroBytes(value, field(table, VALUE_SIZE));
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
