// Low-water hooks: called exactly once per crossing, before anything fails, from whatever way an entry gets in. On hosts of one
// thread and shared ones.
import { afterAll, describe, expect, expectTypeOf, it } from "vitest";
import {
  type ArrayMap,
  BPF_EXIST,
  BPF_NOEXIST,
  type BpfError,
  bytes,
  type Codec,
  createHost,
  createMap,
  type HashMap,
  type Host,
  i32,
  type LowWater,
  type MapSpec,
  type MapType,
  struct,
  u32,
  u53,
  u64,
} from "../../src/index.ts";
import { Random } from "../../src/testing/index.ts";
import { caught, expectErrno } from "../support/caught.ts";
import { hostOf } from "../support/host_of.ts";
import { testSeed } from "../support/seed.ts";

const seed = testSeed("ops/low_water.test.ts");
const hosts: Host[] = [];
afterAll(() => {
  for (const host of hosts) host.close();
});

type Numbers = HashMap<number, number>;

describe.each([false, true])("shared: %s", (shared) => {
  function open(maxMemory = 64 * 1024 * 1024): Host {
    const host = createHost({ seed: 1, cpus: 3, shared, maxMemory });
    hosts.push(host);
    return host;
  }

  /** A map of 10 that calls `grow` when fewer than 3 slots are free, and how often it did. */
  function hooked(
    grow: (map: Numbers) => void,
    spec: Partial<MapSpec<number, number, "rhash">> = {},
    host = open(),
  ) {
    const calls: number[] = [];
    const map = host.createMap({
      type: "rhash",
      name: "m",
      key: u32,
      value: u32,
      maxEntries: 10,
      lowWater: {
        free: 3,
        grow(same) {
          calls.push(same.size);
          grow(same);
        },
      },
      ...spec,
    });
    return { map, calls };
  }

  const nothing = () => {};
  const doubling = (map: Numbers) => map.grow(map.info.maxEntries * 2);

  it("is called once, by the insert that crosses the mark, before it is done", () => {
    const { map, calls } = hooked(nothing);
    for (let key = 0; key < 7; key++) map.set(key, key);
    expect(calls).toEqual([]);
    map.set(7, 7);
    expect(calls).toEqual([7]);
    for (let key = 0; key < 10; key++) map.set(key, key + 1);
    expect([map.size, calls]).toEqual([10, [7]]);
    const error = expectErrno(() => map.set(10, 10), "E2BIG");
    expect(error.message).toBe(
      'set: map "m" is full at maxEntries = 10 (E2BIG); delete entries or grow() it',
    );
    expect([map.size, calls, map.get(9)]).toEqual([10, [7], 10]);
    expect(map.info.maxEntries).toBe(10);
    expect(map.stats()).toMatchObject({ maxEntries: 10, lowWaterAt: 7 });
    expect(hostOf(map).verify()).toEqual([]);
  });

  it("is called again when deletes have led back to the mark", () => {
    const { map, calls } = hooked(nothing);
    for (let key = 0; key < 10; key++) map.set(key, key);
    map.delete(9);
    map.set(9, 9);
    map.delete(9);
    map.delete(8);
    map.set(8, 8);
    expect(calls).toEqual([7]);
    for (let key = 7; key < 10; key++) map.delete(key);
    map.set(7, 7);
    expect(calls).toEqual([7, 7]);
    map.clear();
    for (let key = 0; key < 8; key++) map.set(key, key);
    expect(calls).toEqual([7, 7, 7]);
    for (const _ of map.drain({ size: 4 }));
    for (let key = 0; key < 9; key++) map.set(key, key);
    expect(calls).toEqual([7, 7, 7, 7]);
  });

  it("growth moves the mark", () => {
    const { map, calls } = hooked(doubling);
    for (let key = 0; key < 1000; key++) map.set(key, key);
    expect(calls).toEqual([7, 17, 37, 77, 157, 317, 637]);
    expect([map.size, map.info.maxEntries]).toEqual([1000, 1280]);
    for (let key = 0; key < 1000; key++) expect(map.get(key)).toBe(key);
    // Too little at a time: each crossing is one.
    const slow = hooked((same) => same.grow(same.info.maxEntries + 1));
    for (let key = 0; key < 12; key++) slow.map.set(key, key);
    expect(slow.calls).toEqual([7, 8, 9, 10, 11]);
  });

  it("random inserts, deletes and growth: the number of crossings", () => {
    for (let round = 0; round < 30; round++) {
      const random = new Random(seed + round);
      let expected = 0;
      let growth = 0;
      const { map, calls } = hooked((same) => {
        if (growth > 0) same.grow(same.info.maxEntries + growth);
      });
      const present = new Set<number>();
      for (let step = 0; step < 600; step++) {
        const limit = map.info.maxEntries;
        const key = random.below(limit + 4);
        growth = random.chance(5) ? random.below(20) : 0;
        if (random.chance(60)) {
          const crosses = !present.has(key) && present.size === limit - 3;
          if (crosses) expected++;
          if (present.has(key) || present.size < limit) {
            map.set(key, step);
            present.add(key);
          } else expectErrno(() => map.set(key, step), "E2BIG");
        } else if (present.delete(key)) map.delete(key);
        if (calls.length !== expected || map.size !== present.size) {
          expect([calls.length, map.size], `TEST_SEED=${seed}`).toEqual([expected, present.size]);
        }
      }
      hostOf(map).close();
    }
  });

  it.each([
    ["u32 to u32", u32, u32, (n: number) => n, 5],
    ["i32 to bytes", i32, bytes(200), (n: number) => n, new Uint8Array(200).fill(5)],
    ["u64", u64, u32, (n: number) => BigInt(n), 5],
    ["16 bytes", bytes(16), u53, (n: number) => new Uint8Array(16).fill(n), 5],
    ["5 bytes", bytes(5), struct({ a: u32 }), (n: number) => new Uint8Array(5).fill(n), { a: 5 }],
  ] as [string, Codec<unknown>, Codec<unknown>, (n: number) => unknown, unknown][])(
    "by set and update, keys of %s",
    (_name, key, value, keyOf, made) => {
      for (const way of ["set", "update"] as const) {
        const calls: number[] = [];
        const map = open().createMap({
          type: "rhash",
          key,
          value,
          maxEntries: 4,
          lowWater: {
            free: 1,
            grow: (same) => {
              calls.push(same.size);
              // Uses the scratch that the key and the value were in.
              same.set(keyOf(0), made);
              same.grow(100);
            },
          },
        });
        for (let n = 0; n < 20; n++) map[way](keyOf(n), made);
        expect(calls).toEqual([3]);
        for (let n = 0; n < 20; n++) expect(map.get(keyOf(n))).toEqual(made);
        expect(map.size).toBe(20);
      }
    },
  );

  it("by add, updateBatch, addMany and what takes back a drain", () => {
    const adding = hooked(doubling);
    for (let key = 0; key < 30; key++) expect(adding.map.add(key, key)).toBe(key);
    expect(adding.calls).toEqual([7, 17]);

    const batched = hooked(doubling);
    const batch = batched.map.createBatch(100);
    for (let i = 0; i < 100; i++) batch.set(i, i, 2 * i);
    batched.map.updateBatch(batch);
    expect([batched.calls, batch.count, batched.map.size]).toEqual([[7, 17, 37, 77], 100, 100]);
    for (let i = 0; i < 100; i++) expect(batched.map.get(i)).toBe(2 * i);

    const many = hooked(doubling);
    const keys = Uint32Array.from({ length: 3000 }, (_, i) => i % 1500);
    many.map.addMany(keys, Array(3000).fill(2));
    expect([many.calls.length, many.map.size, many.map.get(0), many.map.get(1499)]).toEqual([8, 1500, 4, 4]);

    const drained = hooked(nothing);
    for (let key = 0; key < 6; key++) drained.map.set(key, key);
    for (const _ of drained.map.drain({ size: 6 })) {
      for (let key = 10; key < 15; key++) drained.map.set(key, key);
      break;
    }
    expect([drained.map.size, drained.calls]).toEqual([10, [7]]);

    const taken = open().createMap({
      type: "rhash",
      key: u32,
      value: u53,
      maxEntries: 10,
      lowWater: { free: 3, grow: () => taken.close() },
    });
    taken.set(0, 0);
    taken.host.u32.fill(0xffff_ffff, taken.lookup(0) >>> 2, (taken.lookup(0) >>> 2) + 2);
    // What cannot be decoded goes back, and is nothing new.
    expect(caught(() => taken.lookupAndDelete(0))).toBeInstanceOf(RangeError);
    expect(taken.size).toBe(1);
  });

  it("a batch that the hook makes no room for ends at the limit", () => {
    const { map, calls } = hooked(nothing);
    const batch = map.createBatch(12);
    for (let i = 0; i < 12; i++) batch.set(i, i, i);
    const error = expectErrno(() => map.updateBatch(batch), "E2BIG");
    expect([error.count, batch.count, map.size, calls]).toEqual([10, 10, 10, [7]]);
    expect(expectErrno(() => map.addMany([0, 1, 50], [1, 1, 1]), "E2BIG").count).toBe(2);
    expect(calls).toEqual([7]);
  });

  it("nothing that inserts nothing calls it", () => {
    const { map, calls } = hooked(nothing);
    for (let key = 0; key < 7; key++) map.set(key, key);
    map.set(3, 1);
    map.update(3, 2, BPF_EXIST);
    expectErrno(() => map.update(50, 2, BPF_EXIST), "ENOENT");
    expectErrno(() => map.update(3, 2, BPF_NOEXIST), "EEXIST");
    expectErrno(() => map.update(3, 2, 9), "EINVAL");
    expect(caught(() => map.set(50, -1))).toBeInstanceOf(RangeError);
    map.add(3, 1);
    expect(map.delete(50)).toBe(false);
    map.freeze();
    expectErrno(() => map.set(50, 1), "EPERM");
    expect(calls).toEqual([]);
  });

  it("what the hook throws is thrown, nothing is changed, and the next insert calls it again", () => {
    let failing = true;
    const { map, calls } = hooked(() => {
      if (failing) throw new Error("not now");
    });
    for (let key = 0; key < 7; key++) map.set(key, key);
    const batch = map.createBatch(2);
    batch.set(0, 7, 7);
    batch.set(1, 8, 8);
    for (const insert of [
      () => map.set(7, 7),
      () => map.update(7, 7),
      () => map.add(7, 7),
      () => map.addMany([7], [7]),
      () => map.updateBatch(batch),
    ]) {
      batch.count = 2;
      expect(caught(insert).message).toBe("not now");
      expect([map.size, map.has(7)]).toEqual([7, false]);
    }
    expect([calls, batch.count]).toEqual([Array(5).fill(7), 0]);
    failing = false;
    map.set(7, 7);
    map.set(8, 8);
    expect(calls).toEqual(Array(6).fill(7));
  });

  it("a hook may use the map: it inserts, deletes, freezes and closes it", () => {
    const inserting = hooked((same) => {
      same.set(100, 100);
      same.set(101, 101);
    });
    for (let key = 0; key < 8; key++) inserting.map.set(key, key);
    expect([inserting.map.size, inserting.calls]).toEqual([10, [7]]);
    expectErrno(() => inserting.map.set(50, 1), "E2BIG");

    const deleting = hooked((same) => void same.delete(0));
    for (let key = 0; key < 9; key++) deleting.map.set(key, key);
    expect([deleting.map.size, deleting.calls]).toEqual([8, [7, 7]]);

    const full = hooked((same) => {
      for (let key = 100; same.size < 10; key++) same.set(key, key);
    });
    for (let key = 0; key < 7; key++) full.map.set(key, key);
    expectErrno(() => full.map.set(7, 7), "E2BIG");
    expect(full.map.has(7)).toBe(false);

    const same = hooked((map) => map.set(7, 70));
    for (let key = 0; key < 8; key++) same.map.set(key, key);
    expect([same.map.size, same.map.get(7)]).toEqual([8, 7]);

    const freezing = hooked((map) => map.freeze());
    for (let key = 0; key < 7; key++) freezing.map.set(key, key);
    expectErrno(() => freezing.map.set(7, 7), "EPERM");

    for (const insert of [
      (map: Numbers) => map.set(7, 7),
      (map: Numbers) => map.update(7, 7),
      (map: Numbers) => map.add(7, 7),
      (map: Numbers) => map.addMany([7], [7]),
    ]) {
      const closing = hooked((map) => map.close());
      for (let key = 0; key < 7; key++) closing.map.set(key, key);
      expectErrno(() => insert(closing.map), "EBADF");
      expect(closing.map.host.memoryUsage().bytes).toBe(0);
      expect(hostOf(closing.map).verify()).toEqual([]);
    }

    const batching = hooked(() => batch.close());
    const batch = batching.map.createBatch(20);
    for (let i = 0; i < 20; i++) batch.set(i, i, i);
    expectErrno(() => batching.map.updateBatch(batch), "EBADF");
    expect(batching.map.size).toBe(7);
  });

  it("a hook whose room is used up before the insert goes on is called again", () => {
    const { map, calls } = hooked((same) => {
      if (same.info.maxEntries === 12) return;
      same.grow(12);
      // Up to the new mark, by which the insert that waits crosses it.
      for (let key = 100; same.size < 9; key++) same.set(key, key);
    });
    for (let key = 0; key < 8; key++) map.set(key, key);
    expect([calls, map.size]).toEqual([[7, 9], 10]);
  });

  it("a hook may write to the same map by the same kind of call", () => {
    const { map, calls } = hooked((same) => {
      same.grow(100);
      same.addMany([200, 201], [5, 6]);
      const other = same.createBatch(1);
      other.set(0, 202, 7);
      same.updateBatch(other);
    });
    map.addMany(
      Array.from({ length: 20 }, (_, i) => i),
      Array(20).fill(1),
    );
    expect([calls, map.size, map.get(200), map.get(202)]).toEqual([[7], 23, 5, 7]);
    for (let key = 0; key < 20; key++) expect(map.get(key)).toBe(1);
  });

  it("growth that fails leaves the map intact, and inserts go on while there is room", () => {
    const errors: unknown[] = [];
    const host = open(2 * 1024 * 1024);
    const map = host.createMap({
      type: "array",
      key: u32,
      value: u64,
      maxEntries: 100,
      lowWater: {
        free: 10,
        grow(same) {
          try {
            same.grow(10_000_000);
          } catch (error) {
            errors.push(error);
          }
        },
      },
    });
    for (let index = 0; index < 100; index++) map.set(index, BigInt(index));
    expectErrno(() => map.set(100, 1n), "E2BIG");
    expect([errors.length, (errors[0] as BpfError).code]).toEqual([1, "ENOMEM"]);
    for (let index = 0; index < 100; index++) expect(map.get(index)).toBe(BigInt(index));
    expect(host.verify()).toEqual([]);
  });

  it("another handle of the thread calls it, too, and it goes with its handle", () => {
    const { map, calls } = hooked(doubling);
    hostOf(map).pin("/m", map);
    const plain = hostOf(map).open("/m", { key: u32, value: u32, type: "rhash" });
    for (let key = 0; key < 8; key++) plain.set(key, key);
    expect([calls, plain.info.maxEntries]).toEqual([[7], 20]);
    const own: number[] = [];
    const second = hostOf(map).open("/m", {
      key: u32,
      value: u32,
      type: "rhash",
      lowWater: { free: 3, grow: (same) => void own.push(same.size) },
    });
    for (let key = 0; key < 18; key++) second.set(key, key);
    expect([calls, own]).toEqual([[7], [17]]);
    for (let key = 8; key < 18; key++) second.delete(key);
    map.close();
    for (let key = 0; key < 18; key++) plain.set(key, key);
    expect([calls, own]).toEqual([[7], [17, 17]]);
    second.close();
    for (let key = 8; key < 18; key++) plain.delete(key);
    for (let key = 0; key < 20; key++) plain.set(key, key);
    expectErrno(() => plain.set(20, 20), "E2BIG");
    expect([calls, own]).toEqual([[7], [17, 17]]);
    expect(plain.verify()).toEqual([]);
  });

  it("is refused where it makes no sense", () => {
    const host = open();
    const make = (type: MapType, lowWater: unknown, maxEntries = 10) =>
      host.createMap({ type, name: "m", key: u32, value: u32, maxEntries, lowWater: lowWater as never });
    for (const type of ["hash", "percpu_hash"] as const) {
      const error = expectErrno(() => make(type, { free: 1, grow: nothing }), "EINVAL");
      expect(error.message).toBe(
        `createMap: map "m" has a lowWater hook, but a ${type} never grows (EINVAL); use type "rhash", or an array`,
      );
    }
    for (const [wrong, Kind] of [
      [null, TypeError],
      [5, TypeError],
      [nothing, TypeError],
      [{ free: 1 }, TypeError],
      [{ grow: nothing }, TypeError],
      [{ free: "1", grow: nothing }, TypeError],
      [{ free: 1, grow: 5 }, TypeError],
      [{ free: 1, async grow() {} }, TypeError],
      [{ free: 0, grow: nothing }, RangeError],
      [{ free: 1.5, grow: nothing }, RangeError],
      [{ free: 11, grow: nothing }, RangeError],
    ] as const) {
      for (const type of ["rhash", "array"] as const) {
        const error = caught(() => make(type, wrong));
        expect(error, error.message).toBeInstanceOf(Kind);
        expect(error.message).toMatch(/^createMap: map "m": lowWater/);
      }
    }
    expect(caught(() => make("rhash", { free: 11, grow: nothing })).message).toBe(
      'createMap: map "m": lowWater.free: expected 1..10 (maxEntries), got 11',
    );
    expect(host.memoryUsage().bytes).toBe(0);
    const map = make("rhash", { free: 4, grow: nothing });
    host.pin("/m", map);
    host.pin("/h", make("hash", undefined));
    const reopen = (path: string, free: number) =>
      host.open(path, { key: u32, value: u32, lowWater: { free, grow: nothing } });
    expect(caught(() => reopen("/m", 5)).message).toBe('open: map "m": its lowWater has free = 4, not 5');
    expectErrno(() => reopen("/h", 5), "EINVAL");
    const promising = make("rhash", { free: 10, grow: () => Promise.resolve() });
    expect(caught(() => (promising as unknown as Numbers).set(1, 1)).message).toBe(
      'lowWater: map "m": grow: the function returned a promise, which outlives the operation',
    );
    expect(promising.size).toBe(0);
  });
});

it("the types follow from the spec", () => {
  createMap({
    type: "rhash",
    key: u32,
    value: u53,
    maxEntries: 10,
    lowWater: { free: 1, grow: (map) => expectTypeOf(map).toEqualTypeOf<HashMap<number, number>>() },
  });
  const hook: LowWater<ArrayMap<number>> = { free: 1, grow: (map) => map.grow(5) };
  createMap({ type: "array", key: u32, value: u32, maxEntries: 2, lowWater: hook }).set(1, 1);
});
