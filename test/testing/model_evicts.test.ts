// The kit on maps that evict: what the model knows of them, and that a replay catches what is planted.
import { describe, expect, test } from "vitest";
import { BPF_ANY, BPF_EXIST, BPF_NOEXIST } from "../../src/constants.ts";
import { ERRNO } from "../../src/errors.ts";
import {
  generateOperations,
  ReferenceMap,
  ReplayDivergence,
  replay,
  replayAndShrink,
} from "../../src/testing/index.ts";
import { EvictingSubject, type EvictionBug, type OrderBug } from "../support/evicting_subject.ts";
import { testSeed } from "../support/seed.ts";

const seed = testSeed("testing/model_evicts.test.ts");
const of = (...bytes: number[]) => Uint8Array.from(bytes);

function full(eviction?: "recency"): ReferenceMap {
  const model = new ReferenceMap({ type: "lru_hash", keySize: 1, valueSize: 1, maxEntries: 3, eviction });
  for (let key = 1; key <= 3; key++) expect(model.update(of(key), of(key), BPF_ANY)).toBe(0);
  return model;
}

describe("ReferenceMap", () => {
  test("is never full, and knows how many have gone", () => {
    const model = full();
    expect(model.update(of(4), of(4), BPF_NOEXIST)).toBe(0);
    expect([model.size, model.unknown, model.victim]).toEqual([3, 1, undefined]);
    expect(model.evicted(of(9))).toBe(false);
    expect(model.evicted(of(2))).toBe(true);
    expect(model.evicted(of(1))).toBe(false);
    expect([model.size, model.unknown, model.lookup(of(2))]).toEqual([3, 0, undefined]);
  });

  test("evicts nothing for an update that fails, or of a key that is there", () => {
    const model = full();
    expect(model.update(of(4), of(4), BPF_EXIST)).toBe(ERRNO.ENOENT);
    expect(model.update(of(1), of(4), BPF_NOEXIST)).toBe(ERRNO.EEXIST);
    expect(model.update(of(1), of(4), BPF_ANY)).toBe(0);
    expect([model.size, model.unknown]).toEqual([3, 0]);
    expect(model.grow(9)).toBe(ERRNO.EINVAL);
  });

  test("of an LRU to the letter it knows the victim", () => {
    const model = full("recency");
    model.use(of(1));
    model.lookup(of(2));
    model.update(of(4), of(4), BPF_ANY);
    expect([model.size, model.unknown, model.victim?.key]).toEqual([3, 0, of(2)]);
    model.update(of(3), of(9), BPF_EXIST);
    expect(model.victim).toBeUndefined();
    model.update(of(5), of(5), BPF_ANY);
    expect(model.victim?.key).toEqual(of(1));
  });

  test("of no more than 31 entries", () => {
    const sizes = { type: "lru_hash", keySize: 1, valueSize: 1, eviction: "recency" } as const;
    for (const maxEntries of [31, 32]) {
      const model = new ReferenceMap({ ...sizes, maxEntries });
      for (let key = 0; key <= maxEntries; key++) model.update(of(key), of(0), BPF_ANY);
      expect(model.victim?.key).toEqual(maxEntries === 31 ? of(0) : undefined);
    }
  });

  test("an empty map has evicted nothing that could still be here", () => {
    const model = full();
    model.update(of(4), of(4), BPF_ANY);
    model.clear();
    expect([model.size, model.unknown]).toEqual([0, 0]);
  });
});

describe.each([undefined, "recency"] as const)("replay, eviction %s", (eviction) => {
  const sizes = { type: "lru_hash", keySize: 4, valueSize: 4, maxEntries: 20, eviction } as const;
  const operations = (run = 0) =>
    generateOperations({ seed: (seed + run) >>> 0, steps: 4000, keys: 40, maxEntries: 20, evicts: true });

  test("passes a correct map", () => {
    const summary = replay(operations(), new EvictingSubject(sizes), new ReferenceMap(sizes), { seed });
    expect(summary.steps).toBe(4000);
    expect(summary.peak).toBe(20);
    expect(summary.scans).toBeGreaterThan(0);
  });

  const bugs: EvictionBug[] = ["newest", "two", "early", "none", "value"];
  const ofOrder: OrderBug[] = ["reads", "writes", "has", "youngest"];
  test.each([...bugs, ...(eviction === undefined ? [] : ofOrder)])("catches a planted bug: %s", (bug) => {
    const attempts = Array.from({ length: 10 }, (_, run) => () => {
      replayAndShrink(operations(run), () => new EvictingSubject(sizes, bug), { seed });
    });
    expect(
      attempts.some((attempt) => {
        try {
          attempt();
          return false;
        } catch (error) {
          return error instanceof ReplayDivergence;
        }
      }),
    ).toBe(true);
  });
});
