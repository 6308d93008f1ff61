// Batches of array maps. Keys are indices; the errno that ends a batch stands at STAGE_ERRNO of the stage, as for hash maps.
import { COUNTING, countCopied } from "../counting";
import { zeroBytes } from "../hash/bytes";
import { arrayError, arrayLength, arrayWritten, copyValueOf, elementOf } from "../maps/array";
import { arrayAddTo, arrayGet, arraySet } from "../maps/shared_array";
import { SHARED } from "../sync/shared";
import { VALUE_SIZE, field } from "../table/header";
import { STAGE_ERRNO, addTo, deltaShift } from "./write";

/** Copies indices and values from index `from` on, at most `room`. How many. */
export function arrayScan(table: usize, from: u32, keys: usize, values: usize, room: u32): u32 {
  const entries = arrayLength(table);
  const count = from < entries ? min(room, entries - from) : 0;
  const size = field(table, VALUE_SIZE);
  for (let i: u32 = 0; i < count; i++) {
    if (COUNTING) countCopied(4);
    store<u32>(keys + (<usize>i << 2), from + i);
    if (!values) continue;
    if (SHARED) {
      if (arrayGet(table, from + i, values + <usize>i * size, 0) != 1) return i;
    } else copyValueOf(table, values + <usize>i * size, elementOf(table, from + i));
  }
  return count;
}

/** Looks up `count` indices; zeroes and a found byte of 0 where an index is out of range. How many were in range. */
export function arrayLookupMany(table: usize, keys: usize, count: u32, values: usize, found: usize): u32 {
  const entries = arrayLength(table);
  const size = field(table, VALUE_SIZE);
  let hits: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const index = load<u32>(keys + (<usize>i << 2));
    const value = values + <usize>i * size;
    const inRange = index < entries;
    if (!inRange) zeroBytes(value, size);
    else if (SHARED) {
      if (arrayGet(table, index, value, 0) != 1) return hits;
    } else copyValueOf(table, value, elementOf(table, index));
    store<u8>(found + i, inRange ? 1 : 0);
    hits += <u32>inRange;
  }
  return hits;
}

/** Writes `count` values. How many were done. */
export function arrayUpdateMany(table: usize, keys: usize, count: u32, values: usize, stage: usize): u32 {
  const size = field(table, VALUE_SIZE);
  arrayWritten(table);
  for (let i: u32 = 0; i < count; i++) {
    const index = load<u32>(keys + (<usize>i << 2));
    const errno = SHARED ? arraySet(table, index, values + <usize>i * size, 0) : arrayError(table, index);
    if (errno) {
      store<u32>(stage + STAGE_ERRNO, errno);
      return i;
    }
    if (!SHARED) copyValueOf(table, elementOf(table, index), values + <usize>i * size);
  }
  store<u32>(stage + STAGE_ERRNO, 0);
  return count;
}

/** Adds a delta to a field of each value. How many were done. */
export function arrayAddMany(
  table: usize, keys: usize, count: u32, deltas: usize, width: u32, offset: u32, stage: usize,
): u32 {
  arrayWritten(table);
  for (let i: u32 = 0; i < count; i++) {
    const index = load<u32>(keys + (<usize>i << 2));
    const delta = deltas + (<usize>i << deltaShift(width));
    const errno = SHARED ? arrayAddTo(table, index, delta, width, offset) : arrayError(table, index);
    if (errno) {
      store<u32>(stage + STAGE_ERRNO, errno);
      return i;
    }
    if (!SHARED) addTo(elementOf(table, index) + offset, width, delta);
  }
  store<u32>(stage + STAGE_ERRNO, 0);
  return count;
}
