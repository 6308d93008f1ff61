// Batches of array maps. Keys are indices; the errno that ends a batch stands at STAGE_ERRNO of the stage, as for hash maps.
import { STAGE_ERRNO } from "../batch/stage";
import { SHARED } from "../build";
import { COUNTING, countCopied } from "../counting";
import { copyBytes, zeroBytes } from "../memory/bytes";
import { FIRST_ADDRESS } from "../regions";
import { addTo, deltaShift } from "../table/entries/scalar";
import { ARRAY_BASE, ARRAY_DATA, FROZEN, MARK, VALUE_SIZE, field } from "../table/layout/header";
import { NEXT } from "../table/scan/columns";
import { arrayElement, arrayLength, arrayObtain, arrayStride, insistOnElements } from "./array";
import { arrayAddTo, arrayGet, arraySet } from "./shared_array";

/**
 * The address of an element within the first `most` of the first block, or what `arrayElement` or `arrayObtain` answers. The words of
 * the header stay in locals of the loop.
 */
@inline function near(table: usize, index: u32, most: u32, data: usize, stride: u32, writes: bool): usize {
  if (index < most) return data + <usize>index * stride;
  return writes ? arrayObtain(table, index) : arrayElement(table, index);
}

/** Copies indices and values from index `from` on, at most `room`. How many. */
export function arrayScan(table: usize, from: u32, keys: usize, values: usize, room: u32): u32 {
  insistOnElements(table);
  const entries = arrayLength(table);
  const count = from < entries ? min(room, entries - from) : 0;
  const size = field(table, VALUE_SIZE);
  const base = field(table, ARRAY_BASE);
  const data = <usize>field(table, ARRAY_DATA);
  const stride = arrayStride(table);
  for (let i: u32 = 0; i < count; i++) {
    if (COUNTING) countCopied(4);
    store<u32>(keys + (<usize>i << 2), from + i);
    if (!values) continue;
    const value = values + <usize>i * size;
    if (SHARED) {
      if (arrayGet(table, from + i, value, 0) != 1) return i;
    } else copyBytes(value, near(table, from + i, base, data, stride, false), size);
  }
  return count;
}

/** `columns` of batch/scan.ts: indices, and the addresses of their values. */
export function arrayColumns(table: usize, state: usize, addresses: usize, keys: usize, room: u32): u32 {
  if (SHARED) return 0;
  insistOnElements(table);
  const entries = arrayLength(table);
  const from = load<u32>(state, NEXT);
  const count = from < entries ? min(room, entries - from) : 0;
  const base = field(table, ARRAY_BASE);
  const data = <usize>field(table, ARRAY_DATA);
  const stride = arrayStride(table);
  for (let i: u32 = 0; i < count; i++) {
    store<u32>(keys + (<usize>i << 2), from + i);
    store<u32>(addresses + (<usize>i << 2), <u32>near(table, from + i, base, data, stride, false));
  }
  store<u32>(state, from + count, NEXT);
  return count;
}

/** Looks up `count` indices; zeroes and a found byte of 0 where an index is out of range. How many were in range. */
export function arrayLookupMany(table: usize, keys: usize, count: u32, values: usize, found: usize): u32 {
  if (SHARED) return lookupShared(table, keys, count, values, found);
  const size = field(table, VALUE_SIZE);
  const base = field(table, ARRAY_BASE);
  const data = <usize>field(table, ARRAY_DATA);
  const stride = arrayStride(table);
  let hits: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const element = near(table, load<u32>(keys + (<usize>i << 2)), base, data, stride, false);
    const value = values + <usize>i * size;
    const inRange = element != 0;
    if (inRange) copyBytes(value, element, size);
    else zeroBytes(value, size);
    store<u8>(found + i, inRange ? 1 : 0);
    hits += <u32>inRange;
  }
  return hits;
}

function lookupShared(table: usize, keys: usize, count: u32, values: usize, found: usize): u32 {
  const entries = arrayLength(table);
  const size = field(table, VALUE_SIZE);
  let hits: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const index = load<u32>(keys + (<usize>i << 2));
    const value = values + <usize>i * size;
    const inRange = index < entries;
    if (!inRange) zeroBytes(value, size);
    else if (arrayGet(table, index, value, 0) != 1) return hits;
    store<u8>(found + i, inRange ? 1 : 0);
    hits += <u32>inRange;
  }
  return hits;
}

/** How many elements a call may write without asking: those of the first block below the low-water mark; none of a frozen array. */
@inline function openElements(table: usize): u32 {
  return field(table, FROZEN) ? 0 : min(field(table, ARRAY_BASE), field(table, MARK));
}

/** Writes `count` values. How many were done. */
export function arrayUpdateMany(table: usize, keys: usize, count: u32, values: usize, stage: usize): u32 {
  const size = field(table, VALUE_SIZE);
  const most = SHARED ? 0 : openElements(table);
  const data = <usize>field(table, ARRAY_DATA);
  const stride = arrayStride(table);
  for (let i: u32 = 0; i < count; i++) {
    const index = load<u32>(keys + (<usize>i << 2));
    const value = values + <usize>i * size;
    const element = SHARED ? <usize>arraySet(table, index, value, 0) : near(table, index, most, data, stride, true);
    if (SHARED ? element != 0 : element < FIRST_ADDRESS) {
      store<u32>(stage + STAGE_ERRNO, <u32>element);
      return i;
    }
    if (!SHARED) copyBytes(element, value, size);
  }
  store<u32>(stage + STAGE_ERRNO, 0);
  return count;
}

/** Adds a delta to a field of each value. How many were done. */
export function arrayAddMany(
  table: usize, keys: usize, count: u32, deltas: usize, width: u32, offset: u32, stage: usize,
): u32 {
  const most = SHARED ? 0 : openElements(table);
  const data = <usize>field(table, ARRAY_DATA);
  const stride = arrayStride(table);
  for (let i: u32 = 0; i < count; i++) {
    const index = load<u32>(keys + (<usize>i << 2));
    const delta = deltas + (<usize>i << deltaShift(width));
    const element = SHARED ? <usize>arrayAddTo(table, index, delta, width, offset) : near(table, index, most, data, stride, true);
    if (SHARED ? element != 0 : element < FIRST_ADDRESS) {
      store<u32>(stage + STAGE_ERRNO, <u32>element);
      return i;
    }
    if (!SHARED) addTo(element + offset, width, delta);
  }
  store<u32>(stage + STAGE_ERRNO, 0);
  return count;
}
