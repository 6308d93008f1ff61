import { describe, expect, expectTypeOf, it } from "vitest";
import {
  array,
  BPF_ANY,
  BPF_EXIST,
  BPF_F_LOCK,
  BPF_NOEXIST,
  bytes,
  createHost,
  cstring,
  f64,
  type HashMap,
  type HashType,
  spinLock,
  struct,
  u8,
  u32,
  u53,
  u64,
} from "../../src/index.ts";
import { expectErrno } from "../support/caught.ts";
import { KEYS, type Sample, text, VALUES } from "../support/samples.ts";

const TYPES: HashType[] = ["hash", "rhash"];

/** The same calls on our map and on a JavaScript Map. */
function compareWithMap(
  type: HashType,
  [key, makeKey]: Sample<unknown>,
  [value, makeValue]: Sample<unknown>,
): void {
  using host = createHost({ seed: 3, maxMemory: 1 << 20 });
  const map = host.createMap({ type, key, value, maxEntries: 100 });
  const model = new Map<string, string>();
  // Collected and compared at once: to expect each of a thousand results takes longer than the calls.
  const got: unknown[] = [];
  const expected: unknown[] = [];
  for (let step = 0; step < 300; step++) {
    const n = (step * 37) % 100;
    const name = text(makeKey(n));
    if (step % 3 === 2) {
      got.push(map.delete(makeKey(n)), map.size);
      expected.push(model.delete(name), model.size);
    } else {
      got.push(map.set(makeKey(n), makeValue(step % 120)) === map, map.size);
      expected.push(true, model.set(name, text(makeValue(step % 120))).size);
    }
  }
  for (let n = 0; n < 100; n++) {
    const key = makeKey(n);
    const name = text(key);
    const value = map.get(key);
    got.push(value === undefined ? undefined : text(value), map.has(key), map.lookup(key) !== 0);
    expected.push(model.get(name), model.has(name), model.has(name));
  }
  expect(got).toEqual(expected);
  const entries = [...map].map(([k, v]) => [text(k), text(v)]);
  expect(new Map(entries as [string, string][])).toEqual(model);
  expect(entries).toHaveLength(model.size);
}

describe.each(TYPES)("%s does what a JavaScript Map does", (type) => {
  it.each(KEYS.map((key) => [key[0].name, key] as const))("with keys %s", (_name, key) => {
    compareWithMap(type, key, VALUES[2]);
    compareWithMap(type, key, VALUES[12]);
  });
  it.each(VALUES.map((value) => [value[0].name, value] as const))("with values %s", (_name, value) => {
    for (const key of [KEYS[2], KEYS[8], KEYS[15], KEYS[16]]) compareWithMap(type, key, value);
  });
});

describe.each(TYPES)("%s", (type) => {
  const make = (maxEntries = 8) =>
    createHost({ seed: 1 }).createMap({ type, name: "m", key: u32, value: u32, maxEntries });

  it("compares float keys by their bytes: two zeros, one NaN", () => {
    const map = createHost({ seed: 1 }).createMap({ type, key: f64, value: u8, maxEntries: 8 });
    map.set(0, 1).set(-0, 2).set(Number.NaN, 3).set(Number.NaN, 4);
    expect(map.size).toBe(3);
    expect(map.get(0)).toBe(1);
    expect(map.get(-0)).toBe(2);
    expect(map.get(Number.NaN)).toBe(4);
  });

  it("takes the integer -0 for 0", () => {
    expect(make().set(-0, 5).get(0)).toBe(5);
    const wide = createHost({ seed: 1 }).createMap({ type, key: u53, value: u53, maxEntries: 8 });
    expect(wide.set(-0, -0).get(0)).toBe(0);
  });

  it("update obeys its flags", () => {
    const map = make(2);
    expectErrno(() => map.update(1, 10, BPF_EXIST), "ENOENT");
    map.update(1, 10, BPF_NOEXIST);
    expect(expectErrno(() => map.update(1, 11, BPF_NOEXIST), "EEXIST").syscall).toBe("map_update_elem");
    expect(map.get(1)).toBe(10);
    map.update(1, 12, BPF_EXIST);
    map.update(2, 20);
    map.update(2, 21, BPF_ANY);
    expect([map.get(1), map.get(2)]).toEqual([12, 21]);
    // Full: the flag is tested before the room.
    expectErrno(() => map.update(3, 30, BPF_EXIST), "ENOENT");
    expectErrno(() => map.update(3, 30, BPF_NOEXIST), "E2BIG");
    expectErrno(() => map.update(3, 30), "E2BIG");
    expectErrno(() => map.update(1, 30, BPF_NOEXIST), "EEXIST");
    map.update(1, 13, BPF_EXIST);
    expect(map.get(1)).toBe(13);
    for (const flags of [3, 4, 5, 6, 7, 8, 16, 2 ** 31, 2 ** 32, 2 ** 40]) {
      expectErrno(() => map.update(1, 99, flags), "EINVAL");
    }
    expect([...map].sort()).toEqual([
      [1, 13],
      [2, 21],
    ]);
  });

  it("BPF_F_LOCK works with a spinLock in the value, which JavaScript never sees", () => {
    const value = struct({ lock: spinLock, count: u32 });
    const map = createHost({ seed: 1 }).createMap({ type, key: u32, value, maxEntries: 2 });
    map.update(1, { count: 1 }, BPF_F_LOCK);
    const address = map.lookup(1);
    map.update(1, { count: 2 }, BPF_F_LOCK);
    expect(map.lookup(1)).toBe(address);
    expect(map.get(1)).toEqual({ count: 2 });
    expectErrno(() => map.update(1, { count: 3 }, BPF_F_LOCK | BPF_NOEXIST), "EEXIST");
    expectErrno(() => map.update(2, { count: 3 }, BPF_F_LOCK | BPF_EXIST), "ENOENT");
    expectErrno(() => map.update(2, { count: 3 }, BPF_F_LOCK | 3), "EINVAL");
    expectErrno(() => map.update(2, { count: 3 }, BPF_F_LOCK | 8), "EINVAL");
    expectErrno(() => map.update(2, { count: 3 }, 2 ** 31), "EINVAL");
    expectErrno(() => map.update(2, { count: 3 }, 2 ** 40), "EINVAL");
    expect([...map]).toEqual([[1, { count: 2 }]]);
  });

  it("lookupAndDelete takes an entry out", () => {
    const map = make().set(1, 10);
    expect(map.lookupAndDelete(2)).toBeUndefined();
    expect(map.lookupAndDelete(1)).toBe(10);
    expect(map.lookupAndDelete(1)).toBeUndefined();
    expect(map.size).toBe(0);
  });

  it("nextKey walks all keys, restarts for an absent one and ends after the last", () => {
    const map = make(100);
    expect(map.nextKey()).toBeUndefined();
    expect(map.nextKey(5)).toBeUndefined();
    for (let key = 0; key < 100; key++) map.set(key, key);
    const seen: number[] = [];
    for (let key = map.nextKey(); key !== undefined; key = map.nextKey(key)) seen.push(key);
    expect([...seen].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(new Set(seen)).toEqual(new Set(map.keys()));
    expect(map.nextKey(12345)).toBe(seen[0]);
    map.delete(seen[3]);
    expect(map.nextKey(seen[3])).toBe(seen[0]);
    let rest = 0;
    for (let key = map.nextKey(); key !== undefined; key = map.nextKey()) {
      map.delete(key);
      rest++;
    }
    expect([rest, map.size]).toEqual([99, 0]);
  });

  it("lookup gives the address of the live value", () => {
    const map = make().set(1, 10);
    const { host } = map;
    expect(map.lookup(2)).toBe(0);
    const address = map.lookup(1);
    expect(host.u32[address >>> 2]).toBe(10);
    host.view.setUint32(address, 11, true);
    expect(map.get(1)).toBe(11);
    map.set(1, 12);
    expect(host.u32[map.lookup(1) >>> 2]).toBe(12);
  });

  it("clear empties it, and it can be filled again", () => {
    const map = make(1000);
    for (let round = 0; round < 3; round++) {
      for (let key = 0; key < 1000; key++) map.set(key, round);
      expect(map.size).toBe(1000);
      map.clear();
      expect([map.size, map.get(1), [...map]]).toEqual([0, undefined, []]);
    }
  });

  it("holds exactly maxEntries", () => {
    for (const limit of [1, 3, 100, 1000]) {
      const map = make(limit);
      for (let key = 0; key < limit; key++) map.set(key, key);
      expectErrno(() => map.set(limit, 0), "E2BIG");
      for (let round = 0; round < 3; round++) map.set(0, round);
      map.delete(0);
      map.set(limit, 7);
      expect([map.size, map.get(limit)]).toEqual([limit, 7]);
    }
  });

  it("freeze leaves only reading, for good", () => {
    const map = make(4).set(1, 10);
    map.freeze();
    expect([map.get(1), map.has(1), map.size, [...map], map.nextKey()]).toEqual([10, true, 1, [[1, 10]], 1]);
    expect(map.lookupMany([1, 2])).toBe(1);
    const error = expectErrno(() => map.freeze(), "EPERM");
    expect(error.syscall).toBe("map_freeze");
    const locked = createHost().createMap({ type, key: u32, value: struct({ l: spinLock }), maxEntries: 1 });
    expectErrno(() => locked.freeze(), "ENOTSUPP");
  });

  it("info and stats describe it", () => {
    const map = make(100);
    expect(map.info).toEqual({
      id: 1,
      type,
      name: "m",
      keySize: 4,
      valueSize: 4,
      maxEntries: 100,
      flags: type === "hash" ? 0 : 1,
      mapExtra: 0,
    });
    for (let key = 0; key < 50; key++) map.set(key, key);
    const stats = map.stats();
    expect(stats).toMatchObject({
      entries: 50,
      maxEntries: 100,
      bytes: map.memoryUsage(),
      layout: "inline-keys",
      debt: 0,
    });
    expect(stats.bytesPerEntry).toBe(stats.bytes / 50);
    expect(stats.load).toBe(50 / (stats.buckets * stats.slotsPerBucket));
    expect(stats.splits > 0).toBe(type === "rhash");
    expect(stats.movedEntries > 0).toBe(type === "rhash");
    expect(stats.maxPerCall.splits).toBe(type === "rhash" ? 1 : 0);
  });

  it("a u53 beyond 2^53 - 1 in memory is a RangeError, and lookupAndDelete leaves it", () => {
    const host = createHost({ seed: 1 });
    const big = host
      .createMap({ type, name: "big", key: u32, value: u64, maxEntries: 8 })
      .set(1, 2n ** 60n)
      .set(2, 5n);
    host.pin("/big", big);
    const map = host.open("/big", { key: u32, value: u53 });
    expect(() => map.get(1)).toThrow(RangeError);
    expect(() => map.get(1)).toThrow(/^get: map "big": value: expected u53/);
    expect(() => map.lookupAndDelete(1)).toThrow(/^lookupAndDelete: map "big": value/);
    expect(big.get(1)).toBe(2n ** 60n);
    expect(map.lookupAndDelete(2)).toBe(5);
  });

  it("keeps its entries while host memory grows under it", () => {
    const host = createHost({ seed: 1 });
    const map = host.createMap({ type, key: u32, value: bytes(100), maxEntries: 20_000, flags: 1 });
    const before = host.u8;
    for (let key = 0; key < 20_000; key++) map.set(key, new Uint8Array(100).fill(key));
    expect(before.length, "the memory has grown").toBe(0);
    for (let key = 0; key < 20_000; key += 997) expect(map.get(key)).toEqual(new Uint8Array(100).fill(key));
  });
});

describe("grow", () => {
  it("raises the limit of an rhash", () => {
    const map = createHost({ seed: 1 }).createMap({
      type: "rhash",
      name: "m",
      key: u32,
      value: u32,
      maxEntries: 2,
    });
    map.set(1, 1).set(2, 2);
    expect(expectErrno(() => map.set(3, 3), "E2BIG").message).toContain(
      "maxEntries = 2 (E2BIG); delete entries or grow() it",
    );
    map.grow(3);
    expect(map.set(3, 3).size).toBe(3);
    expect(map.info.maxEntries).toBe(3);
    expect(map.stats().maxEntries).toBe(3);
    expect(expectErrno(() => map.set(4, 4), "E2BIG").message).toContain("maxEntries = 3");
    map.grow(3);
    expectErrno(() => map.grow(2), "EINVAL");
    expectErrno(() => map.grow(2 ** 31 + 1), "E2BIG");
    map.freeze();
    expectErrno(() => map.grow(10), "EPERM");
    expect(map.info.maxEntries).toBe(3);
  });

  it("is EINVAL for a hash, with the remedy", () => {
    const map = createHost({ seed: 1 }).createMap({
      type: "hash",
      name: "m",
      key: u32,
      value: u32,
      maxEntries: 2,
    });
    const error = expectErrno(() => map.grow(4), "EINVAL");
    expect(error.message).toBe(
      'grow: map "m" is fixed at maxEntries = 2: a hash never grows (EINVAL); create it with type "rhash"',
    );
  });
});

describe("types", () => {
  it("follow from the codecs", () => {
    const host = createHost({ seed: 1 });
    const flows = host.createMap({
      type: "rhash",
      key: struct({ source: u32, name: cstring(8) }),
      value: struct({ lock: spinLock, bytes: u64, list: array(u8, 2) }),
      maxEntries: 4,
    });
    type Key = { source: number; name: string };
    type Value = { bytes: bigint; list: number[] };
    expectTypeOf(flows).toEqualTypeOf<HashMap<Key, Value>>();
    expectTypeOf(flows.get).parameter(0).toEqualTypeOf<Key>();
    expectTypeOf(flows.get({ source: 1, name: "" })).toEqualTypeOf<Value | undefined>();
    expectTypeOf(flows.set({ source: 1, name: "a" }, { bytes: 1n, list: [1, 2] })).toEqualTypeOf<
      HashMap<Key, Value>
    >();
    expectTypeOf([...flows]).toEqualTypeOf<[Key, Value][]>();
    expectTypeOf(flows.nextKey()).toEqualTypeOf<Key | undefined>();
    expectTypeOf(flows.createBatch(1).value(0)).toEqualTypeOf<Value>();
    host.pin("/f", flows);
    const opened = host.open("/f", { key: bytes(12), value: struct({ lock: spinLock, rest: bytes(20) }) });
    expectTypeOf(opened).toEqualTypeOf<HashMap<Uint8Array, { rest: Uint8Array }>>();
    // @ts-expect-error a key of the wrong type
    expect(() => flows.get(5)).toThrow(TypeError);
    // @ts-expect-error a type that does not exist
    expect(() => host.createMap({ type: "lru", key: u32, value: u32, maxEntries: 1 })).toThrow();
    expect(flows.size).toBe(1);
  });
});
