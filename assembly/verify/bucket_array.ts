// Checks where the buckets of a table are in the plain build (table.ts): that the flat part and each segment have their memory, and how
// many bytes they are.
import { allocationSize } from "../memory/arena";
import { bucketEntry, bucketSegments, flatFor, isLazy, lazyEntry, segmentBuckets } from "../table/layout/bucket_array";
import { BUCKETS, BUCKET_BYTES, BUCKET_SEGMENTS, FLAT, FLAT_BUCKETS, field } from "../table/layout/header";
import { isInUse } from "./arena";
import { DIRECTORY, FLAT_PART, broken } from "./invariants";

/** Segments that stand in the directory, those of the flat part included. */
export function segmentsOf(table: usize): u32 {
  const buckets = field(table, BUCKETS);
  return buckets > field(table, FLAT_BUCKETS) ? bucketSegments(table, buckets) : 0;
}

/** Segments of the directory that stand for the flat part. */
@inline export function flatSegments(table: usize): u32 {
  return field(table, FLAT_BUCKETS) >> load<u32>(table + BUCKET_SEGMENTS, 4);
}

/** Bytes of a segment behind the flat part; 0 of one that nobody has written to. */
export function segmentBytesOf(table: usize, segment: u32): u32 {
  if (isLazy(table) && load<u32>(bucketEntry(table, segment)) == lazyEntry(table, segment)) return 0;
  return segmentBuckets(table, segment) * field(table, BUCKET_BYTES);
}

/** The measures of the header are checked. */
export function verifyBucketArray(table: usize, out: usize): u32 {
  const stride = field(table, BUCKET_BYTES);
  const flat = field(table, FLAT_BUCKETS);
  const address = field(table, FLAT);
  const expected = flatFor(table, field(table, BUCKETS));
  if (flat != expected || (flat && !isInUse(address, flat * stride))) return broken(out, FLAT_PART, flat, expected, address, flat * stride);
  return verifyEntries(table, segmentsOf(table), stride, out);
}

/** Checks the directory, of which segment 0 stands for the whole where it is missing or too small. */
function verifyEntries(table: usize, segments: u32, stride: u32, out: usize): u32 {
  const directory = <usize>field(table, BUCKET_SEGMENTS);
  const shift = load<u32>(table + BUCKET_SEGMENTS, 4);
  const room = load<u32>(table + BUCKET_SEGMENTS, 8);
  if (!segments) return room | <u32>directory ? broken(out, DIRECTORY, 0, 0, <u32>directory, room) : 0;
  if (room < segments) return broken(out, DIRECTORY, 0, segments, <u32>directory, room);
  if (!isInUse(directory, <u64>room << 2)) return broken(out, DIRECTORY, 0, room, <u32>directory, room);
  const flat = flatSegments(table);
  for (let segment: u32 = 0; segment < room; segment++) {
    const entry = load<u32>(bucketEntry(table, segment));
    if (segment >= segments || segment < flat) {
      const expected = segment < flat ? field(table, FLAT) : 0;
      if (entry != expected) return broken(out, DIRECTORY, 0, segment, entry, 0);
      continue;
    }
    const bytes = segmentBytesOf(table, segment);
    const address = <usize>(entry + (segment << shift) * stride);
    if (bytes && !isInUse(address, bytes)) return broken(out, DIRECTORY, 0, segment, <u32>address, bytes);
  }
  return 0;
}

/** Bytes of all that `verifyBucketArray` checks. */
export function bucketArrayBytes(table: usize): u32 {
  const segments = segmentsOf(table);
  let bytes = field(table, FLAT_BUCKETS) * field(table, BUCKET_BYTES) + allocationSize(load<u32>(table + BUCKET_SEGMENTS, 8) << 2);
  for (let segment = flatSegments(table); segment < segments; segment++) bytes += segmentBytesOf(table, segment);
  return bytes;
}
