// Birth and death of a table's structures: buckets, elements, overflow reserve.
import { follow, mostNodes } from "../../damage";
import { inSection } from "../../sync/section";
import { tableAllocate, tableRelease } from "../layout/account";
import { closeBuckets, forgetBuckets, isLazy, openBuckets } from "../layout/bucket_array";
import { bucketAddress, insistOnBuckets } from "../layout/buckets";
import { hasElements, hasTexts } from "../layout/by_layout";
import { forgetElements, preallocatedSegments } from "../layout/elements";
import { clearFilter, closeFilter, isFiltered, mayBeFiltered, openFilter } from "../layout/filter";
import {
  BUCKETS, COUNT, ELEMENTS, ELEMENT_SEGMENTS, ELEMENT_STRIDE, FILTERED, FLAGS, GROW_ABOVE, MASK, OVERFLOW_BYTES, OVERFLOW_COUNT,
  OVERFLOW_RESERVE, POOLS_TO_SWEEP, PREALLOCATED, SHRINK_BELOW, VERSION, field, isGrowable, setField,
} from "../layout/header";
import { blocksToReserve, freeOverflow, reserveOverflow } from "../layout/overflow";
import { addSegment, dropDirectory, dropSegment, recordsOf, segmentOf } from "../layout/segments";
import { closePools, openPools, poolAt, poolsOf } from "../layout/texts";
import { setMark } from "../limit/low_water";
import { clearBook, closeBook, isNoted, openBook } from "../notes/book";
import { dropBuckets, oweMerges, setLimits } from "../resize/resize";

const NEVER: u32 = 0xffffffff;

/** Sets the number of buckets and the mask that belongs to it. */
function setBuckets(table: usize, buckets: u32): void {
  setField(table, BUCKETS, buckets);
  setField(table, MASK, buckets > 1 ? <u32>(((<u64>2) << (31 - clz(buckets))) - 1) : 1);
  if (isGrowable(table)) setLimits(table);
  else {
    setField(table, GROW_ABOVE, NEVER);
    setField(table, SHRINK_BELOW, 0);
    setMark(table);
  }
}

/** Gives a table of `buckets` buckets its first memory: all that a preallocated one will ever need. False without memory. */
export function openTable(table: usize, buckets: u32): bool {
  setBuckets(table, buckets);
  if (hasTexts(table) && !openPools(table)) return false;
  if (!openBuckets(table, buckets)) return false;
  if (field(table, FLAGS) & FILTERED && !openFilter(table)) return false;
  if (isNoted(table) && !openBook(table)) return false;
  if (isGrowable(table)) setLimits(table); // they go by the room in the flat part
  return !(field(table, FLAGS) & PREALLOCATED) || preallocate(table);
}

/** Elements and overflow blocks of a preallocated table. */
function preallocate(table: usize): bool {
  if (hasElements(table)) {
    const array = table + ELEMENT_SEGMENTS;
    const shift = load<u32>(array, 4);
    const segments = preallocatedSegments(table);
    for (let segment: u32 = 0; segment < segments; segment++) {
      if (addSegment(table, array, segment, field(table, ELEMENT_STRIDE), recordsOf(segment, shift))) continue;
      dropElementSegments(table, table, 0, segment);
      dropDirectory(table, array);
      return false;
    }
  }
  const blocks = blocksToReserve(table);
  for (let i: u32 = 0; i < blocks; i++) {
    const block = tableAllocate(table, field(table, OVERFLOW_BYTES));
    if (!block) return false;
    reserveOverflow(table, block);
  }
  return true;
}

/** Frees every structure but the header. */
export function closeTable<B>(table: usize): void {
  freeChains<B>(table);
  let block = <usize>field(table, OVERFLOW_RESERVE);
  let left = mostNodes();
  while (block) {
    left = follow(left);
    const next = <usize>load<u32>(block);
    tableRelease(table, block, field(table, OVERFLOW_BYTES));
    block = next;
  }
  setField(table, OVERFLOW_RESERVE, 0);
  if (mayBeFiltered<B>()) closeFilter(table);
  closeBook(table);
  closeBuckets(table);
  closeElements(table, table);
  cutPools(table);
  closePools(table);
}

/** Frees the overflow blocks of all buckets. */
function freeChains<B>(table: usize): void {
  if (!field(table, OVERFLOW_COUNT)) return;
  const buckets = field(table, BUCKETS);
  insistOnBuckets(table);
  for (let i: u32 = 0; i < buckets && field(table, OVERFLOW_COUNT); i++) {
    const bucket = bucketAddress<B>(table, i);
    let block = changetype<B>(bucket).link(true);
    if (!block) continue;
    changetype<B>(bucket).setLink(true, 0);
    let left = mostNodes();
    while (block) {
      left = follow(left);
      const next = changetype<B>(block).link(false);
      freeOverflow(table, block);
      block = next;
    }
  }
}

function dropElementSegments(table: usize, pool: usize, from: u32, to: u32): void {
  const array = pool + ELEMENT_SEGMENTS;
  for (let segment = from; segment < to; segment++) {
    dropSegment(table, array, segment, field(pool, ELEMENT_STRIDE), recordsOf(segment, load<u32>(array, 4)));
  }
}

/** Frees the segments of elements from number `keep` on. */
function cutElements(table: usize, pool: usize, keep: u32): void {
  const shift = load<u32>(pool + ELEMENT_SEGMENTS, 4);
  const elements = field(pool, ELEMENTS);
  dropElementSegments(table, pool, keep, max(keep, elements ? segmentOf(elements - 1, shift) + 1 : 0));
  forgetElements(pool);
}

function closeElements(table: usize, pool: usize): void {
  const array = pool + ELEMENT_SEGMENTS;
  if (!load<u32>(array, 8)) return;
  const kept: u32 = pool == table && field(table, FLAGS) & PREALLOCATED ? preallocatedSegments(table) : 0;
  cutElements(table, pool, kept);
  dropElementSegments(table, pool, 0, kept);
  dropDirectory(table, array);
}

/** Frees the elements of all pools. */
function cutPools(table: usize): void {
  if (!hasTexts(table)) return;
  for (let index: u32 = 0; index < poolsOf(table); index++) closeElements(table, poolAt(table, index));
  setField(table, POOLS_TO_SWEEP, 0);
}

/** Removes all entries. Outside sections the memory goes with them, down to that of a new table. */
export function clearTable<B>(table: usize): void {
  setField(table, VERSION, field(table, VERSION) + 1);
  if (inSection()) {
    dropEntries<B>(table);
    return;
  }
  freeChains<B>(table);
  if (isGrowable(table)) dropBuckets<B>(table);
  else resetFixed<B>(table);
  if (hasElements(table)) {
    if (field(table, FLAGS) & PREALLOCATED) cutElements(table, table, preallocatedSegments(table));
    else closeElements(table, table);
  }
  cutPools(table);
  setField(table, COUNT, 0);
}

/** Deletes the entries one by one, so that what addresses point at stays. */
function dropEntries<B>(table: usize): void {
  const buckets = field(table, BUCKETS);
  insistOnBuckets(table);
  for (let i: u32 = 0; i < buckets && field(table, COUNT); i++) {
    const bucket = bucketAddress<B>(table, i);
    let block = bucket;
    let left = mostNodes();
    do {
      left = follow(left);
      const first = block == bucket;
      let used = changetype<B>(block).occupied(table, first);
      setField(table, COUNT, field(table, COUNT) - <u32>popcnt(used));
      while (used) {
        const slot = <u32>ctz(used);
        used &= used - 1;
        const entry = changetype<B>(block).entryAt(slot);
        changetype<B>(block).drop(table, slot, first, true);
        changetype<B>(block).freeEntry(table, entry);
      }
      block = changetype<B>(block).link(first);
    } while (block);
  }
  if (isGrowable(table)) oweMerges(table);
}

/** Empties the buckets of a fixed table; one without preallocation gives their memory back. */
function resetFixed<B>(table: usize): void {
  if (isNoted(table)) clearBook(table);
  if (isFiltered<B>(table)) clearFilter(table);
  if (isLazy(table)) {
    forgetBuckets(table);
    return;
  }
  const buckets = field(table, BUCKETS);
  insistOnBuckets(table);
  for (let i: u32 = 0; i < buckets; i++) changetype<B>(bucketAddress<B>(table, i)).reset(true);
}
