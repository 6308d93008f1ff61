// Every guarantee that the documentation gives, one named test each: addresses, failing calls, order. Scans and the bounds of
// work and memory: guarantees_scans.test.ts, guarantees_size.test.ts.
import { describe, expect, test } from "vitest";
import {
  BPF_EXIST,
  BPF_F_NO_PREALLOC,
  BPF_NOEXIST,
  BpfError,
  bytes,
  createHost,
  type HashMap,
  type HashType,
  u32,
} from "../src/index.ts";
import { Random } from "../src/testing/index.ts";
import { testSeed } from "./support/seed.ts";
import { shuffled } from "./support/sequences.ts";

const seed = testSeed("guarantees.test.ts");
const MIB = 1 << 20;
const host = (hostSeed = seed) => createHost({ seed: hostSeed, maxMemory: 512 * MIB });
const TYPES: HashType[] = ["hash", "rhash"];

function numbers(type: HashType, maxEntries: number, on = host()): HashMap<number, number> {
  return on.createMap({ type, key: u32, value: u32, maxEntries });
}

describe("addresses", () => {
  test.each([
    ["hash", 4],
    ["hash", 60],
    ["hash without preallocation", 4],
    ["hash without preallocation", 60],
  ])("an entry of a %s never moves until it is deleted (values of %i bytes)", (kind, valueSize) => {
    const flags = kind === "hash" ? 0 : BPF_F_NO_PREALLOC;
    const map = host().createMap({
      type: "hash",
      key: u32,
      value: bytes(valueSize),
      maxEntries: 3000,
      flags,
    });
    const value = (fill: number) => new Uint8Array(valueSize).fill(fill);
    for (let key = 0; key < 1000; key++) map.set(key, value(key));
    const addresses = Array.from({ length: 1000 }, (_, key) => map.lookup(key));
    const random = new Random(seed);
    for (let i = 0; i < 20_000; i++) {
      const key = random.between(1000, 4000);
      if (random.chance(50)) map.delete(key);
      else if (map.size < 3000) map.set(key, value(key));
      map.set(i % 1000, value(i % 1000));
    }
    for (let key = 0; key < 1000; key++) {
      expect(map.lookup(key)).toBe(addresses[key]);
      expect(map.host.u8[addresses[key]!]).toBe(key & 0xff);
    }
  });

  test.each([
    ["hash", 4],
    ["hash", 60],
    ["rhash", 4],
    ["rhash", 60],
  ] as const)(
    "in a section an address of a %s stays valid, also that of a deleted entry (values of %i bytes)",
    (type, size) => {
      const map = host().createMap({ type, key: u32, value: bytes(size), maxEntries: 30_000 });
      const value = (fill: number) => new Uint8Array(size).fill(fill);
      for (let key = 0; key < 300; key++) map.set(key, value(key));
      map.host.section(() => {
        const addresses = Array.from({ length: 300 }, (_, key) => map.lookup(key));
        for (let key = 0; key < 300; key += 2) map.delete(key);
        map.host.section(() => {
          for (let key = 300; key < 20_000; key++) map.set(key, value(key));
        });
        for (let key = 300; key < 10_000; key++) map.delete(key);
        for (let key = 0; key < 300; key++) {
          if (key % 2 === 1) expect(map.lookup(key)).toBe(addresses[key]);
          const held = map.host.u8.subarray(addresses[key]!, addresses[key]! + size);
          expect(held).toEqual(value(key));
        }
      });
      expect(map.size).toBe(150 + 10_000);
      for (let key = 0; key < 20_000; key++) map.delete(key);
      map.set(1, value(1));
      expect(map.get(1)).toEqual(value(1));
    },
  );
});

describe.each(TYPES)("a failing call leaves the %s as it was", (type) => {
  const full = () => {
    const map = numbers(type, 100);
    for (let key = 0; key < 100; key++) map.set(key, key * 3);
    return map;
  };
  const snapshot = (map: HashMap<number, number>) => ({
    entries: [...map],
    stats: map.stats(),
    bytes: map.host.memoryUsage().bytes,
    addresses: Array.from({ length: 100 }, (_, key) => map.lookup(key)),
  });

  test.each<[string, string | typeof TypeError, (map: HashMap<number, number>) => void]>([
    ["a new key when full", "E2BIG", (map) => map.set(1000, 1)],
    ["NOEXIST of a key that is there", "EEXIST", (map) => map.update(5, 1, BPF_NOEXIST)],
    ["EXIST of a key that is not there", "ENOENT", (map) => map.update(1000, 1, BPF_EXIST)],
    ["unknown flags", "EINVAL", (map) => map.update(5, 1, 8)],
    ["a value that the codec refuses", RangeError, (map) => map.set(5, 2 ** 32)],
    ["a value of the wrong type", TypeError, (map) => map.set(5, "1" as unknown as number)],
    ["a key of the wrong type", TypeError, (map) => map.delete("5" as unknown as number)],
    ["keys of the wrong length", RangeError, (map) => map.lookupMany(new Uint8Array(5))],
  ])("%s", (_name, expected, call) => {
    const map = full();
    const before = snapshot(map);
    let thrown: unknown;
    try {
      call(map);
    } catch (error) {
      thrown = error;
    }
    if (typeof expected === "string") {
      expect(thrown).toBeInstanceOf(BpfError);
      expect((thrown as BpfError).code).toBe(expected);
    } else expect(thrown).toBeInstanceOf(expected);
    expect(snapshot(map)).toEqual(before);
  });

  test("every write to a frozen map", () => {
    const map = full();
    const batch = map.createBatch(10);
    map.freeze();
    const before = snapshot(map);
    const writes = [
      () => map.set(1, 1),
      () => map.update(1000, 1, BPF_EXIST),
      () => map.delete(1),
      () => map.delete(1000),
      () => map.lookupAndDelete(1),
      () => map.lookupAndDeleteBatch(batch),
      () => map.clear(),
      () => map.freeze(),
    ];
    for (const write of writes) expect(write).toThrow(expect.objectContaining({ code: "EPERM" }));
    expect(snapshot(map)).toEqual(before);
  });
});

describe.each(TYPES)("the order of a %s", (type) => {
  const build = (hostSeed: number) => {
    const map = numbers(type, 5000, host(hostSeed));
    for (const key of shuffled(3000, new Random(5))) map.set(key, key);
    for (let key = 0; key < 3000; key += 3) map.delete(key);
    return map;
  };
  const layout = (map: HashMap<number, number>) => ({
    order: [...map.keys()],
    stats: map.stats(),
    addresses: Array.from({ length: 3000 }, (_, key) => map.lookup(key)),
  });

  test("same seed and same calls: same order, same layout, same addresses", () => {
    expect(layout(build(77))).toEqual(layout(build(77)));
  });

  test("another seed: another order of the same entries", () => {
    const [first, second] = [build(77), build(78)].map((map) => [...map.keys()]);
    expect(second).not.toEqual(first);
    expect(second!.sort((a, b) => a - b)).toEqual(first!.sort((a, b) => a - b));
  });

  test("hosts without a seed draw one", () => {
    const order = () => {
      const map = numbers(type, 100, createHost({ maxMemory: 16 * MIB }));
      for (let key = 0; key < 100; key++) map.set(key, key);
      return [...map.keys()];
    };
    expect(order()).not.toEqual(order());
  });

  test("scans, iteration, forEach, batches and nextKey agree, and a plain overwrite keeps its place", () => {
    const map = build(3);
    const order = [...map.keys()];
    for (const key of order) if (key % 5 === 0) map.set(key, 0);
    expect([...map].map(([key]) => key)).toEqual(order);
    const visited: number[] = [];
    map.forEach((_value, key) => {
      visited.push(key);
    });
    expect(visited).toEqual(order);
    const batched: number[] = [];
    for (const batch of map.batches({ size: 100 })) for (const [key] of batch.entries()) batched.push(key);
    expect(batched.sort((a, b) => a - b)).toEqual([...order].sort((a, b) => a - b));
    const walked: number[] = [];
    for (let key = map.nextKey(); key !== undefined; key = map.nextKey(key)) walked.push(key);
    expect(walked.sort((a, b) => a - b)).toEqual([...order].sort((a, b) => a - b));
  });
});
