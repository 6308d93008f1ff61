// Maps whose limit is raised among all other operations, against the reference model: arrays and rhash, on plain and shared hosts.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createHost } from "../../src/index.ts";
import {
  decodeOperations,
  generateOperations,
  type Operation,
  openSubject,
  ReferenceMap,
  ReplayDivergence,
  replay,
  replayAndShrink,
  type SubjectSpec,
} from "../../src/testing/index.ts";
import { CheckedHost } from "../support/checked_host.ts";
import { testSeed } from "../support/seed.ts";
import { bySize } from "../support/size.ts";

const seed = testSeed("testing/model_grow.test.ts");
const STEPS = bySize(1500, 6000);
const EVERY = bySize(250, 500);

const SPECS: readonly SubjectSpec[] = [
  { type: "array", keySize: 4, valueSize: 8, maxEntries: 1 },
  { type: "array", keySize: 4, valueSize: 3, maxEntries: 30 },
  { type: "array", keySize: 4, valueSize: 120, maxEntries: 100 },
  { type: "array", keySize: 4, valueSize: 9000, maxEntries: 3 },
  { type: "rhash", keySize: 4, valueSize: 8, maxEntries: 5 },
  { type: "rhash", keySize: 16, valueSize: 40, maxEntries: 50 },
  { type: "hash", keySize: 4, valueSize: 8, maxEntries: 50 },
];

describe.each([false, true])("shared: %s", (shared) => {
  test.each(SPECS)("$type of $valueSize bytes, from $maxEntries", (spec) => {
    let passes = 0;
    // Whether a scan comes to its end before the map grows is chance.
    for (let round = 0; round < bySize(1, 3) || (passes === 0 && round < 20); round++) {
      const checked = new CheckedHost({ seed: 1, shared, cpus: 2 });
      const { maxEntries, valueSize } = spec;
      const operations = generateOperations({
        seed: seed + round,
        steps: valueSize > 1000 ? STEPS / 10 : STEPS,
        keys: maxEntries + 10,
        maxEntries,
        growth: spec.type !== "hash",
      });
      const subject = openSubject(checked.host, spec);
      const summary = replay(checked.checked(operations, EVERY), subject, new ReferenceMap(spec), { seed });
      passes += summary.iterations + summary.scans;
      checked.host.close();
    }
    expect(passes).toBeGreaterThan(0);
  });

  test("any bytes", () => {
    const spec = fc.record({
      type: fc.constantFrom("array" as const, "rhash" as const, "hash" as const),
      valueSize: fc.integer({ min: 1, max: 40 }),
      maxEntries: fc.integer({ min: 1, max: 40 }),
    });
    const host = createHost({ seed: 1, shared, maxMemory: 64 * 1024 * 1024 });
    const grow = fc.integer({ min: 0, max: 255 }).map((by) => Uint8Array.of(255, by));
    const bytes = fc
      .array(
        fc.oneof({ weight: 9, arbitrary: fc.uint8Array({ maxLength: 40 }) }, { weight: 1, arbitrary: grow }),
        {
          maxLength: 30,
        },
      )
      .map((parts) => Uint8Array.from(parts.flatMap((part) => [...part])));
    fc.assert(
      fc.property(spec, bytes, (sizes, encoded) => {
        const whole = { keySize: 4, ...sizes };
        replayAndShrink(decodeOperations(encoded), () => openSubject(host, whole));
      }),
      { seed, numRuns: 150 },
    );
    host.close();
  });
});

test("255 is the first byte of a growth", () => {
  expect(decodeOperations(Uint8Array.of(255, 7))).toEqual([{ kind: "grow", by: 7 }]);
});

test("the model answers as arrays do", () => {
  const model = new ReferenceMap({ type: "array", keySize: 4, valueSize: 1, maxEntries: 2 });
  const key = (index: number) => new Uint8Array(Uint32Array.of(index).buffer);
  const one = Uint8Array.of(1);
  expect([model.size, model.update(key(1), one, 0), model.update(key(2), one, 2)]).toEqual([2, 0, 7]);
  expect([model.update(key(1), one, 1), model.delete(key(1)), model.lookupAndDelete(key(1))]).toEqual([
    17, 22, 524,
  ]);
  expect([model.grow(1), model.grow(4), model.size, model.lookup(key(3))]).toEqual([
    22,
    0,
    4,
    Uint8Array.of(0),
  ]);
  expect([model.clear(), model.size, model.lookup(key(1))]).toEqual([0, 4, Uint8Array.of(0)]);
  expect([model.drainErrno, model.freeze(), model.grow(9), model.delete(key(1)), model.drainErrno]).toEqual([
    524, 0, 1, 1, 1,
  ]);
  expect(new ReferenceMap({ type: "hash", keySize: 4, valueSize: 1, maxEntries: 2 }).grow(3)).toBe(22);
});

test("a map that grows wrongly is found", () => {
  const operations: Operation[] = [
    { kind: "grow", by: 5 },
    { kind: "update", key: 9, value: 1, flags: 0 },
    { kind: "check" },
  ];
  const spec = { type: "array", keySize: 4, valueSize: 8, maxEntries: 8 } as const;
  for (const broken of [{ grow: () => 0 }, { grow: () => 12 }]) {
    const open = () => Object.assign(openSubject(createHost({ seed: 1 }), spec), broken);
    expect(() => replayAndShrink(operations, open)).toThrow(ReplayDivergence);
  }
});
