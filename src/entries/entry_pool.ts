/**
 * The entry objects of a map, to be used again by the next run: a callback that has seen one object stays fast with the same one, and
 * not with another (accessor.ts on shapes); and making one costs 50 us.
 *
 * @module
 */
import type { MapHandle } from "../ops/handle.ts";
import { LiveEntry } from "./entry.ts";

/** Entries that no run is using. */
interface Pool {
  readonly live: LiveEntry<unknown, unknown>[];
  readonly copies: LiveEntry<unknown, unknown>[];
}

const pools = new WeakMap<object, Pool>();

function poolOf(map: object): Pool {
  let pool = pools.get(map);
  if (pool === undefined) {
    pool = { live: [], copies: [] };
    pools.set(map, pool);
  }
  return pool;
}

/** An entry of a map that no run is using. Give it back with {@link returnEntry}, the one that was taken last first. */
export function takeEntry<K, V>(map: MapHandle<K, V>): LiveEntry<K, V> {
  return (poolOf(map).live.pop() as LiveEntry<K, V> | undefined) ?? new LiveEntry(map);
}

/** The same for what shows copies of entries, so that values cannot be written. */
export function takeCopy<K, V>(map: MapHandle<K, V>): LiveEntry<K, V> {
  const entry = poolOf(map).copies.pop() as LiveEntry<K, V> | undefined;
  return entry ?? new LiveEntry(map, "this is a copy of the entry; write with set() of the map");
}

export function returnEntry<K, V>(map: MapHandle<K, V>, entry: LiveEntry<K, V>): void {
  entry.leave();
  const { live, copies } = poolOf(map);
  (entry.writable ? live : copies).push(entry as LiveEntry<unknown, unknown>);
}
