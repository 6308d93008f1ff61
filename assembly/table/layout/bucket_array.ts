// Where the buckets of a table are, in the plain build. (The shared build has a segmented array, segments.ts: there a bucket must not
// move, since others hold its address.)
//
// Up to 64 KiB of buckets are the flat part, one array that doubles by being copied, at most 32 KiB, so that a small table finds a
// bucket by one multiplication. A larger table has its further buckets in segments, and a directory, in which the flat part stands
// like segments, too: so a table goes one way or the other for all of its buckets, which a processor predicts.
//
//   header: 8 u32 directory, 0 while all buckets are in the flat part    12 u32 shift    16 u32 room of the directory, in segments
//           196 u32 address of the flat part     200 u32 buckets that it has room for
//   directory:  u32[ ], entry j = address of segment j minus stride * its first bucket (modulo 2^32); segment j holds the
//               buckets (j << shift) .. ((j + 1) << shift) - 1. Entries of the flat part are all its address.
//
// The flat part of a table that grows has room for a power of two of buckets, that of a fixed one for all it needs. When a table
// shrinks, the half of it that is no longer needed is freed where it is: nothing moves, and nothing can fail.
// A hash without preallocation has no flat part, but small segments, each of which gets memory when it is first written.
import { SHARED } from "../../build";
import { COUNTING, countCopied } from "../../counting";
import { insist } from "../../damage";
import { zeroBytes } from "../../memory/bytes";
import { ZEROS, ZEROS_BYTES } from "../../regions";
import { tableAllocate, tableRelease } from "./account";
import { BUCKETS, BUCKET_BYTES, BUCKET_SEGMENTS, BUCKET_SHIFT, FLAGS, FLAT, FLAT_BUCKETS, PREALLOCATED, field, isGrowable, setField } from "./header";
import { dropDirectory, reserveDirectory } from "./segments";

const FLAT_BYTES: u32 = 65536;
/** Segments of a table without preallocation, log2 of their buckets at most: they read as ZEROS until they are written. */
const LAZY_SHIFT: u32 = 31 - clz(ZEROS_BYTES / 256);
/** And log2 of how many segments a small table is cut into. */
const LAZY_SEGMENTS: u32 = 3;

/** Buckets that the flat part may have: a power of two, and whole segments. */
@inline export function mostFlat(stride: u32): u32 {
  return 1 << (31 - clz(FLAT_BYTES / stride));
}

/** Buckets that the flat part of a table has room for. */
export function flatFor(table: usize, buckets: u32): u32 {
  if (isLazy(table)) return 0;
  const room = isGrowable(table) && buckets > 1 ? 2 << (31 - clz(buckets - 1)) : buckets;
  return buckets > mostFlat(field(table, BUCKET_BYTES)) ? mostFlat(field(table, BUCKET_BYTES)) : room;
}

/** Whether segments get their memory when they are first written. */
@inline export function isLazy(table: usize): bool {
  return !isGrowable(table) && !(field(table, FLAGS) & PREALLOCATED);
}

/** The shift of a table without preallocation. */
export function lazyShift(buckets: u32): u32 {
  if (SHARED) return LAZY_SHIFT;
  const log: u32 = 31 - clz(buckets);
  return log > LAZY_SEGMENTS ? min(log - LAZY_SEGMENTS, LAZY_SHIFT) : 0;
}

@inline function shiftOf(table: usize): u32 {
  return field(table, BUCKET_SHIFT);
}

@inline export function bucketEntry(table: usize, segment: u32): usize {
  return <usize>field(table, BUCKET_SEGMENTS) + (<usize>segment << 2);
}

/** Segments of the directory that a number of buckets needs. */
@inline export function bucketSegments(table: usize, buckets: u32): u32 {
  return ((buckets - 1) >> shiftOf(table)) + 1;
}

/** Buckets of a segment behind the flat part: the last one of a fixed table is cut to what is needed. */
export function segmentBuckets(table: usize, segment: u32): u32 {
  const whole: u32 = 1 << shiftOf(table);
  return isGrowable(table) ? whole : min(whole, field(table, BUCKETS) - (segment << shiftOf(table)));
}

/** Directory entry of a segment without memory: its buckets read as the zeros at ZEROS, which are empty buckets. */
@inline export function lazyEntry(table: usize, segment: u32): u32 {
  return <u32>ZEROS - (segment << shiftOf(table)) * field(table, BUCKET_BYTES);
}

/** Gives a table its first buckets, all of zeros, or in a table without preallocation none. False without memory. */
export function openBuckets(table: usize, buckets: u32): bool {
  const stride = field(table, BUCKET_BYTES);
  if (!isLazy(table)) {
    const flat = flatFor(table, buckets);
    const address = tableAllocate(table, flat * stride);
    if (!address) return false;
    zeroBytes(address, flat * stride);
    setField(table, FLAT, <u32>address);
    setField(table, FLAT_BUCKETS, flat);
    if (buckets <= flat) return true;
  }
  const segments = bucketSegments(table, buckets);
  if (!openDirectory(table, segments)) return false;
  let filling = !isLazy(table);
  for (let segment = field(table, FLAT_BUCKETS) >> shiftOf(table); segment < segments; segment++) {
    if (filling && fillSegment(table, segment)) continue;
    filling = false; // no memory: this one and those behind it have none, which closeBuckets sees
    store<u32>(bucketEntry(table, segment), lazyEntry(table, segment));
  }
  return filling || isLazy(table);
}

/** Makes the directory hold so many segments. A new one begins with the flat part. */
function openDirectory(table: usize, segments: u32): bool {
  const isNew = !field(table, BUCKET_SEGMENTS);
  if (!reserveDirectory(table, table + BUCKET_SEGMENTS, segments)) return false;
  if (!isNew) return true;
  const flat = field(table, FLAT_BUCKETS) >> shiftOf(table);
  for (let segment: u32 = 0; segment < flat; segment++) store<u32>(bucketEntry(table, segment), field(table, FLAT));
  return true;
}

/** Gives a segment its memory, of zeros. */
function fillSegment(table: usize, segment: u32): bool {
  const stride = field(table, BUCKET_BYTES);
  const bytes = segmentBuckets(table, segment) * stride;
  const address = tableAllocate(table, bytes);
  if (!address) return false;
  zeroBytes(address, bytes);
  store<u32>(bucketEntry(table, segment), <u32>address - (segment << shiftOf(table)) * stride);
  return true;
}

/** Gives the bucket memory of its own before it is written (hash without preallocation). */
export function materialise(table: usize, bucket: u32): bool {
  const segment = bucket >> shiftOf(table);
  return load<u32>(bucketEntry(table, segment)) != lazyEntry(table, segment) || fillSegment(table, segment);
}

/** Makes room for one bucket more, whose bytes are undefined. False without memory: then nothing has changed. */
@inline export function growBuckets(table: usize, buckets: u32): bool {
  if (buckets < field(table, FLAT_BUCKETS)) return true;
  return field(table, BUCKET_SEGMENTS) && buckets & ((1 << shiftOf(table)) - 1) ? true : extend(table, buckets);
}

function extend(table: usize, buckets: u32): bool {
  const stride = field(table, BUCKET_BYTES);
  if (buckets < mostFlat(stride)) return doubleFlat(table, stride);
  const shift = shiftOf(table);
  const address = tableAllocate(table, stride << shift);
  if (!address) return false;
  if (!openDirectory(table, (buckets >> shift) + 1)) {
    tableRelease(table, address, stride << shift);
    return false;
  }
  store<u32>(bucketEntry(table, buckets >> shift), <u32>address - buckets * stride);
  return true;
}

/** Not while anybody may hold the address of a bucket: splits, which come here, are postponed then. */
function doubleFlat(table: usize, stride: u32): bool {
  const old = <usize>field(table, FLAT);
  const flat = field(table, FLAT_BUCKETS);
  const address = tableAllocate(table, (flat << 1) * stride);
  if (!address) return false;
  if (COUNTING) countCopied(flat * stride);
  memory.copy(address, old, flat * stride);
  tableRelease(table, old, flat * stride);
  setField(table, FLAT, <u32>address);
  setField(table, FLAT_BUCKETS, flat << 1);
  return true;
}

/** Frees what a table that now has one bucket less, `buckets`, does not need any more. */
@inline export function shrinkBuckets(table: usize, buckets: u32): void {
  if (field(table, BUCKET_SEGMENTS)) {
    if (!(buckets & ((1 << shiftOf(table)) - 1))) dropLastSegment(table, buckets);
  } else if (buckets << 1 == field(table, FLAT_BUCKETS)) cutFlat(table, buckets);
}

function dropLastSegment(table: usize, buckets: u32): void {
  dropSegmentAt(table, buckets >> shiftOf(table));
  if (buckets == field(table, FLAT_BUCKETS)) dropDirectory(table, table + BUCKET_SEGMENTS);
}

function dropSegmentAt(table: usize, segment: u32): void {
  const stride = field(table, BUCKET_BYTES);
  const entry = bucketEntry(table, segment);
  const address = <usize>(load<u32>(entry) + (segment << shiftOf(table)) * stride);
  store<u32>(entry, 0);
  tableRelease(table, address, segmentBuckets(table, segment) * stride);
}

/** Gives back the flat part behind its first `buckets` buckets. */
function cutFlat(table: usize, buckets: u32): void {
  const stride = field(table, BUCKET_BYTES);
  const flat = field(table, FLAT_BUCKETS);
  if (flat > buckets) tableRelease(table, <usize>(field(table, FLAT) + buckets * stride), (flat - buckets) * stride);
  setField(table, FLAT_BUCKETS, buckets);
}

/** Frees the segments behind the flat part with their directory. */
function dropSegments(table: usize): void {
  if (!field(table, BUCKET_SEGMENTS)) return;
  const segments = bucketSegments(table, field(table, BUCKETS));
  insist(segments <= load<u32>(table + BUCKET_SEGMENTS, 8));
  for (let segment = field(table, FLAT_BUCKETS) >> shiftOf(table); segment < segments; segment++) {
    // Not by 0: the address of a segment may be what is taken from it.
    if (load<u32>(bucketEntry(table, segment)) != lazyEntry(table, segment)) dropSegmentAt(table, segment);
  }
  dropDirectory(table, table + BUCKET_SEGMENTS);
}

/** Frees all buckets of a growing table but the first. */
export function cutBuckets(table: usize): void {
  dropSegments(table);
  cutFlat(table, 1);
}

/** Frees all buckets. */
export function closeBuckets(table: usize): void {
  dropSegments(table);
  cutFlat(table, 0);
}

/** Gives back the memory of all buckets of a table without preallocation. */
export function forgetBuckets(table: usize): void {
  const segments = bucketSegments(table, field(table, BUCKETS));
  for (let segment: u32 = 0; segment < segments; segment++) {
    const untouched = lazyEntry(table, segment);
    const entry = bucketEntry(table, segment);
    if (load<u32>(entry) == untouched) continue;
    dropSegmentAt(table, segment);
    store<u32>(entry, untouched);
  }
}
