// Maps whose keys are texts of any length against the reference model, on plain and on shared hosts: through every way they resize, in
// sections, scans, drains and iterations.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BPF_F_NO_PREALLOC } from "../../src/constants.ts";
import { createHost } from "../../src/hosts.ts";
import {
  decodeOperations,
  generateOperations,
  type Operation,
  ReferenceMap,
  replay,
  replayAndShrink,
  type SubjectSpec,
} from "../../src/testing/index.ts";
import { CheckedHost } from "../support/checked_host.ts";
import { CollidingSubject } from "../support/colliding_subject.ts";
import { testSeed } from "../support/seed.ts";
import { boundaryChurn, growthAndShrink, longSections } from "../support/sequences.ts";
import { bySize } from "../support/size.ts";
import { openTextSubject, rawTexts } from "../support/text_subject.ts";

const seed = testSeed("testing/model_texts.test.ts");

const TYPES = [
  ["rhash", { type: "rhash" }],
  ["hash", { type: "hash" }],
  ["hash without preallocation", { type: "hash", flags: BPF_F_NO_PREALLOC }],
] as const;
const VALUES = [1, 4, 8, 40];

describe.each([false, true])("shared: %s", (shared) => {
  describe.each(TYPES)("%s", (_name, type) => {
    const opener = (spec: SubjectSpec, seed: number) => () =>
      openTextSubject(createHost({ seed, shared, maxMemory: 2 ** 26 }), spec);
    const run = (operations: Iterable<Operation>, spec: SubjectSpec) =>
      replayAndShrink(operations, opener(spec, seed), { seed });

    test("generated operations", () => {
      fc.assert(
        fc.property(
          fc.constantFrom(...VALUES),
          fc.constantFrom(2, 10, 400),
          fc.nat(0xffff_ffff),
          (valueSize, maxEntries, seed) => {
            const spec: SubjectSpec = { ...type, keySize: 4, valueSize, maxEntries };
            const operations = generateOperations({
              seed,
              steps: bySize(300, 3000) + 3 * maxEntries,
              keys: 2 * maxEntries,
              maxEntries,
            });
            replayAndShrink(operations, opener(spec, seed), { seed });
          },
        ),
        { seed, numRuns: bySize(3, 30), endOnFailure: true },
      );
    });

    test("any bytes as operations", () => {
      fc.assert(
        fc.property(fc.constantFrom(...VALUES), fc.uint8Array({ maxLength: 2000 }), (valueSize, bytes) => {
          const spec: SubjectSpec = { ...type, keySize: 3, valueSize, maxEntries: 50 };
          replay(decodeOperations(bytes), opener(spec, 1)(), new ReferenceMap(spec));
        }),
        { seed, numRuns: bySize(10, 60) },
      );
    });

    test("grows and shrinks to nothing, and falls behind in long sections", () => {
      const entries = bySize(400, 3000);
      const spec: SubjectSpec = { ...type, keySize: 3, valueSize: 8, maxEntries: entries };
      expect(run(growthAndShrink(entries, seed), spec).peak).toBe(entries);
      expect(run(longSections(entries, seed), spec).sections).toBe(4);
    });

    test("texts of one hash and length are told apart", () => {
      const sizes = { keySize: 16, valueSize: 8, maxEntries: 100 };
      const host = createHost({ seed: 9, shared, maxMemory: 2 ** 26 });
      const subject = new CollidingSubject(openTextSubject(host, { ...type, ...sizes }, rawTexts()), 9, 4);
      const operations = generateOperations({ seed, steps: bySize(400, 6000), keys: 150, maxEntries: 100 });
      replay(operations, subject, new ReferenceMap({ ...sizes, keySize: 4 }), { seed });
    });

    test("memory is sound at every turn", () => {
      const checked = new CheckedHost({ seed, shared, cpus: 2 });
      const entries = bySize(150, 900);
      const spec: SubjectSpec = { ...type, keySize: 3, valueSize: 4, maxEntries: 2 * entries };
      const operations = (function* () {
        yield* boundaryChurn(entries, seed);
        yield* generateOperations({
          seed,
          steps: bySize(800, 10_000),
          keys: entries,
          maxEntries: 2 * entries,
        });
      })();
      const subject = openTextSubject(checked.host, spec);
      replay(checked.checked(operations, bySize(40, 20)), subject, new ReferenceMap(spec), { seed });
    });
  });
});
