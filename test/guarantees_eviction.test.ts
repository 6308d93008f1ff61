// The guarantees about maps that evict (docs/guide/caches.md), one named test each.
import { describe, expect, test } from "vitest";
import {
  BPF_EXIST,
  BPF_NOEXIST,
  createHost,
  type EvictionType,
  type HashMap,
  u32,
  u53,
} from "../src/index.ts";
import { testSeed } from "./support/seed.ts";
import { bySize } from "./support/size.ts";

const seed = testSeed("guarantees_eviction.test.ts");
const CPUS = 2;
const SHARED = [false, true];

/** A map of numbers, or of numbers for each CPU, that is full of the keys below `maxEntries`. */
function full(type: EvictionType, maxEntries: number, shared: boolean) {
  const host = createHost({ seed, cpus: CPUS, maxMemory: 16 << 20, shared });
  const spec = { key: u32, value: u53, maxEntries, eviction: "recency" } as const;
  const map = host.createMap({ type, ...spec }) as unknown as HashMap<number, unknown>;
  const value = (n: number) => (type === "lru_hash" ? n : Array(CPUS).fill(n));
  for (let key = 0; key < maxEntries; key++) map.set(key, value(key));
  return { host, map, value, keys: () => [...map.keys()].sort((a, b) => a - b) };
}

describe.each(["lru_hash", "lru_percpu_hash"] as const)("%s", (type) => {
  test.each(SHARED)("the limit is exact in both ways, and the newest key is there (shared: %s)", (shared) => {
    for (const most of [1, 7, 31, 32, bySize(200, 5000)]) {
      const { host, map, value } = full(type, most, shared);
      for (let key = most; key < 4 * most; key++) {
        expect(map.size).toBe(most);
        map.set(key, value(key));
        expect(map.has(key)).toBe(true);
      }
      map.delete(4 * most - 1);
      expect(map.size).toBe(most - 1);
      const before = new Set(map.keys());
      map.set(9 * most, value(1));
      expect(new Set(map.keys())).toEqual(before.add(9 * most));
      expect(host.verify()).toEqual([]);
      host.close();
    }
  });

  test.each(SHARED)("a call that fails, or finds its key, evicts nothing (shared: %s)", (shared) => {
    const { host, map, value, keys } = full(type, 20, shared);
    const before = keys();
    expect(() => map.update(99, value(1), BPF_EXIST)).toThrow("ENOENT");
    expect(() => map.update(5, value(1), BPF_NOEXIST)).toThrow("EEXIST");
    expect(() => map.set(99, "1")).toThrow(TypeError);
    expect(() => map.update(99, value(1), 8)).toThrow("EINVAL");
    for (let key = 0; key < 20; key++) map.set(key, value(7)).update(key, value(8), BPF_EXIST);
    expect(keys()).toEqual(before);
    host.close();
  });

  type Call = (map: HashMap<number, unknown>, value: (n: number) => unknown) => unknown;
  const uses: [string, Call][] = [
    ["get", (map) => map.get(0)],
    ["set", (map, value) => map.set(0, value(1))],
    ["update", (map, value) => map.update(0, value(1), BPF_EXIST)],
    ["add", (map) => (map as HashMap<number, number>).add(0, 1)],
    ["lookup", (map) => map.lookup(0)],
  ];
  const looks: [string, Call][] = [
    ["peek", (map) => map.peek(0)],
    ["has", (map) => map.has(0)],
    ["iteration", (map) => [...map]],
    ["nextKey", (map) => map.nextKey(0)],
    [
      "batches",
      (map) => {
        for (const batch of map.batches()) [...batch.entries()];
      },
    ],
  ];

  describe.each(SHARED)("shared: %s", (shared) => {
    test.each(uses)("%s is a use", (_name, call) => {
      const { host, map, value, keys } = full(type, 10, shared);
      call(map, value);
      map.set(10, value(1));
      expect(keys()).toEqual([0, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      host.close();
    });

    test.each(looks)("%s is none", (_name, call) => {
      const { host, map, value, keys } = full(type, 10, shared);
      call(map, value);
      map.set(10, value(1));
      expect(keys()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      host.close();
    });

    test("a new entry starts from zeros, whatever the one had that it takes the place of", () => {
      const { host, map, value } = full(type, 10, shared);
      for (let key = 0; key < 10; key++) map.set(key, value(1000));
      (map as HashMap<number, number>).add(10, 1);
      expect(map.get(10)).toEqual(type === "lru_hash" ? 1 : [1, 0]);
      host.close();
    });

    test("in a section the value of an evicted entry stays where it is", () => {
      const { host, map, value } = full(type, 10, shared);
      host.section(() => {
        const addresses = Array.from({ length: 10 }, (_, key) => map.lookup(key));
        for (let key = 10; key < 60; key++) map.set(key, value(key));
        for (const [key, at] of addresses.entries()) expect(host.u32[at >>> 2]).toBe(key);
      });
      expect([map.size, host.verify()]).toEqual([10, []]);
      host.close();
    });
  });
});
