// Where a compiled program has stopped inside a bucket, so that a later run may go on behind that entry: the keys that it has seen
// there are written down, since a bucket's entries have no order that a later change of it would leave.
import { follow, mostNodes } from "../damage";
import { byRunLayout, layoutOf } from "../table/layout/by_layout";
import { ROWS, ROW_ROOM, STOPPED_AT, STOPPED_ROWS, setWord, word, writeRow } from "./run";

function noteUpTo<B>(table: usize, run: usize, bucket: usize, last: usize, lastSlot: u32): void {
  let rows = <usize>word(run, ROWS);
  let count: u32 = 0;
  let block = bucket;
  let left = mostNodes();
  while (true) {
    left = follow(left);
    const first = block == bucket;
    let used = changetype<B>(block).occupied(table, first);
    if (block == last) used &= ((<u32>2) << lastSlot) - 1;
    while (used && count < word(run, ROW_ROOM)) {
      const slot = <u32>ctz(used);
      used &= used - 1;
      rows = writeRow(rows, changetype<B>(block).keyAt(table, slot, first), changetype<B>(block).valueAt(table, slot, first));
      count++;
    }
    if (block == last) break;
    block = changetype<B>(block).link(first);
  }
  setWord(run, STOPPED_ROWS, count);
}

@unmanaged class NoteUpTo {
  @inline call4<B>(table: usize, run: usize, bucket: usize, block: usize, slot: usize): usize {
    noteUpTo<B>(table, run, bucket, block, <u32>slot);
    return 0;
  }
}

/** A program stops at the entry in a slot of a block, which is not unlinked yet. */
export function programStop(table: usize, run: usize, bucket: usize, block: usize, slot: u32): void {
  setWord(run, STOPPED_AT, <u32>block + slot);
  byRunLayout<NoteUpTo>(layoutOf(table), table, run, bucket, block, slot);
}
