// Checks every invariant of a table that is no KV store (kv.ts): its header and structures here, its buckets in buckets.ts, its elements
// in elements.ts, and what the shared build adds in shared_table.ts. It may be called at any time between two operations, in a section
// too, and in the shared build while no other thread writes to the table.
// The order of the checks is such that nothing follows an address, a link or a count that has not been checked before.
import { SHARED } from "../build";
import { KeyAny } from "../hash/key";
import { allocationSize, bytesInUse } from "../memory/arena";
import { BlockKeys, KEYS_BUCKET_BYTES, KEYS_OVERFLOW_BYTES, KEYS_OVERFLOW_SLOTS, KEYS_SLOTS } from "../table/layout/block_keys";
import { BlockRefs, REFS_BUCKET_BYTES, REFS_SLOTS } from "../table/layout/block_refs";
import { BlockTags, TAGS_BUCKET_MOST, TAGS_ENTRY_MOST, TAGS_KEYS, tagOverflowBytes, tagSlots } from "../table/layout/block_tags";
import { fixedRecords, untouchedEntry } from "../table/layout/buckets";
import { ELEMENT_KEY, preallocatedSegments } from "../table/layout/elements";
import {
  ARRAY_BASE, ARRAY_DATA, ARRAY_SEGMENTS, BUCKETS, BUCKET_BYTES, BUCKET_SEGMENTS, BYTES, COUNT, DRAIN_AT, ELEMENTS, ELEMENT_SEGMENTS, ELEMENT_SEGMENTS_HELD,
  ELEMENT_STRIDE, FLAGS, FROZEN, GROWABLE, GROW_ABOVE, HEADER_BYTES, KEY_SIZE, LAYOUT, LAYOUT_ARRAY, LAYOUT_KEYS, LAYOUT_REFS, LAYOUT_TAGS, LIMITED, LOAD16, LOCK_OFFSET,
  MARK, MASK, MAX_ENTRIES, NO_LOCK, OVERFLOW_BYTES, OVERFLOW_COUNT, OVERFLOW_MASK, OVERFLOW_RESERVE, OVERFLOW_SLOTS, OVERFLOW_VALUES,
  OWES, OWES_MERGES, PER_CPU, PREALLOCATED, SHRINK_BELOW, SLOTS, SLOT_MASK, VALUES, VALUE_SIZE, field, isGrowable,
} from "../table/layout/header";
import { directoryEntry, firstOf, recordAddress, recordsOf, segmentOf, segmentsFor } from "../table/layout/segments";
import { entriesOf } from "../table/limit/credits";
import { markOf } from "../table/limit/low_water";
import { isInUse } from "./arena";
import { Sums, verifyBuckets } from "./buckets";
import { verifyElements, verifyOwners } from "./elements";
import {
  ARRAY_ROOM, ARRAY_VALUES, AS_CREATED, BUCKET_COUNT, CAPACITY, DIRECTORY, DRAIN_POSITION, ENTRY_COUNT, FLAG_WORDS, HELD_SEGMENTS, LIMITS, MEASURES, OVERFLOW_BLOCKS,
  RESERVE, TABLE_BYTES, broken,
} from "./invariants";
import { directoriesBytes, sharedBytes, verifyOldDirectories, verifyShared } from "./shared_table";

const LINE: u32 = 64;
const NEVER: u32 = 0xffffffff;

/** The first broken invariant of a table, its details in four words at `out`; 0 when all hold. */
export function verifyTable(table: usize, out: usize): u32 {
  const layout = field(table, LAYOUT);
  if (layout > LAYOUT_ARRAY) return broken(out, MEASURES, <u32>LAYOUT, layout, LAYOUT_ARRAY, 0);
  if (layout == LAYOUT_ARRAY) return verifyArray(table, out);
  return verifyStructures(table, out) || verifyContents(table, out) || verifyTotals(table, out);
}

/**
 * Compares what the header says with what the handles of the table know: 0, or AS_CREATED. Nothing in memory says it a second time,
 * so a damaged size may fit everything else there.
 */
export function verifyCreated(
  table: usize, growable: u32, prealloc: u32, keySize: u32, valueSize: u32, maxEntries: u32, out: usize,
): u32 {
  const flags = (growable ? GROWABLE : 0) | (prealloc ? PREALLOCATED : 0);
  if ((field(table, FLAGS) & (GROWABLE | PREALLOCATED)) != flags) {
    return broken(out, AS_CREATED, <u32>FLAGS, field(table, FLAGS) & (GROWABLE | PREALLOCATED), flags, 0);
  }
  return (
    expect(table, AS_CREATED, KEY_SIZE, keySize, out) ||
    expect(table, AS_CREATED, VALUE_SIZE, valueSize, out) ||
    expect(table, AS_CREATED, MAX_ENTRIES, maxEntries, out)
  );
}

/** Checks a word that is a set of flags. */
@inline function verifyFlags(table: usize, offset: usize, bits: u32, out: usize): u32 {
  const word = field(table, offset);
  return word & ~bits ? broken(out, FLAG_WORDS, <u32>offset, word, bits, 0) : 0;
}

/** The words of flags that every table has. */
export function verifyWords(table: usize, out: usize): u32 {
  return verifyFlags(table, FROZEN, 1, out) || verifyFlags(table, FLAGS, GROWABLE | PREALLOCATED | OWES_MERGES, out) || (SHARED ? verifySharedWords(table, out) : 0);
}

function verifySharedWords(table: usize, out: usize): u32 {
  const lock = field(table, LOCK_OFFSET);
  if (lock != NO_LOCK && (lock & 3 || <u64>lock + 4 > <u64>field(table, VALUE_SIZE))) {
    return broken(out, MEASURES, <u32>LOCK_OFFSET, lock, NO_LOCK, 0);
  }
  return verifyFlags(table, LIMITED, 1, out) || verifyFlags(table, PER_CPU, 1, out) || verifyFlags(table, OWES, 1, out);
}

/** What must hold before anything may walk over the buckets. */
function verifyStructures(table: usize, out: usize): u32 {
  return (
    verifyWords(table, out) ||
    verifyMeasures(table, out) ||
    verifyCounts(table, out) ||
    verifyDirectory(table, table + BUCKET_SEGMENTS, bucketSegments(table), out) ||
    verifyDirectory(table, table + ELEMENT_SEGMENTS, elementSegments(table), out) ||
    (SHARED ? verifyHeld(table, out) : 0) ||
    verifyElements(table, out) ||
    verifyReserve(table, out) ||
    (SHARED ? verifyShared(table, out) : 0)
  );
}

function verifyContents(table: usize, out: usize): u32 {
  const layout = field(table, LAYOUT);
  if (layout == LAYOUT_KEYS) return verifyBuckets<BlockKeys, u32>(table, out);
  if (layout == LAYOUT_TAGS) return verifyBuckets<BlockTags, KeyAny>(table, out);
  return verifyBuckets<BlockRefs, KeyAny>(table, out);
}

/** Compares the sums over the buckets with what the header says. */
function verifyTotals(table: usize, out: usize): u32 {
  const entries = changetype<Sums>(out).entries;
  const overflow = changetype<Sums>(out).overflow;
  const count = SHARED ? entriesOf(table) : field(table, COUNT);
  const blocks = field(table, OVERFLOW_COUNT);
  const most = field(table, MAX_ENTRIES);
  if (overflow != blocks) return broken(out, OVERFLOW_BLOCKS, overflow, blocks, 0, 0);
  if (entries != count) return broken(out, ENTRY_COUNT, entries, count, 0, 0);
  if (entries > most) return broken(out, CAPACITY, entries, most, 0, 0);
  if (field(table, LAYOUT) == LAYOUT_REFS) {
    const problem = verifyOwners(table, entries, out);
    if (problem) return problem;
  }
  return verifyBytes(table, overflow, out) || verifyMark(table, out);
}

/** The plain build notes where the low-water mark is, which the shared one computes. */
function verifyMark(table: usize, out: usize): u32 {
  return SHARED ? 0 : expect(table, LIMITS, MARK, markOf(table, field(table, MAX_ENTRIES)), out);
}

/** Compares a word of the header. */
@inline function expect(table: usize, invariant: u32, offset: usize, expected: u32, out: usize): u32 {
  return field(table, offset) == expected ? 0 : broken(out, invariant, <u32>offset, field(table, offset), expected, 0);
}

@inline function round8(bytes: u32): u32 {
  return (bytes + 7) & ~7;
}

function verifyMeasures(table: usize, out: usize): u32 {
  const slots = field(table, SLOTS);
  const overflowSlots = field(table, OVERFLOW_SLOTS);
  return (
    expect(table, MEASURES, SLOT_MASK, (1 << slots) - 1, out) ||
    expect(table, MEASURES, OVERFLOW_MASK, (1 << overflowSlots) - 1, out) ||
    verifyLayout(table, slots, overflowSlots, out)
  );
}

/** The measures that each layout fixes by itself. */
function verifyLayout(table: usize, slots: u32, overflowSlots: u32, out: usize): u32 {
  const keySize = field(table, KEY_SIZE);
  const valueSize = field(table, VALUE_SIZE);
  const layout = field(table, LAYOUT);
  if (layout == LAYOUT_KEYS) {
    return (
      expect(table, MEASURES, KEY_SIZE, 4, out) ||
      expect(table, MEASURES, SLOTS, KEYS_SLOTS, out) ||
      expect(table, MEASURES, OVERFLOW_SLOTS, KEYS_OVERFLOW_SLOTS, out) ||
      expect(table, MEASURES, OVERFLOW_BYTES, KEYS_OVERFLOW_BYTES, out) ||
      expect(table, MEASURES, BUCKET_BYTES, KEYS_BUCKET_BYTES, out)
    );
  }
  if (layout == LAYOUT_REFS) {
    const values = round8(<u32>ELEMENT_KEY + keySize);
    return (
      expect(table, MEASURES, SLOTS, REFS_SLOTS, out) ||
      expect(table, MEASURES, OVERFLOW_SLOTS, REFS_SLOTS, out) ||
      expect(table, MEASURES, OVERFLOW_BYTES, REFS_BUCKET_BYTES, out) ||
      expect(table, MEASURES, BUCKET_BYTES, REFS_BUCKET_BYTES, out) ||
      expect(table, MEASURES, VALUES, values, out) ||
      expect(table, MEASURES, ELEMENT_STRIDE, round8(values + valueSize), out)
    );
  }
  return verifyTags(table, slots, overflowSlots, out);
}

/** Blocks of the layout "tags" have as many slots as fit, and overflow blocks are no larger than one slot needs. */
function verifyTags(table: usize, slots: u32, overflowSlots: u32, out: usize): u32 {
  const keySize = field(table, KEY_SIZE);
  const valueSize = field(table, VALUE_SIZE);
  const bytes = field(table, BUCKET_BYTES);
  if (keySize > TAGS_ENTRY_MOST) return broken(out, MEASURES, <u32>KEY_SIZE, keySize, TAGS_ENTRY_MOST, 0);
  if (valueSize > TAGS_ENTRY_MOST - keySize) {
    return broken(out, MEASURES, <u32>VALUE_SIZE, valueSize, TAGS_ENTRY_MOST - keySize, 0);
  }
  if (bytes & (LINE - 1) || bytes > TAGS_BUCKET_MOST) {
    return broken(out, MEASURES, <u32>BUCKET_BYTES, bytes, allocationSize(min(bytes, TAGS_BUCKET_MOST)), 0);
  }
  const overflow = tagOverflowBytes(keySize, valueSize);
  return (
    expect(table, MEASURES, SLOTS, tagSlots(bytes, keySize, valueSize), out) ||
    expect(table, MEASURES, OVERFLOW_BYTES, overflow, out) ||
    expect(table, MEASURES, OVERFLOW_SLOTS, tagSlots(overflow, keySize, valueSize), out) ||
    expect(table, MEASURES, VALUES, round8(TAGS_KEYS + slots * keySize), out) ||
    expect(table, MEASURES, OVERFLOW_VALUES, round8(TAGS_KEYS + overflowSlots * keySize), out)
  );
}

/** The number of buckets, and what follows from it. */
function verifyCounts(table: usize, out: usize): u32 {
  const buckets = field(table, BUCKETS);
  const mask: u32 = buckets > 1 ? <u32>(((<u64>2) << (31 - clz(buckets))) - 1) : 1;
  if (!buckets || (!SHARED && mask != field(table, MASK))) return broken(out, BUCKET_COUNT, buckets, field(table, MASK), mask, 0);
  let growAbove = NEVER;
  let shrinkBelow: u32 = 0;
  if (isGrowable(table)) {
    const above = (<u64>buckets * field(table, LOAD16)) >> 4;
    growAbove = above > 0xffffffff ? 0xffffffff : <u32>above;
    shrinkBelow = buckets > 1 ? <u32>(above >> 1) : 0;
  }
  if (field(table, DRAIN_AT) >= buckets) return broken(out, DRAIN_POSITION, field(table, DRAIN_AT), buckets, 0, 0);
  return (
    expect(table, LIMITS, GROW_ABOVE, growAbove, out) || expect(table, LIMITS, SHRINK_BELOW, shrinkBelow, out)
  );
}

function bucketSegments(table: usize): u32 {
  return segmentOf(field(table, BUCKETS) - 1, load<u32>(table + BUCKET_SEGMENTS, 4)) + 1;
}

function elementSegments(table: usize): u32 {
  const layout = field(table, LAYOUT);
  if (layout != LAYOUT_REFS && layout != LAYOUT_ARRAY) return 0;
  if (SHARED) return field(table, ELEMENT_SEGMENTS_HELD);
  return usedElementSegments(table);
}

function usedElementSegments(table: usize): u32 {
  const layout = field(table, LAYOUT);
  if (layout == LAYOUT_ARRAY) return segmentsFor(table, field(table, MAX_ENTRIES));
  if (layout != LAYOUT_REFS) return 0;
  const elements = field(table, ELEMENTS);
  const used = elements ? segmentOf(elements - 1, load<u32>(table + ELEMENT_SEGMENTS, 4)) + 1 : 0;
  return field(table, FLAGS) & PREALLOCATED ? max(used, preallocatedSegments(table)) : used;
}

/** The shared build counts its segments of elements, and may have more than it needs. */
function verifyHeld(table: usize, out: usize): u32 {
  const held = elementSegments(table);
  const used = usedElementSegments(table);
  return held >= used ? 0 : broken(out, HELD_SEGMENTS, held, used, elementsOf(table), 0);
}

/** Records of the segmented array of elements. */
function elementsOf(table: usize): u32 {
  if (field(table, LAYOUT) != LAYOUT_ARRAY) return field(table, ELEMENTS);
  return field(table, MAX_ENTRIES) - field(table, ARRAY_BASE);
}

/** Bytes between two records of one of the two segmented arrays. */
@inline function strideOf(table: usize, array: usize): u32 {
  return field(table, array == table + BUCKET_SEGMENTS ? BUCKET_BYTES : ELEMENT_STRIDE);
}

/** Bytes of a segment; 0 of one that nobody has written to, which has no memory of its own. */
function segmentBytes(table: usize, array: usize, segment: u32): u64 {
  const shift = load<u32>(array, 4);
  const stride = strideOf(table, array);
  if (array != table + BUCKET_SEGMENTS || isGrowable(table)) return <u64>recordsOf(segment, shift) * stride;
  if (!(field(table, FLAGS) & PREALLOCATED)) {
    if (load<u32>(directoryEntry(array, segment)) == untouchedEntry(segment, shift, stride)) return 0;
  }
  return <u64>fixedRecords(table, segment, shift) * stride;
}

function verifyDirectory(table: usize, array: usize, segments: u32, out: usize): u32 {
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

/** Blocks of the reserve; NEVER when the list leaves the memory in use, or does not end. */
function reserveLength(table: usize): u32 {
  const bytes = field(table, OVERFLOW_BYTES);
  const most = bytesInUse() / bytes;
  let blocks: u32 = 0;
  let block = <usize>field(table, OVERFLOW_RESERVE);
  while (block && blocks <= most && isInUse(block, bytes)) {
    blocks++;
    block = <usize>load<u32>(block);
  }
  return block ? NEVER : blocks;
}

function verifyReserve(table: usize, out: usize): u32 {
  const blocks = reserveLength(table);
  if (blocks == NEVER || (blocks && !(field(table, FLAGS) & PREALLOCATED))) {
    return broken(out, RESERVE, field(table, OVERFLOW_RESERVE), blocks, 0, 0);
  }
  return 0;
}

function arrayBytes(table: usize, array: usize, segments: u32): u32 {
  const room = load<u32>(array, 8);
  let bytes = SHARED ? directoriesBytes(<usize>load<u32>(array), room) : allocationSize(room << 2);
  for (let segment: u32 = 0; segment < segments; segment++) {
    bytes += allocationSize(<u32>segmentBytes(table, array, segment));
  }
  return bytes;
}

function verifyBytes(table: usize, overflow: u32, out: usize): u32 {
  const bytes =
    (SHARED ? sharedBytes(table) : 0) +
    allocationSize(HEADER_BYTES) +
    arrayBytes(table, table + BUCKET_SEGMENTS, bucketSegments(table)) +
    arrayBytes(table, table + ELEMENT_SEGMENTS, elementSegments(table)) +
    (overflow + reserveLength(table)) * field(table, OVERFLOW_BYTES);
  return bytes == field(table, BYTES) ? 0 : broken(out, TABLE_BYTES, bytes, field(table, BYTES), 0, 0);
}

/** An array has a header, the block that it was made with, and the segments that growth has added. */
function verifyArray(table: usize, out: usize): u32 {
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
    arrayBytes(table, table + ARRAY_SEGMENTS, elementSegments(table));
  return bytes == field(table, BYTES) ? 0 : broken(out, TABLE_BYTES, bytes, field(table, BYTES), 0, 0);
}

/** The segments that growth has added. */
function verifyGrowth(table: usize, stride: u32, out: usize): u32 {
  return (
    expect(table, MEASURES, ELEMENT_STRIDE, stride, out) ||
    (SHARED ? verifyHeld(table, out) : 0) ||
    verifyDirectory(table, table + ARRAY_SEGMENTS, elementSegments(table), out) ||
    verifyRoom(table, stride, out)
  );
}

/** The elements that the next growth of an array shows: it sets none to zero. */
function verifyRoom(table: usize, stride: u32, out: usize): u32 {
  const array = table + ARRAY_SEGMENTS;
  const shift = load<u32>(array, 4);
  const segments = elementSegments(table);
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
