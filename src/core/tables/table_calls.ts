/**
 * Calls of the core that are others for tables that evict, or whose entries expire.
 *
 * @module
 */
import { TTL_OF_MAP } from "../../generated/abi.js";
import type { ScratchMemory } from "../memory/scratch.ts";
import { evicts } from "./registry.ts";
import type { TableInfo } from "./table.ts";

/** Whether calls are others that note something of entries: when they expire, or when they were used, which the shared core does in any call. */
export function isNoted(host: ScratchMemory, table: TableInfo): boolean {
  return table.expiry !== undefined || (!host.shared && evicts(table.type));
}

/** The next entries from a cursor, packed; how many. `values` 0: keys only. Otherwise there is room for so many values as they are stored. */
export function scanTable(
  host: ScratchMemory,
  table: TableInfo,
  cursor: number,
  keys: number,
  values: number,
  room: number,
): number {
  if (table.expiry === undefined) return host.core.scan(table.handle, cursor, keys, values, room);
  host.expiry.touch();
  return host.core.scanTimed(table.handle, cursor, keys, values, room);
}

/** The same, and removes them. */
export function drainTable(
  host: ScratchMemory,
  table: TableInfo,
  cursor: number,
  keys: number,
  values: number,
  room: number,
): number {
  if (table.expiry === undefined) return host.core.drain(table.handle, cursor, keys, values, room);
  host.expiry.touch();
  return host.core.drainTimed(table.handle, cursor, keys, values, room);
}

/** Removes and copies out entries without a cursor; not in a section. */
export function drainTableAny(
  host: ScratchMemory,
  table: TableInfo,
  stage: number,
  keys: number,
  values: number,
  room: number,
): number {
  if (table.expiry === undefined) return host.core.drainAny(table.handle, stage, keys, values, room);
  host.expiry.touch();
  return host.core.drainAnyTimed(table.handle, stage, keys, values, room);
}

/** The next entries of an iterator, as columns; how many, 0 at the end. */
export function columnsOf(
  host: ScratchMemory,
  table: TableInfo,
  state: number,
  addresses: number,
  keys: number,
  room: number,
): number {
  if (table.expiry === undefined) return host.core.columns(table.handle, state, addresses, keys, room);
  host.expiry.touch();
  return host.core.columnsTimed(table.handle, state, addresses, keys, room);
}

/** Lookup and delete; 0 | errno. */
export function takeEntry(host: ScratchMemory, table: TableInfo, key: number, value: number): number {
  if (!isNoted(host, table)) return host.core.take(table.handle, key, value);
  host.expiry.touch();
  return host.core.takeNoted(table.handle, key, value);
}

/** The key after one; 0 | ENOENT. */
export function keyAfter(host: ScratchMemory, table: TableInfo, key: number, out: number): number {
  if (table.expiry === undefined) return host.core.nextKey(table.handle, key, out);
  host.expiry.touch();
  return host.core.nextKeyNoted(table.handle, key, out);
}

/** Removes keys; how many, with the errno that ended it in the stage. */
export function removeKeys(
  host: ScratchMemory,
  table: TableInfo,
  stage: number,
  keys: number,
  count: number,
): number {
  if (!isNoted(host, table)) return host.core.removeMany(table.handle, stage, keys, count);
  host.expiry.touch();
  return host.core.removeManyNoted(table.handle, stage, keys, count);
}

/** Writes entries, as they stay by the ttl of the map; how many, with the errno that ended it in the stage. */
export function updateEntries(
  host: ScratchMemory,
  table: TableInfo,
  stage: number,
  keys: number,
  count: number,
  values: number,
  condition: number,
): number {
  if (!isNoted(host, table)) return host.core.updateMany(table.handle, stage, keys, count, values, condition);
  host.expiry.renew();
  return host.core.updateManyNoted(table.handle, stage, keys, count, values, condition, TTL_OF_MAP);
}

/** Writes an entry; 0 | errno. */
export function updateEntry(
  host: ScratchMemory,
  table: TableInfo,
  key: number,
  value: number,
  condition: number,
): number {
  if (!isNoted(host, table)) return host.core.update(table.handle, key, value, condition);
  host.expiry.renew();
  return host.core.updateNoted(table.handle, key, value, condition, TTL_OF_MAP);
}
