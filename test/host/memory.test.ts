import { describe, expect, it } from "vitest";
import { bytes, createHost, type HashType, u32, u53 } from "../../src/index.ts";
import { expectErrno } from "../support/caught.ts";

const TYPES: HashType[] = ["hash", "rhash"];
const MIB = 1024 * 1024;

describe.each(TYPES)("%s", (type) => {
  it("10,000 small maps of 10 entries take less than 1.5 KB each and leave nothing", () => {
    const host = createHost({ seed: 1 });
    const maps = Array.from({ length: 10_000 }, () => {
      const map = host.createMap({ type, key: u32, value: u32, maxEntries: 10 });
      for (let key = 0; key < 10; key++) map.set(key, key);
      return map;
    });
    const usage = host.memoryUsage();
    expect(usage.maps).toHaveLength(10_000);
    expect(usage.bytes / 10_000).toBeLessThan(1536);
    expect(usage.maps.filter(({ entries }) => entries !== 10)).toEqual([]);
    const sum = usage.maps.reduce((all, { bytes: size }) => all + size, 0);
    // Everything but the host's scratch belongs to a map.
    expect(usage.bytes - sum).toBeGreaterThan(0);
    expect(usage.bytes - sum).toBeLessThan(1024);
    for (const map of maps) map.close();
    expect(host.memoryUsage()).toEqual({ bytes: 0, limit: 2 ** 32 - 65536, maps: [] });
  });

  it("closing everything gives back everything, whatever was used", () => {
    const host = createHost({ seed: 1 });
    for (let round = 0; round < 3; round++) {
      const small = host.createMap({ type, key: u32, value: u32, maxEntries: 1000 });
      const wide = host.createMap({ type, key: bytes(40), value: bytes(3000), maxEntries: 50 });
      for (let key = 0; key < 1000; key++) small.set(key, key);
      for (let key = 0; key < 50; key++) wide.set(new Uint8Array(40).fill(key), new Uint8Array(3000));
      expect([...small, ...wide]).toHaveLength(1050);
      small.lookupMany(new Uint32Array(5000));
      for (const batch of wide.batches({ size: 7 })) wide.lookupMany(batch.keys, batch.values);
      small.createBatch(100);
      small.nextKey(5);
      host.pin("/small", small);
      small.close();
      wide.close();
      expect(host.memoryUsage().bytes).toBeGreaterThan(0);
      host.unpin("/small");
      expect(host.memoryUsage().bytes).toBe(0);
    }
  });
});

it("an rhash gives memory back as its entries go", () => {
  const host = createHost({ seed: 1 });
  const map = host.createMap({ type: "rhash", key: u32, value: u53, maxEntries: 100_000 });
  for (let key = 0; key < 100; key++) map.set(key, key);
  const before = map.memoryUsage();
  for (let key = 100; key < 100_000; key++) map.set(key, key);
  const full = map.memoryUsage();
  expect(full).toBeGreaterThan(100_000 * 16);
  for (let key = 100; key < 100_000; key++) map.delete(key);
  expect(map.memoryUsage()).toBeLessThan(full / 20);
  expect(map.memoryUsage()).toBeLessThan(before * 4);
  for (let key = 0; key < 100; key++) expect(map.get(key)).toBe(key);
});

describe("maxMemory", () => {
  it.each([
    ["rhash, inline", "rhash", 8, 1_000_000],
    ["rhash, out of line", "rhash", 100, 1_000_000],
    ["hash without preallocation", "hash", 100, 20_000],
  ] as const)(
    "hit by inserts is ENOMEM, with the map intact and usable (%s)",
    (_name, type, size, maxEntries) => {
      const host = createHost({ seed: 1, maxMemory: 2 * MIB });
      const value = bytes(size);
      const map = host.createMap({ type, name: "flows", key: u32, value, maxEntries, flags: 1 });
      let entries = 0;
      const error = expectErrno(() => {
        for (;;) {
          map.set(entries, new Uint8Array(size).fill(entries));
          entries++;
        }
      }, "ENOMEM");
      expect(error.message).toMatch(
        /^set: map "flows" could not get memory: the host uses \d+ of 2097152 bytes/,
      );
      expect(entries).toBeGreaterThan(MIB / (size + 60));
      expect(map.size).toBe(entries);
      expectErrno(() => map.update(entries, new Uint8Array(size)), "ENOMEM");
      expect([map.size, map.get(entries), map.has(entries)]).toEqual([entries, undefined, false]);
      const wrong: number[] = [];
      for (let key = 0; key < entries; key++) if (map.get(key)?.[0] !== (key & 0xff)) wrong.push(key);
      expect(wrong).toEqual([]);
      // Usable: overwrites work, deletes make room, and what was deleted can be inserted again.
      map.set(0, new Uint8Array(size).fill(7));
      expect(map.get(0)).toEqual(new Uint8Array(size).fill(7));
      for (let key = 0; key < entries; key += 2) if (!map.delete(key)) wrong.push(key);
      expect(wrong).toEqual([]);
      expect(map.size).toBe(Math.floor(entries / 2));
      for (let key = 0; key < entries / 2; key += 2) map.set(key, new Uint8Array(size).fill(9));
      expect(map.get(0)?.[0]).toBe(9);
      let count = 0;
      for (const [key, bytesOf] of map) {
        if (bytesOf[size - 1] !== (key % 2 === 0 ? 9 : key & 0xff)) wrong.push(key);
        count++;
      }
      expect(wrong).toEqual([]);
      expect(count).toBe(map.size);
      map.close();
      expect(host.memoryUsage().bytes).toBe(0);
    },
  );

  it("does not keep a full host from reading, iterating and deleting", () => {
    const host = createHost({ seed: 1 });
    const map = host.createMap({
      type: "rhash",
      name: "flows",
      key: u32,
      value: bytes(40),
      maxEntries: 1000,
    });
    for (let key = 0; key < 200; key++) map.set(key, new Uint8Array(40).fill(key));
    host.core.setLimit(host.memoryUsage().bytes);
    const seen = new Map([...map].map(([key, value]) => [key, value[39]]));
    expect(seen).toEqual(new Map(Array.from({ length: 200 }, (_, key) => [key, key])));
    expectErrno(() => map.lookupMany([1, 2]), "ENOMEM");
    expectErrno(() => map.createBatch(100), "ENOMEM");
    expect(map.nextKey()).toBeTypeOf("number");
    // What those gave up must not be lost to an insert: iteration needs its room.
    const refill = () => {
      for (let bytesLeft = 4096; bytesLeft >= 64; bytesLeft /= 2) while (host.allocate(bytesLeft) !== 0);
    };
    refill();
    expect([...map.keys()]).toHaveLength(200);
    for (const key of map.keys()) expect(map.lookupAndDelete(key)?.[0]).toBe(key);
    expect(map.size).toBe(0);
  });

  it("hit by a new map is ENOMEM and leaves the others alone", () => {
    const host = createHost({ seed: 1, maxMemory: 2 * MIB });
    const map = host.createMap({ type: "hash", key: u32, value: u32, maxEntries: 10 }).set(1, 2);
    const used = host.memoryUsage().bytes;
    const create = () =>
      host.createMap({ type: "hash", name: "big", key: u32, value: bytes(1000), maxEntries: 10_000 });
    expect(expectErrno(create, "ENOMEM").syscall).toBe("map_create");
    expect(host.memoryUsage().bytes).toBe(used);
    expect([...map]).toEqual([[1, 2]]);
  });

  it("is never exceeded", () => {
    const host = createHost({ seed: 1, maxMemory: 3 * MIB });
    const map = host.createMap({ type: "rhash", key: u32, value: u32, maxEntries: 1_000_000 });
    expectErrno(() => {
      for (let key = 0; ; key++) map.set(key, key);
    }, "ENOMEM");
    expect(host.u8.length).toBeLessThanOrEqual(3 * MIB);
    expect(host.memoryUsage().bytes).toBeLessThanOrEqual(3 * MIB);
  });
});
