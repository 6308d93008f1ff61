// Array maps: all elements exist from the start, zeroed, side by side in one block that never moves, as the kernel's
// BPF_F_MMAPABLE arrays lie in user space: element i at i * stride, the stride being the value size rounded up to 8.
// The header is that of a table, so that freezing, counters and accounts are the same calls.
//
//   elements:  0 .. ARRAY_BASE - 1   the first block, as large as the array was made
//              ARRAY_BASE ..         what growth added: a segmented array (table/segments.ts), whose record i is element ARRAY_BASE + i
//
// So nothing ever moves, an array that has not grown pays one comparison for it, and one that has grows by segments of 64 KiB at most
// (grow.ts).
import { SHARED } from "../build";
import { insist } from "../damage";
import { ENOMEM, EPERM } from "../errno";
import { allocate, allocationSize, release } from "../memory/arena";
import { zeroBytes } from "../memory/bytes";
import { beginWrite, commit } from "../sync/journal";
import { ORPHAN, mine } from "../sync/slot";
import { tableAllocate, tableRelease } from "../table/account";
import { assembleStripes, newHeader, unfinishedErrno } from "../table/assemble";
import { MOST_STRIPES, freeHeader } from "../table/dismantle";
import {
  ARRAY_BASE, ARRAY_DATA, ARRAY_SEGMENTS, BYTES, COUNT, ELEMENT_STRIDE, FROZEN, GROW_ABOVE, HEADER_BYTES, KEY_SIZE, LAYOUT,
  LAYOUT_ARRAY, LOW_FREE, MARK, MARKED, MAX_ENTRIES, VALUE_SIZE, VERSION, field, setField,
} from "../table/header";
import { beyondMark, setLimit } from "../table/low_water";
import { firstOf, recordAddress, segmentOf, segmentsFor } from "../table/segments";
import { closeSegments, dismantleSegments } from "./grow";
import { clearElements } from "./shared_array";

/** Header word with the address of element 0. */
export const ARRAY_DATA_OFFSET: u32 = <u32>ARRAY_DATA;
/** Header word with the number of elements in the first block. */
export const ARRAY_BASE_OFFSET: u32 = <u32>ARRAY_BASE;

const LARGEST: u64 = 0x80000000;
/** Segments of elements are 64 KiB unless one element is larger. */
const SEGMENT_SHIFT: u32 = 16;

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

/** A new array map of `maxEntries` zeroed values: its handle, or ENOMEM. */
export function createArray(valueSize: u32, maxEntries: u32): usize {
  const bytes = (((<u64>valueSize + 7) >> 3) << 3) * <u64>maxEntries;
  if (bytes > LARGEST) return ENOMEM;
  if (SHARED) return createShared(valueSize, maxEntries, <u32>bytes);
  const table = allocate(HEADER_BYTES);
  if (!table) return ENOMEM;
  zeroBytes(table, HEADER_BYTES);
  setField(table, BYTES, allocationSize(HEADER_BYTES));
  setField(table, LAYOUT, LAYOUT_ARRAY);
  setField(table, KEY_SIZE, 4);
  setField(table, VALUE_SIZE, valueSize);
  setSegments(table);
  setLimit(table, maxEntries);
  const data = tableAllocate(table, <u32>bytes);
  if (!data) {
    release(table, HEADER_BYTES);
    return ENOMEM;
  }
  zeroBytes(data, <u32>bytes);
  setField(table, ARRAY_DATA, <u32>data);
  setField(table, ARRAY_BASE, maxEntries);
  setField(table, COUNT, maxEntries);
  setField(table, GROW_ABOVE, 0xffffffff); // never in debt
  return table;
}

/** The measures of the elements that growth will add. */
function setSegments(table: usize): void {
  const stride = arrayStride(table);
  const log: u32 = 32 - <u32>clz(stride - 1);
  setField(table, ELEMENT_STRIDE, stride);
  setField(table, ARRAY_SEGMENTS + 4, log < SEGMENT_SHIFT ? SEGMENT_SHIFT - log : 0);
}

/** The same in the shared build: in steps, each an operation (table/assemble.ts). */
function createShared(valueSize: u32, maxEntries: u32, bytes: u32): usize {
  const table = newHeader();
  if (table) {
    beginWrite();
    setField(table, LAYOUT, LAYOUT_ARRAY);
    setField(table, KEY_SIZE, 4);
    setField(table, VALUE_SIZE, valueSize);
    setField(table, MAX_ENTRIES, maxEntries);
    setField(table, COUNT, maxEntries);
    setField(table, GROW_ABOVE, 0xffffffff);
    setSegments(table);
    const data = tableAllocate(table, bytes);
    if (data) {
      zeroBytes(data, bytes);
      setField(table, ARRAY_DATA, <u32>data);
      setField(table, ARRAY_BASE, maxEntries);
    }
    const wanted: u32 = maxEntries > 1 ? 1 << (32 - clz(maxEntries - 1)) : 1;
    if (commit() && data && assembleStripes(table, min(MOST_STRIPES, wanted))) return table;
  }
  const errno = unfinishedErrno();
  const unfinished = <usize>mine(ORPHAN);
  if (unfinished && dismantleArray(unfinished)) freeHeader(unfinished);
  return errno;
}

/** Frees the elements, in the shared build. False when a lock could not be had. */
export function dismantleArray(table: usize): bool {
  if (!dismantleSegments(table)) return false;
  const data = <usize>field(table, ARRAY_DATA);
  if (!data) return true;
  beginWrite();
  setField(table, ARRAY_DATA, 0);
  tableRelease(table, data, arrayStride(table) * field(table, ARRAY_BASE));
  return commit();
}

export function closeArray(table: usize): void {
  closeSegments(table);
  tableRelease(table, field(table, ARRAY_DATA), arrayStride(table) * field(table, ARRAY_BASE));
}

/** Why an element may not be written: 0, EPERM, E2BIG or LOW_WATER. */
@inline export function arrayError(table: usize, index: u32): u32 {
  if (field(table, FROZEN)) return EPERM;
  if (SHARED) return index < arrayLength(table) && !field(table, LOW_FREE) ? 0 : beyondMark(table, index);
  return index < field(table, MARK) ? 0 : beyondMark(table, index);
}

/** Sets all values to zeros: 0 or EPERM; in the shared build one after the other, and another errno may end it. */
export function arrayClear(table: usize): u32 {
  if (field(table, FROZEN)) return EPERM;
  insistOnElements(table);
  if (SHARED) return clearElements(table);
  const entries = arrayLength(table);
  for (let index: u32 = 0; index < entries; ) {
    const run = arrayRun(table, index);
    zeroBytes(elementOf(table, index), run * arrayStride(table));
    index += run;
  }
  setField(table, MARKED, 0);
  arrayWritten(table);
  return 0;
}

/** Counts a call that writes. */
@inline export function arrayWritten(table: usize): void {
  if (!SHARED) setField(table, VERSION, field(table, VERSION) + 1);
}
