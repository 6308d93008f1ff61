// Staging: what the calls that take many keys do before they look at one, so that the cache misses of the keys overlap.
//
// A core keeps some ten misses in flight, but only of loads that fit into its reorder window together. A loop that hashes,
// matches and copies key by key fills the window with arithmetic of one or two keys. So a group of keys goes through passes:
//   A  hash every key and note the address of its bucket; the numbers of the header stay in locals
//   B  touch every line of every bucket, and nothing else
// and only then through the loop that does the work, on lines that have arrived.
//
//   stage: per key 16 bytes: 0 u32 bucket | 4 u32 hash | 8 u32 element; then 64 bytes that keep the touching loads alive
import { SHARED } from "../build";
import { COUNTING, countCopied } from "../counting";
import { hash4With, tagged } from "../hash/hash";
import { hashKey, keyStride, loadKey } from "../hash/key";
import { isReadable } from "../sync/word";
import { bucketIn, maskOf } from "../table/layout/buckets";
import { BUCKETS, BUCKET_SEGMENTS, KEY_SIZE, MASK, SEEDS, field } from "../table/layout/header";

export const GROUP: u32 = 128;
export const ENTRY: u32 = 16;
export const HASH: usize = 4;
export const ELEMENT: usize = 8;
export const SINK: usize = GROUP * ENTRY;
export const LINE: u32 = 64;

/** Word of the stage with the errno that ended the batch, 0 when all was done. */
export const STAGE_ERRNO: u32 = <u32>SINK + 4;
/** Bytes of the staging area that callers bring. */
export const STAGE_BYTES: u32 = GROUP * ENTRY + 64;

/** Pass A. The stage has `entry` bytes for each key: the bucket and, with `keepHash`, the hash. */
@inline export function locate<B, K>(
  table: usize, keys: usize, stage: usize, group: u32, entry: u32, keepHash: bool,
): void {
  if (COUNTING) countCopied(group << (keepHash ? 3 : 2));
  const buckets = SHARED ? atomic.load<u32>(table, BUCKETS) : field(table, BUCKETS);
  const mask = SHARED ? maskOf(buckets) : field(table, MASK);
  const half = mask >> 1;
  const directory = <usize>load<u32>(table + BUCKET_SEGMENTS);
  const shift = load<u32>(table + BUCKET_SEGMENTS, 4);
  const stride = changetype<B>(0).bucketBytes(table);
  const size = field(table, KEY_SIZE);
  const s0 = load<u64>(table + SEEDS);
  const s1 = load<u64>(table + SEEDS, 8);
  const s2 = load<u64>(table + SEEDS, 16);
  const end = stage + group * entry;
  for (let at = stage; at < end; at += entry) {
    let hash: u32;
    if (isInteger<K>() && sizeof<K>() == 4) hash = hash4With(load<u32>(keys), s0, s1, s2);
    else hash = hashKey<K>(table + SEEDS, loadKey<K>(keys), size);
    if (!changetype<B>(0).holdsValues()) hash = tagged(hash);
    keys += keyStride<K>(size);
    let bucket = hash & mask;
    bucket = select<u32>(bucket, hash & half, bucket < buckets);
    store<u32>(at, <u32>bucketIn(table, directory, shift, bucket, stride));
    if (keepHash) store<u32>(at, hash, HASH);
  }
}

/** Touches the first overflow block of every bucket: where there is none, the link is the address of 64 zeros. */
@inline export function touchChains<B>(stage: usize, group: u32): void {
  const end = stage + group * ENTRY;
  let sum: u32 = 0;
  for (let at = stage; at < end; at += ENTRY) {
    const block = changetype<B>(load<u32>(at)).link(true);
    if (!SHARED || isReadable(block, 4)) sum += load<u32>(block);
  }
  store<u32>(stage + SINK, sum);
}

/** Pass B. */
@inline export function touchBuckets(stage: usize, group: u32, entry: u32, lines: u32): void {
  const end = stage + group * entry;
  let sum: u32 = 0;
  if (lines == 1) for (let at = stage; at < end; at += entry) sum += load<u32>(<usize>load<u32>(at));
  else if (lines == 2) {
    for (let at = stage; at < end; at += entry) {
      const bucket = <usize>load<u32>(at);
      sum += load<u32>(bucket) + load<u32>(bucket, LINE);
    }
  } else {
    for (let at = stage; at < end; at += entry) {
      const bucket = <usize>load<u32>(at);
      for (let line: u32 = 0; line < lines; line++) sum += load<u32>(bucket + line * LINE);
    }
  }
  store<u32>(stage + SINK, sum);
}
