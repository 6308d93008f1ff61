// Maps with a filter of absent keys (assembly/table/layout/filter.ts) against the model: whatever resizes them, whatever leaves stale bits.
import { describe, expect, test } from "vitest";
import { BPF_F_NO_PREALLOC } from "../../src/constants.ts";
import { f64, type HashMap, i32, type MapType, u8, u32, u53 } from "../../src/index.ts";
import {
  generateOperations,
  type Operation,
  openSubject,
  Random,
  ReferenceMap,
  replay,
  type SubjectSpec,
} from "../../src/testing/index.ts";
import { CheckedHost } from "../support/checked_host.ts";
import { describeSpec } from "../support/open.ts";
import { testSeed } from "../support/seed.ts";
import { boundaryChurn, growth, growthAndShrink, longSections, withScans } from "../support/sequences.ts";
import { bySize } from "../support/size.ts";

const seed = testSeed("testing/absent_filter.test.ts");

const SIZES = { keySize: 4, valueSize: 8, absentFilter: true } as const;
const RHASH: SubjectSpec = { type: "rhash", ...SIZES, maxEntries: 50_000 };
const SPECS: readonly SubjectSpec[] = [
  RHASH,
  { ...RHASH, valueSize: 3, mapExtra: 1000 },
  { ...RHASH, maxEntries: 3 },
  { type: "hash", ...SIZES, maxEntries: 600 },
  { type: "hash", ...SIZES, valueSize: 1, maxEntries: 600, flags: BPF_F_NO_PREALLOC },
];

const SHARES = { scan: 10, iterate: 5, drain: 2, single: 30 };
const SEQUENCES: readonly (readonly [string, (most: number) => Iterable<Operation>])[] = [
  [
    "anything",
    (most) =>
      generateOperations({
        seed,
        steps: bySize(300, 20_000),
        keys: Math.min(2 * most, bySize(500, 3000)),
        maxEntries: most,
      }),
  ],
  ["growing and shrinking", () => withScans(growthAndShrink(bySize(400, 2000), seed), SHARES, seed)],
  ["crossing the level boundaries", () => boundaryChurn(bySize(120, 800), seed)],
  ["long sections", () => longSections(bySize(250, 2000), seed)],
];

describe.each(SPECS.map((spec) => [describeSpec(spec), spec] as const))("%s", (_name, spec) => {
  test.each(SEQUENCES)("%s", (_sequence, operations) => {
    const checked = new CheckedHost({ seed });
    const sound = checked.checked(operations(spec.maxEntries), bySize(97, 23));
    replay(sound, openSubject(checked.host, spec), new ReferenceMap(spec), { seed });
  });
});

test("a filter of several segments", () => {
  const entries = bySize(1500, 130_000);
  const checked = new CheckedHost({ seed });
  const spec = { ...RHASH, maxEntries: entries, mapExtra: Math.min(entries, 65_535) };
  const filling = (function* () {
    yield* growth(entries, seed);
    yield* generateOperations({ seed, steps: bySize(500, 10_000), keys: 2 * entries, maxEntries: entries });
  })();
  replay(checked.checked(filling, entries), openSubject(checked.host, spec), new ReferenceMap(spec), {
    seed,
  });
});

/** A map with numbers for keys and values, and a `Map` that says what must be in it. */
class Twin {
  readonly checked = new CheckedHost({ seed });
  readonly model = new Map<number, number>();
  readonly map: HashMap<number, number>;

  constructor(type: MapType, key = u32, value = f64) {
    const spec = { type, key, value, maxEntries: 5000, absentFilter: true } as const;
    this.map = this.checked.host.createMap(spec) as unknown as HashMap<number, number>;
  }

  set(key: number, value: number): void {
    this.map.set(key, value);
    this.model.set(key, value);
  }

  delete(key: number): void {
    expect(this.map.delete(key)).toBe(this.model.delete(key));
  }

  /** Asks for a key in every way. */
  look(key: number): void {
    const { map, model } = this;
    const value = model.get(key);
    expect([key, map.get(key), map.has(key), map.lookup(key) !== 0]).toEqual([
      key,
      value,
      value !== undefined,
      value !== undefined,
    ]);
  }
}

describe.each([
  ["u32 to f64", u32, f64],
  ["u32 to u53", u32, u53],
  ["u32 to u8", u32, u8],
  ["i32 to u32", i32, u32],
] as const)("%s", (_name, key, value) => {
  test.each(["hash", "rhash"] as const)("%s: numbers, in single calls and in batches", (type) => {
    const twin = new Twin(type, key as never, value as never);
    const { map, model, checked } = twin;
    const random = new Random(seed);
    for (let round = 0; round < bySize(6, 60); round++) {
      const shrinks = round % 3 === 2;
      for (let i = 0; i < bySize(300, 2000); i++) {
        const n = random.below(4000);
        if (random.chance(shrinks ? 75 : 25)) twin.delete(n);
        else twin.set(n, random.below(256));
      }
      for (let i = 0; i < 100; i++) twin.look(random.below(8000));
      const keys = Array.from({ length: 700 }, () => random.below(8000));
      const { valueSize } = map.info;
      const values = new Uint8Array(700 * valueSize);
      const present = keys.map((n) => model.get(n));
      expect(map.lookupMany(keys, values)).toBe(present.filter((n) => n !== undefined).length);
      const view = new DataView(values.buffer);
      const found = keys.map((_, i) => (map.found(i) ? value.decode(view, i * valueSize) : undefined));
      expect(found).toEqual(present);
      checked.check();
      expect(map.size).toBe(model.size);
    }
    expect(new Map(map)).toEqual(model);
    map.clear();
    model.clear();
    for (let n = 0; n < 4000; n++) twin.look(n);
    checked.check();
  });
});
