// Growth of arrays (array.ts). The new elements go to segments behind the first block; what is there stays where it is.
//
// In the shared build it is one operation for each segment, so that a thread may be killed in between: ELEMENT_SEGMENTS_HELD says how
// many there are, which may be more than the length needs, and are used by the next growth. The length is published last, behind the
// commit point. Readers have read the length before they look into the directory, and replaced directories stay (table/layout/segments.ts).
import { SHARED } from "../build";
import { EINVAL, ENOMEM, EPERM } from "../errno";
import { allocationSize, couldHold } from "../memory/arena";
import { zeroBytes } from "../memory/bytes";
import { beginWrite, commit, publish, rollback } from "../sync/journal";
import { acquire, lockErrno } from "../sync/lock";
import { ERRNO, mine } from "../sync/slot";
import { leadBack, tableAllocate, tableRelease } from "../table/layout/account";
import {
  ARRAY_BASE, ARRAY_SEGMENTS, COUNT, ELEMENT_SEGMENTS_HELD, ELEMENT_STRIDE, FROZEN, LATE_STRIPES, MAX_ENTRIES, RESIZE_LOCK, STRIPES,
  STRIPE_MASK, field, setField,
} from "../table/layout/header";
import {
  FIRST_ROOM, addSegment, directoryBytes, dropDirectory, dropSegment, firstOf, recordsOf, replaceDirectory, reserveDirectory, segmentsFor,
} from "../table/layout/segments";
import { MOST_STRIPES, STRIPE_BYTES } from "../table/life/dismantle";
import { setLimit } from "../table/limit/low_water";

/** Segments that there are. */
@inline function heldSegments(table: usize): u32 {
  return SHARED ? field(table, ELEMENT_SEGMENTS_HELD) : segmentsFor(table, field(table, MAX_ENTRIES));
}

/** A directory that other threads may be reading is replaced where another one would become larger: the first ones are of one granule. */
const FIRST_SHARED_ROOM: u32 = 4;

/** Room of a directory that holds so many segments. */
@inline function roomFor(table: usize, segments: u32): u32 {
  return max(max(SHARED ? FIRST_SHARED_ROOM : FIRST_ROOM, load<u32>(table + ARRAY_SEGMENTS, 8) << 1), segments);
}

/** Whether there may be memory for an array of a length: what is hopeless takes nothing on its way. */
function couldGrow(table: usize, entries: u32): bool {
  const array = table + ARRAY_SEGMENTS;
  const shift = load<u32>(array, 4);
  const stride = field(table, ELEMENT_STRIDE);
  const held = heldSegments(table);
  const there = <u64>field(table, ARRAY_BASE) + (held ? <u64>firstOf(held, shift) : 0);
  if (entries <= there) return true;
  if (!couldHold((<u64>entries - there) * stride)) return false; // from here on, bytes are counted in 32 bits
  const needed = segmentsFor(table, entries);
  let bytes: u64 = 0;
  for (let segment = held; segment < needed; segment++) bytes += allocationSize(recordsOf(segment, shift) * stride);
  if (needed > load<u32>(array, 8)) bytes += allocationSize(directoryBytes(roomFor(table, needed)));
  if (SHARED && needsStripes(table)) bytes += MOST_STRIPES * STRIPE_BYTES;
  return couldHold(bytes);
}

/** Allocates the next segment, of zeros. */
function addZeros(table: usize, segment: u32): bool {
  const array = table + ARRAY_SEGMENTS;
  const stride = field(table, ELEMENT_STRIDE);
  const records = recordsOf(segment, load<u32>(array, 4));
  const address = addSegment(table, array, segment, stride, records);
  if (!address) return false;
  zeroBytes(address, records * stride);
  return true;
}

function dropLast(table: usize, held: u32): void {
  const array = table + ARRAY_SEGMENTS;
  dropSegment(table, array, held - 1, field(table, ELEMENT_STRIDE), recordsOf(held - 1, load<u32>(array, 4)));
}

/** Raises the length of an array: 0, EINVAL for a shorter one, EPERM, ENOMEM; in the shared build, the errno of a lock. */
export function growArray(table: usize, entries: u32): u32 {
  if (SHARED) return growShared(table, entries);
  if (field(table, FROZEN)) return EPERM;
  if (entries < field(table, MAX_ENTRIES)) return EINVAL;
  if (!couldGrow(table, entries)) return ENOMEM;
  const array = table + ARRAY_SEGMENTS;
  const held = heldSegments(table);
  const needed = segmentsFor(table, entries);
  if (!reserveDirectory(table, array, needed)) return ENOMEM;
  for (let segment = held; segment < needed; segment++) {
    if (addZeros(table, segment)) continue;
    while (segment > held) dropLast(table, segment--);
    if (!held) dropDirectory(table, array);
    return ENOMEM;
  }
  setLimit(table, entries);
  setField(table, COUNT, entries);
  return 0;
}

/** Whether the elements behind the first block still have no locks. */
@inline function needsStripes(table: usize): bool {
  return !field(table, LATE_STRIPES) && field(table, STRIPE_MASK) != MOST_STRIPES - 1;
}

/** Gives the elements behind the first block their locks: of their own, unless the first block has as many. */
function addStripes(table: usize): bool {
  let stripes = field(table, STRIPES);
  if (needsStripes(table)) {
    stripes = <u32>tableAllocate(table, MOST_STRIPES * STRIPE_BYTES);
    if (!stripes) return false;
    zeroBytes(stripes, MOST_STRIPES * STRIPE_BYTES);
    leadBack(stripes, table + LATE_STRIPES);
  }
  setField(table, LATE_STRIPES, stripes);
  return true;
}

const DONE: u32 = 0;
const AGAIN: u32 = 1;
const REFUSED: u32 = 2;

function growShared(table: usize, entries: u32): u32 {
  while (true) {
    beginWrite();
    if (!acquire(table + RESIZE_LOCK)) {
      rollback();
      return lockErrno();
    }
    let errno: u32 = 0;
    if (field(table, FROZEN)) errno = EPERM;
    else if (entries < field(table, MAX_ENTRIES)) errno = EINVAL;
    else if (!couldGrow(table, entries)) errno = ENOMEM;
    const result = errno ? REFUSED : growStep(table, entries);
    if (result == REFUSED) {
      if (!errno) errno = mine(ERRNO) ? mine(ERRNO) : ENOMEM;
      rollback();
      if (errno == ENOMEM) trim(table);
      return errno;
    }
    if (!commit()) return lockErrno();
    if (result == DONE) return 0;
  }
}

/** One operation of a growth. */
function growStep(table: usize, entries: u32): u32 {
  const array = table + ARRAY_SEGMENTS;
  const needed = segmentsFor(table, entries);
  const held = heldSegments(table);
  if (needed && !field(table, LATE_STRIPES)) return addStripes(table) ? AGAIN : REFUSED;
  if (needed > load<u32>(array, 8)) return replaceDirectory(table, array, roomFor(table, needed), true) ? AGAIN : REFUSED;
  if (held < needed) {
    if (!addZeros(table, held)) return REFUSED;
    setField(table, ELEMENT_SEGMENTS_HELD, held + 1);
    return AGAIN;
  }
  setField(table, COUNT, entries);
  publish(table + MAX_ENTRIES, entries);
  return DONE;
}

/** Gives back what a growth has added, and the length does not need. */
function trim(table: usize): void {
  while (true) {
    beginWrite();
    if (!acquire(table + RESIZE_LOCK) || !trimStep(table)) {
      rollback();
      return;
    }
    if (!commit()) return;
  }
}

/** One operation of that. False when there is nothing left to do. */
function trimStep(table: usize): bool {
  const held = heldSegments(table);
  if (held > segmentsFor(table, field(table, MAX_ENTRIES))) {
    dropLast(table, held);
    setField(table, ELEMENT_SEGMENTS_HELD, held - 1);
    return true;
  }
  // An array that has never grown has no reader of what is behind its first block.
  if (held) return false;
  if (load<u32>(table + ARRAY_SEGMENTS, 8)) {
    dropDirectory(table, table + ARRAY_SEGMENTS);
    return true;
  }
  const late = field(table, LATE_STRIPES);
  if (!late) return false;
  if (late != field(table, STRIPES)) tableRelease(table, late, MOST_STRIPES * STRIPE_BYTES);
  setField(table, LATE_STRIPES, 0);
  return true;
}

/** Frees what growth has added. */
export function closeSegments(table: usize): void {
  for (let held = heldSegments(table); held; held--) dropLast(table, held);
  dropDirectory(table, table + ARRAY_SEGMENTS);
}

/** The same in the shared build, where nobody can reach the table any more. False when a lock could not be had. */
export function dismantleSegments(table: usize): bool {
  while (field(table, ELEMENT_SEGMENTS_HELD)) {
    const held = field(table, ELEMENT_SEGMENTS_HELD);
    beginWrite();
    dropLast(table, held);
    setField(table, ELEMENT_SEGMENTS_HELD, held - 1);
    if (!commit()) return false;
  }
  while (load<u32>(table + ARRAY_SEGMENTS, 8)) {
    beginWrite();
    dropDirectory(table, table + ARRAY_SEGMENTS);
    if (!commit()) return false;
  }
  return true;
}
