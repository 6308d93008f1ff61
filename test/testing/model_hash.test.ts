// The map type "hash" against the reference model, with entries allocated at creation and one by one.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BPF_F_NO_PREALLOC } from "../../src/constants.ts";
import {
  decodeOperations,
  generateOperations,
  ReferenceMap,
  replay,
  replayAndShrink,
  type SubjectSpec,
} from "../../src/testing/index.ts";
import { describeSpec, layoutSizes, opener } from "../support/open.ts";
import { testSeed } from "../support/seed.ts";
import { growthAndShrink, longSections } from "../support/sequences.ts";
import { bySize } from "../support/size.ts";

const seed = testSeed("testing/model_hash.test.ts");
const MODES = [0, BPF_F_NO_PREALLOC];

const configuration = fc.record({
  type: fc.constant("hash"),
  keySize: fc.oneof(
    fc.constantFrom(4, 8, 16),
    fc.integer({ min: 1, max: 64 }),
    fc.constantFrom(65, 100, 257),
  ),
  valueSize: fc.oneof(fc.integer({ min: 1, max: 24 }), fc.integer({ min: 1, max: 300 })),
  maxEntries: fc.constantFrom(1, 2, 3, 10, 1000),
  flags: fc.constantFrom(...MODES),
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

const sized = (sizes: Omit<SubjectSpec, "type">): SubjectSpec => ({ type: "hash", ...sizes });

describe.each(MODES)("flags %i", (flags) => {
  test("every key size from 1 to 64, and odd ones", () => {
    for (const keySize of [...Array.from({ length: 64 }, (_, i) => i + 1), 65, 100, 257]) {
      const spec = sized({ keySize, valueSize: 1 + (keySize % 20), maxEntries: 60, flags });
      const operations = generateOperations({
        seed: seed ^ keySize,
        steps: bySize(40, 600),
        keys: 90,
        maxEntries: 60,
      });
      replayAndShrink(operations, opener(spec, seed), { seed: seed ^ keySize });
    }
  });

  test("value sizes from 1 to 300", () => {
    for (let valueSize = 1; valueSize <= 300; valueSize += valueSize < 64 ? 1 : bySize(29, 1)) {
      const spec = sized({ keySize: [4, 8, 16, 7][valueSize % 4]!, valueSize, maxEntries: 40, flags });
      const operations = generateOperations({
        seed: seed ^ valueSize,
        steps: bySize(25, 250),
        keys: 60,
        maxEntries: 40,
      });
      replayAndShrink(operations, opener(spec, seed), { seed: seed ^ valueSize });
    }
  });

  test.each(layoutSizes())("tens of thousands of entries of $keySize + $valueSize bytes", (sizes) => {
    const maxEntries = bySize(1000, 50_000);
    const spec = sized({ ...sizes, maxEntries, flags });
    const filling = (function* () {
      for (let key = 0; key < maxEntries; key++)
        yield { kind: "update", key, value: key & 0xffff, flags: 0 } as const;
      yield* generateOperations({ seed, steps: bySize(400, 10_000), keys: 2 * maxEntries, maxEntries });
    })();
    expect(replayAndShrink(filling, opener(spec, seed), { seed }).peak).toBe(maxEntries);
  });
});

describe.each(layoutSizes())("$keySize + $valueSize bytes", (sizes) => {
  const specs = MODES.map((flags) => sized({ ...sizes, maxEntries: bySize(150, 2000), flags }));

  test.each(specs.map((spec) => [describeSpec(spec), spec] as const))(
    "full and empty again: %s",
    (_name, spec) => {
      expect(
        replayAndShrink(growthAndShrink(bySize(180, 2200), seed), opener(spec, seed), { seed }).peak,
      ).toBe(spec.maxEntries);
    },
  );

  test.each(specs.map((spec) => [describeSpec(spec), spec] as const))("long sections: %s", (_name, spec) => {
    expect(
      replayAndShrink(longSections(bySize(150, 1500), seed), opener(spec, seed), { seed }).sections,
    ).toBe(4);
  });
});
