// The low-water mark (bpf_grow_map, John Fastabend, LPC 2020): a map with a mark answers LOW_WATER, once, to the insert that would
// leave fewer than LOW_FREE slots free. JavaScript then calls the hook, which typically grows the map, and makes the call again.
//
// A map without a mark pays nothing: what an insert compares the number of entries with is one word, MARK. It is the least of the limit,
// the mark, and the number above which the table grows; and 0 where every insert has to look further. Only there the way leads here.
// (The shared build comes here from the pool lock, where it counts exactly: table/limit/credits.ts.)
//   hash-like maps   the mark is crossed by the insert that finds max entries - LOW_FREE entries, or the first one behind it if nobody
//                    was told then. Deletes that lead back to it arm it again.
//   arrays           the mark is crossed by the first write to one of the last LOW_FREE indices, or beyond the end; armed again when
//                    the array has grown, or was cleared. MARKED is the length at which it was crossed.
//
// The shared build knows from HOOKS of the slot whether a thread has hooks at all. One that has none is not told, and leaves the
// mark for the next one to cross. Who is told has claimed the mark (MARKED, written at once and not journaled: the claim stands although
// the insert is undone), so that of several threads at the mark one calls its hook.
import { SHARED } from "../../build";
import { E2BIG } from "../../errno";
import { LOW_WATER_PASS } from "../../regions";
import { HOOKS, PASS, SLOT, mine } from "../../sync/slot";
import {
  FILTERED, FLAGS, GROWABLE, GROW_ABOVE, LAYOUT, LAYOUT_ARRAY, LEAN_MARK, LOW_FREE, MARK, MARKED, MAX_ENTRIES, NOTED, OWES_MERGES, PREALLOCATED, field, setField,
} from "../layout/header";

/** In the place of an errno. JavaScript knows the number (src/ops/low_water.ts). */
export const LOW_WATER: u32 = 4093;

@inline function passWord(): usize {
  return SHARED ? SLOT + PASS : LOW_WATER_PASS;
}

/**
 * Lets the next insert into a table that would be told of the mark go on, as long as its limit is what it was when it was told; 0
 * takes that back. Behind a higher limit there is another mark, which others may have come to meanwhile.
 */
export function passLowWater(table: usize, limit: u32): void {
  store<u32>(passWord(), <u32>table);
  store<u32>(passWord(), limit, 4);
}

/** Whether the insert has been told before. That holds once. */
export function takePass(table: usize, limit: u32): bool {
  if (load<u32>(passWord()) != <u32>table || load<u32>(passWord(), 4) != limit) return false;
  store<u32>(passWord(), 0);
  return true;
}

/** Entries (of arrays: the index) from which on fewer slots are free than the mark says. */
@inline export function markOf(table: usize, entries: u32): u32 {
  const free = field(table, LOW_FREE);
  return entries > free ? entries - free : 0;
}

/** Notes the limit, and what follows from it. Plain build. */
export function setLimit(table: usize, entries: u32): void {
  setField(table, MAX_ENTRIES, entries);
  setMark(table);
}

/**
 * What MARK has to be. In a table with a filter of absent keys MARK is 0, since inserts have to let their key pass it, and LEAN_MARK is
 * this; elsewhere that is 0.
 */
@inline export function markFor(table: usize): u32 {
  const mark = markOf(table, field(table, MAX_ENTRIES));
  const flags = field(table, FLAGS) & (GROWABLE | PREALLOCATED | OWES_MERGES | NOTED);
  if (flags == GROWABLE || flags == PREALLOCATED) return min(mark, field(table, GROW_ABOVE));
  return field(table, LAYOUT) == LAYOUT_ARRAY ? mark : 0;
}

/** To be called when anything has changed that the mark follows from. Plain build. */
@inline export function setMark(table: usize): void {
  storeMark(table, markFor(table));
}

/** The same for who knows it. */
@inline export function storeMark(table: usize, mark: u32): void {
  setField(table, field(table, FLAGS) & FILTERED ? LEAN_MARK : MARK, mark);
}

/** What an insert into a hash-like map is answered that has found so many entries: 0, LOW_WATER or E2BIG. Plain build. */
export function atMark(table: usize, entries: u32): u32 {
  const most = field(table, MAX_ENTRIES);
  if (entries >= most) return E2BIG;
  return entries == markOf(table, most) && field(table, LOW_FREE) && !takePass(table, most) ? LOW_WATER : 0;
}

/** What a write to an index of an array is answered that is behind the mark, or beyond the end: 0, LOW_WATER or E2BIG. */
export function beyondMark(table: usize, index: u32): u32 {
  const entries = SHARED ? atomic.load<u32>(table, MAX_ENTRIES) : field(table, MAX_ENTRIES);
  if (isAhead(table, index, entries) && claim(table, entries)) return LOW_WATER;
  return index < entries ? 0 : E2BIG;
}

/** Whether a write to an index crosses the mark. */
@inline function isAhead(table: usize, index: u32, entries: u32): bool {
  if (!field(table, LOW_FREE) || index < markOf(table, entries)) return false;
  return SHARED ? mine(HOOKS) != 0 && atomic.load<u32>(table, MARKED) != entries : field(table, MARKED) != entries;
}

/** Whether it is this call that is told. One that was told before goes on. */
function claim(table: usize, entries: u32): bool {
  const passes = takePass(table, entries);
  if (!SHARED) setField(table, MARKED, entries);
  else {
    const seen = atomic.load<u32>(table, MARKED);
    if (seen == entries || atomic.cmpxchg<u32>(table, seen, entries, MARKED) != seen) return false;
  }
  return !passes;
}

/** Arms the mark again: the hook has failed, and nothing was inserted. */
export function rearmLowWater(table: usize): void {
  if (SHARED) atomic.store<u32>(table, 0, MARKED);
  else setField(table, MARKED, 0);
}

/** Counts the tables that this thread has hooks of. Shared build. */
export function hookLowWater(tables: i32): void {
  store<i32>(SLOT + HOOKS, load<i32>(SLOT + HOOKS) + tables);
}
