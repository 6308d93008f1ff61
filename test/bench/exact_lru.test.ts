// The exact LRU that maps are compared with, beside one that is too simple to be wrong.
import { expect, test } from "vitest";
// @ts-expect-error plain JavaScript
import { ExactLru, exactLruHits } from "../../bench/caches/exact_lru.mjs";
// @ts-expect-error plain JavaScript
import { CACHE_LOADS, cacheLoad } from "../../bench/data/cache_loads.mjs";
// @ts-expect-error plain JavaScript
import { Random } from "../../bench/data/random.mjs";
import { testSeed } from "../support/seed.ts";

const seed = testSeed("bench/exact_lru.test.ts");
const KEYS = 60;

test.each([1, 2, 7, 31, 60])("capacity %i: every victim", (capacity) => {
  const lru = new ExactLru(capacity, KEYS);
  /** In the order of their use. */
  const naive = new Set<number>();
  const random = new Random(seed, capacity);
  const done: unknown[] = [];
  const expected: unknown[] = [];
  for (let step = 0; step < 20_000; step++) {
    const key = random.below(KEYS);
    const present = naive.delete(key);
    if (random.below(10) === 0) {
      done.push(lru.delete(key));
      expected.push(present);
    } else {
      done.push(lru.has(key), lru.touch(key));
      expected.push(present, present);
      if (!present) {
        const victim = naive.size === capacity ? naive.values().next().value! : -1;
        naive.delete(victim);
        done.push(lru.insert(key));
        expected.push(victim);
      }
      naive.add(key);
    }
    done.push(lru.size);
    expected.push(naive.size);
  }
  expect(done).toEqual(expected);
});

test.each(CACHE_LOADS as string[])("hits of %s", (name) => {
  const draws: Uint32Array = cacheLoad(name, 500, seed);
  const naive = new Set<number>();
  let hits = 0;
  for (const key of draws) {
    if (naive.delete(key)) hits++;
    else if (naive.size === 50) naive.delete(naive.values().next().value!);
    naive.add(key);
  }
  expect(exactLruHits(draws, 50, 1000)).toBe(hits);
});
