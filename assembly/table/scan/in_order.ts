// The entries of one bucket in the order of a scan (scan.ts), from a position on. Keys of equal hash are told apart by their bytes, so
// even room for one makes progress.
import { SHARED } from "../../build";
import { follow, insist, mostNodes } from "../../damage";
import { reverseBits } from "../../hash/hash";
import { dropSlot, removeSlot, settle } from "../entries/drop";
import { KEY_SIZE, VALUE_SIZE, field } from "../layout/header";
import { shrinkAfter } from "../resize/resize";
import { AFTER, AFTER_KEY, AT, MOST_PLANNED, PLAN, PLANNED_BYTES, STATE } from "./cursor";

const SORTED_ENTRY: usize = 4;

/** More entries in a bucket than can be sorted in the place of the plan. */
const TOO_MANY: u32 = MOST_PLANNED + 1;

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
      if (after && order == position && changetype<B>(0).order(key, after, keySize) <= 0) continue;
      if (count == MOST_PLANNED) return TOO_MANY;
      let at = sorted + count * PLANNED_BYTES;
      while (at != sorted) {
        const below = load<u32>(at - PLANNED_BYTES);
        const entry = <usize>load<u32>(at - PLANNED_BYTES, SORTED_ENTRY);
        if (below < order || (below == order && changetype<B>(0).order(keyOf<B>(table, bucket, entry), key, keySize) < 0)) break;
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
    position = <u64>reverseBits(changetype<B>(block).hashAt(table, slot, first));
    state = AFTER_KEY;
    changetype<B>(block).copyKey(table, slot, first, cursor + AFTER);
    changetype<B>(block).copyKey(table, slot, first, keys);
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
      if (order == position && after && changetype<B>(0).order(key, after, keySize) <= 0) continue;
      if (best && order == bestOrder && changetype<B>(0).order(key, bestKey, keySize) >= 0) continue;
      best = block + slot;
      bestOrder = order;
      bestKey = key;
    }
    block = changetype<B>(block).link(first);
  } while (block);
  return best;
}
