// Checks elements (table.ts): what state they are in, the list of the free ones, and that every live one has its slot. A `pool` is the
// table, or one of the pools of a table of texts.
import { SHARED } from "../build";
import { BlockRefs } from "../table/layout/block_refs";
import { bucketOf } from "../table/layout/buckets";
import { DEAD, ELEMENT_KEY, FREE, LIVE, elementAddress, elementEntry } from "../table/layout/elements";
import { DEAD_ELEMENTS, ELEMENTS, ELEMENT_STRIDE, FREE_ELEMENT, LIVE_ELEMENTS, SWEEP, field, isDense } from "../table/layout/header";
import { elementOf, laneOf, placeOf } from "../table/layout/lanes";
import { inHeap } from "./arena";
import {
  DEAD_COUNT, ELEMENT_OWNER, ELEMENT_STATE, FREE_ELEMENTS, LIVE_COUNT, SWEEP_POSITION, broken,
} from "./invariants";

/** The bits of a state that tell live, dead and free apart. */
const STATE: u32 = 3;

/** Whether there is an element in memory where a slot refers to, as far as that shows there, and it is live. */
export function isLiveElement(table: usize, entry: usize): bool {
  const element = elementOf(entry);
  if (!laneOf(table) && element != entry) return false;
  return inHeap(element, laneOf(table) ? 8 : field(table, ELEMENT_STRIDE)) && load<u32>(element) == LIVE;
}

/** Checks the states of the elements of a pool and the counts and lists that go by them; the segments are checked. */
export function verifyElements(table: usize, pool: usize, out: usize): u32 {
  const elements = field(pool, ELEMENTS);
  if (field(pool, SWEEP) > elements) return broken(out, SWEEP_POSITION, elements, field(pool, SWEEP), elements, 0);
  let dead: u32 = 0;
  let free: u32 = 0;
  for (let index: u32 = 0; index < elements; index++) {
    const entry = elementEntry(table, pool, index);
    const element = elementOf(entry);
    const state = load<u32>(element);
    if (state == DEAD) {
      dead++;
      if (index >= field(pool, SWEEP)) return broken(out, SWEEP_POSITION, index, field(pool, SWEEP), elements, 0);
    } else if ((state & STATE) == FREE && !isDense(table)) {
      free++;
      const place = laneOf(table) ? load<u32>(element, ELEMENT_KEY) : 0;
      if (laneOf(table) && place != placeOf(entry)) return broken(out, ELEMENT_STATE, index, <u32>element, state, place);
    } else if (state != LIVE) return broken(out, ELEMENT_STATE, index, <u32>element, state, 0);
  }
  if (dead != field(pool, DEAD_ELEMENTS)) return broken(out, DEAD_COUNT, dead, field(pool, DEAD_ELEMENTS), 0, 0);
  return verifyFree(pool, free, out);
}

/** Checks that the list has as many free elements as there are. One of them twice would make it a circle. */
function verifyFree(pool: usize, free: u32, out: usize): u32 {
  let listed: u32 = 0;
  let element = <usize>field(pool, FREE_ELEMENT);
  while (element && listed <= free) {
    if (element & 7 || !inHeap(element, 8) || (load<u32>(element) & STATE) != FREE) break;
    listed++;
    element = <usize>(load<u32>(element) & ~7);
  }
  return element || listed != free ? broken(out, FREE_ELEMENTS, listed, free, <u32>element, 0) : 0;
}

/** Compares the number of live elements with that of the entries. */
export function verifyLive(table: usize, live: u32, entries: u32, out: usize): u32 {
  if (SHARED && field(table, LIVE_ELEMENTS) != live) return broken(out, LIVE_COUNT, live, entries, field(table, LIVE_ELEMENTS), 1);
  return live == entries ? 0 : broken(out, LIVE_COUNT, live, entries, 0, 0);
}

/** Live elements of a pool. */
export function countLive(table: usize, pool: usize): u32 {
  const elements = field(pool, ELEMENTS);
  let live: u32 = 0;
  for (let index: u32 = 0; index < elements; index++) live += <u32>(load<u32>(elementAddress(table, pool, index)) == LIVE);
  return live;
}

/** Checks that every live element of a pool has one slot. There are no slots but these, so no slot refers to anything else. */
export function verifyOwners<B>(table: usize, pool: usize, out: usize): u32 {
  const elements = field(pool, ELEMENTS);
  for (let index: u32 = 0; index < elements; index++) {
    const entry = elementEntry(table, pool, index);
    const element = elementOf(entry);
    if (load<u32>(element) != LIVE) continue;
    const slots = slotsOf<B>(table, entry);
    if (slots != 1) return broken(out, ELEMENT_OWNER, index, <u32>element, slots, 0);
  }
  return 0;
}

/** How many slots of its bucket refer to an element. */
function slotsOf<B>(table: usize, entry: usize): u32 {
  let slots: u32 = 0;
  let block = bucketOf<B>(table, changetype<B>(0).elementHash(table, entry));
  while (block) {
    let used = changetype<BlockRefs>(block).occupied(table, true);
    while (used) {
      slots += <u32>(changetype<BlockRefs>(block).entryAt(<u32>ctz(used)) == entry);
      used &= used - 1;
    }
    block = changetype<BlockRefs>(block).link(true);
  }
  return slots;
}
