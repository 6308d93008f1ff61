// Batches that follow a cursor: lookup_batch and lookup_and_delete_batch.
import { SHARED } from "../build";
import { BlockKeys } from "../table/layout/block_keys";
import { BlockRefs } from "../table/layout/block_refs";
import { BlockTags } from "../table/layout/block_tags";
import { LAYOUT, LAYOUT_KEYS, LAYOUT_TAGS, field } from "../table/layout/header";
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

@inline function run(table: usize, cursor: usize, keys: usize, values: usize, room: u32, removing: bool): u32 {
  const layout = field(table, LAYOUT);
  if (layout == LAYOUT_KEYS) return scanIn<BlockKeys>(table, cursor, keys, values, room, removing);
  if (layout == LAYOUT_TAGS) return scanIn<BlockTags>(table, cursor, keys, values, room, removing);
  return scanIn<BlockRefs>(table, cursor, keys, values, room, removing);
}

export function scan(table: usize, cursor: usize, keys: usize, values: usize, room: u32): u32 {
  return run(table, cursor, keys, values, room, false);
}

export function drain(table: usize, cursor: usize, keys: usize, values: usize, room: u32): u32 {
  return run(table, cursor, keys, values, room, true);
}

/** Removes entries without a cursor, in the order that costs least; fewer than `room` when the map is empty. Not in a section. */
export function drainAny(table: usize, stage: usize, keys: usize, values: usize, room: u32): u32 {
  if (SHARED) return 0; // several threads: by a cursor (src/ops/batch/drain.ts)
  const layout = field(table, LAYOUT);
  if (layout == LAYOUT_KEYS) return drainTable<BlockKeys>(table, stage, keys, values, room);
  if (layout == LAYOUT_TAGS) return drainTable<BlockTags>(table, stage, keys, values, room);
  return drainTable<BlockRefs>(table, stage, keys, values, room);
}
