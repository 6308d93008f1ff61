// Every contender that runs here does what the others do: what is measured is the same work.
import { existsSync } from "node:fs";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
// @ts-expect-error plain JavaScript
import { CONTENDERS, DEFAULT_CONTENDERS } from "../../bench/contenders/index.mjs";
// @ts-expect-error plain JavaScript
import { draws, keysFrom, mix, pick, Random, shuffled, split } from "../../bench/data/random.mjs";
// @ts-expect-error plain JavaScript
import { Zipf } from "../../bench/data/zipf.mjs";
import { builtRoot } from "../support/built.ts";
import { bySize } from "../support/size.ts";

/** The methods of bench/contenders/*.mjs. */
interface Subject {
  prepare?(input: unknown): void;
  insert(keys: Uint32Array): void;
  lookup(keys: Uint32Array): number;
  miss(keys: Uint32Array): number;
  overwrite(keys: Uint32Array): void;
  remove(keys: Uint32Array): number;
  reject?(keys: Uint32Array): number;
  mixed?(input: { keys: Uint32Array; values: Uint32Array; writes: Uint8Array }): number;
  lookupMany?(batches: Uint32Array[]): number;
  insertMany?(batches: Uint32Array[]): void;
  removeMany?(batches: Uint32Array[]): number;
  walk?(): number;
  walkKeys?(): number;
  walkBatch?(size: number): number;
  drain?(size: number): number;
  drainDecoded?(size: number): number;
  drainIterator?(size: number): number;
  drainAny?(size: number): number;
  bytes?(): number;
  close(): void;
}
type Method = Exclude<keyof Subject, "close" | "prepare" | "bytes">;

const SIZE = 1000;
const SEED = 1;
const keys: Uint32Array = keysFrom(0, SIZE);
const absent: Uint32Array = keysFrom(SIZE, SIZE);
const sumOf = (numbers: Iterable<number>) => [...numbers].reduce((a, b) => a + b, 0);
const ALL = (SIZE * (SIZE - 1)) / 2;

type Open = (options: object) => Subject;
type Load = (context: object) => Promise<Open>;
const OPTIONS = { size: SIZE, seed: SEED, maxEntries: SIZE, keySize: 4 };

// Contenders import what the build makes.
builtRoot();

/** Those from npm are not installed by a test. */
const PEERS = ["lru-cache", "mnemonist", "sharedmap", "lmdb", "ronomon"];
const peersInstalled = existsSync(new URL("../../bench/peers/node_modules", import.meta.url));

/** The contenders that run here, and why the others do not. */
const contenders: [string, Open][] = [];
const reasons: [string, string][] = [];
for (const [name, load] of Object.entries(CONTENDERS) as [string, () => Promise<{ load: Load }>][]) {
  if (!peersInstalled && PEERS.includes(name)) reasons.push([name, "is not installed"]);
  else {
    const contender = await load();
    try {
      contenders.push([name, await contender.load({ seed: SEED, note: () => {}, skip: () => {} })]);
    } catch (error) {
      reasons.push([name, (error as Error).message]);
    }
  }
}

test("the names are those of the modules, ours first", async () => {
  expect(Object.keys(CONTENDERS)[0]).toBe("bpfmap");
  for (const name of DEFAULT_CONTENDERS) expect(CONTENDERS).toHaveProperty(name);
  for (const [name, load] of Object.entries(CONTENDERS) as [string, () => Promise<object>][]) {
    expect(await load()).toMatchObject({ name, title: expect.any(String), load: expect.any(Function) });
  }
});

for (const [name, reason] of reasons) test.skip(`${name}: ${reason}`, () => {});

describe.each(contenders)("%s", (_name, open) => {
  let subject: Subject;
  beforeEach(() => {
    subject = open(OPTIONS);
  });
  afterEach(() => subject.close());

  const one = open(OPTIONS);
  const has = (method: Method) => one[method] !== undefined;
  afterAll(() => one.close());

  /** One call, as the bench makes it. */
  function call(method: Method, input?: unknown): unknown {
    subject.prepare?.(input);
    return (subject[method] as (input: unknown) => unknown)(input);
  }

  test("single operations", () => {
    call("insert", keys);
    const indices: Uint32Array = draws(5000, SIZE, new Random(SEED, 1));
    expect(call("lookup", pick(keys, indices))).toBe(sumOf(indices));
    expect(call("miss", absent)).toBe(0);
    expect(call("miss", keys)).toBe(SIZE);
    const reversed = keys.toReversed();
    call("overwrite", reversed);
    expect(call("lookup", reversed.subarray(0, 10))).toBe(45);
    expect(call("remove", keys.subarray(0, 600))).toBe(600);
    expect(call("miss", keys)).toBe(400);
    expect(call("lookup", reversed.subarray(0, 10))).toBe(45);
    call("insert", keys);
    expect(call("remove", shuffled(keys, new Random(SEED, 2)))).toBe(SIZE);
    expect(call("miss", keys)).toBe(0);
  });

  // Deleting is where hash tables are wrong: what is left after many inserts and deletes must be what a Map has.
  test("inserts and deletes in random order", () => {
    const model = new Map<number, number>();
    const random = new Random(SEED, 3);
    for (let step = 0; step < bySize(12, 40); step++) {
      const some: Uint32Array = shuffled(keys, random).slice(0, 1 + random.below(SIZE));
      if (step % 2 === 0) {
        call("insert", some);
        for (const [i, key] of some.entries()) model.set(key, i);
      } else {
        const present = some.filter((key) => model.delete(key));
        if (present.length > 0) expect(call("remove", present)).toBe(present.length);
      }
      const left = Uint32Array.from(model.keys());
      expect(call("miss", keys)).toBe(left.length);
      if (left.length > 0) expect(call("lookup", left)).toBe(sumOf(model.values()));
    }
  });

  if (has("lookupMany")) {
    test("batches", () => {
      call("insert", keys);
      const indices: Uint32Array = draws(4 * 256, SIZE, new Random(SEED, 4));
      expect(call("lookupMany", split(pick(keys, indices), 256))).toBe(sumOf(indices));
    });
  }

  if (has("insertMany")) {
    test("batches that write", () => {
      // The last batch is shorter.
      call("insertMany", split(keys, 300));
      expect(call("lookup", keys)).toBe(ALL);
      expect(call("removeMany", split(shuffled(keys, new Random(SEED, 5)), 300))).toBe(SIZE);
      expect(call("miss", keys)).toBe(0);
    });
  }

  if (has("mixed")) {
    test("a mix of reads and writes", () => {
      call("insert", keys);
      const values: Uint32Array = draws(2000, SIZE, new Random(SEED, 6));
      const writes = Uint8Array.from(values, (_, i) => (mix(i) % 10 === 0 ? 1 : 0));
      const input = { keys: pick(keys, values), values, writes };
      expect(call("mixed", input)).toBe(sumOf(values.filter((_, i) => writes[i] === 0)));
      expect(call("lookup", keys)).toBe(ALL);
    });
  }

  for (const method of (["walk", "walkKeys"] as const).filter(has)) {
    test(method, () => {
      call("insert", keys);
      expect(call(method)).toBe(ALL);
    });
  }

  for (const method of (["walkBatch", "drain", "drainDecoded", "drainIterator", "drainAny"] as const).filter(
    has,
  )) {
    test.each([1, 7, 100, 5000])(`${method} of %i`, (size) => {
      call("insert", keys);
      expect(call(method, size)).toBe(ALL);
      expect(call("miss", keys)).toBe(method === "walkBatch" ? SIZE : 0);
    });
  }

  if (has("reject")) {
    test("a full map", () => {
      call("insert", keys);
      expect(call("reject", absent)).toBe(SIZE);
      expect(call("lookup", keys)).toBe(ALL);
    });
  }
});

describe("draws", () => {
  test("keys are distinct", () => {
    expect(new Set(keysFrom(0, 100_000)).size).toBe(100_000);
  });

  test("uniform ones reach everything and repeat nothing", () => {
    const numbers: Uint32Array = draws(1 << 20, 1000, new Random(SEED, 1));
    const counts = new Uint32Array(1000);
    for (const number of numbers) counts[number]++;
    // 1048.6 expected, standard deviation 32.
    expect(Math.min(...counts)).toBeGreaterThan(1048 - 5 * 33);
    expect(Math.max(...counts)).toBeLessThan(1048 + 5 * 33);
    for (const period of [256, 1000, 4096, 8192, 65536]) {
      expect(numbers.subarray(0, 64)).not.toEqual(numbers.subarray(period, period + 64));
    }
  });

  test("streams and seeds differ", () => {
    const first = (seed: number, stream: number) => new Random(seed, stream).u32();
    const all = [0, 1, 2, 3].flatMap((seed) => [0, 1, 2, 3].map((stream) => first(seed, stream)));
    expect(new Set(all).size).toBe(16);
    expect(first(1, 2)).toBe(first(1, 2));
  });

  test("zipfian ones are as frequent as they should be", () => {
    const n = 1000;
    const count = 1 << 20;
    const zipf = new Zipf(n, new Random(SEED, 1), 0.99);
    const counts = new Uint32Array(n);
    for (let i = 0; i < count; i++) counts[zipf.next()]++;
    let zeta = 0;
    for (let rank = 1; rank <= n; rank++) zeta += rank ** -0.99;
    const expected = (rank: number) => count / zeta / (rank + 1) ** 0.99;
    // The first two are exact, the others an approximation of the paper: the whole is what counts.
    for (const rank of [0, 1]) expect(counts[rank] / expected(rank)).toBeCloseTo(1, 1);
    const most = sumOf(counts.subarray(0, 100));
    const wanted = Array.from({ length: 100 }, (_, rank) => expected(rank));
    expect(most / sumOf(wanted)).toBeCloseTo(1, 1);
    expect(counts[n - 1]).toBeGreaterThan(0);
  });
});
