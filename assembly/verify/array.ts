// Checks every invariant of an array (table.ts).
import { SHARED } from "../build";
import { allocationSize } from "../memory/arena";
import {
  ARRAY_BASE, ARRAY_DATA, ARRAY_SEGMENTS, BYTES, COUNT, ELEMENT_STRIDE, GROW_ABOVE, HEADER_BYTES, KEY_SIZE, MAX_ENTRIES, VALUE_SIZE,
  field,
} from "../table/layout/header";
import { firstOf, recordAddress, recordsOf } from "../table/layout/segments";
import { verifyApart } from "./apart";
import { isInUse } from "./arena";
import { NEVER, expect, round8, verifyMark, verifyWords } from "./header";
import { ARRAY_ROOM, ARRAY_VALUES, CAPACITY, ENTRY_COUNT, LIMITS, MEASURES, TABLE_BYTES, broken } from "./invariants";
import { arrayBytes, elementSegments, verifyDirectory, verifyHeld } from "./segments";
import { sharedBytes, verifyShared } from "./shared_table";

/** An array has a header, the block that it was made with, and the segments that growth has added. */
export function verifyArray(table: usize, out: usize): u32 {
  const entries = field(table, MAX_ENTRIES);
  const base = field(table, ARRAY_BASE);
  const stride = round8(field(table, VALUE_SIZE));
  const bytes = <u64>stride * base;
  const data = <usize>field(table, ARRAY_DATA);
  if (!isInUse(data, bytes)) return broken(out, ARRAY_VALUES, <u32>data, <u32>bytes, 0, 0);
  if (field(table, COUNT) != entries) return broken(out, ENTRY_COUNT, entries, field(table, COUNT), 0, 0);
  if (base > entries) return broken(out, CAPACITY, base, entries, 0, 0);
  return (
    verifyWords(table, out) ||
    expect(table, MEASURES, KEY_SIZE, 4, out) ||
    expect(table, LIMITS, GROW_ABOVE, NEVER, out) ||
    verifyMark(table, out) ||
    verifyGrowth(table, stride, out) ||
    (SHARED ? verifyShared(table, out) : 0) ||
    verifyArrayBytes(table, <u32>bytes, out)
  );
}

function verifyArrayBytes(table: usize, base: u32, out: usize): u32 {
  const bytes =
    (SHARED ? sharedBytes(table) : 0) +
    allocationSize(HEADER_BYTES) +
    allocationSize(base) +
    arrayBytes(table, table + ARRAY_SEGMENTS, elementSegments(table, table));
  return bytes == field(table, BYTES) ? 0 : broken(out, TABLE_BYTES, bytes, field(table, BYTES), 0, 0);
}

/** The segments that growth has added. */
function verifyGrowth(table: usize, stride: u32, out: usize): u32 {
  return (
    expect(table, MEASURES, ELEMENT_STRIDE, stride, out) ||
    (SHARED ? verifyHeld(table, table, out) : 0) ||
    verifyDirectory(table, table + ARRAY_SEGMENTS, elementSegments(table, table), out) ||
    verifyApart(table, out) ||
    verifyRoom(table, stride, out)
  );
}

/** The elements that the next growth of an array shows: it sets none to zero. */
function verifyRoom(table: usize, stride: u32, out: usize): u32 {
  const array = table + ARRAY_SEGMENTS;
  const shift = load<u32>(array, 4);
  const segments = elementSegments(table, table);
  const base = field(table, ARRAY_BASE);
  const end = segments ? firstOf(segments - 1, shift) + recordsOf(segments - 1, shift) : 0;
  for (let index = field(table, MAX_ENTRIES) - base; index < end; index++) {
    const element = recordAddress(array, index, stride);
    for (let at: u32 = 0; at < stride; at += 8) {
      if (load<u64>(element + at)) return broken(out, ARRAY_ROOM, base + index, <u32>element + at, 0, 0);
    }
  }
  return 0;
}
