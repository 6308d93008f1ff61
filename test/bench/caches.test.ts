// The contenders of the workload `cache`: each is a cache, and those that say so are exactly LRU.
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
// @ts-expect-error plain JavaScript
import { exactLruHits } from "../../bench/caches/exact_lru.mjs";
// @ts-expect-error plain JavaScript
import { CACHES } from "../../bench/contenders/caches/index.mjs";
// @ts-expect-error plain JavaScript
import { cacheKeys } from "../../bench/data/cache_keys.mjs";
// @ts-expect-error plain JavaScript
import { cacheLoad } from "../../bench/data/cache_loads.mjs";
import { builtRoot } from "../support/built.ts";
import { testSeed } from "../support/seed.ts";

type Kind = "u32" | "text";
interface Cache {
  get(key: number | string): number | undefined;
  set(key: number | string, value: number): unknown;
  insert(keys: Uint32Array): void;
  replay(input: { keys: Uint32Array; draws: Uint32Array }): number;
  close?(): void;
}
interface Contender {
  title: string;
  exact?: boolean;
  evicts?: boolean;
  kinds?: Kind[];
  ownLoops?: boolean;
  open(options: { capacity: number; kind: Kind }): Cache;
}

const seed = testSeed("bench/caches.test.ts");
const KEYS = 500;
const CAPACITY = 50;

// Ours import what the build makes.
builtRoot();

/** Those from npm are not installed by a test. */
const PEERS = ["lru-cache", "mnemonist", "quick-lru", "ttlcache"];
const peersInstalled = existsSync(new URL("../../bench/peers/node_modules/quick-lru", import.meta.url));

const contenders: [string, Contender][] = [];
const reasons: [string, string][] = [];
for (const [name, load] of Object.entries(CACHES) as [
  string,
  () => Promise<Contender & { load(context: object): Promise<Contender["open"]> }>,
][]) {
  if (!peersInstalled && PEERS.includes(name)) reasons.push([name, "is not installed"]);
  else {
    try {
      const contender = await load();
      contenders.push([name, { ...contender, open: await contender.load({ seed, note: () => {} }) }]);
    } catch (error) {
      reasons.push([name, (error as Error).message]);
    }
  }
}
for (const [name, reason] of reasons) test.skip(`${name}: ${reason}`, () => {});

/** As the loops of the workload read it. */
function replay(cache: Cache, keys: (number | string)[], draws: Uint32Array): number {
  let hits = 0;
  draws.forEach((draw, i) => {
    const value = cache.get(keys[draw]!);
    if (value === undefined) cache.set(keys[draw]!, i);
    else hits++;
  });
  return hits;
}

describe.each(contenders)(
  "%s",
  (_name, { title, exact, evicts = true, kinds = ["u32", "text"], ownLoops, open }) => {
    test.runIf(!ownLoops).each(kinds)("keeps what there is room for: %s", (kind) => {
      const cache = open({ capacity: KEYS, kind });
      const keys = cacheKeys(kind, 0, KEYS + 1);
      for (let i = 0; i < KEYS; i++) cache.set(keys[i], i);
      for (let i = 0; i < KEYS; i++) expect(cache.get(keys[i])).toBe(i);
      expect(cache.get(keys[KEYS])).toBeUndefined();
      if (evicts) {
        cache.set(keys[KEYS], KEYS);
        expect(cache.get(keys[KEYS])).toBe(KEYS);
      } else expect(() => cache.set(keys[KEYS], KEYS)).toThrow("E2BIG");
      cache.close?.();
      expect(title).not.toBe("");
    });

    test.runIf(evicts).each(kinds)("hits: %s", (kind) => {
      const keys = cacheKeys(kind, 0, 2 * KEYS);
      for (const load of ["zipf 0.99", "scans"]) {
        const draws: Uint32Array = cacheLoad(load, KEYS, seed);
        const cache = open({ capacity: CAPACITY, kind });
        const hits = ownLoops ? cache.replay({ keys, draws }) : replay(cache, keys, draws);
        const lru = exactLruHits(draws, CAPACITY, 2 * KEYS);
        if (exact) expect(hits).toBe(lru);
        expect(hits).toBeGreaterThan(lru / 2);
        expect(hits).toBeLessThan(draws.length);
        cache.close?.();
      }
    });
  },
);
