// After a run, when its section is over: what its unlinked entries held becomes free, and the table follows its count.
import { SHARED } from "../build";
import { inSection } from "../sync/section";
import { settle } from "../table/entries/drop";
import { BlockRefs } from "../table/layout/block_refs";
import { bucketAddress, insistOnBuckets } from "../table/layout/buckets";
import { byRunLayout, layoutOf } from "../table/layout/by_layout";
import { sweepAll } from "../table/layout/elements";
import { BUCKETS, COUNT, FLAGS, OVERFLOW_COUNT, OWES, OWES_MERGES, SHRINK_BELOW, VERSION, field, isGrowable, setField } from "../table/layout/header";
import { clearTable } from "../table/life/lifecycle";
import { entriesOf } from "../table/limit/credits";
import { oweMerges, repayMerges } from "../table/resize/resize";
import { shrinkEmpty, shrinkLocked } from "../table/resize/shared_resize";
import { settleLocked } from "./shared_run";

/** Pulls what is left of chains into their buckets, and frees the blocks that are empty. */
function settleChains<B>(table: usize): void {
  const buckets = field(table, BUCKETS);
  insistOnBuckets(table);
  for (let i: u32 = 0; i < buckets && field(table, OVERFLOW_COUNT); i++) settle<B>(table, bucketAddress<B>(table, i));
}

/** What the deletes of a run have left to merge, later writes will, too. */
function noteDebt(table: usize): void {
  if (isGrowable(table) && field(table, COUNT) < field(table, SHRINK_BELOW)) oweMerges(table);
}

/** Merges as a delete would, `calls` times. Whether there is more to do. */
function repay<B>(table: usize, calls: u32): bool {
  if (SHARED) {
    shrinkLocked<B>(table, calls);
    return field(table, OWES) != 0;
  }
  noteDebt(table);
  while (calls && field(table, FLAGS) & OWES_MERGES) {
    const before = field(table, BUCKETS);
    repayMerges<B>(table);
    if (field(table, BUCKETS) == before) return false; // refused: later writes will find it easier
    calls--;
  }
  return (field(table, FLAGS) & OWES_MERGES) != 0;
}

function settleIn<B>(table: usize, unlinked: u32): void {
  if (SHARED) {
    settleLocked<B>(table);
    shrinkLocked<B>(table, unlinked);
    if (!entriesOf(table)) shrinkEmpty<B>(table);
    return;
  }
  if (isGrowable(table) && !field(table, COUNT)) {
    clearTable<B>(table);
    return;
  }
  if (changetype<B>(0).isOneArray()) sweepAll<BlockRefs>(table, table);
  if (field(table, OVERFLOW_COUNT)) settleChains<B>(table);
  if (isGrowable(table)) repay<B>(table, unlinked);
}

@unmanaged class Settle {
  @inline call1<B>(table: usize, unlinked: usize): usize {
    settleIn<B>(table, <u32>unlinked);
    return 0;
  }
}

@unmanaged class Repay {
  @inline call1<B>(table: usize, calls: usize): usize {
    return <usize>repay<B>(table, <u32>calls);
  }
}

/** Tells iterators that entries may move: they may have begun in the run. */
function countMoves(table: usize): void {
  if (!SHARED) setField(table, VERSION, field(table, VERSION) + 1);
}

/** Frees everything that a run has left behind, which takes as long as the run did. In a section that is left to later writes. */
export function programSettle(table: usize, unlinked: u32): void {
  if (!SHARED && inSection()) {
    noteDebt(table);
    return;
  }
  countMoves(table);
  byRunLayout<Settle>(layoutOf(table), table, unlinked);
}

/** A bounded part of that: the merges of `calls` deletes. Whether there is more to do. */
export function programRepay(table: usize, calls: u32): u32 {
  if (!isGrowable(table)) return 0;
  if (!SHARED && inSection()) {
    noteDebt(table);
    return 0;
  }
  countMoves(table);
  return <u32>byRunLayout<Repay>(layoutOf(table), table, calls);
}
