// Single operations. One export per kind of key: it branches once on the layout of the map, a constant of the map, and is
// straight code from there on. JavaScript calls each from one place of its own, which keeps V8's inline caches monomorphic.
import { SHARED } from "../build";
import { ENOENT, EPERM } from "../errno";
import { reverseBits } from "../hash/hash";
import { Key16, KeyAny, KeyText, hashKey } from "../hash/key";
import { copyBytes } from "../memory/bytes";
import { FIRST_ADDRESS } from "../regions";
import { COPY, mine } from "../sync/slot";
import { find, remove, upsert } from "../table/entries/entries";
import { removeLocked } from "../table/entries/shared_write";
import { byKey, byLayout, hasTexts, hashIn, hashKeyAt, layoutOf } from "../table/layout/by_layout";
import { FROZEN, KEY_SIZE, SEEDS, VALUE_SIZE, field } from "../table/layout/header";
import { nextKey as nextIn } from "../table/scan/scan";
import { clearEntries } from "./create";
import { fetchKey, nextShared, updateShared, zeroed } from "./shared_access";

@inline export function u64Of(low: u32, high: u32): u64 {
  return <u64>low | (<u64>high << 32);
}

@unmanaged export class Find {
  @inline call0<B, K>(table: usize, key: K, hash: u32): usize {
    return find<B, K>(table, key, hash);
  }
}

/** In the shared build: the address of a copy in the slot's copy buffer, or an errno. */
@inline function lookupKey<K>(table: usize, key: K): usize {
  const hash = hashKey<K>(table + SEEDS, key, field(table, KEY_SIZE));
  const layout = layoutOf(table);
  if (SHARED) {
    const copy = <usize>mine(COPY);
    const found = fetchKey<K>(table, key, hash, layout, copy);
    return found == 1 ? copy : found;
  }
  return byKey<Find, K>(layout, table, key, hash);
}

@unmanaged class Upsert {
  @inline call1<B, K>(table: usize, key: K, hash: u32, flags: usize): usize {
    return upsert<B, K>(table, key, hash, <u32>flags);
  }
}

@inline function upsertKey<K>(table: usize, key: K, flags: u32): usize {
  const hash = hashKey<K>(table + SEEDS, key, field(table, KEY_SIZE));
  const layout = layoutOf(table);
  if (SHARED) return zeroed<K>(table, key, hash, layout, flags);
  return byKey<Upsert, K>(layout, table, key, hash, flags);
}

@unmanaged class Remove {
  @inline call1<B, K>(table: usize, key: K, hash: u32, value: usize): usize {
    if (SHARED) return removeLocked<B, K>(table, key, hash, value);
    return remove<B, K>(table, key, hash, value);
  }
}

@inline function removeKey<K>(table: usize, key: K, value: usize): u32 {
  const hash = hashKey<K>(table + SEEDS, key, field(table, KEY_SIZE));
  return <u32>byKey<Remove, K>(layoutOf(table), table, key, hash, value);
}

export function lookup4(table: usize, key: u32): usize {
  return lookupKey<u32>(table, key);
}
export function lookup8(table: usize, low: u32, high: u32): usize {
  return lookupKey<u64>(table, u64Of(low, high));
}
export function lookup16(table: usize, key: usize): usize {
  return lookupKey<Key16>(table, changetype<Key16>(key));
}
export function lookupAny(table: usize, key: usize): usize {
  return lookupKey<KeyAny>(table, changetype<KeyAny>(key));
}
export function lookupText(table: usize, key: usize): usize {
  return lookupKey<KeyText>(table, changetype<KeyText>(key));
}

export function upsert4(table: usize, key: u32, flags: u32): usize {
  return upsertKey<u32>(table, key, flags);
}
export function upsert8(table: usize, low: u32, high: u32, flags: u32): usize {
  return upsertKey<u64>(table, u64Of(low, high), flags);
}
export function upsert16(table: usize, key: usize, flags: u32): usize {
  return upsertKey<Key16>(table, changetype<Key16>(key), flags);
}
export function upsertAny(table: usize, key: usize, flags: u32): usize {
  return upsertKey<KeyAny>(table, changetype<KeyAny>(key), flags);
}
export function upsertText(table: usize, key: usize, flags: u32): usize {
  return upsertKey<KeyText>(table, changetype<KeyText>(key), flags);
}

export function remove4(table: usize, key: u32): u32 {
  return removeKey<u32>(table, key, 0);
}
export function remove8(table: usize, low: u32, high: u32): u32 {
  return removeKey<u64>(table, u64Of(low, high), 0);
}
export function remove16(table: usize, key: usize): u32 {
  return removeKey<Key16>(table, changetype<Key16>(key), 0);
}
export function removeAny(table: usize, key: usize): u32 {
  return removeKey<KeyAny>(table, changetype<KeyAny>(key), 0);
}
export function removeText(table: usize, key: usize): u32 {
  return removeKey<KeyText>(table, changetype<KeyText>(key), 0);
}

/** `lookupText` or `lookupAny`. */
function lookupAt(table: usize, key: usize): usize {
  return hasTexts(table) ? lookupText(table, key) : lookupAny(table, key);
}

function upsertAt(table: usize, key: usize, flags: u32): usize {
  return hasTexts(table) ? upsertText(table, key, flags) : upsertAny(table, key, flags);
}

/** Writes a whole entry, key and value of any size: 0 or an errno. */
export function update(table: usize, key: usize, value: usize, flags: u32): u32 {
  const size = field(table, KEY_SIZE);
  if (SHARED) return updateShared(table, key, value, flags);
  const target = size == 4 ? upsert4(table, load<u32>(key), flags) : upsertAt(table, key, flags);
  if (target < FIRST_ADDRESS) return <u32>target;
  copyBytes(target, value, field(table, VALUE_SIZE));
  return 0;
}

/** Removes an entry and copies its value out: 0 or an errno. */
export function take(table: usize, key: usize, value: usize): u32 {
  if (field(table, KEY_SIZE) == 4) return removeKey<u32>(table, load<u32>(key), value);
  if (hasTexts(table)) return removeKey<KeyText>(table, changetype<KeyText>(key), value);
  return removeKey<KeyAny>(table, changetype<KeyAny>(key), value);
}

@unmanaged class Next {
  @inline call3<B>(table: usize, position: usize, after: usize, target: usize): usize {
    return <usize>nextIn<B>(table, <u32>position, after, target);
  }
}

/** The key that follows `key` in the map's order; the first one when `key` is 0 or absent, as the kernel does it. */
export function nextKey(table: usize, key: usize, target: usize): u32 {
  let position: u32 = 0;
  let after: usize = 0;
  const size = field(table, KEY_SIZE);
  const layout = layoutOf(table);
  if (SHARED) return nextShared(table, key, target);
  if (key && (size == 4 ? lookup4(table, load<u32>(key)) : lookupAt(table, key))) {
    position = reverseBits(hashIn(layout, hashKeyAt(layout, table, key)));
    after = key;
  }
  return byLayout<Next>(layout, table, position, after, target) ? 0 : ENOENT;
}

/** Removes all entries: 0 or EPERM. */
export function clear(table: usize): u32 {
  if (field(table, FROZEN)) return EPERM;
  return clearEntries(table);
}
