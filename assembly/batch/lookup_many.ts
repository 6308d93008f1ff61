// Multi-get: many keys in one call, staged so that their cache misses overlap.
//
// A core keeps some ten misses in flight, but only of loads that fit into its reorder window together. A loop that hashes,
// matches and copies key by key fills the window with arithmetic of one or two keys. So a group of keys goes through passes:
//   A  hash every key and note the address of its bucket; the numbers of the header stay in locals
//   B  touch every line of every bucket, and nothing else
//   C  match and copy, from lines that have arrived
// Out-of-line entries take two more: C matches tags only and notes the first candidate, D touches it, E compares and copies.
//
//   stage: per key 16 bytes: 0 u32 bucket | 4 u32 hash | 8 u32 element; then 64 bytes that keep the touching loads alive
import { copyBytes, zeroBytes } from "../hash/bytes";
import { hash4With } from "../hash/hash";
import { Key16, KeyAny, hashKey, keyStride, loadKey } from "../hash/key";
import { BlockKeys } from "../table/block_keys";
import { BlockRefs } from "../table/block_refs";
import { BlockTags } from "../table/block_tags";
import {
  BUCKETS, BUCKET_BYTES, BUCKET_SEGMENTS, ELEMENT_STRIDE, KEY_SIZE, LAYOUT, LAYOUT_KEYS, LAYOUT_TAGS, MASK, SEEDS, VALUE_SIZE,
  field,
} from "../table/header";
import { findIn } from "../table/linear";
import { segmentOf } from "../table/segments";

const GROUP: u32 = 128;
const ENTRY: u32 = 16;
const HASH: usize = 4;
const ELEMENT: usize = 8;
const SINK: usize = GROUP * ENTRY;
const LINE: u32 = 64;

/** Bytes of the staging area that callers bring. */
export const STAGE_BYTES: u32 = GROUP * ENTRY + 64;

/** Pass A. */
@inline function locate<K>(table: usize, keys: usize, stage: usize, group: u32): void {
  const buckets = field(table, BUCKETS);
  const mask = field(table, MASK);
  const half = mask >> 1;
  const directory = <usize>load<u32>(table + BUCKET_SEGMENTS);
  const shift = load<u32>(table + BUCKET_SEGMENTS, 4);
  const stride = field(table, BUCKET_BYTES);
  const size = field(table, KEY_SIZE);
  const s0 = load<u64>(table + SEEDS);
  const s1 = load<u64>(table + SEEDS, 8);
  const s2 = load<u64>(table + SEEDS, 16);
  const end = stage + group * ENTRY;
  for (let at = stage; at < end; at += ENTRY) {
    let hash: u32;
    if (isInteger<K>() && sizeof<K>() == 4) hash = hash4With(load<u32>(keys), s0, s1, s2);
    else hash = hashKey<K>(table + SEEDS, loadKey<K>(keys), size);
    keys += keyStride<K>(size);
    let bucket = hash & mask;
    bucket = select<u32>(bucket, hash & half, bucket < buckets);
    store<u32>(at, load<u32>(directory + (<usize>segmentOf(bucket, shift) << 2)) + bucket * stride);
    store<u32>(at, hash, HASH);
  }
}

/** Pass B. */
@inline function touchBuckets(stage: usize, group: u32, lines: u32): void {
  const end = stage + group * ENTRY;
  let sum: u32 = 0;
  if (lines == 1) for (let at = stage; at < end; at += ENTRY) sum += load<u32>(<usize>load<u32>(at));
  else if (lines == 2) {
    for (let at = stage; at < end; at += ENTRY) {
      const bucket = <usize>load<u32>(at);
      sum += load<u32>(bucket) + load<u32>(bucket, LINE);
    }
  } else {
    for (let at = stage; at < end; at += ENTRY) {
      const bucket = <usize>load<u32>(at);
      for (let line: u32 = 0; line < lines; line++) sum += load<u32>(bucket + line * LINE);
    }
  }
  store<u32>(stage + SINK, sum);
}

/** Passes C and D of out-of-line entries. */
function touchElements(table: usize, stage: usize, group: u32): void {
  const end = stage + group * ENTRY;
  for (let at = stage; at < end; at += ENTRY) {
    const block = changetype<BlockRefs>(load<u32>(at));
    store<u32>(at, block.candidate(load<u32>(at, HASH)), ELEMENT);
  }
  const stride = field(table, ELEMENT_STRIDE);
  let sum: u32 = 0;
  for (let at = stage; at < end; at += ENTRY) {
    const element = <usize>load<u32>(at, ELEMENT);
    if (!element) continue;
    for (let line: u32 = 0; line < stride; line += LINE) sum += load<u32>(element + line);
    sum += load<u32>(element + stride - 4);
  }
  store<u32>(stage + SINK, sum);
}

@inline function gather<B, K>(
  table: usize, stage: usize, keys: usize, group: u32, values: usize, found: usize, size: u32, valueSize: u32,
): u32 {
  let hits: u32 = 0;
  for (let i: u32 = 0; i < group; i++) {
    const at = stage + i * ENTRY;
    const value = findIn<B, K>(table, <usize>load<u32>(at), loadKey<K>(keys), load<u32>(at, HASH));
    if (value) {
      if (valueSize == 8) store<u64>(values, load<u64>(value));
      else copyBytes(values, value, valueSize);
      hits++;
    } else if (valueSize == 8) store<u64>(values, 0);
    else zeroBytes(values, valueSize);
    store<u8>(found + i, value ? 1 : 0);
    keys += keyStride<K>(size);
    values += valueSize;
  }
  return hits;
}

@inline function many<B, K>(table: usize, stage: usize, keys: usize, count: u32, values: usize, found: usize): u32 {
  const size = field(table, KEY_SIZE);
  const valueSize = field(table, VALUE_SIZE);
  const lines = field(table, BUCKET_BYTES) / LINE;
  let hits: u32 = 0;
  while (count) {
    const group = min(count, GROUP);
    locate<K>(table, keys, stage, group);
    touchBuckets(stage, group, lines);
    if (!changetype<B>(0).holdsValues()) touchElements(table, stage, group);
    hits += gather<B, K>(table, stage, keys, group, values, found, size, valueSize);
    keys += group * keyStride<K>(size);
    values += group * valueSize;
    found += group;
    count -= group;
  }
  return hits;
}

@inline function manyOf<K>(table: usize, stage: usize, keys: usize, count: u32, values: usize, found: usize): u32 {
  if (field(table, LAYOUT) == LAYOUT_TAGS) return many<BlockTags, K>(table, stage, keys, count, values, found);
  return many<BlockRefs, K>(table, stage, keys, count, values, found);
}

/** Looks up `count` keys packed at `keys`; fills `values` (zeroes where absent) and one byte per key at `found`. How many hit. */
export function lookupMany(table: usize, stage: usize, keys: usize, count: u32, values: usize, found: usize): u32 {
  const size = field(table, KEY_SIZE);
  if (size == 4) {
    if (field(table, LAYOUT) == LAYOUT_KEYS) return many<BlockKeys, u32>(table, stage, keys, count, values, found);
    return manyOf<u32>(table, stage, keys, count, values, found);
  }
  if (size == 8) return manyOf<u64>(table, stage, keys, count, values, found);
  if (size == 16) return manyOf<Key16>(table, stage, keys, count, values, found);
  return manyOf<KeyAny>(table, stage, keys, count, values, found);
}
