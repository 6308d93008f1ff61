// Per-CPU maps: a value for each CPU of the host under every key, and the calling thread's slot.
import { describe, expect, expectTypeOf, it } from "vitest";
import {
  type Batch,
  BPF_EXIST,
  BPF_NOEXIST,
  bytes,
  type Codec,
  createHost,
  i16,
  type PercpuArrayMap,
  type PercpuHashMap,
  spinLock,
  struct,
  u8,
  u32,
  u53,
  u64,
} from "../../src/index.ts";
import { perCpu } from "../../src/ops/percpu.ts";
import { caught, expectErrno } from "../support/caught.ts";
import { KEYS, VALUES } from "../support/samples.ts";

const CPUS = 3;
const TYPES = ["percpu_hash", "percpu_array"] as const;
const host = () => createHost({ seed: 1, cpus: CPUS, maxMemory: 16 * 1024 * 1024 });

function open<V>(type: (typeof TYPES)[number], value: Codec<V>, maxEntries = 8): PercpuHashMap<number, V> {
  const map = host().createMap({ type, name: "m", key: u32, value, maxEntries });
  return map as unknown as PercpuHashMap<number, V>;
}

describe.each(TYPES)("%s", (type) => {
  it.each(VALUES.map(([codec, make]) => [codec.name, codec, make] as const))(
    "holds %s per CPU",
    (_name, codec, make) => {
      const map = open(type, codec);
      const values = [make(1), make(2), make(3)];
      expect(map.set(5, values)).toBe(map);
      expect(map.get(5)).toEqual(values);
      expect(map.local.get(5)).toEqual(values[0]);
      map.local.set(5, make(4));
      map.local.set(6, make(5));
      expect(map.get(5)).toEqual([make(4), make(2), make(3)]);
      expect(map.local.get(6)).toEqual(make(5));
      const entries = new Map(map);
      expect([entries.get(5), (entries.get(6) as unknown[])[0]]).toEqual([
        [make(4), make(2), make(3)],
        make(5),
      ]);
      map.update(5, values, BPF_EXIST);
      expect(map.get(5)).toEqual(values);
    },
  );

  it("takes exactly one value for each CPU", () => {
    const map = open(type, u8);
    for (const [value, Kind, detail] of [
      [[1, 2], RangeError, /exactly 3 elements\), got 2 elements/],
      [[1, 2, 3, 4], RangeError, /got 4 elements/],
      [5, TypeError, /\(an array\), got number 5/],
      [[1, 2, 300], RangeError, /: value\[2\]: expected u8 \(0\.\.255\), got 300/],
      [[1, "2", 3], TypeError, /: value\[1\]: expected u8/],
    ] as const) {
      for (const call of [
        () => map.set(1, value as unknown as number[]),
        () => map.update(1, value as unknown as number[]),
        () => map.createBatch(1).set(0, 1, value as unknown as number[]),
      ]) {
        const error = caught(call);
        expect(error).toBeInstanceOf(Kind);
        expect(error.message).toMatch(detail);
      }
    }
    expect(map.get(1) ?? [0, 0, 0]).toEqual([0, 0, 0]);
  });

  it("has slots at multiples of 8 bytes, padded with zeros", () => {
    const map = open(type, struct({ a: u32, b: u32, c: u8 }));
    const value = [1, 2, 3].map((n) => ({ a: n, b: n, c: n }));
    map.host.u8.fill(0xff, map.host.scratch.value, map.host.scratch.value + 3 * 16);
    map.set(1, value);
    const packed = new Uint8Array(3 * 16);
    map.lookupMany(Uint32Array.of(1), packed);
    expect([...packed.subarray(16, 32)]).toEqual([2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]);
    expect(map.local.lookup(1)).toBe(map.lookup(1));
    expect(map.info.valueSize).toBe(12);
    const batch = map.createBatch(2);
    expect([batch.keys.length, batch.values.length]).toEqual([8, 2 * 3 * 16]);
  });

  it("local: get, lookup, set and update of the thread's own slot", () => {
    const map = open(type, u32, 2);
    const { local } = map;
    expect([local.get(9), local.lookup(9)]).toEqual([undefined, 0]);
    map.set(1, [7, 8, 9]);
    expect(local.set(1, 10)).toBe(local);
    expect(map.get(1)).toEqual([10, 8, 9]);
    map.host.u32[local.lookup(1) >>> 2]++;
    expect(local.get(1)).toBe(11);
    local.update(1, 12);
    local.update(1, 13, BPF_EXIST);
    expectErrno(() => local.update(1, 14, BPF_NOEXIST), "EEXIST");
    expect(map.get(1)).toEqual([13, 8, 9]);
    expectErrno(() => local.update(1, 14, 3), "EINVAL");
    expectErrno(() => local.update(1, 14, 4), "EINVAL");
    expect(caught(() => local.update(1, 14, 0.5))).toBeInstanceOf(RangeError);
    expect([local.get(-1), local.lookup(-1)]).toEqual([undefined, 0]);
    for (const [operation, call] of [
      ["local.set", () => local.set(-1, 1)],
      ["local.update", () => local.update(-1, 1)],
    ] as const) {
      expect(caught(call).message).toMatch(new RegExp(`^${operation}: map "m": key: expected u32`));
    }
    expect(caught(() => local.set(1, -1)).message).toMatch(/^local\.set: map "m": value: expected u32/);
    expect(map.get(1)).toEqual([13, 8, 9]);
  });

  it("add and addMany count in the thread's own slot", () => {
    const map = open(type, struct({ packets: u32, bytes: u53 }));
    map.set(1, [
      { packets: 1, bytes: 1 },
      { packets: 2, bytes: 2 },
      { packets: 3, bytes: 3 },
    ]);
    expect(map.add(1, 10, { field: "bytes" })).toBe(11);
    map.addMany([1, 1, 2], [1, 1, 5], { field: "packets" });
    expect(map.get(1)).toEqual([
      { packets: 3, bytes: 11 },
      { packets: 2, bytes: 2 },
      { packets: 3, bytes: 3 },
    ]);
    expect(map.get(2)).toEqual([
      { packets: 5, bytes: 0 },
      { packets: 0, bytes: 0 },
      { packets: 0, bytes: 0 },
    ]);
  });

  it("batches, lookupMany and iteration give all slots", () => {
    const map = open(type, u64, 4);
    const value = (key: number) => [BigInt(key), 10n, BigInt(key) * 3n];
    for (let key = 0; key < 4; key++) map.set(key, value(key));
    const batch: Batch<number, bigint[]> = map.createBatch(4);
    map.lookupBatch(batch);
    expect(batch.count).toBe(4);
    const sums = new Map<number, bigint>();
    for (const [key, slots] of batch.entries())
      sums.set(
        key,
        slots.reduce((sum, slot) => sum + slot),
      );
    expect(sums).toEqual(new Map([0, 1, 2, 3].map((key) => [key, BigInt(4 * key) + 10n])));
    batch.set(0, 2, [1n, 2n, 3n]);
    batch.count = 1;
    map.updateBatch(batch);
    expect(map.get(2)).toEqual([1n, 2n, 3n]);
    const found = new BigUint64Array(2 * CPUS);
    expect(map.lookupMany([3, 77], new Uint8Array(found.buffer))).toBe(1);
    expect([...found]).toEqual([3n, 10n, 9n, 0n, 0n, 0n]);
    expect([...map.values()].flat().length).toBe(4 * CPUS);
    const seen: bigint[][] = [];
    map.forEach((slots) => {
      seen.push(slots);
    });
    expect(seen).toEqual([...map.values()]);
  });

  it("obeys handles: closed, read-only, write-only, frozen", () => {
    const map = open(type, u32);
    map.set(1, [1, 2, 3]);
    map.freeze();
    for (const call of [
      () => map.local.set(1, 9),
      () => map.local.update(1, 9),
      () => map.local.update(1, 9, BPF_EXIST),
      () => map.local.update(1, 9, BPF_NOEXIST),
      () => map.add(1, 1),
      () => map.addMany([1], [1]),
    ]) {
      expectErrno(call, "EPERM");
    }
    expect([map.get(1), map.local.get(1)]).toEqual([[1, 2, 3], 1]);
    const readOnly = host().createMap({ type, key: u32, value: u32, maxEntries: 2, flags: 8 });
    expectErrno(() => readOnly.local.set(1, 1), "EPERM");
    const writeOnly = host().createMap({ type, key: u32, value: u32, maxEntries: 2, flags: 16 });
    expectErrno(() => writeOnly.local.get(1), "EPERM");
    expectErrno(() => writeOnly.local.lookup(1), "EPERM");
    writeOnly.local.set(1, 1);
    const { local } = map;
    map.close();
    for (const call of [
      () => local.get(1),
      () => local.lookup(1),
      () => local.set(1, 1),
      () => local.update(1, 1),
    ]) {
      expectErrno(call, "EBADF");
    }
  });

  it("cannot have a spinLock", () => {
    const value = struct({ lock: spinLock, n: u32 });
    expectErrno(() => host().createMap({ type, key: u32, value, maxEntries: 1 }), "EOPNOTSUPP");
  });
});

describe("percpu_hash", () => {
  it("zeroes the other slots of a key that local inserts, whatever was in their memory", () => {
    const map = open("percpu_hash", u32, 2);
    for (let round = 0; round < 3; round++) {
      map.set(1, [0xdead, 0xdead, 0xdead]).set(2, [0xdead, 0xdead, 0xdead]);
      map.clear();
      map.local.set(1, 5);
      map.local.update(2, 6, BPF_NOEXIST);
      expect([map.get(1), map.get(2)]).toEqual([
        [5, 0, 0],
        [6, 0, 0],
      ]);
      expectErrno(() => map.local.set(3, 1), "E2BIG");
      expectErrno(() => map.local.update(3, 1, BPF_EXIST), "ENOENT");
      expectErrno(() => map.local.update(3, 1, BPF_NOEXIST), "E2BIG");
    }
  });

  it("has keys of every kind", () => {
    for (const [key, make] of KEYS) {
      const map = host().createMap({ type: "percpu_hash", key, value: i16, maxEntries: 50 });
      for (let n = 0; n < 50; n++) {
        map.local.set(make(n), n);
        map.set(make(n), [n, -1 - n, n + 1]);
        map.local.set(make(n), n + 2);
      }
      const numbers = Array.from({ length: 50 }, (_, n) => n);
      expect(numbers.map((n) => map.get(make(n)))).toEqual(numbers.map((n) => [n + 2, -1 - n, n + 1]));
      expect(numbers.map((n) => map.local.get(make(n)))).toEqual(numbers.map((n) => n + 2));
      expect(map.lookupAndDelete(make(7))).toEqual([9, -8, 8]);
      expect(map.delete(make(7))).toBe(false);
      expect(map.size).toBe(49);
    }
  });

  it("drains and deletes all slots of a key", () => {
    const map = open("percpu_hash", u32, 100);
    for (let key = 0; key < 100; key++) map.set(key, [key, 1, 2]);
    const batch = map.createBatch(10);
    expect([map.lookupAndDeleteBatch(batch), batch.count]).toEqual([true, 10]);
    const rest = new Map(map.drain({ size: 7 }));
    for (const [key, value] of batch.entries()) rest.set(key, value);
    expect(rest).toEqual(new Map(Array.from({ length: 100 }, (_, key) => [key, [key, 1, 2]])));
  });

  it("has as many slots as its host has CPUs", () => {
    for (const cpus of [1, 2, 8]) {
      const map = createHost({ seed: 1, cpus }).createMap({
        type: "percpu_hash",
        key: u32,
        value: u8,
        maxEntries: 4,
      });
      map.local.set(1, 5);
      expect(map.get(1)).toEqual([5, ...new Array(cpus - 1).fill(0)]);
    }
  });

  it("is fixed in size", () => {
    const map = open("percpu_hash", u32, 2);
    expect(expectErrno(() => map.grow(4), "EINVAL").message).toContain("a percpu_hash never grows");
  });
});

describe("percpu_array", () => {
  it("local is E2BIG beyond the array", () => {
    const map = open("percpu_array", u32, 2);
    for (const flags of [0, BPF_EXIST, BPF_NOEXIST])
      expectErrno(() => map.local.update(2, 1, flags), "E2BIG");
    expectErrno(() => map.local.set(2, 1), "E2BIG");
    expectErrno(() => map.local.update(1, 1, BPF_NOEXIST), "EEXIST");
    expect(map.local.get(1)).toBe(0);
  });

  it("view shows the slots of the elements one after the other", () => {
    const map = host().createMap({ type: "percpu_array", key: u32, value: u32, maxEntries: 2 });
    map.set(1, [1, 2, 3]);
    const view = map.view(Uint32Array);
    expect([map.stride, ...view]).toEqual([24, 0, 0, 0, 0, 0, 0, 1, 0, 2, 0, 3, 0]);
    view[0] = 7;
    expect(map.local.get(0)).toBe(7);
    expect(map.view()).toBe(view);
  });
});

it("the layout of all slots writes every byte", () => {
  const codec = perCpu(struct({ a: u32, b: u8 }), 2);
  const memory = new Uint8Array(20).fill(0xff);
  const value = [
    { a: 1, b: 2 },
    { a: 3, b: 4 },
  ];
  codec.encode(value, new DataView(memory.buffer), 2);
  expect([...memory]).toEqual([255, 255, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 255, 255]);
  expect(codec.decode(new DataView(memory.buffer), 2)).toEqual(value);
  const narrow = perCpu(u8, 2);
  expect([narrow.size, narrow.align]).toEqual([16, 8]);
  narrow.encode([1, 2], new DataView(memory.buffer), 2);
  expect([...memory.subarray(2, 18)]).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]);
});

it("types: V[] for the map, V for local", () => {
  const map = host().createMap({
    type: "percpu_hash",
    key: bytes(6),
    value: struct({ n: u64 }),
    maxEntries: 4,
  });
  type V = { n: bigint };
  expectTypeOf(map).toEqualTypeOf<PercpuHashMap<Uint8Array, V>>();
  expectTypeOf(map.get(new Uint8Array(6))).toEqualTypeOf<V[] | undefined>();
  expectTypeOf(map.local.get(new Uint8Array(6))).toEqualTypeOf<V | undefined>();
  expectTypeOf(map.add(new Uint8Array(6), 1n, { field: "n" })).toEqualTypeOf<bigint>();
  expectTypeOf([...map.drain()]).toEqualTypeOf<[Uint8Array, V[]][]>();
  const array = host().createMap({ type: "percpu_array", key: u32, value: u8, maxEntries: 4 });
  expectTypeOf(array).toEqualTypeOf<PercpuArrayMap<number, Uint8Array>>();
  expectTypeOf(array.get(0)).toEqualTypeOf<number[] | undefined>();
  expectTypeOf(array.add(0, 1)).toEqualTypeOf<number>();
  // @ts-expect-error one value instead of one per CPU
  expect(() => array.set(0, 1)).toThrow(TypeError);
});
