// Arrays (array.ts) from first to last: making, clearing and destroying one.
import { SHARED } from "../build";
import { ENOMEM, EPERM } from "../errno";
import { allocate, allocationSize, release } from "../memory/arena";
import { zeroBytes } from "../memory/bytes";
import { beginWrite, commit, rollback } from "../sync/journal";
import { ORPHAN, mine } from "../sync/slot";
import { leadBack, tableAllocate, tableRelease } from "../table/layout/account";
import {
  ARRAY_BASE, ARRAY_DATA, ARRAY_SEGMENTS, BYTES, COUNT, ELEMENT_STRIDE, FROZEN, GROW_ABOVE, HEADER_BYTES, KEY_SIZE, LAYOUT, LAYOUT_ARRAY,
  MARKED, MAX_ENTRIES, STRIPES, STRIPE_MASK, VALUE_SIZE, field, setField,
} from "../table/layout/header";
import { newHeader, unfinishedErrno } from "../table/life/assemble";
import { MOST_STRIPES, STRIPE_BYTES, freeHeader } from "../table/life/dismantle";
import { setLimit } from "../table/limit/low_water";
import { arrayLength, arrayRun, arrayStride, elementOf, insistOnElements } from "./array";
import { closeSegments, dismantleSegments } from "./grow";
import { clearElements } from "./shared_array";

const LARGEST: u64 = 0x80000000;
/** Segments of elements are 64 KiB unless one element is larger. */
const SEGMENT_SHIFT: u32 = 16;

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

/** The same in the shared build: in steps, each an operation (table/life/assemble.ts). */
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
  return 0;
}

/** Gives an array its lock words: a stripe of its elements shares one. False without memory. */
function assembleStripes(table: usize, stripes: u32): bool {
  beginWrite();
  const words = tableAllocate(table, stripes * STRIPE_BYTES);
  if (!words) {
    rollback();
    return false;
  }
  zeroBytes(words, stripes * STRIPE_BYTES);
  leadBack(words, table + STRIPES);
  setField(table, STRIPES, <u32>words);
  setField(table, STRIPE_MASK, stripes - 1);
  return commit();
}
