// A segmented array: records of one stride that never move when the array grows. Buckets and elements live in such arrays.
//
// Segment 0 holds record 0, segment j record 2^(j-1) .. 2^j - 1, up to 2^shift records; from there on every segment holds
// 2^shift. So a small table pays for little more than it uses, a large one grows by a segment of some 64 KiB, and no array is
// ever copied: only the directory doubles, 4 bytes per segment.
//
//   descriptor: 0 u32 directory address    4 u32 shift    8 u32 room of the directory, in segments
//   directory:  u32[ ], entry j = address of segment j minus stride * its first record (modulo 2^32), so that
//               record i is at directory[j] + stride * i without a subtraction
import { SHARED } from "../../build";
import { COUNTING, countCopied } from "../../counting";
import { insist } from "../../damage";
import { zeroBytes } from "../../memory/bytes";
import { publish, write32 } from "../../sync/journal";
import { tableAllocate, tableRelease } from "./account";
import { ARRAY_BASE, ARRAY_SEGMENTS, RETIRED, field } from "./header";

export const FIRST_ROOM: u32 = 16;
/** Entries of a directory that leave no u32 to wrap around: more than 4 GiB can hold the segments of. */
const MOST_SEGMENTS: u32 = 1 << 28;

@inline export function segmentOf(index: u32, shift: u32): u32 {
  return select<u32>(32 - clz(index), (index >> shift) + shift, !(index >> shift));
}

@inline export function recordAddress(array: usize, index: u32, stride: u32): usize {
  const segment = segmentOf(index, load<u32>(array, 4));
  return <usize>(load<u32>(<usize>load<u32>(array) + (<usize>segment << 2)) + index * stride);
}

/** First record of a segment. */
@inline export function firstOf(segment: u32, shift: u32): u32 {
  if (segment > shift) return (segment - shift) << shift;
  return segment ? 1 << (segment - 1) : 0;
}

/** Records that a segment holds. */
@inline export function recordsOf(segment: u32, shift: u32): u32 {
  if (segment > shift) return 1 << shift;
  return segment ? 1 << (segment - 1) : 1;
}

/** Segments behind the first block of an array map that has so many elements. */
@inline export function segmentsFor(table: usize, entries: u32): u32 {
  const base = field(table, ARRAY_BASE);
  return entries > base ? segmentOf(entries - base - 1, load<u32>(table + ARRAY_SEGMENTS, 4)) + 1 : 0;
}

/** The word of the directory that stands for a segment. */
@inline export function directoryEntry(array: usize, segment: u32): usize {
  return <usize>load<u32>(array) + (<usize>segment << 2);
}

/** Makes the directory hold at least `segments` entries; new ones are 0. */
export function reserveDirectory(table: usize, array: usize, segments: u32): bool {
  const room = load<u32>(array, 8);
  if (segments <= room) return true;
  const wanted = max(max(FIRST_ROOM, room << 1), segments);
  insist(wanted <= MOST_SEGMENTS);
  if (SHARED) return replaceDirectory(table, array, wanted, false);
  const directory = tableAllocate(table, wanted << 2);
  if (!directory) return false;
  const old = <usize>load<u32>(array);
  if (room) {
    if (COUNTING) countCopied(room << 2);
    memory.copy(directory, old, room << 2);
    tableRelease(table, old, room << 2);
  }
  zeroBytes(directory + (<usize>room << 2), (wanted - room) << 2);
  store<u32>(array, <u32>directory);
  store<u32>(array, wanted, 8);
  return true;
}

/**
 * The same where other threads may be reading the old directory: it stays, and is freed with the table. All of them together are
 * no larger than the last one.
 * With `live`, others see the new one only after the commit point.
 *   directory: entries | behind them u32 the one before, u32 its room
 */
export function replaceDirectory(table: usize, array: usize, wanted: u32, live: bool): bool {
  const room = load<u32>(array, 8);
  insist(room < wanted && wanted <= MOST_SEGMENTS);
  const old = <usize>load<u32>(array);
  const directory = tableAllocate(table, directoryBytes(wanted));
  if (!directory) return false;
  memory.copy(directory, old, room << 2);
  zeroBytes(directory + (<usize>room << 2), (wanted - room) << 2);
  const behind = directory + (<usize>wanted << 2);
  store<u32>(behind, <u32>old);
  store<u32>(behind, room, 4);
  write32(array + 8, wanted);
  if (live) publish(array, <u32>directory);
  else write32(array, <u32>directory);
  return true;
}

@inline export function directoryBytes(room: u32): u32 {
  return SHARED ? (room + 2) << 2 : room << 2;
}

/** Allocates a segment for `records` records, at most as many as it can hold. Its address, 0 when there is no memory. */
export function addSegment(table: usize, array: usize, segment: u32, stride: u32, records: u32): usize {
  if (!reserveDirectory(table, array, segment + 1)) return 0;
  const address = tableAllocate(table, records * stride);
  if (!address) return 0;
  store<u32>(directoryEntry(array, segment), <u32>address - firstOf(segment, load<u32>(array, 4)) * stride);
  return address;
}

/** Where a segment starts. */
@inline export function segmentAddress(array: usize, segment: u32, stride: u32): usize {
  return <usize>(load<u32>(directoryEntry(array, segment)) + firstOf(segment, load<u32>(array, 4)) * stride);
}

/** Frees a segment that was added for `records` records. */
export function dropSegment(table: usize, array: usize, segment: u32, stride: u32, records: u32): void {
  insist(segment < load<u32>(array, 8));
  const entry = directoryEntry(array, segment);
  const address = segmentAddress(array, segment, stride);
  if (!SHARED) store<u32>(entry, 0); // readers who come late must find memory, whatever is in it (table/entries/shared_read.ts)
  tableRelease(table, address, records * stride);
}

/** Makes sure that record `index`, the next one to use, has its segment. */
@inline export function growTo(table: usize, array: usize, index: u32, stride: u32): bool {
  const shift = load<u32>(array, 4);
  const segment = segmentOf(index, shift);
  if (firstOf(segment, shift) != index) return true;
  return addSegment(table, array, segment, stride, recordsOf(segment, shift)) != 0;
}

/** Frees the segment of record `index`, the last one until now, when it was the segment's first. */
@inline export function shrinkTo(table: usize, array: usize, index: u32, stride: u32): void {
  const shift = load<u32>(array, 4);
  const segment = segmentOf(index, shift);
  if (firstOf(segment, shift) == index) dropSegment(table, array, segment, stride, recordsOf(segment, shift));
}

/** Frees the directory of an array that has no segments any more; in the shared build, the last of them that are left. */
export function dropDirectory(table: usize, array: usize): void {
  const room = load<u32>(array, 8);
  if (!room) return;
  if (SHARED) {
    const directory = <usize>load<u32>(array);
    const behind = directory + (<usize>room << 2);
    write32(array, load<u32>(behind));
    write32(array + 8, load<u32>(behind, 4));
    tableRelease(table, directory, directoryBytes(room));
    return;
  }
  tableRelease(table, <usize>load<u32>(array), room << 2);
  store<u32>(array, 0);
  store<u32>(array, 0, 8);
}

/** Tells readers that memory of the table may become something else from now on. */
@inline export function warnReaders(table: usize): void {
  atomic.store<u32>(table, field(table, RETIRED) + 1, RETIRED);
}
