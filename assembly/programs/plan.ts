// Which buckets a run visits next, and for programs of JavaScript the entries in them.
import { SHARED } from "../build";
import { reverseBits } from "../hash/hash";
import { dropExpired } from "../table/entries/noted";
import { bucketAddress, bucketIndex, bucketMask } from "../table/layout/buckets";
import { byRunLayout, layoutOf } from "../table/layout/by_layout";
import { elementAddress } from "../table/layout/elements";
import { BUCKETS, ELEMENTS, ELEMENT_SEGMENTS, field } from "../table/layout/header";
import { countEntries } from "../table/layout/overflow";
import { firstOf, segmentOf } from "../table/layout/segments";
import { END, MOST_PLANNED, WHOLE, plan } from "../table/scan/cursor";
import { NOT, isTooLong, refuse, stageBucket, stageElements } from "./rows";
import {
  BEHIND, BY_ENTRY, DONE, FLAGS, KEEPS_VICTIMS, LIMIT, LINEAR, NEEDED, NEXT, NO_ROOM, OUTCOME, PLAN, PLANNED, POSITION, RESUMABLE, ROWS,
  ROW_BYTES, ROW_ROOM, SINK, STATE, setWord, victimRoom, word,
} from "./run";
import { entriesLocked } from "./shared_run";

@inline function planned(run: usize, index: u32): usize {
  return run + PLAN + index * PLANNED;
}

/** The next buckets, or runs of elements, in memory order. Whatever is inserted meanwhile is not visited, or in its place. */
function planLinear<B>(table: usize, run: usize, most: u32): u32 {
  let next = word(run, NEXT);
  const elements = changetype<B>(0).isOneArray();
  if (!next) setWord(run, LIMIT, field(table, elements ? ELEMENTS : BUCKETS));
  const limit = word(run, LIMIT);
  if (next == limit) setWord(run, STATE, END);
  let count: u32 = 0;
  for (; count < min(most, MOST_PLANNED) && next < limit; count++) {
    const at = planned(run, count);
    store<u32>(at, <u32>(elements ? elementAddress(table, table, next) : bucketAddress<B>(table, next)));
    next = elements ? runEnd(table, next, limit) : next + 1;
    store<u32>(at, next, BEHIND);
  }
  if (!elements) touchChains<B>(run, count);
  return count;
}

/**
 * Touches the overflow blocks of the planned buckets together: the buckets themselves lie side by side, which a processor sees, but
 * each of those is on a page of its own.
 */
function touchChains<B>(run: usize, count: u32): void {
  let sum: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const block = changetype<B>(load<u32>(planned(run, i))).link(true);
    sum += load<u32>(block); // of none, the word at 0
  }
  setWord(run, SINK, sum);
}

/** Elements of one run: they are in one segment. */
const RUN_ELEMENTS: u32 = 64;

function runEnd(table: usize, next: u32, limit: u32): u32 {
  const shift = load<u32>(table + ELEMENT_SEGMENTS, 4);
  return min(min(limit, firstOf(segmentOf(next, shift) + 1, shift)), next + RUN_ELEMENTS);
}

@inline function planIn<B>(table: usize, run: usize, most: u32): u32 {
  if (word(run, FLAGS) & LINEAR) return planLinear<B>(table, run, most);
  return plan<B>(table, run, <u64>word(run, POSITION), min(most, MOST_PLANNED));
}

/** Entries that a bucket of the plan may have, at most. */
function mostEntries<B>(table: usize, run: usize, index: u32): u32 {
  if (isRunOfElements<B>(run)) return RUN_ELEMENTS;
  return countEntries<B>(table, load<u32>(planned(run, index)));
}

@inline function isRunOfElements<B>(run: usize): bool {
  return changetype<B>(0).isOneArray() && (word(run, FLAGS) & LINEAR) != 0;
}

/** Plans, and looks whether there is room for what a compiled program may write down of the buckets. */
function planFor<B>(table: usize, run: usize, most: u32): u32 {
  const count = planIn<B>(table, run, most);
  setWord(run, OUTCOME, count || word(run, STATE) == END ? DONE : BY_ENTRY);
  if (!(word(run, FLAGS) & (KEEPS_VICTIMS | RESUMABLE))) return count;
  const room = victimRoom(run);
  let sum: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const entries = mostEntries<B>(table, run, i);
    sum += entries;
    if (sum > room || isTooLong(run, entries)) {
      if (i) return i;
      refuse(run, entries, room);
      return 0;
    }
  }
  return count;
}

/**
 * Drops what has expired from the next buckets of a run, or from the one that the position stands inside of. They settle after the run, as
 * what it deletes does: merges would put entries of other buckets into them.
 */
function sweepNextIn<B>(table: usize, run: usize, most: u32): u32 {
  let count = planIn<B>(table, run, most);
  if (!count && word(run, STATE) != END) {
    planInside<B>(table, run);
    count = 1;
  }
  let swept: u32 = 0;
  for (let i: u32 = 0; i < count; i++) swept += dropExpired<B>(table, load<u32>(planned(run, i)), true);
  return swept;
}

@unmanaged class SweepNext {
  @inline call2<B>(table: usize, run: usize, most: usize): usize {
    return sweepNextIn<B>(table, run, <u32>most);
  }
}

/**
 * Before `programPlan` and `programEntries` of a table whose entries expire: removes what has expired from the buckets that they will plan. How
 * many entries. Such runs go over buckets, not over elements.
 */
export function programSweep(table: usize, run: usize, most: u32): u32 {
  if (SHARED) return 0;
  return <u32>byRunLayout<SweepNext>(layoutOf(table), table, run, most);
}

@unmanaged class Plan {
  @inline call2<B>(table: usize, run: usize, most: usize): usize {
    return planFor<B>(table, run, <u32>most);
  }
}

/**
 * Plans the next buckets of a run, at most `most` of them, for a compiled program on a table that nobody else writes. How many; 0
 * when OUTCOME says why. Not at the end of a run.
 */
export function programPlan(table: usize, run: usize, most: u32): u32 {
  return <u32>byRunLayout<Plan>(layoutOf(table), table, run, most);
}

/** A bucket that the position stands inside of, as the whole plan. */
function planInside<B>(table: usize, run: usize): void {
  const position = <u64>word(run, POSITION);
  const index = bucketIndex(table, reverseBits(<u32>position));
  const width = WHOLE >> (<u64>popcnt(bucketMask(table, index)));
  store<u32>(planned(run, 0), <u32>bucketAddress<B>(table, index));
  store<u32>(planned(run, 0), <u32>((position & ~(width - 1)) + width), BEHIND);
}

function entriesIn<B>(table: usize, run: usize, most: u32): u32 {
  let rows = <usize>word(run, ROWS);
  let room = word(run, ROW_ROOM);
  if (SHARED) return entriesLocked<B>(table, run, rows, room, most);
  let from: u32 = 0;
  let count = planIn<B>(table, run, most);
  setWord(run, OUTCOME, DONE);
  if (!count) {
    if (word(run, STATE) == END) return 0;
    from = word(run, POSITION);
    planInside<B>(table, run);
    count = 1;
  }
  let next = word(run, NEXT);
  for (let i: u32 = 0; i < count; i++) {
    const at = planned(run, i);
    const bucket = <usize>load<u32>(at);
    const behind = load<u32>(at, BEHIND);
    const entries = isRunOfElements<B>(run)
      ? stageElements(table, bucket, behind - next, rows, room)
      : stageBucket<B>(table, bucket, from, rows, room);
    if (entries == NOT) {
      if (i) return i;
      setWord(run, OUTCOME, NO_ROOM);
      setWord(run, NEEDED, mostEntries<B>(table, run, 0));
      return 0;
    }
    store<u32>(at, entries);
    rows += <usize>entries * ROW_BYTES;
    room -= entries;
    next = behind;
  }
  return count;
}

@unmanaged class Entries {
  @inline call2<B>(table: usize, run: usize, most: usize): usize {
    return entriesIn<B>(table, run, <u32>most);
  }
}

/**
 * Plans the next buckets of a run, at most `most`, and writes the addresses of their entries to its rows. How many buckets; their
 * places in the plan then hold the number of entries instead of the bucket. 0 at the end of the run, or when OUTCOME says why.
 */
export function programEntries(table: usize, run: usize, most: u32): u32 {
  return <u32>byRunLayout<Entries>(layoutOf(table), table, run, most);
}

/** Goes behind the first `count` buckets of the plan. */
export function programAdvance(table: usize, run: usize, count: u32): void {
  if (!count) return;
  const behind = load<u32>(planned(run, count - 1), BEHIND);
  if (word(run, FLAGS) & LINEAR) {
    setWord(run, NEXT, behind);
    if (behind == word(run, LIMIT)) setWord(run, STATE, END);
    return;
  }
  setWord(run, POSITION, behind);
  if (!behind) setWord(run, STATE, END);
}
