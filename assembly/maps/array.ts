// Array maps: all elements exist from the start, zeroed, side by side in one block that never moves, as the kernel's
// BPF_F_MMAPABLE arrays lie in user space: element i at i * stride, the stride being the value size rounded up to 8.
// The header is that of a table, so that freezing, counters and accounts are the same calls.
import { allocate, allocationSize, release } from "../memory/arena";
import { E2BIG, ENOMEM, EPERM } from "../memory/errno";
import { copyBytes, zeroBytes } from "../hash/bytes";
import { beginWrite, commit } from "../sync/journal";
import { SHARED } from "../sync/shared";
import { ORPHAN, mine } from "../sync/slot";
import { tableAllocate, tableRelease } from "../table/account";
import { assembleStripes, newHeader } from "../table/assemble";
import { freeHeader } from "../table/dismantle";
import {
  ARRAY_DATA, BYTES, COUNT, FROZEN, GROW_ABOVE, HEADER_BYTES, KEY_SIZE, LAYOUT, LAYOUT_ARRAY, MAX_ENTRIES, VALUE_SIZE, VERSION, field, setField,
} from "../table/header";

/** Header word with the address of element 0. */
export const ARRAY_DATA_OFFSET: u32 = <u32>ARRAY_DATA;

/** Lock words of an array in the shared build: more than threads can contend for. */
const MOST_STRIPES: u32 = 1024;

const LARGEST: u64 = 0x80000000;

@inline export function arrayStride(table: usize): u32 {
  return (field(table, VALUE_SIZE) + 7) & ~7;
}

@inline export function elementOf(table: usize, index: u32): usize {
  return <usize>field(table, ARRAY_DATA) + <usize>index * arrayStride(table);
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
  setField(table, MAX_ENTRIES, maxEntries);
  const data = tableAllocate(table, <u32>bytes);
  if (!data) {
    release(table, HEADER_BYTES);
    return ENOMEM;
  }
  zeroBytes(data, <u32>bytes);
  setField(table, ARRAY_DATA, <u32>data);
  setField(table, COUNT, maxEntries);
  setField(table, GROW_ABOVE, 0xffffffff); // never in debt
  return table;
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
    const data = tableAllocate(table, bytes);
    if (data) {
      zeroBytes(data, bytes);
      setField(table, ARRAY_DATA, <u32>data);
    }
    const wanted: u32 = maxEntries > 1 ? 1 << (32 - clz(maxEntries - 1)) : 1;
    if (commit() && data && assembleStripes(table, min(MOST_STRIPES, wanted))) return table;
  }
  const unfinished = <usize>mine(ORPHAN);
  if (unfinished && dismantleArray(unfinished)) freeHeader(unfinished);
  return ENOMEM;
}

/** Frees the elements. False when a lock could not be had. */
export function dismantleArray(table: usize): bool {
  const data = <usize>field(table, ARRAY_DATA);
  if (!data) return true;
  beginWrite();
  setField(table, ARRAY_DATA, 0);
  tableRelease(table, data, arrayStride(table) * field(table, MAX_ENTRIES));
  return commit();
}

export function closeArray(table: usize): void {
  tableRelease(table, field(table, ARRAY_DATA), arrayStride(table) * field(table, MAX_ENTRIES));
}

/** Why an element may not be written: 0, EPERM or E2BIG. */
@inline export function arrayError(table: usize, index: u32): u32 {
  if (field(table, FROZEN)) return EPERM;
  return index < field(table, MAX_ENTRIES) ? 0 : E2BIG;
}

/** Counts a call that writes. */
@inline export function arrayWritten(table: usize): void {
  if (!SHARED) setField(table, VERSION, field(table, VERSION) + 1);
}

@inline export function copyValueOf(table: usize, target: usize, source: usize): void {
  copyBytes(target, source, field(table, VALUE_SIZE));
}
