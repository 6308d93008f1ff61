// Checks that the parts of a table do not lie over each other (table.ts): its header, its directories, the flat part of its buckets or the
// first block of an array, and all segments. Each of them is in memory in use, as the checks before have found. A bit that turns over
// in a directory can lead to another part of the same table, where dead and free elements or empty buckets look as they should.
import { SHARED } from "../build";
import {
  ARRAY_BASE, ARRAY_DATA, BOOK, BUCKET_BYTES, BUCKET_SEGMENTS, ELEMENT_SEGMENTS, FILTER, FLAT_BUCKETS, HEADER_BYTES, LAYOUT, LAYOUT_ARRAY, POOLS,
  POOL_COUNT, VALUE_SIZE, field,
} from "../table/layout/header";
import { hasTexts } from "../table/layout/by_layout";
import { filterSegment } from "../table/layout/filter";
import { directoryBytes, directoryEntry, firstOf } from "../table/layout/segments";
import { poolAt, poolsBytes } from "../table/layout/texts";
import { flatSegments, segmentBytesOf, segmentsOf } from "./bucket_array";
import { bytesOfBook } from "./book";
import { segmentBytes as segmentBytesOfFilter, segmentsOfFilter } from "./filter";
import { round8 } from "./header";
import { PARTS_APART, broken } from "./invariants";
import { bucketSegments, elementSegments, segmentBytes, strideOf } from "./segments";

/** Parts that are no segments of buckets or elements; behind them the segments of the filter. */
const PARTS: u32 = 6;
const BOOK_PART: u32 = 4;
const FILTER_PART: u32 = 5;

function partAddress(table: usize, part: u32): usize {
  if (part == 0) return table;
  if (part == 1) return <usize>field(table, ARRAY_DATA); // the word of the flat part, too
  if (part == BOOK_PART) return <usize>field(table, BOOK);
  if (part == FILTER_PART) return <usize>field(table, FILTER);
  if (part >= PARTS) return filterSegment(table, part - PARTS);
  return <usize>field(table, part == 2 ? BUCKET_SEGMENTS : ELEMENT_SEGMENTS);
}

/** Bytes of a part, 0 where a table has none. */
function partBytes(table: usize, part: u32): u32 {
  const isArray = field(table, LAYOUT) == LAYOUT_ARRAY;
  if (part == 0) return HEADER_BYTES;
  if (part == 1) {
    if (isArray) return field(table, ARRAY_BASE) * round8(field(table, VALUE_SIZE));
    return SHARED ? 0 : field(table, FLAT_BUCKETS) * field(table, BUCKET_BYTES);
  }
  if (part == BOOK_PART) return isArray ? 0 : bytesOfBook(table);
  if (part == FILTER_PART) return SHARED ? 0 : load<u32>(table + FILTER, 8) << 2;
  if (part >= PARTS) return segmentBytesOfFilter(table, part - PARTS);
  const room = part == 2 ? (isArray ? 0 : field(table, BUCKET_SEGMENTS + 8)) : field(table, ELEMENT_SEGMENTS + 8);
  return room ? directoryBytes(room) : 0;
}

function isOfBuckets(table: usize, array: usize): bool {
  return array == table + BUCKET_SEGMENTS;
}

function segmentsIn(table: usize, array: usize): u32 {
  if (!isOfBuckets(table, array)) return elementSegments(table, array - ELEMENT_SEGMENTS);
  if (field(table, LAYOUT) == LAYOUT_ARRAY) return 0;
  return SHARED ? bucketSegments(table) : segmentsOf(table);
}

@inline function addressOf(table: usize, array: usize, segment: u32, stride: u32): u32 {
  const shift = load<u32>(array, 4);
  const first = !SHARED && isOfBuckets(table, array) ? segment << shift : firstOf(segment, shift);
  return load<u32>(directoryEntry(array, segment)) + first * stride;
}

/** Bytes of a segment; 0 of one that has no memory of its own. */
function bytesOf(table: usize, array: usize, segment: u32): u32 {
  if (SHARED || !isOfBuckets(table, array)) return <u32>segmentBytes(table, array, segment);
  return segment < flatSegments(table) ? 0 : segmentBytesOf(table, segment);
}

@inline function overlap(a: u32, bytes: u32, b: u32, others: u32): bool {
  return a < b + others && b < a + bytes;
}

/** Compares a part with the first segments of an array. */
function verifyAgainst(table: usize, array: usize, segments: u32, address: u32, bytes: u32, out: usize): u32 {
  if (!segments) return 0;
  const stride = strideOf(table, array);
  const most = stride << load<u32>(array, 4);
  for (let segment: u32 = 0; segment < segments; segment++) {
    const other = addressOf(table, array, segment, stride);
    if (!overlap(address, bytes, other, most)) continue;
    const others = bytesOf(table, array, segment);
    if (others && overlap(address, bytes, other, others)) return broken(out, PARTS_APART, address, bytes, other, others);
  }
  return 0;
}

/** Compares each part with those before it; the structures are checked. */
export function verifyApart(table: usize, out: usize): u32 {
  const buckets = table + BUCKET_SEGMENTS;
  const elements = table + ELEMENT_SEGMENTS;
  const ofBuckets = segmentsIn(table, buckets);
  const ofElements = segmentsIn(table, elements);
  const parts = SHARED ? FILTER_PART : PARTS + segmentsOfFilter(table);
  for (let part: u32 = 0; part < parts; part++) {
    const bytes = partBytes(table, part);
    if (!bytes) continue;
    const address = <u32>partAddress(table, part);
    for (let before: u32 = 0; before < part; before++) {
      const other = <u32>partAddress(table, before);
      if (overlap(address, bytes, other, partBytes(table, before))) return broken(out, PARTS_APART, address, bytes, other, partBytes(table, before));
    }
    const problem = verifyAgainst(table, buckets, ofBuckets, address, bytes, out) || verifyAgainst(table, elements, ofElements, address, bytes, out);
    if (problem) return problem;
  }
  return verifySegments(table, buckets, ofBuckets, 0, out) || verifySegments(table, elements, ofElements, ofBuckets, out) || (hasTexts(table) ? verifyPoolsApart(table, out) : 0);
}

/** Compares the block of the pools, and of each pool its directory and its segments, with what stands before them in that order. */
function verifyPoolsApart(table: usize, out: usize): u32 {
  const problem = verifyPart(table, field(table, POOLS), poolsBytes(table), 0, out);
  if (problem) return problem;
  for (let index: u32 = 0; index < field(table, POOL_COUNT); index++) {
    const array = poolAt(table, index) + ELEMENT_SEGMENTS;
    const room = load<u32>(array, 8);
    const problem = room ? verifyPart(table, load<u32>(array), directoryBytes(room), index, out) : 0;
    if (problem) return problem;
    const segments = segmentsIn(table, array);
    const stride = strideOf(table, array);
    for (let segment: u32 = 0; segment < segments; segment++) {
      const bytes = bytesOf(table, array, segment);
      const address = addressOf(table, array, segment, stride);
      const problem = verifyPart(table, address, bytes, index, out) || verifyAgainst(table, array, segment, address, bytes, out);
      if (problem) return problem;
    }
  }
  return 0;
}

/** Compares a part of the pools with the rest of the table, the block of the pools, and the first `pools` of them. */
function verifyPart(table: usize, address: u32, bytes: u32, pools: u32, out: usize): u32 {
  for (let part: u32 = 0; part < PARTS; part++) {
    const other = <u32>partAddress(table, part);
    if (overlap(address, bytes, other, partBytes(table, part))) return broken(out, PARTS_APART, address, bytes, other, partBytes(table, part));
  }
  const block = field(table, POOLS);
  if (address != block && overlap(address, bytes, block, poolsBytes(table))) return broken(out, PARTS_APART, address, bytes, block, poolsBytes(table));
  const buckets = table + BUCKET_SEGMENTS;
  const problem = verifyAgainst(table, buckets, segmentsIn(table, buckets), address, bytes, out);
  if (problem) return problem;
  for (let index: u32 = 0; index < pools; index++) {
    const array = poolAt(table, index) + ELEMENT_SEGMENTS;
    const room = load<u32>(array, 8);
    const directory = load<u32>(array);
    if (room && overlap(address, bytes, directory, directoryBytes(room))) return broken(out, PARTS_APART, address, bytes, directory, directoryBytes(room));
    const problem = verifyAgainst(table, array, segmentsIn(table, array), address, bytes, out);
    if (problem) return problem;
  }
  return 0;
}

/** Compares each segment of an array with those before it, and with all of the buckets' where it is of elements. */
function verifySegments(table: usize, array: usize, segments: u32, ofBuckets: u32, out: usize): u32 {
  const stride = strideOf(table, array);
  for (let segment: u32 = 0; segment < segments; segment++) {
    const bytes = bytesOf(table, array, segment);
    if (!bytes) continue;
    const address = addressOf(table, array, segment, stride);
    const problem =
      verifyAgainst(table, array, segment, address, bytes, out) || verifyAgainst(table, table + BUCKET_SEGMENTS, ofBuckets, address, bytes, out);
    if (problem) return problem;
  }
  return 0;
}
