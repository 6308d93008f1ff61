// What an lru_hash keeps, beside the exact LRU: hit ratios on small loads, and up to 31 entries every victim. The large loads are in
// test/slow/hit_ratio.test.ts.
import { describe, expect, test } from "vitest";
// @ts-expect-error plain JavaScript
import { ExactLru } from "../../bench/caches/exact_lru.mjs";
// @ts-expect-error plain JavaScript
import { Random } from "../../bench/data/random.mjs";
import { createHost, u32 } from "../../src/index.ts";
import { beyondLru, MOST_APART } from "../support/hit_ratio.ts";
import { testSeed } from "../support/seed.ts";
import { bySize } from "../support/size.ts";

const seed = testSeed("maps/hit_ratio.test.ts");
const KEYS = 20_000;

// From seed to seed they differ by 0.2 points or so.
describe("hit ratios beside the exact LRU", () => {
  test.each([
    { load: "zipf 0.8", share: 0.01, beyond: 5.5 },
    { load: "scans", share: 0.01, beyond: 3.5 },
    { load: "drift", share: 0.01, beyond: 3.2 },
    { load: "recency", share: 0.01, beyond: 0.6 },
  ])("$load: $beyond points beyond it", (demand) => {
    const { value, recency } = beyondLru(demand, KEYS, seed);
    expect(value).toBeGreaterThanOrEqual(demand.beyond);
    expect(Math.abs(recency)).toBeLessThanOrEqual(MOST_APART);
  });
});

describe('up to 31 entries, eviction: "recency" is the exact LRU', () => {
  const steps = bySize(20_000, 1_000_000);

  test.each([1, 2, 3, 8, 17, 30, 31])("maxEntries %i: every victim", (maxEntries) => {
    const keys = 2 * maxEntries + 2;
    const host = createHost({ seed });
    const map = host.createMap({ type: "lru_hash", key: u32, value: u32, maxEntries, eviction: "recency" });
    const lru = new ExactLru(maxEntries, keys);
    const random = new Random(seed, maxEntries);
    for (let step = 0; step < steps; step++) {
      const key = random.below(keys);
      const roll = random.below(16);
      const isThere = lru.has(key);
      const fail = (what: string) => new Error(`step ${step} of TEST_SEED=${seed}: ${what} of key ${key}`);
      if (roll === 0) {
        if (map.delete(key) !== lru.delete(key)) throw fail("delete");
      } else if (roll === 1) {
        // Neither of them counts as a use.
        if (map.has(key) !== isThere || (map.peek(key) === undefined) === isThere) throw fail("has or peek");
      } else if (roll < 9) {
        if ((map.get(key) !== undefined) !== lru.touch(key)) throw fail("get");
      } else {
        map.set(key, step);
        const victim = lru.touch(key) ? -1 : lru.insert(key);
        if (victim !== -1 && map.has(victim)) throw fail(`victim ${victim} is still there after set`);
        if (!map.has(key)) throw fail("absent after set");
      }
      // Equal before, one in and the same one out: equal afterwards, if as many are there.
      if (map.size !== lru.size) throw fail(`size ${map.size} instead of ${lru.size}`);
    }
    for (let key = 0; key < keys; key++) expect(map.has(key)).toBe(lru.has(key));
    host.close();
  });
});
