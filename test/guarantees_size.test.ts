// The guarantees about the work of a call and the memory of a map, one named test each.
import { isDeepStrictEqual } from "node:util";
import { describe, expect, test } from "vitest";
import { bytes, createHost, type HashMap, type HashType, type Host, u32 } from "../src/index.ts";
import { Random } from "../src/testing/index.ts";
import { vanishingWord } from "./support/colliding_subject.ts";
import { testSeed } from "./support/seed.ts";
import { shuffled } from "./support/sequences.ts";
import { bySize, inFull } from "./support/size.ts";

const seed = testSeed("guarantees_size.test.ts");
const MIB = 1 << 20;
const host = (hostSeed = seed) => createHost({ seed: hostSeed, maxMemory: 512 * MIB });
const TYPES: HashType[] = ["hash", "rhash"];

function numbers(type: HashType, maxEntries: number, on = host()): HashMap<number, number> {
  return on.createMap({ type, key: u32, value: u32, maxEntries });
}

/** A map with 4-byte keys, and a value for each key. */
function sized(valueSize: number) {
  const map = host().createMap({ type: "rhash", key: u32, value: bytes(valueSize), maxEntries: 200_000 });
  return { map, value: (key: number) => new Uint8Array(valueSize).fill(key & 0xff) };
}

describe("the work of one call is bounded", () => {
  test.each([
    ["4-byte values", 4],
    ["20-byte values", 20],
    ["100-byte values", 100],
  ])("at most 1 split per insert, 2 merges per delete, 30 entries moved: %s", (_name, valueSize) => {
    const map = host().createMap({ type: "rhash", key: u32, value: bytes(valueSize), maxEntries: 200_000 });
    const value = new Uint8Array(valueSize);
    const random = new Random(seed);
    const entries = bySize(15_000, 120_000);
    for (const key of shuffled(entries, random)) map.set(key, value);
    const grown = map.stats().maxPerCall;
    expect(grown.splits).toBe(1);
    expect(grown.merges).toBe(0);
    for (const key of shuffled(entries, random)) map.delete(key);
    const shrunk = map.stats();
    expect(shrunk.maxPerCall.splits).toBe(1);
    expect(shrunk.maxPerCall.merges).toBeLessThanOrEqual(2);
    expect(shrunk.maxPerCall.merges).toBeGreaterThanOrEqual(1);
    expect(shrunk.maxPerCall.movedEntries).toBeLessThanOrEqual(30);
    expect(shrunk.merges).toBeGreaterThan(1000);
  });

  test.each([
    ["keys", 4],
    ["tags", 20],
    ["refs", 100],
  ])("the long chains that a section leaves are split without losing an entry (%s)", (_layout, valueSize) => {
    const { map, value } = sized(valueSize);
    const keys = [...shuffled(4000, new Random(seed))];
    map.host.section(() => {
      for (const key of keys.slice(0, 2000)) map.set(key, value(key));
    });
    for (const key of keys.slice(2000)) map.set(key, value(key));
    expect(map.size).toBe(4000);
    const wrong = keys.filter((key) => !isDeepStrictEqual(map.get(key), value(key)));
    expect(wrong, `seed ${seed}`).toEqual([]);
    expect(map.stats().overflowBlocks).toBeLessThan(map.stats().buckets);
    expect(keys.filter((key) => !map.delete(key))).toEqual([]);
    expect(map.stats().overflowBlocks).toBe(0);
  });

  test("the debt of a section is repaid two splits at a time", () => {
    const map = numbers("rhash", 100_000);
    map.host.section(() => {
      for (let key = 0; key < 20_000; key++) map.set(key, key);
    });
    const owing = map.stats();
    expect(owing.debt).toBeGreaterThan(10_000);
    for (let key = 20_000; map.stats().debt > 0; key++) map.set(key, key);
    expect(map.stats().maxPerCall.splits).toBe(2);
    expect(map.size).toBeLessThan(40_000);
  });

  inFull(() =>
    test("tables of more than 65536 buckets, whose splits go by the tags, find everything exactly once", () => {
      const map = host().createMap({ type: "rhash", key: u32, value: bytes(40), maxEntries: 600_000 });
      const value = new Uint8Array(40);
      for (let key = 0; key < 600_000; key++) map.set(key, value);
      expect(map.stats().buckets).toBeGreaterThan(65_536);
      expect(map.stats().layout).toBe("out-of-line");
      const seen = new Uint8Array(600_000);
      for (const batch of map.batches({ size: 1000 })) {
        for (let i = 0; i < batch.count; i++) seen[batch.key(i)]!++;
      }
      expect(seen.every((times) => times === 1)).toBe(true);
      for (let key = 0; key < 600_000; key++) if (!map.delete(key)) throw new Error(`key ${key} is lost`);
      expect(map.size).toBe(0);
    }),
  );

  test.each([
    ["inline", 8],
    ["out of line", 60],
  ])(
    "a drain in hash order, which empties one end of the table first, piles up no chains: %s",
    (_name, valueSize) => {
      const map = host().createMap({ type: "rhash", key: u32, value: bytes(valueSize), maxEntries: 100_000 });
      const value = new Uint8Array(valueSize);
      for (let key = 0; key < bySize(20_000, 60_000); key++) map.set(key, value);
      const peak = map.memoryUsage();
      const batch = map.createBatch(50);
      for (let more = true; more; ) {
        batch.count = 50;
        more = map.lookupAndDeleteBatch(batch);
        const { buckets, overflowBlocks } = map.stats();
        // Merging whatever the entries are would put all that are left into the few buckets of the other end: 0.8 and more
        // overflow blocks per bucket. A full table of random keys has 0.12.
        expect(overflowBlocks).toBeLessThanOrEqual(0.4 * buckets + 3);
      }
      const { merges, maxPerCall } = map.stats();
      expect(map.size).toBe(0);
      expect(merges).toBeGreaterThan(0);
      expect(maxPerCall.movedEntries).toBeLessThanOrEqual(30);
      expect(map.memoryUsage()).toBeLessThanOrEqual(0.05 * peak);
    },
  );

  test("chain bound: keys that collide under one seed do not collide under another", () => {
    const word = vanishingWord(1000, 0);
    const overflow = (on: Host) => {
      const map = on.createMap({ type: "rhash", key: bytes(8), value: u32, maxEntries: 10_000 });
      for (let i = 0; i < 3000; i++) map.set(new Uint8Array(Uint32Array.of(word, i).buffer), i);
      const { overflowBlocks, buckets } = map.stats();
      return overflowBlocks / buckets;
    };
    expect(overflow(host(1000))).toBeGreaterThan(1); // one chain with nearly all entries
    for (let other = 1001; other < bySize(1005, 1021); other++)
      expect(overflow(host(other))).toBeLessThan(0.5);
    expect(overflow(createHost({ maxMemory: 64 * MIB }))).toBeLessThan(0.5);
  });
});

describe("memory", () => {
  test.each([
    ["inline, 4 + 4 bytes", 4],
    ["inline, 4 + 16 bytes", 16],
    ["out of line, 4 + 60 bytes", 60],
    ["out of line, 4 + 300 bytes", 300],
  ])("follows the number of entries down: %s", (_name, valueSize) => {
    const random = new Random(seed);
    const map = host().createMap({ type: "rhash", key: u32, value: bytes(valueSize), maxEntries: 100_000 });
    const value = new Uint8Array(valueSize);
    const keys = shuffled(bySize(20_000, 100_000), random);
    const left = keys.length / 100;
    for (const key of keys) map.set(key, value);
    const peak = map.memoryUsage();
    for (const key of keys.slice(left)) map.delete(key);
    expect(map.size).toBe(left);
    expect(map.memoryUsage()).toBeLessThanOrEqual(0.05 * peak);
    expect(keys.slice(0, left).filter((key) => !map.has(key))).toEqual([]);
  });

  test.each(TYPES)("closing gives every byte back (%s)", (type) => {
    const on = host();
    expect(on.memoryUsage().bytes).toBe(0);
    const maps = [4, 20, 100].map((size) =>
      on.createMap({ type, key: u32, value: bytes(size), maxEntries: 5000 }),
    );
    for (const map of maps) {
      for (let key = 0; key < 5000; key++) map.set(key, new Uint8Array(map.info.valueSize));
      map.createBatch(100);
    }
    const { bytes: used, maps: listed } = on.memoryUsage();
    expect(listed.map((map) => map.entries)).toEqual([5000, 5000, 5000]);
    expect(listed.reduce((sum, map) => sum + map.bytes, 0)).toBeLessThanOrEqual(used);
    for (const map of maps) map.close();
    expect(on.memoryUsage().bytes).toBe(0);
  });

  test("capacity is exact", () => {
    for (const type of TYPES) {
      for (const maxEntries of [1, 2, 3, 10, 100, 1000]) {
        const map = numbers(type, maxEntries);
        for (let key = 0; key < maxEntries; key++) map.set(key, key);
        expect(() => map.set(maxEntries, 0)).toThrow(expect.objectContaining({ code: "E2BIG" }));
        map.delete(0);
        map.set(maxEntries, 0);
        expect(map.size).toBe(maxEntries);
      }
    }
  });
});
