// Multi-get: many keys in one call. After the passes of batch/stage.ts one loop compares and copies. Out-of-line entries take two
// passes more: one matches tags only and notes the first candidate, one touches it.
import { SHARED } from "../build";
import { COUNTING, countCopied } from "../counting";
import { keyStride, loadKey } from "../hash/key";
import { copyBytes, zeroBytes } from "../memory/bytes";
import { isReadable } from "../sync/word";
import { findIn } from "../table/entries/entries";
import { fetch } from "../table/entries/shared_read";
import { clearSpinLocks } from "../table/entries/spin_lock";
import { BlockRefs } from "../table/layout/block_refs";
import { byKeys } from "../table/layout/by_layout";
import { BUCKET_BYTES, ELEMENT_STRIDE, KEY_SIZE, VALUE_SIZE, field } from "../table/layout/header";
import { laneOf, touchElement } from "../table/layout/lanes";
import { lookupKeys } from "./lookup_keys";
import { ELEMENT, ENTRY, GROUP, HASH, LINE, SINK, locate, touchBuckets } from "./stage";

/** Passes C and D of out-of-line entries; with `reading`, whole values are to be copied. */
export function touchElements(table: usize, stage: usize, group: u32, reading: bool): void {
  const end = stage + group * ENTRY;
  for (let at = stage; at < end; at += ENTRY) {
    const block = changetype<BlockRefs>(load<u32>(at));
    store<u32>(at, block.candidate(load<u32>(at, HASH)), ELEMENT);
  }
  if (COUNTING) countCopied(group << 2);
  const stride = field(table, ELEMENT_STRIDE);
  let sum: u32 = 0;
  if (SHARED && laneOf(table)) {
    for (let at = stage; at < end; at += ENTRY) {
      const entry = <usize>load<u32>(at, ELEMENT);
      if (entry) sum += touchElement(table, entry, reading);
    }
    store<u32>(stage + SINK, sum);
    return;
  }
  for (let at = stage; at < end; at += ENTRY) {
    const element = <usize>load<u32>(at, ELEMENT);
    if (!element || (SHARED && !isReadable(element, stride))) continue;
    for (let line: u32 = 0; line < stride; line += LINE) sum += load<u32>(element + line);
    sum += load<u32>(element + stride - 4);
  }
  store<u32>(stage + SINK, sum);
}

/** The same by reads that check the version of each bucket. What gave up on a lock counts as absent, with ERRNO of the slot set. */
@inline function gatherShared<B, K>(
  table: usize, stage: usize, keys: usize, group: u32, values: usize, found: usize, size: u32, valueSize: u32,
): u32 {
  let hits: u32 = 0;
  for (let i: u32 = 0; i < group; i++) {
    const result = fetch<B, K>(table, loadKey<K>(keys), load<u32>(stage + i * ENTRY, HASH), values);
    const hit = <u32>(result == 1);
    if (!hit) zeroBytes(values, valueSize);
    hits += hit;
    store<u8>(found + i, hit);
    keys += keyStride<K>(size);
    values += valueSize;
  }
  clearSpinLocks(table, values - <usize>group * valueSize, group);
  return hits;
}

@inline function gather<B, K>(
  table: usize, stage: usize, keys: usize, group: u32, values: usize, found: usize, size: u32, valueSize: u32,
): u32 {
  let hits: u32 = 0;
  if (SHARED) return gatherShared<B, K>(table, stage, keys, group, values, found, size, valueSize);
  for (let i: u32 = 0; i < group; i++) {
    const at = stage + i * ENTRY;
    const value = findIn<B, K>(table, <usize>load<u32>(at), loadKey<K>(keys), load<u32>(at, HASH));
    if (value) {
      if (COUNTING && valueSize == 8) countCopied(8);
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
    locate<B, K>(table, keys, stage, group, ENTRY, true);
    touchBuckets(stage, group, ENTRY, lines);
    if (!changetype<B>(0).holdsValues()) touchElements(table, stage, group, true);
    hits += gather<B, K>(table, stage, keys, group, values, found, size, valueSize);
    keys += group * keyStride<K>(size);
    values += group * valueSize;
    found += group;
    count -= group;
  }
  return hits;
}

@unmanaged class Lookup {
  @inline many<B, K>(table: usize, stage: usize, keys: usize, count: u32, values: usize, found: usize): u32 {
    if (changetype<B>(0).isWord()) return lookupKeys(table, stage, keys, count, values, found);
    return many<B, K>(table, stage, keys, count, values, found);
  }
}

/** Looks up `count` keys packed at `keys`; fills `values` (zeroes where absent) and one byte per key at `found`. How many hit. */
export function lookupMany(table: usize, stage: usize, keys: usize, count: u32, values: usize, found: usize): u32 {
  return byKeys<Lookup>(table, stage, keys, count, values, found);
}
