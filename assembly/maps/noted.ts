// Single operations of tables that evict or whose entries expire: those of access.ts and number.ts, which such maps call in their place.
// `use`: whether the entry counts as used. `ttl`: in ms, 0 never, TTL_OF_MAP or TTL_AS_IS (table/notes/expiry.ts).
import { SHARED } from "../build";
import { KeyAny, KeyText, hashKey } from "../hash/key";
import { copyBytes } from "../memory/bytes";
import { FIRST_ADDRESS } from "../regions";
import { discard } from "../table/entries/discard";
import { keep } from "../table/entries/keep";
import { seek, seenBytes } from "../table/entries/seek";
import { COPY, SLOT, SUM, WORD, mine } from "../sync/slot";
import { fetchNoted } from "../table/entries/shared_noted";
import { removeLocked } from "../table/entries/shared_write";
import { byKey, hasTexts, layoutOf } from "../table/layout/by_layout";
import { KEY_SIZE, SEEDS, field } from "../table/layout/header";
import { expiryFrom } from "../table/notes/expiry";
import { nextKey, u64Of } from "./access";
import { ABSENT, GREW, UNFIT, fits, writeNumber } from "./number";
import { numberAt } from "./part";
import { updateShared, zeroed } from "./shared_access";

@unmanaged class Fetch {
  @inline call2<B, K>(table: usize, key: K, hash: u32, target: usize, use: usize): usize {
    return fetchNoted<B, K>(table, key, hash, target, <u32>use);
  }
}

@unmanaged class Seek {
  @inline call1<B, K>(table: usize, key: K, hash: u32, use: usize): usize {
    return seek<B, K>(table, key, hash, use != 0);
  }
}

/** In the shared build: the address of a copy in the slot's copy buffer, or an errno. */
@inline function seekKey<K>(table: usize, key: K, use: u32): usize {
  const hash = hashKey<K>(table + SEEDS, key, field(table, KEY_SIZE));
  if (SHARED) {
    const copy = <usize>mine(COPY);
    const found = byKey<Fetch, K>(layoutOf(table), table, key, hash, copy, use);
    return found == 1 ? copy : found;
  }
  return byKey<Seek, K>(layoutOf(table), table, key, hash, use);
}

@unmanaged class Keep {
  @inline call2<B, K>(table: usize, key: K, hash: u32, flags: usize, expiry: usize): usize {
    return keep<B, K>(table, key, hash, <u32>flags, <u32>expiry);
  }
}

@inline function keepKey<K>(table: usize, key: K, flags: u32, ttl: f64): usize {
  const hash = hashKey<K>(table + SEEDS, key, field(table, KEY_SIZE));
  if (SHARED) return zeroed<K>(table, key, hash, layoutOf(table), flags);
  return byKey<Keep, K>(layoutOf(table), table, key, hash, flags, expiryFrom(table, ttl));
}

export function seek4(table: usize, key: u32, use: u32): usize {
  return seekKey<u32>(table, key, use);
}
export function seek8(table: usize, low: u32, high: u32, use: u32): usize {
  return seekKey<u64>(table, u64Of(low, high), use);
}
export function seekAny(table: usize, key: usize, use: u32): usize {
  return seekKey<KeyAny>(table, changetype<KeyAny>(key), use);
}
export function seekText(table: usize, key: usize, use: u32): usize {
  return seekKey<KeyText>(table, changetype<KeyText>(key), use);
}

export function keep4(table: usize, key: u32, flags: u32, ttl: f64): usize {
  return keepKey<u32>(table, key, flags, ttl);
}
export function keep8(table: usize, low: u32, high: u32, flags: u32, ttl: f64): usize {
  return keepKey<u64>(table, u64Of(low, high), flags, ttl);
}
export function keepAny(table: usize, key: usize, flags: u32, ttl: f64): usize {
  return keepKey<KeyAny>(table, changetype<KeyAny>(key), flags, ttl);
}
export function keepText(table: usize, key: usize, flags: u32, ttl: f64): usize {
  return keepKey<KeyText>(table, changetype<KeyText>(key), flags, ttl);
}

@unmanaged class Discard {
  @inline call1<B, K>(table: usize, key: K, hash: u32, value: usize): usize {
    if (SHARED) return removeLocked<B, K>(table, key, hash, value);
    return discard<B, K>(table, key, hash, value);
  }
}

@inline function discardKey<K>(table: usize, key: K, value: usize): u32 {
  const hash = hashKey<K>(table + SEEDS, key, field(table, KEY_SIZE));
  return <u32>byKey<Discard, K>(layoutOf(table), table, key, hash, value);
}

export function discard4(table: usize, key: u32): u32 {
  return discardKey<u32>(table, key, 0);
}
export function discard8(table: usize, low: u32, high: u32): u32 {
  return discardKey<u64>(table, u64Of(low, high), 0);
}
export function discardAny(table: usize, key: usize): u32 {
  return discardKey<KeyAny>(table, changetype<KeyAny>(key), 0);
}
export function discardText(table: usize, key: usize): u32 {
  return discardKey<KeyText>(table, changetype<KeyText>(key), 0);
}

/** Removes an entry and copies its value out: 0 or an errno. */
export function takeNoted(table: usize, key: usize, value: usize): u32 {
  if (field(table, KEY_SIZE) == 4) return discardKey<u32>(table, load<u32>(key), value);
  if (hasTexts(table)) return discardKey<KeyText>(table, changetype<KeyText>(key), value);
  return discardKey<KeyAny>(table, changetype<KeyAny>(key), value);
}

/** The number of a 4-byte key: ABSENT or NaN as those of number.ts. */
export function getNoted4(table: usize, key: u32, kind: u32, use: u32): f64 {
  const value = seekKey<u32>(table, key, use);
  if (SHARED && value && value < FIRST_ADDRESS) return NaN; // it gave up: the ordinary lookup says why
  return value ? numberAt(value, kind) : ABSENT;
}

/** Sets the number of a 4-byte key: 0, GREW, UNFIT or an errno. */
export function setNoted4(table: usize, key: u32, value: f64, kind: u32, ttl: f64): u32 {
  if (!fits(value, kind)) return UNFIT;
  if (SHARED) {
    writeNumber(SLOT + WORD, value, kind);
    store<u32>(SLOT + SUM, key);
    return updateShared(table, SLOT + SUM, SLOT + WORD, 0, ttl);
  }
  const pages = memory.size();
  const at = keepKey<u32>(table, key, 0, ttl);
  if (at < FIRST_ADDRESS) return <u32>at;
  writeNumber(at, value, kind);
  return memory.size() == pages ? 0 : GREW;
}

/** The address of the value of a key at an address. */
export function seekAt(table: usize, key: usize, use: u32): usize {
  if (field(table, KEY_SIZE) == 4) return seek4(table, load<u32>(key), use);
  return hasTexts(table) ? seekText(table, key, use) : seekAny(table, key, use);
}

/** `nextKey` of access.ts. */
export function nextKeyNoted(table: usize, key: usize, target: usize): u32 {
  if (SHARED) return nextKey(table, key, target);
  let from = key && seekAt(table, key, 0) ? key : 0;
  while (true) {
    const errno = nextKey(table, from, target);
    if (errno || seekAt(table, target, 0)) return errno;
    from = target;
  }
}

export function keepAt(table: usize, key: usize, flags: u32, ttl: f64): usize {
  if (field(table, KEY_SIZE) == 4) return keep4(table, load<u32>(key), flags, ttl);
  return hasTexts(table) ? keepText(table, key, flags, ttl) : keepAny(table, key, flags, ttl);
}

/** Writes a whole entry: 0 or an errno. */
export function updateNoted(table: usize, key: usize, value: usize, flags: u32, ttl: f64): u32 {
  if (SHARED) return updateShared(table, key, value, flags, ttl);
  const target = keepAt(table, key, flags, ttl);
  if (target < FIRST_ADDRESS) return <u32>target;
  copyBytes(target, value, seenBytes(table));
  return 0;
}
