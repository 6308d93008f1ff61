// Scans: every entry in the order of (bit-reversed hash, key). That order does not depend on the number of buckets: a split
// cuts the interval of a bucket in two, a merge joins two, and no entry changes its place. So a cursor is a position in the
// order, and whatever grows or shrinks between two calls, an entry that stays is met exactly once.
//
//   cursor: 0 u32 position, the reversed hash to go on from    4 u32 state    8 u32 keeps early loads alive
//           16 buckets planned for this call: u32 address, u32 position behind it [32]    272 key, in state AFTER_KEY
//   state:  AT         the next entry is the first one at or behind the position
//           AFTER_KEY  the same, but of the entries at the position itself only those with a key above `key`
//           END        the scan is over
//
// A bucket that is met at its start and fits is emitted as it stands. Otherwise, when a merge has made the bucket wider than
// the cursor or the room is short, its entries are sorted and leave in ascending order. Keys of equal hash are told apart by their bytes, so even room for one makes progress.
import { SHARED } from "../../build";
import { COUNTING, countCopied } from "../../counting";
import { follow, insist, mostNodes } from "../../damage";
import { reverseBits } from "../../hash/hash";
import { compareBytes, copyBytes } from "../../memory/bytes";
import { isReadable } from "../../sync/word";
import { dropSlot, removeSlot, settle } from "../entries/entries";
import { bucketAddress, bucketIndex, bucketMask, insistOnBuckets } from "../layout/buckets";
import { BUCKET_BYTES, KEY_SIZE, VALUE_SIZE, field } from "../layout/header";
import { countEntries } from "../layout/overflow";
import { shrinkAfter } from "../resize/resize";
import { emitBucket, emptyBucket } from "./emit";

export const STATE: usize = 4;
const SINK: usize = 8;
const PLAN: usize = 16;
const PLANNED_BYTES: u32 = 8;
const PLANNED_END: usize = 4;
const SORTED_ENTRY: usize = 4;
export const MOST_PLANNED: u32 = 32;
const AFTER: usize = PLAN + MOST_PLANNED * PLANNED_BYTES;
export const CURSOR_BYTES: u32 = <u32>AFTER;

/** More entries in a bucket than can be sorted in the place of the plan. */
const TOO_MANY: u32 = MOST_PLANNED + 1;

export const AT: u32 = 0;
export const AFTER_KEY: u32 = 1;
export const END: u32 = 2;

export const WHOLE: u64 = 0x100000000;

const LINE: u32 = 64;

/**
 * Notes the next buckets of a scan, as long as it stands at the start of one, and touches them: consecutive positions are pages
 * apart, so that the cache misses of a few dozen buckets overlap. How many were noted.
 */
export function plan<B>(table: usize, cursor: usize, position: u64, most: u32): u32 {
  let planned: u32 = 0;
  while (planned < most && position < WHOLE) {
    const bucket = bucketIndex(table, reverseBits(<u32>position));
    const width = WHOLE >> (<u64>popcnt(bucketMask(table, bucket)));
    if (position & (width - 1)) break;
    position += width;
    const at = cursor + PLAN + planned * PLANNED_BYTES;
    store<u32>(at, <u32>bucketAddress<B>(table, bucket));
    store<u32>(at, <u32>position, PLANNED_END);
    planned++;
  }
  if (COUNTING) countCopied(planned * PLANNED_BYTES);
  const bytes = field(table, BUCKET_BYTES);
  let sum: u32 = 0;
  for (let i: u32 = 0; i < planned; i++) {
    const bucket = <usize>load<u32>(cursor + PLAN + i * PLANNED_BYTES);
    for (let line: u32 = 0; line < bytes; line += LINE) sum += load<u32>(bucket + line);
  }
  if (!changetype<B>(0).holdsValues()) {
    for (let i: u32 = 0; i < planned; i++) {
      const bucket = changetype<B>(load<u32>(cursor + PLAN + i * PLANNED_BYTES));
      let used = bucket.occupied(table, true);
      while (used) {
        const entry = bucket.entryAt(<u32>ctz(used));
        if (!SHARED || isReadable(entry, 4)) sum += load<u32>(entry);
        used &= used - 1;
      }
    }
  }
  store<u32>(cursor, sum, SINK); // keeps the touching loads alive
  return planned;
}

/** Copies the next entries, at most `room`, and removes them when asked to. values = 0 leaves the values out. How many. */
export function scan<B>(table: usize, cursor: usize, keys: usize, values: usize, room: u32, removing: bool): u32 {
  const keySize = field(table, KEY_SIZE);
  const valueSize = field(table, VALUE_SIZE);
  let position = <u64>load<u32>(cursor);
  let state = load<u32>(cursor, STATE);
  let done: u32 = 0;
  insistOnBuckets(table);
  while (state != END && done < room) {
    if (state == AT) {
      const planned = plan<B>(table, cursor, position, min(MOST_PLANNED, 2 + ((room - done) >> 2)));
      let removed: u32 = 0;
      let i: u32 = 0;
      for (; i < planned; i++) {
        const at = cursor + PLAN + i * PLANNED_BYTES;
        const bucket = <usize>load<u32>(at);
        const entries = countEntries<B>(table, bucket);
        if (entries > room - done) break;
        emitBucket<B>(table, bucket, keys, values);
        if (removing && entries) emptyBucket<B>(table, bucket, entries);
        removed += entries;
        done += entries;
        keys += <usize>entries * keySize;
        if (values) values += <usize>entries * valueSize;
        position = <u64>load<u32>(at, PLANNED_END);
        if (!position) state = END;
      }
      // Merges make a new plan necessary, so they come when this one is used up. Positions they do not change.
      if (removing && removed) shrinkAfter<B>(table, removed, 0);
      if (planned && i == planned) continue;
      if (done == room) break;
    }
    const bucket = bucketIndex(table, reverseBits(<u32>position));
    const width = WHOLE >> (<u64>popcnt(bucketMask(table, bucket)));
    const emitted = emitInOrder<B>(
      table, bucketAddress<B>(table, bucket), cursor, position, state, keys, values, room - done, removing,
    );
    done += emitted;
    keys += <usize>emitted * keySize;
    if (values) values += <usize>emitted * valueSize;
    state = load<u32>(cursor, STATE);
    if (state == AFTER_KEY) return done; // the room is used up inside this bucket, and the cursor says where
    position = (position & ~(width - 1)) + width;
    if (position == WHOLE) state = END;
  }
  store<u32>(cursor, <u32>position);
  store<u32>(cursor, state, STATE);
  return done;
}

/**
 * Notes the entries of a bucket from a position on in ascending order, in the place of the plan, which is used up. With `after`,
 * of those at the position itself only keys above it. How many; TOO_MANY when there is no room for all.
 */
function sortBucket<B>(table: usize, bucket: usize, cursor: usize, position: u32, after: usize): u32 {
  const keySize = field(table, KEY_SIZE);
  const sorted = cursor + PLAN;
  let count: u32 = 0;
  let block = bucket;
  let left = mostNodes();
  do {
    left = follow(left);
    insist(!(block & 63)); // or block plus slot is another block, and positions need not ascend
    const first = block == bucket;
    let used = changetype<B>(block).occupied(table, first);
    while (used) {
      const slot = <u32>ctz(used);
      used &= used - 1;
      const order = reverseBits(changetype<B>(block).hashAt(table, slot, first));
      if (order < position) continue;
      const key = changetype<B>(block).keyAt(table, slot, first);
      if (after && order == position && compareBytes(key, after, keySize) <= 0) continue;
      if (count == MOST_PLANNED) return TOO_MANY;
      let at = sorted + count * PLANNED_BYTES;
      while (at != sorted) {
        const below = load<u32>(at - PLANNED_BYTES);
        const entry = <usize>load<u32>(at - PLANNED_BYTES, SORTED_ENTRY);
        if (below < order || (below == order && compareBytes(keyOf<B>(table, bucket, entry), key, keySize) < 0)) break;
        store<u64>(at, load<u64>(at - PLANNED_BYTES));
        at -= PLANNED_BYTES;
      }
      store<u32>(at, order);
      store<u32>(at, <u32>block + slot, SORTED_ENTRY);
      count++;
    }
    block = changetype<B>(block).link(first);
  } while (block);
  return count;
}

/** Address of the key of an entry that is given as block address plus slot. */
@inline function keyOf<B>(table: usize, bucket: usize, entry: usize): usize {
  const block = entry & ~63;
  return changetype<B>(block).keyAt(table, <u32>entry & 63, block == bucket);
}

/**
 * Emits the entries of a bucket from a position on, in order. Leaves the cursor behind the last one (AFTER_KEY) when that uses up
 * the room, and in state AT when the bucket has no more.
 */
export function emitInOrder<B>(
  table: usize, bucket: usize, cursor: usize, position: u64, state: u32, keys: usize, values: usize, room: u32, removing: bool,
): u32 {
  const after: usize = state == AFTER_KEY ? cursor + AFTER : 0;
  const count = sortBucket<B>(table, bucket, cursor, <u32>position, after);
  if (count == TOO_MANY) {
    return emitOneByOne<B>(table, bucket, cursor, position, state, keys, values, room, removing);
  }
  const keySize = field(table, KEY_SIZE);
  const valueSize = field(table, VALUE_SIZE);
  const done = min(count, room);
  for (let i: u32 = 0; i < done; i++) {
    const at = cursor + PLAN + i * PLANNED_BYTES;
    const entry = <usize>load<u32>(at, SORTED_ENTRY);
    const block = entry & ~63;
    const slot = <u32>entry & 63;
    const first = block == bucket;
    changetype<B>(block).copyKey(table, slot, first, keys);
    if (values) {
      changetype<B>(block).copyValue(table, slot, first, values);
      values += valueSize;
    }
    if (i + 1 == done) {
      store<u32>(cursor, load<u32>(at));
      // Not from `keys`, which belong to the caller: another thread may write there.
      changetype<B>(block).copyKey(table, slot, first, cursor + AFTER);
    }
    keys += keySize;
    if (removing) dropSlot<B>(table, block, slot, first);
  }
  store<u32>(cursor, done == room ? AFTER_KEY : AT, STATE);
  if (removing && done) {
    const moved = settle<B>(table, bucket);
    if (!SHARED) shrinkAfter<B>(table, done, moved);
  }
  return done;
}

/** The same for a bucket with more entries than can be noted, each found by a search: what a long section can leave behind. */
function emitOneByOne<B>(
  table: usize, bucket: usize, cursor: usize, position: u64, state: u32, keys: usize, values: usize, room: u32, removing: bool,
): u32 {
  const keySize = field(table, KEY_SIZE);
  const valueSize = field(table, VALUE_SIZE);
  let done: u32 = 0;
  let moved: u32 = 0;
  while (done < room) {
    const found = leastIn<B>(table, bucket, <u32>position, state == AFTER_KEY ? cursor + AFTER : 0);
    if (!found) {
      state = AT;
      break;
    }
    const block = found & ~63;
    const slot = <u32>found & 63;
    const first = block == bucket;
    const key = changetype<B>(block).keyAt(table, slot, first);
    position = <u64>reverseBits(changetype<B>(block).hashAt(table, slot, first));
    state = AFTER_KEY;
    copyBytes(cursor + AFTER, key, keySize);
    copyBytes(keys, key, keySize);
    keys += keySize;
    if (values) {
      changetype<B>(block).copyValue(table, slot, first, values);
      values += valueSize;
    }
    if (removing) moved += removeSlot<B>(table, bucket, block, slot);
    done++;
  }
  store<u32>(cursor, <u32>position);
  store<u32>(cursor, state, STATE);
  if (!SHARED && removing && done) shrinkAfter<B>(table, done, moved);
  return done;
}

/**
 * The least entry of a bucket at or behind a position; with `after`, of those at the position itself only keys above it.
 * Block address plus slot (blocks are 64-byte aligned), 0 when there is none.
 */
export function leastIn<B>(table: usize, bucket: usize, position: u32, after: usize): usize {
  const keySize = field(table, KEY_SIZE);
  let best: usize = 0;
  let bestOrder: u32 = 0;
  let bestKey: usize = 0;
  let block = bucket;
  let left = mostNodes();
  do {
    left = follow(left);
    insist(!(block & 63)); // or block plus slot is another block, and positions need not ascend
    const first = block == bucket;
    let used = changetype<B>(block).occupied(table, first);
    while (used) {
      const slot = <u32>ctz(used);
      used &= used - 1;
      const order = reverseBits(changetype<B>(block).hashAt(table, slot, first));
      if (order < position || (best && order > bestOrder)) continue;
      const key = changetype<B>(block).keyAt(table, slot, first);
      if (order == position && after && compareBytes(key, after, keySize) <= 0) continue;
      if (best && order == bestOrder && compareBytes(key, bestKey, keySize) >= 0) continue;
      best = block + slot;
      bestOrder = order;
      bestKey = key;
    }
    block = changetype<B>(block).link(first);
  } while (block);
  return best;
}

/** Copies the key that follows (position, after) in the order of a scan. False when there is none. */
export function nextKey<B>(table: usize, position: u32, after: usize, target: usize): bool {
  let start = <u64>position;
  insistOnBuckets(table);
  while (start < WHOLE) {
    const bucket = bucketIndex(table, reverseBits(<u32>start));
    const block = bucketAddress<B>(table, bucket);
    const found = leastIn<B>(table, block, <u32>start, after);
    if (found) {
      changetype<B>(found & ~63).copyKey(table, <u32>found & 63, (found & ~63) == block, target);
      return true;
    }
    const width = WHOLE >> (<u64>popcnt(bucketMask(table, bucket)));
    start = (start & ~(width - 1)) + width;
    after = 0;
  }
  return false;
}
