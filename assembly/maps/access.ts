// Single operations. One export per kind of key: it branches once on the layout of the map, a constant of the map, and is
// straight code from there on. JavaScript calls each from one place of its own, which keeps V8's inline caches monomorphic.
import { SHARED } from "../build";
import { ENOENT, EPERM } from "../errno";
import { reverseBits, tagged } from "../hash/hash";
import { Key16, KeyAny, hashKey } from "../hash/key";
import { copyBytes } from "../memory/bytes";
import { FIRST_ADDRESS } from "../regions";
import { COPY, mine } from "../sync/slot";
import { find, remove, upsert } from "../table/entries/entries";
import { removeLocked } from "../table/entries/shared_write";
import { BlockKeys } from "../table/layout/block_keys";
import { BlockRefs } from "../table/layout/block_refs";
import { BlockTags } from "../table/layout/block_tags";
import { FROZEN, KEY_SIZE, LAYOUT, LAYOUT_KEYS, LAYOUT_TAGS, SEEDS, VALUE_SIZE, field } from "../table/layout/header";
import { nextKey as nextIn } from "../table/scan/scan";
import { clearEntries } from "./create";
import { fetchKey, nextShared, updateShared, zeroed } from "./shared_access";

@inline function u64Of(low: u32, high: u32): u64 {
  return <u64>low | (<u64>high << 32);
}

/** In the shared build: the address of a copy in the slot's copy buffer, or an errno. */
@inline function lookupKey<K>(table: usize, key: K): usize {
  const hash = hashKey<K>(table + SEEDS, key, field(table, KEY_SIZE));
  const layout = field(table, LAYOUT);
  if (SHARED) {
    const copy = <usize>mine(COPY);
    const found = fetchKey<K>(table, key, hash, layout, copy);
    return found == 1 ? copy : found;
  }
  if (isInteger<K>() && sizeof<K>() == 4) {
    if (layout == LAYOUT_KEYS) return find<BlockKeys, u32>(table, <u32>key, hash);
  }
  if (layout == LAYOUT_TAGS) return find<BlockTags, K>(table, key, hash);
  return find<BlockRefs, K>(table, key, tagged(hash));
}

@inline function upsertKey<K>(table: usize, key: K, flags: u32): usize {
  const hash = hashKey<K>(table + SEEDS, key, field(table, KEY_SIZE));
  const layout = field(table, LAYOUT);
  if (SHARED) return zeroed<K>(table, key, hash, layout, flags);
  if (isInteger<K>() && sizeof<K>() == 4) {
    if (layout == LAYOUT_KEYS) return upsert<BlockKeys, u32>(table, <u32>key, hash, flags);
  }
  if (layout == LAYOUT_TAGS) return upsert<BlockTags, K>(table, key, hash, flags);
  return upsert<BlockRefs, K>(table, key, tagged(hash), flags);
}

@inline function removeIn<B, K>(table: usize, key: K, hash: u32, value: usize): u32 {
  if (SHARED) return removeLocked<B, K>(table, key, hash, value);
  return remove<B, K>(table, key, hash, value);
}

@inline function removeKey<K>(table: usize, key: K, value: usize): u32 {
  const hash = hashKey<K>(table + SEEDS, key, field(table, KEY_SIZE));
  const layout = field(table, LAYOUT);
  if (isInteger<K>() && sizeof<K>() == 4) {
    if (layout == LAYOUT_KEYS) return removeIn<BlockKeys, u32>(table, <u32>key, hash, value);
  }
  if (layout == LAYOUT_TAGS) return removeIn<BlockTags, K>(table, key, hash, value);
  return removeIn<BlockRefs, K>(table, key, tagged(hash), value);
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

/** Writes a whole entry, key and value of any size: 0 or an errno. */
export function update(table: usize, key: usize, value: usize, flags: u32): u32 {
  const size = field(table, KEY_SIZE);
  if (SHARED) return updateShared(table, key, value, flags);
  const target = size == 4 ? upsert4(table, load<u32>(key), flags) : upsertAny(table, key, flags);
  if (target < FIRST_ADDRESS) return <u32>target;
  copyBytes(target, value, field(table, VALUE_SIZE));
  return 0;
}

/** Removes an entry and copies its value out: 0 or an errno. */
export function take(table: usize, key: usize, value: usize): u32 {
  if (field(table, KEY_SIZE) == 4) return removeKey<u32>(table, load<u32>(key), value);
  return removeKey<KeyAny>(table, changetype<KeyAny>(key), value);
}

/** The key that follows `key` in the map's order; the first one when `key` is 0 or absent, as the kernel does it. */
export function nextKey(table: usize, key: usize, target: usize): u32 {
  let position: u32 = 0;
  let after: usize = 0;
  const size = field(table, KEY_SIZE);
  const layout = field(table, LAYOUT);
  if (SHARED) return nextShared(table, key, target);
  if (key && (size == 4 ? lookup4(table, load<u32>(key)) : lookupAny(table, key))) {
    const hash = hashKey<KeyAny>(table + SEEDS, changetype<KeyAny>(key), size);
    position = reverseBits(layout == LAYOUT_KEYS || layout == LAYOUT_TAGS ? hash : tagged(hash));
    after = key;
  }
  let found: bool;
  if (layout == LAYOUT_KEYS) found = nextIn<BlockKeys>(table, position, after, target);
  else if (layout == LAYOUT_TAGS) found = nextIn<BlockTags>(table, position, after, target);
  else found = nextIn<BlockRefs>(table, position, after, target);
  return found ? 0 : ENOENT;
}

/** Removes all entries: 0 or EPERM. */
export function clear(table: usize): u32 {
  if (field(table, FROZEN)) return EPERM;
  return clearEntries(table);
}
