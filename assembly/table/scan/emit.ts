// Whole buckets: copying their entries out, and emptying them.
import { SHARED } from "../../build";
import { COUNTING, countVisit } from "../../counting";
import { further } from "../../damage";
import { hasLogRoom } from "../../sync/journal";
import { COUNT, KEY_SIZE, VALUE_SIZE, VERSION, field, setField } from "../layout/header";
import { freeOverflow } from "../layout/overflow";
import { giveCredits } from "../limit/credits";
import { pinned } from "../resize/resize";

/** In place of a number of entries: a bucket does not fit, is wider than its position, or did not stand still. */
export const NOT: u32 = 0xffffffff;

/** Copies the entries of a block, unless it has more than `room`: its set of slots is read once. How many, or NOT. */
@inline export function emitBlock<B>(table: usize, block: usize, first: bool, keys: usize, values: usize, room: u32): u32 {
  if (COUNTING) countVisit(first);
  const keySize = field(table, KEY_SIZE);
  const valueSize = field(table, VALUE_SIZE);
  let used = changetype<B>(block).occupied(table, first);
  const entries = <u32>popcnt(used);
  if (entries > room) return NOT;
  // Keys alone have a loop of their own, but not in the shared build, where this is compiled in twice as many places.
  if (!SHARED && !values) {
    while (used) {
      changetype<B>(block).copyKey(table, <u32>ctz(used), first, keys);
      used &= used - 1;
      keys += keySize;
    }
    return entries;
  }
  while (used) {
    const slot = <u32>ctz(used);
    used &= used - 1;
    changetype<B>(block).copyKey(table, slot, first, keys);
    keys += keySize;
    if (SHARED && !values) continue;
    changetype<B>(block).copyValue(table, slot, first, values);
    values += valueSize;
  }
  return entries;
}

/** More room than any block needs: the comparison is compiled away. */
const ALL: u32 = 0xffffffff;

/** Copies the entries of a bucket to `keys` and, unless that is 0, `values`. */
export function emitBucket<B>(table: usize, bucket: usize, keys: usize, values: usize): void {
  const keySize = field(table, KEY_SIZE);
  const valueSize = field(table, VALUE_SIZE);
  let entries = emitBlock<B>(table, bucket, true, keys, values, ALL);
  let block = changetype<B>(bucket).link(true);
  let left: u32 = 0;
  while (block) {
    keys += <usize>entries * keySize;
    if (values) values += <usize>entries * valueSize;
    entries = emitBlock<B>(table, block, false, keys, values, ALL);
    block = changetype<B>(block).link(false);
    if (!block) break;
    left = further(left);
  }
}

/** Removes the `entries` entries of a bucket; the caller shrinks the table. */
export function emptyBucket<B>(table: usize, bucket: usize, entries: u32): void {
  dropAll<B>(table, bucket, true);
  let block = changetype<B>(bucket).link(true);
  const held = SHARED && block ? pinned<B>() : false; // once: a section of another thread may open or close in between
  let left: u32 = 0;
  while (block) {
    const next = changetype<B>(block).link(false);
    dropAll<B>(table, block, false);
    if (SHARED ? !held && hasLogRoom() : !pinned<B>()) {
      changetype<B>(bucket).setLink(true, next);
      freeOverflow(table, block);
    }
    if (!next) break;
    left = further(left);
    block = next;
  }
  if (SHARED) {
    giveCredits(table, entries);
    return;
  }
  setField(table, COUNT, field(table, COUNT) - entries);
  setField(table, VERSION, field(table, VERSION) + 1);
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
