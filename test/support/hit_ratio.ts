/**
 * Hit ratios of maps that evict beside the exact LRU, on the seeded loads of the workload `cache`: the demands of the study that the
 * policy comes from.
 */
// @ts-expect-error plain JavaScript
import { exactLruHits } from "../../bench/caches/exact_lru.mjs";
// @ts-expect-error plain JavaScript
import { cacheLoad } from "../../bench/data/cache_loads.mjs";
import { createHost, u32 } from "../../src/index.ts";

/** The least that a map must have beyond LRU, in points, with room for a share of the keys. */
export interface Demand {
  load: string;
  share: number;
  beyond: number;
}

/** The most that `eviction: "recency"` may be away from LRU, either way, in points. */
export const MOST_APART = 0.5;

/** Percent of the accesses that find their key, when those that do not put it. */
function hitsOf(eviction: "value" | "recency", draws: Uint32Array, maxEntries: number, seed: number): number {
  const host = createHost({ seed });
  const map = host.createMap({ type: "lru_hash", key: u32, value: u32, maxEntries, eviction });
  let hits = 0;
  for (const key of draws) {
    if (map.get(key) !== undefined) hits++;
    else map.set(key, 1);
  }
  host.close();
  return (100 * hits) / draws.length;
}

/** Points beyond the exact LRU, with each way to evict. */
export function beyondLru({ load, share }: Demand, keys: number, seed: number) {
  const draws: Uint32Array = cacheLoad(load, keys, seed);
  const maxEntries = Math.ceil(keys * share);
  const lru = (100 * exactLruHits(draws, maxEntries, 2 * keys)) / draws.length;
  const value = hitsOf("value", draws, maxEntries, seed) - lru;
  const recency = hitsOf("recency", draws, maxEntries, seed) - lru;
  console.log(
    `${load}, ${maxEntries} of ${keys} keys: LRU ${lru.toFixed(2)} %, value ${value.toFixed(2)} beyond, ` +
      `recency ${recency.toFixed(2)}`,
  );
  return { value, recency };
}
