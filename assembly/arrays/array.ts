// Array maps: all elements exist from the start, zeroed, side by side in one block that never moves, as the kernel's
// BPF_F_MMAPABLE arrays lie in user space: element i at i * stride, the stride being the value size rounded up to 8.
// The header is that of a table, so that freezing, counters and accounts are the same calls.
//
//   elements:  0 .. ARRAY_BASE - 1   the first block, as large as the array was made
//              ARRAY_BASE ..         what growth added: a segmented array (table/layout/segments.ts), whose record i is element ARRAY_BASE + i
//
// So nothing ever moves, an array that has not grown pays one comparison for it, and one that has grows by segments of 64 KiB at most
// (grow.ts).
import { SHARED } from "../build";
import { insist } from "../damage";
import { EPERM } from "../errno";
import {
  ARRAY_BASE, ARRAY_DATA, ARRAY_SEGMENTS, FROZEN, LOW_FREE, MARK, MAX_ENTRIES, VALUE_SIZE, field,
} from "../table/layout/header";
import { firstOf, recordAddress, segmentOf, segmentsFor } from "../table/layout/segments";
import { beyondMark } from "../table/limit/low_water";

/** Header word with the address of element 0. */
export const ARRAY_DATA_OFFSET: u32 = <u32>ARRAY_DATA;
/** Header word with the number of elements in the first block. */
export const ARRAY_BASE_OFFSET: u32 = <u32>ARRAY_BASE;

@inline export function arrayStride(table: usize): u32 {
  return (field(table, VALUE_SIZE) + 7) & ~7;
}

/** Where an element of the array is. In the shared build, MAX_ENTRIES was read before: what it counts is in the directory then. */
@inline export function elementOf(table: usize, index: u32): usize {
  const base = field(table, ARRAY_BASE);
  if (index < base) return <usize>field(table, ARRAY_DATA) + <usize>index * arrayStride(table);
  return recordAddress(table + ARRAY_SEGMENTS, index - base, arrayStride(table));
}

/** Elements of the array. In the shared build, behind this load the memory of all of them is to be seen. */
@inline export function arrayLength(table: usize): u32 {
  return SHARED ? atomic.load<u32>(table, MAX_ENTRIES) : field(table, MAX_ENTRIES);
}

/** Ends the call when an array claims to be longer than its directory: what goes over all of it would not end. */
export function insistOnElements(table: usize): void {
  insist(segmentsFor(table, arrayLength(table)) <= load<u32>(table + ARRAY_SEGMENTS, 8));
}

/** The address of an element, 0 beyond the end. */
export function arrayElement(table: usize, index: u32): usize {
  return index < arrayLength(table) ? elementOf(table, index) : 0;
}

/** The address of an element that is to be written; EPERM, E2BIG or LOW_WATER. */
export function arrayObtain(table: usize, index: u32): usize {
  const refusal = arrayError(table, index);
  return refusal ? <usize>refusal : elementOf(table, index);
}

/** How many elements lie side by side from an index on; 0 beyond the end. */
export function arrayRun(table: usize, index: u32): u32 {
  const entries = arrayLength(table);
  if (index >= entries) return 0;
  const start = elementOf(table, index);
  const stride = arrayStride(table);
  let end = index;
  do end = blockEnd(table, end);
  while (end < entries && elementOf(table, end) == start + (end - index) * stride);
  return min(end, entries) - index;
}

/** The index behind the block or segment of an index. */
function blockEnd(table: usize, index: u32): u32 {
  const base = field(table, ARRAY_BASE);
  if (index < base) return base;
  const shift = load<u32>(table + ARRAY_SEGMENTS, 4);
  return base + firstOf(segmentOf(index - base, shift) + 1, shift);
}

/** Why an element may not be written: 0, EPERM, E2BIG or LOW_WATER. */
@inline export function arrayError(table: usize, index: u32): u32 {
  if (field(table, FROZEN)) return EPERM;
  if (SHARED) return index < arrayLength(table) && !field(table, LOW_FREE) ? 0 : beyondMark(table, index);
  return index < field(table, MARK) ? 0 : beyondMark(table, index);
}
