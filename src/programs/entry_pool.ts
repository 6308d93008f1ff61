/**
 * The entry objects of a map, to be used again by the next run: a filter that has seen one object stays fast with the same one, and
 * not with another (accessor.ts on shapes).
 *
 * @module
 */
import type { BpfMap } from "../maps/bpf_map.ts";
import { LiveEntry } from "./entry.ts";

const pools = new WeakMap<object, LiveEntry<unknown, unknown>[]>();

/** An entry of a map that no run is using. Give it back with {@link returnEntry}, the one that was taken last first. */
export function takeEntry<K, V>(map: BpfMap<K, V>): LiveEntry<K, V> {
  return (pools.get(map)?.pop() as LiveEntry<K, V> | undefined) ?? new LiveEntry(map);
}

export function returnEntry<K, V>(map: BpfMap<K, V>, entry: LiveEntry<K, V>): void {
  entry.leave();
  const pool = pools.get(map);
  if (pool === undefined) pools.set(map, [entry as LiveEntry<unknown, unknown>]);
  else pool.push(entry as LiveEntry<unknown, unknown>);
}
