// The map type "rhash" against the reference model, through every way it resizes.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeOperations,
  generateOperations,
  ReferenceMap,
  replay,
  replayAndShrink,
  type SubjectSpec,
} from "../../src/testing/index.ts";
import { layoutSizes, opener } from "../support/open.ts";
import { testSeed } from "../support/seed.ts";
import { boundaryChurn, growth, growthAndShrink, longSections } from "../support/sequences.ts";
import { bySize } from "../support/size.ts";

const seed = testSeed("testing/model_rhash.test.ts");

const configuration = fc.record({
  type: fc.constant("rhash"),
  keySize: fc.oneof(
    fc.constantFrom(4, 8, 16),
    fc.integer({ min: 1, max: 64 }),
    fc.constantFrom(65, 100, 257),
  ),
  valueSize: fc.oneof(fc.integer({ min: 1, max: 24 }), fc.integer({ min: 1, max: 300 })),
  maxEntries: fc.constantFrom(1, 2, 3, 10, 1000),
} as const);

test("generated operations, any configuration", () => {
  fc.assert(
    fc.property(configuration, fc.nat(0xffff_ffff), fc.boolean(), (spec, seed, crowded) => {
      const { maxEntries } = spec;
      const keys = Math.max(4, maxEntries * (crowded ? 3 : 1));
      const operations = generateOperations({ seed, steps: 1500 + 6 * maxEntries, keys, maxEntries });
      replayAndShrink(operations, opener(spec, seed), { seed });
    }),
    { seed, numRuns: bySize(2, 40), endOnFailure: true },
  );
});

test("any bytes as operations, any configuration", () => {
  fc.assert(
    fc.property(configuration, fc.uint8Array({ maxLength: 4000 }), (spec, bytes) => {
      replay(decodeOperations(bytes), opener(spec, 1)(), new ReferenceMap(spec));
    }),
    { seed, numRuns: bySize(20, 80) },
  );
});

const sized = (sizes: Omit<SubjectSpec, "type">): SubjectSpec => ({ type: "rhash", ...sizes });

test("every key size from 1 to 64, and odd ones", () => {
  for (const keySize of [...Array.from({ length: 64 }, (_, i) => i + 1), 65, 100, 257]) {
    const spec = sized({ keySize, valueSize: 1 + (keySize % 20), maxEntries: 150 });
    const operations = generateOperations({
      seed: seed ^ keySize,
      steps: bySize(50, 1000),
      keys: 200,
      maxEntries: 150,
    });
    replayAndShrink(operations, opener(spec, seed), { seed: seed ^ keySize });
  }
});

test("value sizes from 1 to 300", () => {
  for (let valueSize = 1; valueSize <= 300; valueSize += valueSize < 64 ? 1 : bySize(29, 1)) {
    const spec = sized({ keySize: [4, 8, 16, 7][valueSize % 4]!, valueSize, maxEntries: 80 });
    const operations = generateOperations({
      seed: seed ^ valueSize,
      steps: bySize(30, 300),
      keys: 100,
      maxEntries: 80,
    });
    replayAndShrink(operations, opener(spec, seed), { seed: seed ^ valueSize });
  }
});

describe.each(layoutSizes())("$keySize + $valueSize bytes", (sizes) => {
  const run = (operations: Parameters<typeof replay>[0], spec: SubjectSpec) =>
    replayAndShrink(operations, opener(spec, seed), { seed });

  // Level boundaries: bucket counts pass 64, 128, 256 and 512 on the way.
  const roomy = sized({ ...sizes, maxEntries: 50_000 });

  test("grows only", () => {
    const entries = bySize(600, 6000);
    expect(run(growth(entries, seed), roomy).peak).toBe(entries);
  });

  test.each([0, 1000])("grows and shrinks to nothing, hint %i", (mapExtra) => {
    const entries = bySize(500, 3000);
    expect(run(growthAndShrink(entries, seed), { ...roomy, mapExtra }).peak).toBe(entries);
  });

  test("churns around every level boundary", () => {
    const entries = bySize(500, 900);
    expect(run(boundaryChurn(entries, seed), roomy).peak).toBeGreaterThan(entries - 10);
  });

  test("falls behind in long sections and catches up", () => {
    expect(run(longSections(bySize(500, 2500), seed), roomy).sections).toBe(4);
  });

  test("stays at a small maxEntries", () => {
    for (const maxEntries of [1, 2, 3, 10]) {
      const operations = generateOperations({
        seed,
        steps: bySize(150, 800),
        keys: 4 * maxEntries,
        maxEntries,
      });
      run(operations, sized({ ...sizes, maxEntries, mapExtra: 1 }));
    }
  });

  test("tens of thousands of entries", () => {
    const entries = bySize(1000, 50_000);
    const filling = (function* () {
      yield* growth(entries, seed);
      yield* generateOperations({ seed, steps: bySize(400, 10_000), keys: 2 * entries, maxEntries: 50_000 });
    })();
    expect(run(filling, roomy).peak).toBeGreaterThanOrEqual(entries);
  });
});
