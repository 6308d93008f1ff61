// Maps with a filter of absent keys: which maps may have one, that every way to ask goes by it, and what it does not change. Against the
// model: test/testing/absent_filter.test.ts.
import { describe, expect, test } from "vitest";
import {
  type BpfError,
  bytes,
  createHost,
  f32,
  f64,
  type HashMap,
  i8,
  i16,
  i32,
  type MapSpec,
  struct,
  u8,
  u16,
  u32,
  u53,
  u64,
} from "../../src/index.ts";
import { Random } from "../../src/testing/index.ts";
import { caught } from "../support/caught.ts";
import { CheckedHost } from "../support/checked_host.ts";
import { testSeed } from "../support/seed.ts";

const seed = testSeed("maps/absent_filter.test.ts");

const SPEC = { type: "rhash", key: u32, value: f64, maxEntries: 20_000, absentFilter: true } as const;

/** Where the words of a filter of one segment are. */
function wordsOf(
  { constants, host }: CheckedHost,
  { table }: { readonly table: { handle: number } },
): Uint32Array {
  const directory = host.u32[(table.handle + constants.header("FILTER")) >>> 2]!;
  const first = host.u32[directory >>> 2]! >>> 2;
  const buckets = host.u32[(table.handle + constants.header("BUCKETS")) >>> 2]!;
  return host.u32.subarray(first, first + buckets);
}

function bitsOf(words: Uint32Array): number {
  let bits = 0;
  for (let word of words) for (; word !== 0; word &= word - 1) bits++;
  return bits;
}

describe("what may have one", () => {
  const host = createHost();
  const shared = createHost({ shared: true, maxMemory: 2 ** 24 });
  type Refused = readonly [on: typeof host, spec: Partial<MapSpec<never, never>>, error: string];

  test.each<Refused>([
    [
      host,
      { absentFilter: 1 as never },
      "TypeError: createMap: absentFilter: expected a boolean, got number 1",
    ],
    [
      host,
      { type: "array" },
      "TypeError: createMap: the array map: absentFilter: a hash or an rhash has one, not a map of type array",
    ],
    [
      host,
      { type: "percpu_hash" },
      "TypeError: createMap: the percpu_hash map: absentFilter: a hash or an rhash has one, not a map of type percpu_hash",
    ],
    [
      host,
      { key: u53 as never },
      "RangeError: createMap: the rhash map: absentFilter: it is for keys of 4 bytes and values of up to 8, and the map has keys of 8 and values of 8 bytes",
    ],
    [
      host,
      { name: "wide", value: bytes(9) as never },
      'RangeError: createMap: map "wide": absentFilter: it is for keys of 4 bytes and values of up to 8, and the map has keys of 4 and values of 9 bytes',
    ],
    [shared, {}, "TypeError: createMap: the rhash map: absentFilter: maps of shared hosts have none"],
  ])("%# is refused", (on, change, message) => {
    const before = on.memoryUsage().bytes;
    expect(String(caught(() => on.createMap({ ...SPEC, ...change } as never)))).toBe(message);
    expect(on.memoryUsage().bytes).toBe(before);
  });

  test("false is what all have that say nothing", () => {
    for (const on of [host, shared]) {
      const map = on.createMap({ ...SPEC, absentFilter: false });
      expect(map.set(1, 2).get(1)).toBe(2);
      expect(map.info).not.toHaveProperty("absentFilter");
      map.close();
    }
  });
});

test("info shows it, and the map keeps it when it is opened by its path", () => {
  const checked = new CheckedHost({ seed });
  const { host } = checked;
  host.pin("/filtered", host.createMap(SPEC).set(1, 10));
  const map = host.open("/filtered", { key: u32, value: f64 });
  expect(map.info).toMatchObject({ type: "rhash", absentFilter: true });
  map.set(2, 20);
  expect([map.get(1), map.get(2), map.get(3)]).toEqual([10, 20, undefined]);
  expect(wordsOf(checked, map)[0]).not.toBe(0);
  expect(host.verify()).toEqual([]);
});

test("warmUp goes by a map that has one, too", async () => {
  const { host } = new CheckedHost({ seed });
  const warm = host.warmUp(host.createMap(SPEC));
  const tables = [...host.registry.all()];
  expect(tables.map(({ absentFilter }) => absentFilter)).toEqual([true, true]);
  await warm;
});

test("a map that is closed or frozen says so", () => {
  const host = createHost();
  const map = host.createMap(SPEC).set(1, 10);
  map.freeze();
  expect(map.get(1)).toBe(10);
  expect(() => map.set(2, 1)).toThrow(/EPERM/);
  map.close();
  for (const call of [() => map.get(1), () => map.has(1), () => map.set(1, 1), () => map.lookup(1)]) {
    expect(caught(call)).toMatchObject({ code: "EBADF" });
  }
  expect(host.verify()).toEqual([]);
});

test("every way to ask for one key goes by the filter, and verify misses a bit that is missing", () => {
  const checked = new CheckedHost({ seed });
  const numbers = checked.host.createMap({ ...SPEC, name: "numbers" });
  const pairs = checked.host.createMap({ ...SPEC, name: "pairs", value: struct({ a: u32, b: u32 }) });
  for (let n = 0; n < 100; n++) {
    numbers.set(n, n);
    pairs.set(n, { a: n, b: n });
  }
  const field = pairs.field("b");
  const ask = () => [
    numbers.get(7),
    numbers.has(7),
    numbers.lookup(7) !== 0,
    pairs.get(7),
    pairs.has(7),
    pairs.lookup(7) !== 0,
    field.get(7),
  ];
  expect(ask()).toEqual([7, true, true, { a: 7, b: 7 }, true, true, 7]);
  wordsOf(checked, numbers).fill(0);
  wordsOf(checked, pairs).fill(0);
  expect(ask()).toEqual([undefined, false, false, undefined, false, false, undefined]);
  expect(numbers.verify()).toEqual([
    expect.stringContaining("the filter of absent keys lets every key pass"),
  ]);
  expect(pairs.verify()).toHaveLength(1);
});

test("it takes four bytes a bucket, and its directory", () => {
  const host = createHost();
  const plain = host.createMap({ ...SPEC, absentFilter: false });
  const filtered = host.createMap(SPEC);
  for (let n = 0; n < 20_000; n++) {
    plain.set(n, n);
    filtered.set(n, n);
  }
  const rest = (map: HashMap<number, number>) => map.memoryUsage() - 64 * map.stats().overflowBlocks;
  expect(filtered.stats().buckets).toBe(plain.stats().buckets);
  // Room for a power of two of words.
  expect(rest(filtered) - rest(plain)).toBe(4 * 4096 + 64);
});

test.each(["hash", "rhash"] as const)("%s: bits that deletes have left go away", (type) => {
  const checked = new CheckedHost({ seed });
  const map = checked.host.createMap({ ...SPEC, type, maxEntries: 3000 });
  for (let n = 0; n < 3000; n++) map.set(n, n);
  const before = bitsOf(wordsOf(checked, map));
  for (let n = 0; n < 30_000; n++) {
    map.delete(n);
    map.set(n + 3000, n);
  }
  const words = wordsOf(checked, map);
  expect(bitsOf(words)).toBeLessThan(1.5 * before);
  expect(before).toBeGreaterThan(1.3 * 3000);
  map.clear();
  expect(bitsOf(wordsOf(checked, map))).toBe(0);
  checked.check();
});

const KINDS = [u8, i8, u16, i16, u32, i32, f32, f64, u53, u64];
const NUMBERS = [
  0,
  -0,
  1,
  -1,
  127,
  128,
  -129,
  255,
  256,
  65_535,
  65_536,
  -32_769,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
];
const ODD = [
  -(2 ** 31),
  2 ** 53 - 1,
  2 ** 53,
  0.5,
  Number.NaN,
  Infinity,
  -Infinity,
  -2.2250738585072014e-308,
  1e39,
];

test.each(KINDS.map((value) => [value.name, value] as const))(
  "%s: values as in any other map",
  (_name, value) => {
    const host = createHost();
    const spec = { ...SPEC, value: value as typeof f64 };
    const plain = host.createMap({ ...spec, absentFilter: false, name: "map" });
    const filtered = host.createMap({ ...spec, name: "map" });
    const outcome = (map: HashMap<number, number>, key: unknown, n: unknown) => {
      try {
        map.set(key as number, n as number);
      } catch (error) {
        return [(error as Error).name, (error as Error).message.replace(/#\d/, "")];
      }
      return [map.get(key as number), map.has(key as number), map.size];
    };
    const random = new Random(seed);
    for (const n of [...NUMBERS, ...ODD, 5n, "5", undefined]) {
      // Of a key and a value that are wrong at once, either may be named.
      for (const key of n === 1 ? [3, 1.5, -1, "1", 2 ** 32] : [random.below(4)]) {
        expect(outcome(filtered, key, n)).toEqual(outcome(plain, key, n));
      }
    }
    expect(host.verify()).toEqual([]);
  },
);

test("without memory for its growth an insert does without, or says ENOMEM, and hides nothing", () => {
  const checked = new CheckedHost({ seed });
  const { host } = checked;
  const map = host.createMap(SPEC);
  const core = host.core as typeof host.core & { setLimit(bytes: number): void };
  const random = new Random(seed);
  const present: number[] = [];
  let refused = 0;
  for (let n = 0; n < 6000; n++) {
    core.setLimit((core.bytesInUse() >>> 0) + 64 * random.below(3));
    try {
      map.set(n, n);
      present.push(n);
    } catch (error) {
      expect((error as BpfError).code).toBe("ENOMEM");
      refused++;
    }
    core.setLimit(0);
    if (n % 7 === 0) map.set(n, n);
    if (n % 7 === 0 && present.at(-1) !== n) present.push(n);
  }
  expect(refused).toBeGreaterThan(10);
  for (const n of present) expect(map.get(n)).toBe(n);
  expect(map.size).toBe(present.length);
  checked.check();
});
