// Checks the segmented arrays of a table (table.ts): that each segment has its memory, and how many bytes they are.
import { SHARED } from "../build";
import { allocationSize } from "../memory/arena";
import { fixedRecords, untouchedEntry } from "../table/layout/buckets";
import { hasElements } from "../table/layout/by_layout";
import { elementSegment, preallocatedSegments } from "../table/layout/elements";
import {
  ARRAY_BASE, BUCKETS, BUCKET_BYTES, BUCKET_SEGMENTS, ELEMENTS, ELEMENT_SEGMENTS, ELEMENT_SEGMENTS_HELD, ELEMENT_STRIDE, FLAGS, LAYOUT,
  LAYOUT_ARRAY, MAX_ENTRIES, PREALLOCATED, field, isGrowable,
} from "../table/layout/header";
import { directoryEntry, firstOf, recordsOf, segmentOf, segmentsFor } from "../table/layout/segments";
import { isInUse } from "./arena";
import { DIRECTORY, HELD_SEGMENTS, broken } from "./invariants";
import { directoriesBytes, verifyOldDirectories } from "./shared_table";

/** Shared build: the plain one has its buckets elsewhere (bucket_array.ts). */
export function bucketSegments(table: usize): u32 {
  return segmentOf(field(table, BUCKETS) - 1, load<u32>(table + BUCKET_SEGMENTS, 4)) + 1;
}

/** Segments of the elements of a table, or of one of its pools (table/layout/texts.ts). */
export function elementSegments(table: usize, pool: usize): u32 {
  if (pool == table && !hasElements(table) && field(table, LAYOUT) != LAYOUT_ARRAY) return 0;
  if (SHARED) return field(pool, ELEMENT_SEGMENTS_HELD);
  return usedElementSegments(table, pool);
}

function usedElementSegments(table: usize, pool: usize): u32 {
  if (field(table, LAYOUT) == LAYOUT_ARRAY) return segmentsFor(table, field(table, MAX_ENTRIES));
  if (pool == table && !hasElements(table)) return 0;
  const elements = field(pool, ELEMENTS);
  const used = elements ? elementSegment(table, pool, elements - 1) + 1 : 0;
  return pool == table && field(table, FLAGS) & PREALLOCATED ? max(used, preallocatedSegments(table)) : used;
}

/** The shared build counts its segments of elements, and may have more than it needs. */
export function verifyHeld(table: usize, pool: usize, out: usize): u32 {
  const held = elementSegments(table, pool);
  const used = usedElementSegments(table, pool);
  return held >= used ? 0 : broken(out, HELD_SEGMENTS, held, used, elementsOf(table, pool), 0);
}

/** Records of the segmented array of elements. */
function elementsOf(table: usize, pool: usize): u32 {
  if (field(table, LAYOUT) != LAYOUT_ARRAY) return field(pool, ELEMENTS);
  return field(table, MAX_ENTRIES) - field(table, ARRAY_BASE);
}

/** Bytes between two records of one of the segmented arrays. */
@inline export function strideOf(table: usize, array: usize): u32 {
  return array == table + BUCKET_SEGMENTS ? field(table, BUCKET_BYTES) : field(array - ELEMENT_SEGMENTS, ELEMENT_STRIDE);
}

/** Bytes of a segment; 0 of one that nobody has written to, which has no memory of its own. */
export function segmentBytes(table: usize, array: usize, segment: u32): u64 {
  const shift = load<u32>(array, 4);
  const stride = strideOf(table, array);
  if (array != table + BUCKET_SEGMENTS || isGrowable(table)) return <u64>recordsOf(segment, shift) * stride;
  if (!(field(table, FLAGS) & PREALLOCATED)) {
    if (load<u32>(directoryEntry(array, segment)) == untouchedEntry(segment, shift, stride)) return 0;
  }
  return <u64>fixedRecords(table, segment, shift) * stride;
}

export function verifyDirectory(table: usize, array: usize, segments: u32, out: usize): u32 {
  const which: u32 = array == table + BUCKET_SEGMENTS ? 0 : 1;
  const room = load<u32>(array, 8);
  const directory = <usize>load<u32>(array);
  if (room < segments) return broken(out, DIRECTORY, which, segments, <u32>directory, room);
  if (room && !isInUse(directory, <u64>room << 2)) return broken(out, DIRECTORY, which, room, <u32>directory, room);
  if (SHARED) {
    const problem = verifyOldDirectories(directory, room, out);
    if (problem) return problem;
  }
  const shift = load<u32>(array, 4);
  for (let segment: u32 = 0; segment < room; segment++) {
    const entry = load<u32>(directoryEntry(array, segment));
    if (segment >= segments) {
      if (entry && !SHARED) return broken(out, DIRECTORY, which, segment, entry, 0);
      continue;
    }
    const bytes = segmentBytes(table, array, segment);
    const address = <usize>(entry + firstOf(segment, shift) * strideOf(table, array));
    if (bytes && !isInUse(address, bytes)) return broken(out, DIRECTORY, which, segment, <u32>address, <u32>bytes);
  }
  return 0;
}

export function arrayBytes(table: usize, array: usize, segments: u32): u32 {
  const room = load<u32>(array, 8);
  let bytes = SHARED ? directoriesBytes(<usize>load<u32>(array), room) : allocationSize(room << 2);
  for (let segment: u32 = 0; segment < segments; segment++) {
    bytes += allocationSize(<u32>segmentBytes(table, array, segment));
  }
  return bytes;
}
