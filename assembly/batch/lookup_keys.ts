// Multi-get in the layout "keys", whose bucket holds keys and values side by side and is compared by SIMD without tags: so the
// stage needs no hash, and the loop that matches and copies needs no branch on what it finds. That matters: where a key turns
// up in an overflow block, nothing predicts it, and each wrong guess throws away the loads of the keys that follow.
//
// Passes over a group of keys; A and B as in batch/stage.ts:
//   A  hash every key, note the address of its bucket
//   B  touch both lines of every bucket
//   C  match and copy; keys that are not in their bucket are only noted
//   D  touch the first overflow block of the keys noted, where their bucket has one
//   E  search those chains
//
//   stage: 0 u32 bucket[GROUP] | then u32 place[GROUP] in the stage of each key noted | at SINK a word that keeps the touching
//   loads alive
import { SHARED } from "../build";
import { COUNTING, countCopied } from "../counting";
import { hash4 } from "../hash/hash";
import { copyBytes, zeroBytes } from "../memory/bytes";
import { LOCKED } from "../sync/lock_word";
import { fence } from "../sync/slot";
import { hiddenZero, isReadable } from "../sync/word";
import { findInChain } from "../table/entries/entries";
import { fetch } from "../table/entries/shared_read";
import { clearSpinLocks } from "../table/entries/spin_lock";
import { BlockKeys, KEYS_BUCKET_BYTES, KEYS_SLOTS } from "../table/layout/block_keys";
import { RETIRED, SEEDS, VALUE_SIZE, field } from "../table/layout/header";
import { LINE, SINK, locate, touchBuckets } from "./stage";

const WORD: u32 = 4;
/** Larger than in batch/stage.ts: less is staged per key. */
const GROUP: u32 = 256;
const NOTED: u32 = GROUP * WORD;
/** Makes ctz of an empty set of slots the last slot. */
const LAST: u32 = 1 << (KEYS_SLOTS - 1);

/** Pass C. How many keys are noted: they count as found, with some value, until the passes behind say more. */
@inline function gather(stage: usize, keys: usize, group: u32, values: usize, found: usize, size: u32): u32 {
  const end = stage + group * WORD;
  let noted = stage + NOTED;
  for (let at = stage; at < end; at += WORD) {
    const bucket = changetype<BlockKeys>(load<u32>(at));
    const slots = bucket.find<u32>(0, load<u32>(keys), 0, true);
    const value = bucket.valueAt(0, <u32>ctz(slots | LAST), true);
    if (size == 8) store<u64>(values, load<u64>(value));
    else copyBytes(values, value, size);
    store<u8>(found, 1);
    store<u32>(noted, <u32>at);
    noted += (<u32>!slots) << 2;
    keys += WORD;
    values += size;
    found++;
  }
  if (COUNTING) countCopied(group * size);
  return <u32>(noted - stage - NOTED) / WORD;
}

/** Passes D and E over the keys noted. How many are absent. */
function gatherChains(stage: usize, left: u32, keys: usize, values: usize, found: usize, size: u32): u32 {
  const noted = stage + NOTED;
  let end = noted + left * WORD;
  let chained = noted;
  for (let at = noted; at < end; at += WORD) {
    const entry = <usize>load<u32>(at);
    const i = <u32>(entry - stage) / WORD;
    const block = changetype<BlockKeys>(load<u32>(entry)).link(true);
    if (size == 8) store<u64>(values + i * 8, 0);
    else zeroBytes(values + i * size, size);
    store<u8>(found + i, 0);
    store<u32>(entry, <u32>block);
    store<u32>(chained, <u32>entry);
    chained += (<u32>(block != 0)) << 2;
  }
  end = chained;
  let sum: u32 = 0;
  for (let at = noted; at < end; at += WORD) sum += load<u32>(<usize>load<u32>(load<u32>(at)));
  store<u32>(stage + SINK, sum);
  for (let at = noted; at < end; at += WORD) {
    const entry = <usize>load<u32>(at);
    const i = <u32>(entry - stage) / WORD;
    const value = findInChain<BlockKeys, u32>(0, <usize>load<u32>(entry), load<u32>(keys + i * WORD), 0);
    if (!value) continue;
    if (size == 8) store<u64>(values + i * 8, load<u64>(value));
    else copyBytes(values + i * size, value, size);
    store<u8>(found + i, 1);
    left--;
  }
  return left;
}

/**
 * The passes of the shared build. Pass C takes a value only where the bucket is unlocked and the same before and after; every other
 * key is noted with those that are not in their bucket, and looked up one by one as `fetch` does it, so that a bucket which has been
 * split or merged since pass A does not matter. How many are absent.
 */
@inline function gatherShared(table: usize, stage: usize, keys: usize, group: u32, values: usize, found: usize, size: u32): u32 {
  const retired = load<u32>(table, RETIRED);
  const zero = hiddenZero();
  fence();
  locate<BlockKeys, u32>(table, keys, stage, group, WORD, false);
  touchBuckets(stage, group, WORD, KEYS_BUCKET_BYTES / LINE);
  const end = stage + group * WORD;
  let noted = stage + NOTED;
  let key = keys;
  let value = values;
  let flag = found;
  for (let at = stage; at < end; at += WORD) {
    const address = <usize>load<u32>(at);
    const lock = changetype<BlockKeys>(address).lock();
    const version = load<u32>(lock);
    const bucket = changetype<BlockKeys>(address + (version & zero));
    const slots = bucket.find<u32>(0, load<u32>(key), 0, true);
    const word = load<u64>(bucket.valueAt(0, <u32>ctz(slots | LAST), true));
    const changed = (version & LOCKED) | (version ^ load<u32>(lock + ((slots | <u32>word) & zero)));
    if (size == 8) store<u64>(value, word);
    else {
      store<u64>(stage + SINK, word);
      copyBytes(value, stage + SINK, size);
    }
    store<u8>(flag, 1);
    store<u32>(noted, <u32>at);
    noted += (<u32>(!slots | (changed != 0))) << 2;
    key += WORD;
    value += size;
    flag++;
  }
  fence(); // one for the group: of RETIRED before all and after all
  // Memory of a bucket may have become something else meanwhile: then nothing of this counts.
  const left: u32 = load<u32>(table, RETIRED) == retired ? <u32>(noted - stage - NOTED) / WORD : noteAll(stage, group);
  const absent: u32 = left ? gatherNoted(table, stage, left, keys, values, found, size) : 0;
  clearSpinLocks(table, values, group);
  return absent;
}

function noteAll(stage: usize, group: u32): u32 {
  for (let i: u32 = 0; i < group; i++) store<u32>(stage + NOTED + i * WORD, <u32>stage + i * WORD);
  return group;
}

function gatherNoted(table: usize, stage: usize, left: u32, keys: usize, values: usize, found: usize, size: u32): u32 {
  const noted = stage + NOTED;
  const end = noted + left * WORD;
  let sum: u32 = 0;
  for (let at = noted; at < end; at += WORD) {
    const block = changetype<BlockKeys>(load<u32>(load<u32>(at))).link(true);
    if (isReadable(block, WORD)) sum += load<u32>(block);
  }
  store<u32>(stage + SINK, sum);
  let absent: u32 = 0;
  for (let at = noted; at < end; at += WORD) {
    const i = <u32>(<usize>load<u32>(at) - stage) / WORD;
    const key = load<u32>(keys + i * WORD);
    const result = fetch<BlockKeys, u32>(table, key, hash4(table + SEEDS, key), values + i * size);
    const hit = result == 1;
    if (!hit) zeroBytes(values + i * size, size);
    store<u8>(found + i, <u8>hit);
    absent += <u32>!hit;
  }
  return absent;
}

@inline function run(table: usize, stage: usize, keys: usize, count: u32, values: usize, found: usize, size: u32): u32 {
  let hits: u32 = 0;
  while (count) {
    const group = min(count, GROUP);
    if (SHARED) hits += group - gatherShared(table, stage, keys, group, values, found, size);
    else {
      locate<BlockKeys, u32>(table, keys, stage, group, WORD, false);
      touchBuckets(stage, group, WORD, KEYS_BUCKET_BYTES / LINE);
      const left = gather(stage, keys, group, values, found, size);
      hits += group;
      if (left) hits -= gatherChains(stage, left, keys, values, found, size);
    }
    keys += group * WORD;
    values += group * size;
    found += group;
    count -= group;
  }
  return hits;
}

/** `lookupMany` of batch/lookup_many.ts for the layout "keys". */
export function lookupKeys(table: usize, stage: usize, keys: usize, count: u32, values: usize, found: usize): u32 {
  const size = field(table, VALUE_SIZE);
  if (size == 8) return run(table, stage, keys, count, values, found, 8);
  return run(table, stage, keys, count, values, found, size);
}
