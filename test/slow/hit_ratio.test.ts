// What an lru_hash keeps of a million keys, beside the exact LRU. The seed is fixed: the numbers are those that were asked for.
import { expect, test } from "vitest";
import { beyondLru, MOST_APART } from "../support/hit_ratio.ts";

const KEYS = 1_000_000;
const SEED = 1;

test.each([
  { load: "zipf 0.8", share: 0.01, beyond: 4.5 },
  { load: "scans", share: 0.01, beyond: 2.5 },
  { load: "drift", share: 0.01, beyond: 2 },
  { load: "recency", share: 0.001, beyond: -0.5 },
])("$load, $share of the keys: at least $beyond points beyond LRU", (demand) => {
  const { value, recency } = beyondLru(demand, KEYS, SEED);
  expect(value).toBeGreaterThanOrEqual(demand.beyond);
  expect(Math.abs(recency)).toBeLessThanOrEqual(MOST_APART);
});
