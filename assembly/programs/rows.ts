// Writing down the addresses of the entries that a run visits, and whether there is room for them: for both ways of visiting buckets,
// as memory lies (plan.ts) and each under its lock (shared_run.ts).
import { follow, mostNodes } from "../damage";
import { reverseBits } from "../hash/hash";
import { ELEMENT_KEY, LIVE } from "../table/layout/elements";
import { ELEMENT_STRIDE, VALUES, field } from "../table/layout/header";
import { BY_ENTRY, FLAGS, NEEDED, NO_ROOM, OUTCOME, RESUMABLE, ROW_ROOM, VICTIM_COUNT, setWord, word, writeRow } from "./run";

/** Instead of a number of rows: there is no room for all of them. */
export const NOT: u32 = 0xffffffff;

/** Whether a bucket has more entries than could be written down where a program stops in it. */
@inline export function isTooLong(run: usize, entries: u32): bool {
  return (word(run, FLAGS) & RESUMABLE) != 0 && entries > word(run, ROW_ROOM);
}

/** Says why a bucket is not for a compiled program now. */
export function refuse(run: usize, entries: u32, room: u32): void {
  setWord(run, OUTCOME, entries > room ? NO_ROOM : BY_ENTRY);
  setWord(run, NEEDED, word(run, VICTIM_COUNT) + entries);
}

/** Writes the addresses of a bucket's entries at or behind a position. How many, or NOT when there are more than `room`. */
export function stageBucket<B>(table: usize, bucket: usize, position: u32, rows: usize, room: u32): u32 {
  let count: u32 = 0;
  let block = bucket;
  let left = mostNodes();
  do {
    left = follow(left);
    const first = block == bucket;
    let used = changetype<B>(block).occupied(table, first);
    while (used) {
      const slot = <u32>ctz(used);
      used &= used - 1;
      if (position && reverseBits(changetype<B>(block).hashAt(table, slot, first)) < position) continue;
      if (count == room) return NOT;
      rows = writeRow(rows, changetype<B>(block).keyAt(table, slot, first), changetype<B>(block).valueAt(table, slot, first));
      count++;
    }
    block = changetype<B>(block).link(first);
  } while (block);
  return count;
}

/** The same for a run of elements. */
export function stageElements(table: usize, element: usize, count: u32, rows: usize, room: u32): u32 {
  const stride = field(table, ELEMENT_STRIDE);
  const value = field(table, VALUES);
  let staged: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    if (load<u32>(element) == LIVE) {
      if (staged == room) return NOT;
      rows = writeRow(rows, element + ELEMENT_KEY, element + value);
      staged++;
    }
    element += stride;
  }
  return staged;
}
