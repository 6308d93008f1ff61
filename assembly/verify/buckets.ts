// Checks the buckets of a table with their chains (table.ts): first each block, then each entry, whose search may lead anywhere
// in the chain.
import { SHARED } from "../build";
import { loadKey } from "../hash/key";
import { bucketAddress, bucketIndex } from "../table/layout/buckets";
import { isFiltered, mayHold } from "../table/layout/filter";
import { BUCKETS, OVERFLOW_BYTES, field } from "../table/layout/header";
import { isInUse } from "./arena";
import { isLiveElement } from "./elements";
import {
  CHAIN_END, CHAIN_LINK, ELEMENT_REFERENCE, FILTER_BITS, FINDABLE, HASH_BUCKET, ONE_OF_A_KEY, SLOT_MARKS, broken,
} from "./invariants";
import { verifyBucketWords } from "./shared_table";

/** Sums over the buckets, kept where the details of a broken invariant would go. */
@unmanaged export class Sums {
  entries: u32;
  overflow: u32;
}

/** Checks all buckets and leaves their sums at `out`. */
export function verifyBuckets<B, K>(table: usize, out: usize): u32 {
  changetype<Sums>(out).entries = 0;
  changetype<Sums>(out).overflow = 0;
  const buckets = field(table, BUCKETS);
  for (let index: u32 = 0; index < buckets; index++) {
    const bucket = bucketAddress<B>(table, index);
    const problem = verifyChain<B>(table, index, bucket, out) || verifyEntries<B, K>(table, index, bucket, out);
    if (problem) return problem;
  }
  return 0;
}

/** Checks the blocks of a bucket, and adds them to the sums. */
function verifyChain<B>(table: usize, index: u32, bucket: usize, out: usize): u32 {
  // In a circle the walk comes back to the block it was at after some power of two (Brent, BIT 20, 1980).
  let mark = bucket;
  let power: u32 = 1;
  let length: u32 = 0;
  let block = bucket;
  while (true) {
    const problem = verifyBlock<B>(table, index, block, block == bucket, out);
    if (problem) return problem;
    if (SHARED && block == bucket) {
      const wrong = verifyBucketWords<B>(table, index, bucket, out);
      if (wrong) return wrong;
    }
    const next = changetype<B>(block).link(block == bucket);
    if (!next) return 0;
    if (!isInUse(next, field(table, OVERFLOW_BYTES))) return broken(out, CHAIN_LINK, index, <u32>block, <u32>next, 0);
    if (next == mark) return broken(out, CHAIN_END, index, <u32>block, <u32>next, 0);
    changetype<Sums>(out).overflow++;
    block = next;
    if (++length == power) {
      mark = block;
      power <<= 1;
    }
  }
}

/** Checks the marks of the slots of a block, and what the used ones refer to. */
function verifyBlock<B>(table: usize, index: u32, block: usize, first: bool, out: usize): u32 {
  const stray = changetype<B>(block).stray(table, first);
  if (stray) return broken(out, SLOT_MARKS, index, <u32>block, stray, 0);
  let used = changetype<B>(block).occupied(table, first);
  changetype<Sums>(out).entries += <u32>popcnt(used);
  while (!changetype<B>(0).holdsValues() && used) {
    const slot = <u32>ctz(used);
    used &= used - 1;
    const element = changetype<B>(block).entryAt(slot);
    if (!isLiveElement(table, element)) return broken(out, ELEMENT_REFERENCE, index, <u32>block, slot, <u32>element);
  }
  return 0;
}

function verifyEntries<B, K>(table: usize, index: u32, bucket: usize, out: usize): u32 {
  let block = bucket;
  while (block) {
    const first = block == bucket;
    let used = changetype<B>(block).occupied(table, first);
    while (used) {
      const slot = <u32>ctz(used);
      used &= used - 1;
      const hash = changetype<B>(block).hashAt(table, slot, first);
      if (bucketIndex(table, hash) != index) return broken(out, HASH_BUCKET, index, <u32>block, slot, hash);
      if (isFiltered<B>(table) && !mayHold(table, index, hash)) return broken(out, FILTER_BITS, index, <u32>block, slot, hash);
      const found = search<B, K>(table, bucket, loadKey<K>(changetype<B>(block).keyAt(table, slot, first)), hash);
      if (!found) return broken(out, FINDABLE, index, <u32>block, slot, hash);
      if (found != block + slot) return broken(out, ONE_OF_A_KEY, index, <u32>block, slot, <u32>found);
    }
    block = changetype<B>(block).link(first);
  }
  return 0;
}

/** Where a search of the bucket finds a key: block plus slot, 0 when nowhere. */
function search<B, K>(table: usize, bucket: usize, key: K, hash: u32): usize {
  let found = changetype<B>(bucket).find<K>(table, key, hash, true);
  if (found) return bucket + <usize>ctz(found);
  let block = changetype<B>(bucket).link(true);
  while (block) {
    found = changetype<B>(block).find<K>(table, key, hash, false);
    if (found) return block + <usize>ctz(found);
    block = changetype<B>(block).link(false);
  }
  return 0;
}
