// Elements of the out-of-line layout: key and value together, in a segmented array.
//
//   element: 0 u32 state | 4 key | at VALUES = 8 * ceil((4 + key size) / 8) value | padded to 8 bytes
//   state:   bit 0 live (the rest is kept free for the lock and the sequence of the shared build)
//            0     dead: deleted inside a section, its bytes stay until no section is open
//            2     free, plus the address of the next free element (they are multiples of 8); fixed tables only
//
// Of per-CPU values on shared hosts, eight elements form a group (lanes.ts); a free one has its place there in front of the key.
//
// rhash keeps the array dense (not in the shared build, where others may be reading the last one): deleting an element moves the last one into the hole, so the memory follows the number of
// entries exactly. hash promises that entries never move, so it keeps a list of free elements instead.
// Elements that died inside a section are found again by a sweep from the end, a few elements per later write.
// Invariant of the sweep in a dense array: everything from SWEEP on is alive.
//
// B is the layout whose slots refer to the elements (block_refs.ts): a slot follows when its element moves.
//
// A `pool` is where the words of such an array are, from ELEMENT_SEGMENTS on: the table itself, or one of the pools of a table whose
// elements have many sizes (texts.ts).
import { SHARED } from "../../build";
import { insist } from "../../damage";
import { copyBytes } from "../../memory/bytes";
import { beginWrite, commit, hasLogToSpare, logWord, write32 } from "../../sync/journal";
import { acquireOnce } from "../../sync/lock";
import { inSection } from "../../sync/section";
import { bucketOf } from "./buckets";
import {
  DEAD_ELEMENTS, ELEMENTS, ELEMENT_SEGMENTS, ELEMENT_STRIDE, FLAGS, FREE_ELEMENT, MAX_ENTRIES, PREALLOCATED,
  ELEMENT_SEGMENTS_HELD, LIVE_ELEMENTS, POOL_LOCK, SWEEP, field, isDense, setField,
} from "./header";
import { elementOf, entryIn, laneOf, placeOf, recordOf } from "./lanes";
import { addSegment, dropSegment, growTo, recordAddress, recordsOf, segmentOf, shrinkTo, warnReaders } from "./segments";

export const ELEMENT_KEY: usize = 4;

export const LIVE: u32 = 1;
export const DEAD: u32 = 0;
export const FREE: u32 = 2;
const SWEEP_STEPS: u32 = 16;

/** What refers to an element: its address, plus in a group its place there (lanes.ts). */
@inline export function elementEntry(table: usize, pool: usize, index: u32): usize {
  const record = recordAddress(pool + ELEMENT_SEGMENTS, recordOf(table, index), field(pool, ELEMENT_STRIDE));
  return entryIn(table, record, index);
}

@inline export function elementAddress(table: usize, pool: usize, index: u32): usize {
  return elementOf(elementEntry(table, pool, index));
}

/** The segment that an element is in. */
@inline export function elementSegment(table: usize, pool: usize, index: u32): u32 {
  return segmentOf(recordOf(table, index), load<u32>(pool + ELEMENT_SEGMENTS, 4));
}

/** Segments that a preallocated table has for its elements from the start. Dead elements may make it need more for a while. */
export function preallocatedSegments(table: usize): u32 {
  return elementSegment(table, table, field(table, MAX_ENTRIES) - 1) + 1;
}

@inline function isPreallocated<B>(table: usize, index: u32): bool {
  if (!changetype<B>(0).isOneArray() || !(field(table, FLAGS) & PREALLOCATED)) return false;
  return elementSegment(table, table, index) < preallocatedSegments(table);
}

/** What refers to an element whose key and value are still to be written; 0 when there is no memory. */
export function newElement<B>(table: usize, pool: usize): usize {
  if (SHARED && !acquireOnce(table + POOL_LOCK)) return 0;
  if (field(pool, DEAD_ELEMENTS)) sweep<B>(table, pool);
  let entry = <usize>field(pool, FREE_ELEMENT);
  if (entry) {
    setField(pool, FREE_ELEMENT, load<u32>(entry) & ~7);
    if (SHARED && laneOf(table)) {
      logWord(entry + ELEMENT_KEY); // the key that comes there is not journaled
      entry += load<u32>(entry, ELEMENT_KEY);
    }
  } else {
    const index = field(pool, ELEMENTS);
    if (SHARED) {
      if (!holdSegment(table, pool, elementSegment(table, pool, index))) return 0;
    } else if (!isPreallocated<B>(table, index) && !growTo(table, pool + ELEMENT_SEGMENTS, index, field(pool, ELEMENT_STRIDE))) {
      return 0;
    }
    setField(pool, ELEMENTS, index + 1);
    entry = elementEntry(table, pool, index);
  }
  write32(elementOf(entry), LIVE);
  if (SHARED) setField(table, LIVE_ELEMENTS, field(table, LIVE_ELEMENTS) + 1);
  return entry;
}

/** Frees an element that no bucket refers to any more: at once, or after the open sections. */
export function freeElement<B>(table: usize, pool: usize, entry: usize): void {
  const element = elementOf(entry);
  if (SHARED && !acquireOnce(table + POOL_LOCK)) return; // the operation fails at its end
  assert(load<u32>(element) == LIVE);
  if (SHARED) setField(table, LIVE_ELEMENTS, field(table, LIVE_ELEMENTS) - 1);
  if (inSection() || (isDense(table) && !trimDead(table, pool))) {
    write32(element, DEAD);
    setField(pool, DEAD_ELEMENTS, field(pool, DEAD_ELEMENTS) + 1);
    setField(pool, SWEEP, field(pool, ELEMENTS));
    return;
  }
  reclaim<B>(table, pool, entry);
  if (field(pool, DEAD_ELEMENTS)) sweep<B>(table, pool);
}

function reclaim<B>(table: usize, pool: usize, entry: usize): void {
  const element = elementOf(entry);
  if (!isDense(table)) {
    if (laneOf(table)) write32(element + ELEMENT_KEY, placeOf(entry));
    write32(element, field(pool, FREE_ELEMENT) | FREE);
    setField(pool, FREE_ELEMENT, <u32>element);
    return;
  }
  const last = field(pool, ELEMENTS) - 1;
  const from = elementAddress(table, pool, last);
  if (from != element) {
    copyBytes(element, from, field(pool, ELEMENT_STRIDE));
    repoint<B>(table, element, from);
  }
  cutLast(table, pool, last);
}

@inline function cutLast(table: usize, pool: usize, last: u32): void {
  setField(pool, ELEMENTS, last);
  setField(pool, SWEEP, min(field(pool, SWEEP), last));
  shrinkTo(table, pool + ELEMENT_SEGMENTS, last, field(pool, ELEMENT_STRIDE));
}

function repoint<B>(table: usize, element: usize, from: usize): void {
  const found = changetype<B>(bucketOf<B>(table, changetype<B>(0).elementHash(table, element))).blockOf(from);
  changetype<B>(found & ~63).repoint(<u32>found & 63, element);
}

/** The element `back` places before the last one. */
export function lastElement(table: usize, pool: usize, back: u32): usize {
  return elementAddress(table, pool, field(pool, ELEMENTS) - 1 - back);
}

/** Cuts dead elements off the end of a dense array. False when the last one is dead still. */
export function trimDead(table: usize, pool: usize): bool {
  if (!field(pool, DEAD_ELEMENTS)) return true;
  for (let steps = SWEEP_STEPS; steps; steps--) {
    insist(field(pool, ELEMENTS) != 0);
    const last = field(pool, ELEMENTS) - 1;
    if (load<u32>(elementAddress(table, pool, last)) != DEAD) return true;
    setField(pool, DEAD_ELEMENTS, field(pool, DEAD_ELEMENTS) - 1);
    cutLast(table, pool, last);
  }
  return load<u32>(elementAddress(table, pool, field(pool, ELEMENTS) - 1)) != DEAD;
}

/** The shared build counts its segments of elements: they go when the table is empty, one operation for each (`trimElements`). */
export function holdSegment(table: usize, pool: usize, segment: u32): bool {
  if (segment < field(pool, ELEMENT_SEGMENTS_HELD)) return true;
  const array = pool + ELEMENT_SEGMENTS;
  const records = recordsOf(segment, load<u32>(array, 4));
  if (!addSegment(table, array, segment, field(pool, ELEMENT_STRIDE), records)) return false;
  setField(pool, ELEMENT_SEGMENTS_HELD, segment + 1);
  return true;
}

/** Frees the last segment of elements above `keep`, in an operation under the pool lock. False when there is none. */
export function dropLastElements(table: usize, pool: usize, keep: u32): bool {
  const held = field(pool, ELEMENT_SEGMENTS_HELD);
  if (held <= keep) return false;
  const array = pool + ELEMENT_SEGMENTS;
  setField(pool, ELEMENT_SEGMENTS_HELD, held - 1);
  warnReaders(table);
  dropSegment(table, array, held - 1, field(pool, ELEMENT_STRIDE), recordsOf(held - 1, load<u32>(array, 4)));
  return true;
}

/** Gives the memory of the elements of a pool back when no entry is left in the table: shared build, with no lock held. */
export function trimElements(table: usize, pool: usize): void {
  while (!field(table, LIVE_ELEMENTS) && field(pool, ELEMENT_SEGMENTS_HELD)) {
    beginWrite();
    let more = acquireOnce(table + POOL_LOCK) && !field(table, LIVE_ELEMENTS) && !inSection();
    if (more) {
      forgetElements(pool);
      more = dropLastElements(table, pool, pool == table && field(table, FLAGS) & PREALLOCATED ? preallocatedSegments(table) : 0);
    }
    if (!commit() || !more) return;
  }
}

/** No element is in use any more. */
export function forgetElements(pool: usize): void {
  setField(pool, ELEMENTS, 0);
  setField(pool, DEAD_ELEMENTS, 0);
  setField(pool, SWEEP, 0);
  setField(pool, FREE_ELEMENT, 0);
}

/** Looks at a few elements for ones that died inside a section and frees them. */
export function sweep<B>(table: usize, pool: usize): void {
  // In the shared build it is part of the caller's operation, which may be about to remove a whole chain.
  if (inSection() || (SHARED && !hasLogToSpare())) return;
  for (let steps = SWEEP_STEPS; steps && field(pool, DEAD_ELEMENTS); steps--) {
    insist(field(pool, SWEEP) != 0);
    assert(field(pool, SWEEP) <= field(pool, ELEMENTS));
    const index = field(pool, SWEEP) - 1;
    const entry = elementEntry(table, pool, index);
    setField(pool, SWEEP, index);
    if (load<u32>(elementOf(entry)) != DEAD) continue;
    setField(pool, DEAD_ELEMENTS, field(pool, DEAD_ELEMENTS) - 1);
    reclaim<B>(table, pool, entry);
  }
}

/** Frees all elements that died inside a section. One thread, no section open. */
export function sweepAll<B>(table: usize, pool: usize): void {
  while (field(pool, DEAD_ELEMENTS)) sweep<B>(table, pool);
}
