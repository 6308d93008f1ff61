// Taking an entry out of its slot, and what follows from that for its bucket and the table.
import { SHARED } from "../../build";
import { COUNT, SHRINK_BELOW, VERSION, field, isGrowable, setField } from "../layout/header";
import { tidyChain } from "../layout/overflow";
import { giveCredits } from "../limit/credits";
import { evicts } from "../notes/book";
import { pinned, shrinkAfter } from "../resize/resize";

/**
 * Drops the entry of a slot; no other entry changes its slot. The caller lets the bucket settle. With `replaced`, another entry takes
 * its place in the count.
 */
@inline export function dropSlot<B>(table: usize, block: usize, slot: u32, first: bool, replaced: bool = false): void {
  assert(changetype<B>(block).occupied(table, first) & (1 << slot));
  const entry = changetype<B>(block).entryAt(slot);
  changetype<B>(block).drop(table, slot, first, pinned<B>());
  if (!replaced) {
    if (SHARED) giveCredits(table, 1);
    else {
      setField(table, COUNT, field(table, COUNT) - 1);
      setField(table, VERSION, field(table, VERSION) + 1);
    }
  }
  changetype<B>(block).freeEntry(table, entry);
}

/** Pulls entries of the chain into free slots of the bucket and frees blocks that are empty. How many entries moved. */
export function settle<B>(table: usize, bucket: usize): u32 {
  if (!changetype<B>(bucket).link(true) || pinned<B>()) return 0;
  let moved: u32 = 0;
  tidyChain<B>(table, bucket);
  // Nor do entries of a table that evicts, whose marks stay where they are.
  if (!isGrowable(table) && (changetype<B>(bucket).holdsValues() || evicts(table))) return 0;
  let free = changetype<B>(bucket).vacant(table, true, false);
  while (free && changetype<B>(bucket).link(true)) {
    // Where the journal had no room to free it, the newest block may be empty.
    if (SHARED && !changetype<B>(changetype<B>(bucket).link(true)).occupied(table, false)) break;
    refill<B>(table, bucket, <u32>ctz(free));
    free &= free - 1;
    moved++;
    tidyChain<B>(table, bucket);
  }
  return moved;
}

/** Removes the entry of a slot, without shrinking the table. How many entries moved. */
export function removeSlot<B>(table: usize, bucket: usize, block: usize, slot: u32): u32 {
  dropSlot<B>(table, block, slot, block == bucket);
  return settle<B>(table, bucket);
}

/** Fills a free slot of a bucket from the newest block of its chain, which is not empty. */
function refill<B>(table: usize, bucket: usize, slot: u32): void {
  const block = changetype<B>(changetype<B>(bucket).link(true));
  const from = <u32>ctz(block.occupied(table, false));
  block.move(table, from, false, bucket, slot, true);
  block.drop(table, from, false, false);
}

/** What follows from a delete that leaves so many entries: the bucket settles, and the table may have too many buckets. */
@inline export function afterRemoval<B>(table: usize, bucket: usize, entries: u32): void {
  if (changetype<B>(bucket).link(true)) settleAndShrink<B>(table, bucket);
  else if (entries < field(table, SHRINK_BELOW)) shrinkAfter<B>(table, 1, 0);
}

function settleAndShrink<B>(table: usize, bucket: usize): void {
  const moved = settle<B>(table, bucket);
  if (moved || field(table, COUNT) < field(table, SHRINK_BELOW)) shrinkAfter<B>(table, 1, moved);
}

