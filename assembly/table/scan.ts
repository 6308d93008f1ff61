// Scans: every entry in the order of (bit-reversed hash, key). That order does not depend on the number of buckets: a split
// cuts the interval of a bucket in two, a merge joins two, and no entry changes its place. So a cursor is a position in the
// order, and whatever grows or shrinks between two calls, an entry that stays is met exactly once.
//
//   cursor: 0 u32 position, the reversed hash to go on from    4 u32 state    8 u64 reserved    16 key, in state AFTER_KEY
//   state:  AT         the next entry is the first one at or behind the position
//           AFTER_KEY  the same, but of the entries at the position itself only those with a key above `key`
//           END        the scan is over
//
// A bucket that is met at its start and fits is emitted as it stands. Otherwise, when a merge has made the bucket wider than
// the cursor or the room is short, entries leave in ascending order, each by a search for the least one left: rare and bounded
// by the size of the bucket. Keys of equal hash are told apart by their bytes, so even room for one makes progress.
import { compareBytes, copyBytes } from "../hash/bytes";
import { reverseBits } from "../hash/hash";
import { bucketAddress, bucketIndex, bucketMask } from "./buckets";
import { COUNT, KEY_SIZE, VALUE_SIZE, VERSION, field, setField } from "./header";
import { removeSlot } from "./linear";
import { countEntries, freeOverflow } from "./overflow";
import { pinned, shrinkAfter } from "./resize";

export const CURSOR_BYTES: u32 = 16;
const STATE: usize = 4;
const AFTER: usize = 16;
const AT: u32 = 0;
const AFTER_KEY: u32 = 1;
const END: u32 = 2;

const WHOLE: u64 = 0x100000000;

/** Buckets of one position are pages apart from those of the next, so their lines are asked for some positions ahead. */
const AHEAD: u64 = 6;


/** Copies the next entries, at most `room`, and removes them when asked to. values = 0 leaves the values out. How many. */
export function scan<B>(table: usize, cursor: usize, keys: usize, values: usize, room: u32, removing: bool): u32 {
  const keySize = field(table, KEY_SIZE);
  const valueSize = field(table, VALUE_SIZE);
  let position = <u64>load<u32>(cursor);
  let state = load<u32>(cursor, STATE);
  let done: u32 = 0;
  let touched: u32 = 0;
  while (state != END && done < room) {
    const bucket = bucketIndex(table, reverseBits(<u32>position));
    const block = bucketAddress(table, bucket);
    const width = WHOLE >> (<u64>popcnt(bucketMask(table, bucket)));
    const start = position & ~(width - 1);
    const end = start + width;
    touched += load<u32>(bucketAddress(table, bucketIndex(table, reverseBits(<u32>(start + width * AHEAD)))));
    const entries = countEntries<B>(table, block);
    const whole = state == AT && position == start;
    if (whole && entries <= room - done) {
      emitBucket<B>(table, block, keys, values);
      if (removing && entries) emptyBucket<B>(table, block, entries);
    } else if (whole && done && entries <= room) {
      break; // it fits into the next call as a whole
    } else {
      const emitted = emitInOrder<B>(table, block, cursor, position, state, keys, values, room - done, removing);
      done += emitted;
      keys += <usize>emitted * keySize;
      if (values) values += <usize>emitted * valueSize;
      if (load<u32>(cursor, STATE) == AFTER_KEY) {
        position = load<u32>(cursor);
        state = AFTER_KEY;
        break; // the room is used up inside this bucket
      }
      position = end;
      state = end == WHOLE ? END : AT;
      continue;
    }
    done += entries;
    keys += <usize>entries * keySize;
    if (values) values += <usize>entries * valueSize;
    position = end;
    state = end == WHOLE ? END : AT;
  }
  store<u32>(cursor, <u32>position);
  store<u32>(cursor, state, STATE);
  store<u32>(cursor, touched, 8); // keeps the early loads alive
  return done;
}

function emitBlock<B>(table: usize, block: usize, first: bool, keys: usize, values: usize): u32 {
  const keySize = field(table, KEY_SIZE);
  const valueSize = field(table, VALUE_SIZE);
  let used = changetype<B>(block).occupied(table, first);
  const entries = <u32>popcnt(used);
  while (used) {
    const slot = <u32>ctz(used);
    used &= used - 1;
    changetype<B>(block).copyKey(table, slot, first, keys);
    keys += keySize;
    if (values) {
      changetype<B>(block).copyValue(table, slot, first, values);
      values += valueSize;
    }
  }
  return entries;
}

function emitBucket<B>(table: usize, bucket: usize, keys: usize, values: usize): void {
  const keySize = field(table, KEY_SIZE);
  const valueSize = field(table, VALUE_SIZE);
  let entries = emitBlock<B>(table, bucket, true, keys, values);
  let block = changetype<B>(bucket).link(true);
  while (block) {
    keys += <usize>entries * keySize;
    if (values) values += <usize>entries * valueSize;
    entries = emitBlock<B>(table, block, false, keys, values);
    block = changetype<B>(block).link(false);
  }
}

/** Removes all entries of a bucket, then merges as that many deletes would. */
function emptyBucket<B>(table: usize, bucket: usize, entries: u32): void {
  dropAll<B>(table, bucket, true);
  let block = changetype<B>(bucket).link(true);
  while (block) {
    const next = changetype<B>(block).link(false);
    dropAll<B>(table, block, false);
    if (!pinned<B>()) {
      changetype<B>(bucket).setLink(true, next);
      freeOverflow(table, block);
    }
    block = next;
  }
  setField(table, COUNT, field(table, COUNT) - entries);
  setField(table, VERSION, field(table, VERSION) + 1);
  shrinkAfter<B>(table, entries, 0);
}

/** Drops the entries of one block. Freeing an element may move another one, so slots are read one by one. */
function dropAll<B>(table: usize, block: usize, first: bool): void {
  let used = changetype<B>(block).occupied(table, first);
  while (used) {
    const slot = <u32>ctz(used);
    used &= used - 1;
    const entry = changetype<B>(block).entryAt(slot);
    changetype<B>(block).drop(table, slot, first, pinned<B>());
    changetype<B>(block).freeEntry(table, entry);
  }
}

/**
 * Emits the entries of a bucket from a position on, in order, until the room is used up. Leaves the cursor behind the last
 * one (AFTER_KEY) when the bucket may have more, and in state AT when it has not.
 */
function emitInOrder<B>(
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
  if (removing && done) shrinkAfter<B>(table, done, moved);
  return done;
}

/**
 * The least entry of a bucket at or behind a position; with `after`, of those at the position itself only keys above it.
 * Block address plus slot (blocks are 64-byte aligned), 0 when there is none.
 */
function leastIn<B>(table: usize, bucket: usize, position: u32, after: usize): usize {
  const keySize = field(table, KEY_SIZE);
  let best: usize = 0;
  let bestOrder: u32 = 0;
  let bestKey: usize = 0;
  let block = bucket;
  do {
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
  while (start < WHOLE) {
    const bucket = bucketIndex(table, reverseBits(<u32>start));
    const block = bucketAddress(table, bucket);
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
