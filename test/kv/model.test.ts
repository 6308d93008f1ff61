// Random puts, gets and deletes beside a model of pages and bytes: contents, the word of metadata of every key, pages, memory, ENOSPC
// to the byte, and all invariants.
import { describe, expect, test } from "vitest";
import type { Host, KvStore } from "../../src/index.ts";
import { Random } from "../../src/testing/index.ts";
import { expectErrno } from "../support/caught.ts";
import { testSeed } from "../support/seed.ts";
import { bySize } from "../support/size.ts";
import { HOSTS } from "./hosts.ts";
import { KvModel, PAGE, wordOf } from "./model.ts";

const seed = testSeed("kv/model.test.ts");

/** How long values are. */
const SIZES: Record<string, (random: Random) => number> = {
  "all sizes": (random) => random.between(1, PAGE),
  small: (random) => random.between(1, 40),
  "around the ends": (random) => [1, 2, 63, 64, 65, 2047, 2048, 2049, 4095, 4096][random.below(10)]!,
  "small and whole pages": (random) =>
    random.chance(10) ? random.between(4000, PAGE) : random.between(1, 300),
};

interface Shape {
  readonly maxKeys: number;
  readonly maxPages: number;
  readonly steps: number;
}

const SHAPES: Shape[] = [
  { maxKeys: 1024, maxPages: 8, steps: bySize(200, 600) },
  { maxKeys: 64, maxPages: 1, steps: bySize(200, 600) },
  { maxKeys: 300, maxPages: 20, steps: bySize(100, 300) },
];

class Run {
  readonly host: Host;
  readonly store: KvStore;
  readonly model: KvModel;
  readonly random: Random;
  full = 0;

  constructor(host: Host, { maxKeys, maxPages }: Shape, random: Random) {
    this.host = host;
    this.store = host.createKvStore({ maxKeys, maxPages });
    this.model = new KvModel(maxPages);
    this.random = random;
  }

  put(key: number, size: number): void {
    const bytes = Uint8Array.from({ length: size }, () => this.random.below(256));
    if (this.model.put(key, bytes)) this.store.put(key, bytes);
    else {
      expectErrno(() => this.store.put(key, bytes), "ENOSPC");
      this.full++;
    }
  }

  delete(key: number): void {
    if (this.store.delete(key) !== this.model.delete(key)) throw new Error(`delete(${key})`);
  }

  check(key: number): void {
    const { store, model, host } = this;
    const expected = model.values.get(key);
    const found = store.get(key);
    const word = host.u32[(store.metadata >>> 2) + key];
    const expectedWord = expected === undefined ? 0 : wordOf(model.places.get(key)!, expected.length);
    const same =
      found === expected ||
      (found !== undefined && expected !== undefined && Buffer.compare(found, expected) === 0);
    // One expectation, and only of what differs: there are millions of these.
    if (same && word === expectedWord && store.has(key) === (expected !== undefined)) return;
    expect({ key, found, word }).toEqual({ key, found: expected, word: expectedWord });
    expect(store.has(key)).toBe(expected !== undefined);
  }

  checkAll(): void {
    const { store, model } = this;
    for (let key = 0; key < store.maxKeys; key++) {
      this.check(key);
      if (store.sizeOf(key) !== (model.values.get(key)?.length ?? 0))
        expect(key).toBe("a key of the right size");
    }
    expect(store.size).toBe(model.values.size);
    expect(store.pages).toBe(model.pageCount);
    expect(this.host.verify()).toEqual([]);
  }

  step(sizeOf: (random: Random) => number): void {
    const key = this.random.below(this.store.maxKeys);
    if (this.random.chance(70)) this.put(key, sizeOf(this.random));
    else this.delete(key);
    this.check(key);
  }
}

describe.each(HOSTS)("on %s", (_, create) => {
  describe.each(SHAPES)("$maxKeys keys, $maxPages pages", (shape) => {
    test.each(Object.entries(SIZES))("values: %s", (name, sizeOf) => {
      const random = new Random(seed ^ name.length ^ shape.maxKeys);
      const run = new Run(create(), shape, random);
      const empty = run.store.memoryUsage();
      for (let i = 0; i < shape.steps; i++) {
        run.step(sizeOf);
        if (i % 60 === 0) run.checkAll();
      }
      run.checkAll();
      expect(run.store.memoryUsage()).toBe(empty + run.store.pages * (PAGE + PAGE / 8));
      for (let key = 0; key < shape.maxKeys; key++) run.delete(key);
      run.checkAll();
      expect(run.store.memoryUsage()).toBe(empty);
      run.store.close();
      expect(run.host.memoryUsage().bytes).toBe(0);
    });
  });

  test("a store takes values to the last byte of its pages, whatever they are broken into", () => {
    const random = new Random(seed);
    const run = new Run(create(), { maxKeys: 8192, maxPages: 2, steps: 0 }, random);
    for (let key = 0; key < 2 * PAGE; key++) run.put(key, 1);
    expect(run.full).toBe(0);
    run.put(8191, 2);
    expect(run.full).toBe(1);
    // Every other byte: half of the store is free, and there is no room for two bytes.
    for (let key = 0; key < 2 * PAGE; key += 2) run.delete(key);
    run.put(0, 2);
    expect(run.full).toBe(2);
    for (let key = 0; key < 2 * PAGE; key += 2) run.put(key, 1);
    expect(run.full).toBe(2);
    // Three bytes of the second page: the room for three, and for no more.
    for (const key of [5000, 5001, 5002]) run.delete(key);
    run.put(5000, 4);
    expect(run.full).toBe(3);
    run.put(5000, 3);
    expect(run.full).toBe(3);
    run.checkAll();
  });

  test("the longest run that the model has is the longest value that fits", () => {
    const random = new Random(seed + 1);
    const run = new Run(create(), { maxKeys: 256, maxPages: 3, steps: 0 }, random);
    for (let round = 0; round < bySize(15, 60); round++) {
      for (let i = 0; i < 20; i++) run.step(SIZES.small!);
      for (let i = 0; i < 4; i++) run.step(SIZES["all sizes"]!);
      const longest = run.model.longestRun();
      const free = Array.from({ length: 256 }, (_, key) => key).find((key) => !run.store.has(key));
      if (free === undefined) continue;
      if (longest < PAGE) expectErrno(() => run.store.put(free, new Uint8Array(longest + 1)), "ENOSPC");
      if (longest > 0) run.put(free, longest);
      run.check(free);
    }
    run.checkAll();
  });

  test("a value that grows may use the room that it has", () => {
    const run = new Run(create(), { maxKeys: 4, maxPages: 1, steps: 0 }, new Random(seed));
    run.put(0, 1000);
    run.put(1, 3000);
    run.put(0, 1096); // 1000 of its own and 96 behind the other one are no run of 1096
    expect(run.full).toBe(1);
    run.delete(1);
    run.put(0, PAGE);
    expect(run.full).toBe(1);
    run.checkAll();
  });
});
