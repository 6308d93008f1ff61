// The model tests of test/testing/model_hash.test.ts and test/testing/model_rhash.test.ts: the same generator, sequences and replay.
import { BPF_F_NO_PREALLOC } from "bpfmap";
import {
  decodeOperations,
  encodeOperations,
  generateOperations,
  Random,
  replayAndShrink,
} from "bpfmap/testing";
import { describeSpec, LAYOUT_SIZES, opener } from "/support/open.js";
import { boundaryChurn, growth, growthAndShrink, longSections, withScans } from "/support/sequences.js";
import { check, equal, ready, test } from "./define.mjs";

const KINDS = [{ type: "rhash" }, { type: "hash" }, { type: "hash", flags: BPF_F_NO_PREALLOC }];

const run = (operations, spec, seed) => replayAndShrink(operations, opener(spec, seed), { seed });

for (const kind of KINDS) {
  for (const sizes of LAYOUT_SIZES) {
    const spec = { ...kind, ...sizes, maxEntries: 1000 };
    test(`generated operations: ${describeSpec(spec)}`, (seed) => {
      const operations = generateOperations({ seed, steps: 15_000, keys: 2000, maxEntries: 1000 });
      equal("steps", 15_000, run(operations, spec, seed).steps);
    });
  }
}

const ROOMY = { maxEntries: 50_000 };
const MODES = [
  ["grows only", (seed) => growth(6000, seed), (summary) => equal("peak", 6000, summary.peak)],
  [
    "grows and shrinks to nothing",
    (seed) => growthAndShrink(2500, seed),
    (summary) => equal("peak", 2500, summary.peak),
  ],
  [
    "churns around every level boundary",
    (seed) => boundaryChurn(700, seed),
    (summary) => check("a peak above 690", summary.peak > 690),
  ],
  [
    "falls behind in long sections and catches up",
    (seed) => longSections(2000, seed),
    (summary) => equal("sections", 4, summary.sections),
  ],
];

for (const sizes of LAYOUT_SIZES) {
  const spec = { type: "rhash", ...sizes, ...ROOMY };
  for (const [mode, operations, verify] of MODES) {
    test(`${mode}: ${describeSpec(spec)}`, (seed) => verify(run(operations(seed), spec, seed)));
  }
}

// The replay holds every scan, iteration and drain to exactly once, whatever goes on between its steps.
const SHARES = { scan: 12, iterate: 8, drain: 0, single: 30 };
for (const kind of KINDS) {
  const spec = { ...kind, keySize: 8, valueSize: 8, ...ROOMY };
  test(`scans while it grows and shrinks: ${describeSpec(spec)}`, (seed) => {
    const summary = run(withScans(growthAndShrink(2000, seed), SHARES, seed), spec, seed);
    check("complete scans", summary.scans > 10 && summary.iterations > 10);
  });
  test(`drains while it grows: ${describeSpec(spec)}`, (seed) => {
    const shares = { scan: 3, iterate: 3, drain: 4, single: 50 };
    check("complete drains", run(withScans(growth(6000, seed), shares, seed), spec, seed).drains > 0);
  });
}

test("any bytes as operations", (seed) => {
  const random = new Random(seed);
  for (let round = 0; round < 60; round++) {
    const bytes = Uint8Array.from({ length: random.between(1, 2000) }, () => random.below(256));
    const operations = decodeOperations(bytes);
    equal("decoded again", operations, decodeOperations(encodeOperations(operations)));
    const kind = KINDS[round % KINDS.length];
    const spec = {
      ...kind,
      keySize: random.between(1, 40),
      valueSize: random.between(1, 40),
      maxEntries: 50,
    };
    run(operations, spec, seed);
  }
});

ready();
