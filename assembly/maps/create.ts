// Creating and destroying maps (KV stores are destroyed here, too): the policies of `hash` (a fixed number of buckets) and `rhash` (as many as the entries need).
// Arguments come validated; what can fail here is memory.
import { closeArray, dismantleArray } from "../arrays/create";
import { SHARED } from "../build";
import { ENOMEM } from "../errno";
import { initSeeds } from "../hash/hash";
import { closeKv, dismantleKv } from "../kv/store";
import { allocate, allocationSize, couldHold, release } from "../memory/arena";
import { zeroBytes } from "../memory/bytes";
import { beginWrite, commit } from "../sync/journal";
import { ORPHAN, mine } from "../sync/slot";
import { lazyShift } from "../table/layout/bucket_array";
import { byLayout, hasElements, hasTexts, layoutOf } from "../table/layout/by_layout";
import {
  BUCKET_BYTES, BUCKET_SEGMENTS, BYTES, ELEMENT_STRIDE, EVICTS, FILTERED, FLAGS, GROWABLE, HEADER_BYTES, LAYOUT_ARRAY, LAYOUT_KV, LOAD16,
  MAX_ENTRIES, PER_CPU, PREALLOCATED, RECENCY, SEEDS, TIMED, field, setField,
} from "../table/layout/header";
import { recordsFor } from "../table/layout/lanes";
import { assemble, newHeader, unfinishedErrno } from "../table/life/assemble";
import { dismantle, freeHeader } from "../table/life/dismantle";
import { clearTable, closeTable, openTable } from "../table/life/lifecycle";
import { setLimit } from "../table/limit/low_water";
import { clearShared } from "../table/scan/shared_scan";
import { setLayout } from "./choose_layout";

/** 128 buckets with their entries a segment, 8 to 32 KiB: larger ones would be much of the memory of a map of 10,000 entries. */
const SEGMENT_SHIFT: u32 = 7;
/** Buckets of addresses take a small part of their map's memory: 32 KiB a segment, near to the segments of elements in size, so
 *  that the one fits where the other was. */
const REFS_SEGMENT_SHIFT: u32 = 9;

/** Buckets for so many entries at the load target. */
export function bucketsFor(table: usize, entries: u32): u32 {
  const load = <u64>field(table, LOAD16);
  return <u32>max(((<u64>entries << 4) + load - 1) / load, 1);
}

/** log2 of the buckets of a segment, where all of them get their memory at once. */
export function segmentShift(table: usize): u32 {
  return hasElements(table) || hasTexts(table) ? REFS_SEGMENT_SHIFT : SEGMENT_SHIFT;
}

/** The flags of a table of a kind. */
export function flagsOf(kind: u32, prealloc: bool): u32 {
  return (
    (kind & KIND_GROWABLE ? GROWABLE : prealloc ? PREALLOCATED : 0) |
    (!SHARED && kind & KIND_FILTERED ? FILTERED : 0) |
    (kind & KIND_EVICTS ? EVICTS : 0) |
    (kind & KIND_RECENCY ? RECENCY : 0) |
    (kind & KIND_TIMED ? TIMED : 0)
  );
}

function setUp(
  kind: u32, keySize: u32, valueSize: u32, maxEntries: u32, prealloc: bool, hint: u32, seed: u32, perCpu: bool,
): usize {
  const growable = (kind & KIND_GROWABLE) != 0;
  const texts = (kind & KIND_TEXTS) != 0;
  const table = SHARED ? newHeader() : allocate(HEADER_BYTES);
  if (!table) return SHARED ? dropUnfinished() : ENOMEM;
  if (SHARED) beginWrite();
  else {
    zeroBytes(table, HEADER_BYTES);
    setField(table, BYTES, allocationSize(HEADER_BYTES));
  }
  if (SHARED) setField(table, MAX_ENTRIES, maxEntries);
  else setLimit(table, maxEntries);
  setField(table, FLAGS, flagsOf(kind, prealloc));
  initSeeds(table + SEEDS, seed);
  setLayout(table, keySize, valueSize, perCpu, texts, (kind & KIND_EVICTS) != 0);
  if (SHARED && perCpu) setField(table, PER_CPU, 1);
  const buckets = bucketsFor(table, growable ? hint : maxEntries);
  const shift = growable || prealloc ? segmentShift(table) : lazyShift(buckets);
  setField(table, BUCKET_SEGMENTS + 4, shift);
  // Fails at once what would otherwise fail after gigabytes of allocations.
  const touched = growable || prealloc ? <u64>buckets * field(table, BUCKET_BYTES) : ((<u64>buckets >> shift) << 2);
  const elements = !growable && prealloc && !texts ? <u64>recordsFor(table, maxEntries) * field(table, ELEMENT_STRIDE) : 0;
  if (SHARED) commit();
  if (couldHold(touched + elements) && open(table, buckets)) return table;
  if (SHARED) return dropUnfinished();
  destroyTable(table);
  return ENOMEM;
}

@unmanaged class Assemble {
  @inline call1<B>(table: usize, buckets: usize): usize {
    return <usize>assemble<B>(table, <u32>buckets);
  }
}

function open(table: usize, buckets: u32): bool {
  if (!SHARED) return openTable(table, buckets);
  return byLayout<Assemble>(layoutOf(table), table, buckets) != 0;
}

/** Destroys a table that this slot could not finish, and says why: the errno of a lock, or ENOMEM. */
function dropUnfinished(): usize {
  const errno = unfinishedErrno();
  const table = <usize>mine(ORPHAN);
  if (table) destroyTable(table);
  return errno;
}

/** Kinds of tables, as bits: rhash; with a filter of absent keys, which the layout "keys" of the plain build can have; keys are texts;
 *  a full table evicts; and it does by recency alone. */
export const KIND_GROWABLE: u32 = 1;
export const KIND_FILTERED: u32 = 2;
export const KIND_TEXTS: u32 = 4;
/** And: evicts at its limit; the entry that was not used for longest; values have an expiry behind them (table/notes/). */
export const KIND_EVICTS: u32 = 8;
export const KIND_RECENCY: u32 = 16;
export const KIND_TIMED: u32 = 32;

/**
 * A new map: its handle, or ENOMEM, or in the shared build the errno of a lock. Of texts, `keySize` is the room that one has outside of
 * the table. Of per-CPU maps, `valueSize` is that of all slots.
 */
export function createTable(
  kind: u32, keySize: u32, valueSize: u32, maxEntries: u32, prealloc: u32, hint: u32, seed: u32, perCpu: u32,
): usize {
  return setUp(kind, keySize, valueSize, maxEntries, prealloc != 0, hint, seed, perCpu != 0);
}

@unmanaged class Close {
  /** Whether all could be freed. */
  @inline call0<B>(table: usize): usize {
    if (SHARED) return <usize>dismantle<B>(table);
    closeTable<B>(table);
    return 1;
  }
}

/** Frees a map with everything in it. */
export function destroyTable(table: usize): void {
  const layout = layoutOf(table);
  if (SHARED) {
    let whole: bool;
    if (layout == LAYOUT_ARRAY) whole = dismantleArray(table);
    else if (layout == LAYOUT_KV) whole = dismantleKv(table);
    else whole = byLayout<Close>(layout, table) != 0;
    if (whole) freeHeader(table);
    return;
  }
  if (layout == LAYOUT_ARRAY) closeArray(table);
  else if (layout == LAYOUT_KV) closeKv(table);
  else byLayout<Close>(layout, table);
  release(table, HEADER_BYTES);
}

@unmanaged class Clear {
  @inline call0<B>(table: usize): usize {
    if (SHARED) return clearShared<B>(table);
    clearTable<B>(table);
    return 0;
  }
}

/** Removes all entries: 0, or in the shared build the errno of a lock. */
export function clearEntries(table: usize): u32 {
  return <u32>byLayout<Clear>(layoutOf(table), table);
}
