// Maps whose entries expire against the reference model, on a clock that operations move: all types that may, all kinds of keys and values.
import fc from "fast-check";
import { describe, test } from "vitest";
import { BPF_F_NO_PREALLOC } from "../../src/constants.ts";
import {
  decodeOperations,
  generateOperations,
  ReferenceMap,
  type ReferenceType,
  replay,
  replayAndShrink,
} from "../../src/testing/index.ts";
import { CheckedHost } from "../support/checked_host.ts";
import { opener } from "../support/open.ts";
import { testSeed } from "../support/seed.ts";
import { bySize } from "../support/size.ts";
import { type AnySpec, openAnySubject } from "../support/text_subject.ts";

const seed = testSeed("testing/model_timed.test.ts");
const TYPES: readonly ReferenceType[] = ["hash", "rhash", "percpu_hash", "lru_hash", "lru_percpu_hash"];
const TTLS = [0, 1, 50, 200, 1000];

/** Keys and values of each class: numbers, bytes of each layout, texts. */
const SIZES: readonly Omit<AnySpec, "type" | "maxEntries">[] = [
  { keySize: 4, valueSize: 4, numbers: true },
  { keySize: 4, valueSize: 8, numbers: true },
  { keySize: 4, valueSize: 2, numbers: true },
  { keySize: 8, valueSize: 8, numbers: true },
  { keySize: 4, valueSize: 5 },
  { keySize: 8, valueSize: 71 },
  { keySize: 16, valueSize: 8, numbers: true },
  { keySize: 16, valueSize: 5 },
  { keySize: 41, valueSize: 71 },
  { keySize: 3, valueSize: 4, texts: true },
  { keySize: 3, valueSize: 8, texts: true, numbers: true },
  { keySize: 3, valueSize: 71, texts: true },
];

const options = fc.record({
  maxEntries: fc.constantFrom(1, 3, 30, 31, 32, 100, 400),
  ttl: fc.constantFrom(...TTLS),
  ttlResolution: fc.constantFrom(1, 10, 100),
  updateAgeOnGet: fc.boolean(),
});

describe.each(TYPES)("%s", (type) => {
  const isPerCpu = type.includes("percpu");
  const evicts = type.startsWith("lru");
  const flags = type.endsWith("hash") && !evicts && type !== "rhash" ? [0, BPF_F_NO_PREALLOC] : [0];
  const evictions = evicts ? (["value", "recency"] as const) : [undefined];
  const spec = fc
    .record({
      sizes: fc.constantFrom(...SIZES.filter(({ texts }) => !(texts && isPerCpu))),
      options,
      flags: fc.constantFrom(...flags),
      eviction: fc.constantFrom(...evictions),
    })
    .map(({ sizes, options, flags, eviction }): AnySpec => ({ type, flags, eviction, ...sizes, ...options }));

  test("generated operations, any configuration", () => {
    fc.assert(
      fc.property(spec, fc.nat(0xffff_ffff), fc.boolean(), (given, seed, crowded) => {
        const { maxEntries, ttl } = given;
        const keys = Math.max(4, Math.ceil(maxEntries * (crowded ? 3 : 1.1)));
        const steps = bySize(300, 3000) + 4 * maxEntries;
        const operations = generateOperations({ seed, steps, keys, maxEntries, evicts, ttl: ttl || 100 });
        replayAndShrink(operations, opener(given, seed), { seed });
      }),
      { seed, numRuns: bySize(4, 120), endOnFailure: true },
    );
  });

  test("any bytes as operations, any configuration", () => {
    fc.assert(
      fc.property(spec, fc.uint8Array({ maxLength: 2000 }), (given, bytes) => {
        const subject = opener(given, 1)();
        replay(decodeOperations(bytes), subject, new ReferenceMap(subject));
      }),
      { seed, numRuns: bySize(8, 150) },
    );
  });

  test("memory is sound at every turn", () => {
    for (const [run, given] of fc.sample(spec, { seed, numRuns: bySize(2, 30) }).entries()) {
      const checked = new CheckedHost({ seed, cpus: 3, clock: () => 0 });
      const { maxEntries, ttl } = given;
      const steps = bySize(400, 3000);
      const operations = generateOperations({
        seed: (seed + run) >>> 0,
        steps,
        keys: 2 * maxEntries,
        maxEntries,
        evicts,
        ttl: ttl || 100,
      });
      const subject = openAnySubject(checked.host, given);
      replay(checked.checked(operations, bySize(50, 20)), subject, new ReferenceMap(subject), { seed });
    }
  });
});
