// Batches that follow a cursor: lookup_batch and lookup_and_delete_batch.
import { SHARED } from "../build";
import { byLayout, layoutOf } from "../table/layout/by_layout";
import { writeColumns } from "../table/scan/columns";
import { CURSOR_BYTES as BYTES_OF_CURSOR } from "../table/scan/cursor";
import { drainAny as drainTable } from "../table/scan/drain";
import { scan as scanTable } from "../table/scan/scan";
import { scanShared } from "../table/scan/shared_scan";

/** Bytes of a cursor before the key it may hold. */
export const CURSOR_BYTES: u32 = BYTES_OF_CURSOR;

@inline function scanIn<B>(table: usize, cursor: usize, keys: usize, values: usize, room: u32, removing: bool): u32 {
  if (SHARED) return scanShared<B>(table, cursor, keys, values, room, removing);
  return scanTable<B>(table, cursor, keys, values, room, removing);
}

@unmanaged class Scan {
  @inline call4<B>(table: usize, cursor: usize, keys: usize, values: usize, room: usize): usize {
    return scanIn<B>(table, cursor, keys, values, <u32>room, false);
  }
}

export function scan(table: usize, cursor: usize, keys: usize, values: usize, room: u32): u32 {
  return <u32>byLayout<Scan>(layoutOf(table), table, cursor, keys, values, room);
}

@unmanaged class Drain {
  @inline call4<B>(table: usize, cursor: usize, keys: usize, values: usize, room: usize): usize {
    return scanIn<B>(table, cursor, keys, values, <u32>room, true);
  }
}

export function drain(table: usize, cursor: usize, keys: usize, values: usize, room: u32): u32 {
  return <u32>byLayout<Drain>(layoutOf(table), table, cursor, keys, values, room);
}

@unmanaged class DrainAny {
  @inline call4<B>(table: usize, stage: usize, keys: usize, values: usize, room: usize): usize {
    return drainTable<B>(table, stage, keys, values, <u32>room);
  }
}

/** Removes entries without a cursor, in the order that costs least; fewer than `room` when the map is empty. Not in a section. */
export function drainAny(table: usize, stage: usize, keys: usize, values: usize, room: u32): u32 {
  if (SHARED) return 0; // several threads: by a cursor (src/ops/batch/drain.ts)
  return <u32>byLayout<DrainAny>(layoutOf(table), table, stage, keys, values, room);
}

@unmanaged class Columns {
  @inline call4<B>(table: usize, state: usize, addresses: usize, keys: usize, room: usize): usize {
    return writeColumns<B>(table, state, addresses, keys, <u32>room);
  }
}

/** The next entries of an iterator, as columns of keys and of addresses of values (table/scan/columns.ts). How many; 0 at the end. */
export function columns(table: usize, state: usize, addresses: usize, keys: usize, room: u32): u32 {
  if (SHARED) return 0; // several threads: iterators copy values (src/ops/entry_iterator.ts)
  return <u32>byLayout<Columns>(layoutOf(table), table, state, addresses, keys, room);
}
