// The map types "lru_hash" and "lru_percpu_hash" against the reference model, by value and by recency.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BPF_F_NO_COMMON_LRU } from "../../src/constants.ts";
import { createHost, type Eviction, type EvictionType } from "../../src/index.ts";
import {
  decodeOperations,
  generateOperations,
  openSubject,
  ReferenceMap,
  replay,
  replayAndShrink,
} from "../../src/testing/index.ts";
import { describeSpec, layoutSizes, opener } from "../support/open.ts";
import { testSeed } from "../support/seed.ts";
import { growthAndShrink, longSections } from "../support/sequences.ts";
import { bySize } from "../support/size.ts";

const seed = testSeed("testing/model_lru.test.ts");
const TYPES: EvictionType[] = ["lru_hash", "lru_percpu_hash"];
const EVICTIONS: Eviction[] = ["value", "recency"];

const configuration = fc.record({
  type: fc.constantFrom(...TYPES),
  eviction: fc.constantFrom(...EVICTIONS),
  flags: fc.constantFrom(0, 0, BPF_F_NO_COMMON_LRU),
  keySize: fc.oneof(fc.constantFrom(4, 8, 16), fc.integer({ min: 1, max: 64 }), fc.constantFrom(65, 257)),
  valueSize: fc.oneof(fc.integer({ min: 1, max: 24 }), fc.integer({ min: 1, max: 300 })),
  maxEntries: fc.constantFrom(1, 2, 3, 10, 30, 31, 32, 500),
} as const);

test("generated operations, any configuration", () => {
  fc.assert(
    fc.property(configuration, fc.nat(0xffff_ffff), fc.boolean(), (spec, seed, crowded) => {
      const { maxEntries } = spec;
      const keys = Math.max(4, Math.ceil(maxEntries * (crowded ? 3 : 1.1)));
      const operations = generateOperations({
        seed,
        steps: 1500 + 6 * maxEntries,
        keys,
        maxEntries,
        evicts: true,
      });
      replayAndShrink(operations, opener(spec, seed), { seed });
    }),
    { seed, numRuns: bySize(3, 60), endOnFailure: true },
  );
});

test("any bytes as operations, any configuration", () => {
  fc.assert(
    fc.property(configuration, fc.uint8Array({ maxLength: 4000 }), (spec, bytes) => {
      const subject = openSubject(createHost({ seed: 1, cpus: 2 }), spec);
      replay(decodeOperations(bytes), subject, new ReferenceMap(subject));
    }),
    { seed, numRuns: bySize(10, 80) },
  );
});

describe.each(TYPES)("%s", (type) => {
  test.each(EVICTIONS)("every key size from 1 to 64, and odd ones: by %s", (eviction) => {
    for (const keySize of [...Array.from({ length: 64 }, (_, i) => i + 1), 65, 100, 257]) {
      const maxEntries = keySize % 2 === 0 ? 60 : 20;
      const spec = { type, eviction, keySize, valueSize: 1 + (keySize % 20), maxEntries } as const;
      const steps = bySize(40, 600);
      const operations = generateOperations({
        seed: seed ^ keySize,
        steps,
        keys: 90,
        maxEntries,
        evicts: true,
      });
      replayAndShrink(operations, opener(spec, seed), { seed: seed ^ keySize });
    }
  });

  describe.each(layoutSizes())("$keySize + $valueSize bytes", (sizes) => {
    const specs = EVICTIONS.map((eviction) => ({ type, ...sizes, eviction, maxEntries: bySize(100, 2000) }));

    test.each(specs.map((spec) => [describeSpec(spec), spec] as const))(
      "beyond the limit, and empty: %s",
      (_name, spec) => {
        const operations = growthAndShrink(bySize(150, 4000), seed);
        expect(replayAndShrink(operations, opener(spec, seed), { seed }).peak).toBe(spec.maxEntries);
      },
    );

    test.each(specs.map((spec) => [describeSpec(spec), spec] as const))(
      "long sections: %s",
      (_name, spec) => {
        const operations = longSections(bySize(100, 3000), seed);
        expect(replayAndShrink(operations, opener(spec, seed), { seed }).sections).toBe(4);
      },
    );
  });
});
