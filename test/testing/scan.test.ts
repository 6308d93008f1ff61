// Scans, drains and iteration return every entry that stays exactly once, whatever happens between their steps.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BPF_F_NO_PREALLOC } from "../../src/constants.ts";
import { type Operation, replayAndShrink, type SubjectSpec } from "../../src/testing/index.ts";
import { CollidingSubject } from "../support/colliding_subject.ts";
import { layoutSizes, opener } from "../support/open.ts";
import { testSeed } from "../support/seed.ts";
import {
  boundaryChurn,
  growth,
  growthAndShrink,
  longSections,
  type ScanShares,
  withScans,
} from "../support/sequences.ts";
import { bySize } from "../support/size.ts";

const seed = testSeed("testing/scan.test.ts");

type Sequence = (n: number, seed: number) => Iterable<Operation>;

function run(sequence: Sequence, n: number, shares: ScanShares, spec: SubjectSpec) {
  return replayAndShrink(withScans(sequence(n, seed), shares, seed), opener(spec, seed), { seed });
}

const SCANS: ScanShares = { scan: 60, iterate: 20, drain: 0, single: 20 };
const SINGLE: ScanShares = { scan: 300, iterate: 0, drain: 0, single: 100 };
const DRAINS: ScanShares = { scan: 15, iterate: 10, drain: 12, single: 40 };

describe.each(layoutSizes())("rhash, $keySize + $valueSize bytes", (sizes) => {
  const spec: SubjectSpec = { type: "rhash", ...sizes, maxEntries: 100_000 };

  test("four scans and four iterations during growth", () => {
    const { scans, iterations } = run(growth, bySize(400, 4000), SCANS, spec);
    expect(scans).toBeGreaterThan(bySize(2, 10));
    expect(iterations).toBeGreaterThan(bySize(1, 3));
  });

  test("four scans and four iterations while it grows and shrinks to nothing", () => {
    const { scans, iterations } = run(growthAndShrink, bySize(150, 1500), SCANS, spec);
    expect(scans).toBeGreaterThan(bySize(10, 40));
    expect(iterations).toBeGreaterThan(bySize(2, 10));
  });

  test("around every level boundary", () => {
    expect(run(boundaryChurn, bySize(60, 400), SCANS, spec).scans).toBeGreaterThan(bySize(10, 40));
  });

  test("room for one entry per step", () => {
    expect(run(growthAndShrink, bySize(80, 300), SINGLE, spec).scans).toBeGreaterThan(10);
  });

  test("drains while entries are inserted", () => {
    const { drains, scans } = run(growthAndShrink, bySize(300, 2500), DRAINS, spec);
    expect(drains).toBeGreaterThan(bySize(5, 10));
    expect(scans).toBeGreaterThan(bySize(5, 10));
  });

  test("across sections that postpone resizing", () => {
    const { scans, drains } = run(
      longSections,
      bySize(200, 1200),
      { scan: 40, iterate: 20, drain: 1, single: 30 },
      spec,
    );
    expect(scans + drains).toBeGreaterThan(bySize(8, 20));
  });
});

describe.each([0, BPF_F_NO_PREALLOC])("hash, flags %i", (flags) => {
  test.each(layoutSizes())("$keySize + $valueSize bytes", (sizes) => {
    const spec: SubjectSpec = { type: "hash", ...sizes, maxEntries: 1000, flags };
    expect(run(growthAndShrink, bySize(120, 1000), SCANS, spec).scans).toBeGreaterThan(10);
    expect(run(growthAndShrink, bySize(100, 200), SINGLE, spec).scans).toBeGreaterThan(bySize(5, 10));
    expect(run(growthAndShrink, bySize(250, 1000), DRAINS, spec).drains).toBeGreaterThan(bySize(1, 5));
    expect(run(longSections, bySize(200, 800), DRAINS, spec).drains).toBeGreaterThan(bySize(1, 5));
  });
});

describe("keys of equal 32-bit hash", () => {
  // One group: all keys have one hash. 40 groups: buckets with several groups, which split apart.
  test.each([
    ["rhash", 1],
    ["rhash", 5],
    ["rhash", 40],
    ["hash", 1],
    ["hash", 40],
  ] as const)("%s with %i hashes in all", (type, groups) => {
    for (const valueSize of [8, 40]) {
      const spec: SubjectSpec = { type, keySize: 16, valueSize, maxEntries: 300 };
      const open = () => new CollidingSubject(opener(spec, 99)(), 99, groups);
      for (const shares of [SCANS, SINGLE, DRAINS]) {
        const operations = withScans(growthAndShrink(bySize(40, 200), seed), shares, seed);
        const { scans, drains } = replayAndShrink(operations, open, { seed });
        expect(scans + drains).toBeGreaterThan(5);
      }
      replayAndShrink(withScans(longSections(bySize(50, 150), seed), SCANS, seed), open, { seed });
    }
  });
});

test("any mix of steps, any size", () => {
  const sequences: Sequence[] = [growth, growthAndShrink, boundaryChurn, longSections];
  fc.assert(
    fc.property(
      fc.constantFrom(...sequences),
      fc.integer({ min: 10, max: 600 }),
      fc.record({ scan: fc.nat(150), iterate: fc.nat(60), drain: fc.nat(20), single: fc.nat(100) }),
      fc.record({
        type: fc.constantFrom("hash", "rhash"),
        keySize: fc.integer({ min: 2, max: 40 }),
        valueSize: fc.integer({ min: 1, max: 80 }),
        maxEntries: fc.constant(600),
      } as const),
      fc.nat(0xffff_ffff),
      (sequence, n, shares, spec, seed) => {
        replayAndShrink(withScans(sequence(n, seed), shares, seed), opener(spec, seed), { seed });
      },
    ),
    { seed, numRuns: bySize(3, 60), endOnFailure: true },
  );
});
