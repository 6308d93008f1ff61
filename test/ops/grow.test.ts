// Arrays that grow: no element moves, and everything that a map can do reaches the new ones. On hosts of one thread and shared ones.
import { isDeepStrictEqual } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import {
  type ArrayMap,
  attachHost,
  BPF_ANY,
  BPF_EXIST,
  BPF_F_LOCK,
  BPF_NOEXIST,
  bytes,
  type Codec,
  createHost,
  type Host,
  type HostOptions,
  type PercpuArrayMap,
  spinLock,
  struct,
  u32,
  u53,
  u64,
} from "../../src/index.ts";
import { Random } from "../../src/testing/index.ts";
import { caught, expectErrno } from "../support/caught.ts";
import { hostOf } from "../support/host_of.ts";
import { testSeed } from "../support/seed.ts";
import { bySize } from "../support/size.ts";

const seed = testSeed("ops/grow.test.ts");
const MAX_MEMORY = 256 * 1024 * 1024;
const hosts: Host[] = [];
afterAll(() => {
  for (const host of hosts) host.close();
});

describe.each([false, true])("shared: %s", (shared) => {
  function open(options: HostOptions = {}): Host {
    const host = createHost({ seed: 1, cpus: 3, shared, maxMemory: MAX_MEMORY, ...options });
    hosts.push(host);
    return host;
  }

  function array<V>(value: Codec<V>, maxEntries: number, host = open()): ArrayMap<V> {
    return host.createMap({ type: "array", name: "m", key: u32, value, maxEntries });
  }

  function expectSound(map: ArrayMap<unknown>): void {
    expect(hostOf(map).verify()).toEqual([]);
  }

  it("goes from 1 to 10M elements in steps, and none moves", () => {
    const map = array(u32, 1);
    const addresses = [map.lookup(0)];
    map.set(0, 1);
    const grow = (to: number) => {
      const from = map.size;
      map.grow(to);
      expect(map.size).toBe(to);
      // A new element is zero, whatever its memory was before.
      for (const index of [from, to - 1]) if (from < to) expect(map.get(index)).toBe(0);
    };
    for (let n = 2; n <= 300; n++) {
      grow(n);
      map.set(n - 1, n);
      addresses.push(map.lookup(n - 1));
    }
    const at = new Map(addresses.map((address, index) => [index, address]));
    const random = new Random(seed);
    for (const size of [301, 8192, 8193, 8194, 50_000, 1_000_003, 3_333_333, 10_000_000]) {
      grow(size);
      for (let i = 0; i < 2000; i++) {
        const index = random.below(size);
        if (at.has(index)) continue;
        at.set(index, map.lookup(index));
        map.set(index, index + 1);
      }
      for (const index of [size - 1, size >> 1]) {
        at.set(index, map.lookup(index));
        map.set(index, index + 1);
      }
      for (const [index, address] of at) {
        if (map.lookup(index) !== address || map.get(index) !== index + 1) {
          throw new Error(`element ${index} moved: ${address}, now ${map.lookup(index)}`);
        }
      }
      expect([map.has(size), map.lookup(size), map.get(size)]).toEqual([false, 0, undefined]);
      expectErrno(() => map.set(size, 1), "E2BIG");
      expectSound(map);
    }
    // Addresses are different, and values lie in the map's memory.
    expect(new Set(at.values()).size).toBe(at.size);
    expect(map.info.maxEntries).toBe(10_000_000);
    expect(map.memoryUsage()).toBeLessThan(8 * 10_000_000 * 1.01 + 100_000);
    const host = hostOf(map);
    map.close();
    expect(host.memoryUsage().bytes).toBe(0);
    expect(host.verify()).toEqual([]);
  });

  it("adds zeros to memory that was used before", () => {
    const host = open();
    const dirty = host.createMap({ type: "array", key: u32, value: u32, maxEntries: 100_000 });
    dirty.view(Uint8Array).fill(0xaa);
    const map = array(u32, 3, host);
    dirty.close();
    map.grow(100_000);
    expect([...map.values()].every((value) => value === 0)).toBe(true);
  });

  it.each([
    ["1 byte", bytes(1), 8],
    ["24 bytes", bytes(24), 24],
    ["5000 bytes", bytes(5000), 5000],
    ["100,000 bytes, more than a segment", bytes(100_000), 100_000],
  ])("holds values of %s", (_name, codec, stride) => {
    const map = array(codec, 2);
    const make = (index: number) => new Uint8Array(codec.size).fill(index + 1);
    for (const size of [3, 4, 5, 9, 40]) {
      map.grow(size);
      for (let index = 0; index < size; index++) map.set(index, make(index));
      for (let index = 0; index < size; index++) {
        expect(Buffer.compare(map.get(index)!, make(index))).toBe(0);
      }
    }
    expect(map.stride).toBe(stride);
    const found = new Uint8Array(3 * codec.size);
    expect(map.lookupMany([39, 7, 40], found)).toBe(2);
    expect([found[0], found[codec.size], found[2 * codec.size]]).toEqual([40, 8, 0]);
    expectSound(map as never);
  });

  it("refuses to shrink, and what no array can be, and changes nothing", () => {
    const map = array(u32, 5);
    map.grow(9);
    map.grow(9);
    const before = map.memoryUsage();
    const error = expectErrno(() => map.grow(8), "EINVAL");
    expect(error.message).toBe('grow: map "m" has maxEntries = 9 already, more than 8 (EINVAL)');
    expect([error.operation, error.syscall]).toEqual(["grow", undefined]);
    for (const [wrong, Kind] of [
      [-1, RangeError],
      [10.5, RangeError],
      [2 ** 32, RangeError],
      [Number.NaN, RangeError],
      ["12", TypeError],
      [undefined, TypeError],
    ] as const) {
      expect(caught(() => map.grow(wrong as number))).toBeInstanceOf(Kind);
    }
    expect(caught(() => map.grow(2 ** 32)).message).toBe(
      'grow: map "m": maxEntries: expected an integer 0..4294967295, got number 4294967296',
    );
    expectErrno(() => map.grow(2 ** 32 - 1), "ENOMEM");
    expect([map.size, map.memoryUsage()]).toEqual([9, before]);
    map.freeze();
    expectErrno(() => map.grow(20), "EPERM");
    const reader = hostOf(map).createMap({ type: "array", key: u32, value: u32, maxEntries: 2, flags: 8 });
    expectErrno(() => reader.grow(20), "EPERM");
    expectSound(map);
    map.close();
    expectErrno(() => map.grow(20), "EBADF");
  });

  it("is ENOMEM beyond the limit of the host, with the array as it was and usable", () => {
    const host = open({ maxMemory: 8 * 1024 * 1024 });
    const map = array(u64, 1000, host);
    for (let index = 0; index < 1000; index++) map.set(index, BigInt(index));
    const expectIntact = (size: number) => {
      expect(map.size).toBe(size);
      for (let index = 0; index < 1000; index++) expect(map.get(index)).toBe(BigInt(index));
      expectErrno(() => map.set(size, 1n), "E2BIG");
      expectSound(map as never);
    };
    const bytesBefore = host.memoryUsage().bytes;
    for (const size of [1_050_000, 2_000_000, 500_000_000, 2 ** 32 - 1]) {
      const error = expectErrno(() => map.grow(size), "ENOMEM");
      expect(error.message).toMatch(/^grow: map "m" .*the host uses \d+ of \d+ bytes/);
      expectIntact(1000);
    }
    expect(host.memoryUsage().bytes).toBe(bytesBefore);
    // In small steps, up to the last one that fits.
    let size = 1000;
    const step = () => map.grow(size + 10_000);
    try {
      while (true) {
        step();
        size += 10_000;
      }
    } catch {
      expectErrno(step, "ENOMEM");
    }
    expect(size).toBeGreaterThan(600_000);
    expectIntact(size);
    map.set(size - 1, 5n);
    expect(map.get(size - 1)).toBe(5n);
    map.close();
    expect(host.memoryUsage().bytes).toBe(0);
  });

  it("gives back what it took when the memory ends half way", () => {
    const host = open({ maxMemory: 16 * 1024 * 1024 });
    const map = array(u64, 10, host);
    // Blocks of 60 KiB with free memory of 4 KiB between them: bytes enough, and no room for a segment.
    const blocks: number[] = [];
    for (let block = host.allocate(65_536); block !== 0; block = host.allocate(65_536)) blocks.push(block);
    for (let small = host.allocate(4096); small !== 0; small = host.allocate(4096)) blocks.push(-small);
    for (const block of blocks.filter((_, i) => i % 2 === 0)) {
      if (block < 0) host.core.release(-block, 4096);
    }
    for (const block of blocks.splice(0, 3)) host.core.release(block, 65_536);
    const before = map.memoryUsage();
    expectErrno(() => map.grow(45_000), "ENOMEM");
    expect([map.size, map.memoryUsage()]).toEqual([10, before]);
    map.set(9, 9n);
    map.grow(2000);
    map.set(1999, 7n);
    expect([map.get(9), map.get(1999)]).toEqual([9n, 7n]);
    expect(map.verify()).toEqual([]);
  });

  it("set, update, add, has, nextKey reach the new elements", () => {
    const map = array(u53, 4);
    map.grow(20_000);
    map.set(19_999, 5);
    map.update(10, 6, BPF_EXIST);
    map.update(11, 7, BPF_ANY);
    expectErrno(() => map.update(12, 7, BPF_NOEXIST), "EEXIST");
    expectErrno(() => map.update(20_000, 7, BPF_NOEXIST), "E2BIG");
    expectErrno(() => map.update(20_000, 7), "E2BIG");
    expect([map.add(19_999, 3), map.add(12, 1), map.get(10), map.get(11)]).toEqual([8, 1, 6, 7]);
    map.host.u32[map.lookup(5000) >>> 2] = 77;
    expect(map.get(5000)).toBe(77);
    expect([map.has(19_999), map.has(20_000)]).toEqual([true, false]);
    expect([map.nextKey(3), map.nextKey(4), map.nextKey(19_998), map.nextKey(19_999)]).toEqual([
      4,
      5,
      19_999,
      undefined,
    ]);
    expectErrno(() => map.delete(19_999), "EINVAL");
  });

  it("batches, iteration, lookupMany, addMany and clear do, too", () => {
    const map = array(u32, 7);
    map.grow(1000);
    const batch = map.createBatch(1000);
    for (let i = 0; i < 1000; i++) batch.set(i, i, i * 3);
    map.updateBatch(batch);
    expect([...map]).toEqual(Array.from({ length: 1000 }, (_, i) => [i, i * 3]));
    for (const size of [1, 6, 7, 8, 300]) {
      const seen: number[] = [];
      for (const part of map.batches({ size })) {
        for (const [key, value] of part.entries()) {
          expect(value).toBe(key * 3);
          seen.push(key);
        }
      }
      expect(seen).toEqual([...Array(1000).keys()]);
    }
    const keys = Uint32Array.of(999, 6, 7, 8, 1000, 500);
    const values = new Uint32Array(6);
    expect(map.lookupMany(keys, values)).toBe(5);
    expect([...values]).toEqual([2997, 18, 21, 24, 0, 1500]);
    expect(map.found(4)).toBe(false);
    map.addMany(
      keys.filter((key) => key < 1000),
      [1, 1, 1, 1, 1],
    );
    expect(map.get(999)).toBe(2998);
    const error = expectErrno(() => map.addMany(keys, [1, 1, 1, 1, 1, 1]), "E2BIG");
    expect(error.count).toBe(4);
    const iterator = map.values();
    iterator.next();
    map.clear();
    expect([...iterator].every((value) => value === 0)).toBe(true);
    expect([...map.values()].every((value) => value === 0)).toBe(true);
    expect(map.size).toBe(1000);
  });

  it("a scan goes on into what is added before it has ended", () => {
    const map = array(u32, 10);
    const seen: number[] = [];
    for (const [index] of map) {
      seen.push(index);
      if (index < 100 && index % 3 === 0) map.grow(map.size + 2);
    }
    expect(seen).toEqual([...Array(seen.length).keys()]);
    expect(seen.length).toBeGreaterThan(10);
    const batch = map.createBatch(5);
    let count = 0;
    while (map.lookupBatch(batch)) {
      count += batch.count;
      if (count === 10) map.grow(200);
    }
    expect(count + batch.count).toBe(200);
  });

  it("spin locks of the new elements hold", () => {
    const map = array(struct({ lock: spinLock, n: u32 }), 1);
    map.grow(3000);
    map.update(2999, { n: 4 }, BPF_F_LOCK);
    expect(map.locked(2999, ({ n }) => ({ n: n + 1 }))).toEqual({ n: 5 });
    expect([map.get(2999, BPF_F_LOCK), map.get(2998)]).toEqual([{ n: 5 }, { n: 0 }]);
    expect(map.locked(3000, () => undefined)).toBe(undefined);
    map.locked(5, () => {
      map.grow(10_000);
      return { n: 9 };
    });
    expect([map.get(5), map.get(9999)]).toEqual([{ n: 9 }, { n: 0 }]);
    expectSound(map as never);
  });

  it("per-CPU arrays grow, and local reaches the new elements", () => {
    const host = open();
    const map: PercpuArrayMap<number> = host.createMap({
      type: "percpu_array",
      key: u32,
      value: u53,
      maxEntries: 2,
    });
    const address = map.lookup(1);
    map.set(1, [1, 2, 3]);
    map.grow(50_000);
    expect([map.lookup(1), map.get(1)]).toEqual([address, [1, 2, 3]]);
    map.local.set(49_999, 7);
    map.add(49_999, 2);
    map.local.update(2, 5, BPF_EXIST);
    expect([map.get(49_999), map.local.get(2), map.local.get(50_000)]).toEqual([[9, 0, 0], 5, undefined]);
    expectErrno(() => map.local.set(50_000, 1), "E2BIG");
    expect(map.views(BigUint64Array).reduce((sum, { count }) => sum + count, 0)).toBe(50_000);
    map.addMany(Uint32Array.of(3, 40_000), [1, 2]);
    expect(map.get(40_000)).toEqual([2, 0, 0]);
    expect(map.verify()).toEqual([]);
  });

  it("every other handle sees the new length at once", () => {
    const host = open();
    const map = array(u32, 4, host);
    host.pin("/m", map);
    const same = host.open("/m", { key: u32, value: u32, type: "array" });
    map.grow(100);
    same.set(99, 5);
    expect([map.get(99), same.size, same.info.maxEntries, same.nextKey(98)]).toEqual([5, 100, 100, 99]);
    expect([same.stats().maxEntries, same.stats().lowWaterAt]).toEqual([100, 100]);
    expect(host.memoryUsage().maps[0]).toMatchObject({ entries: 100, bytes: map.memoryUsage() });
    same.grow(200);
    expect(map.size).toBe(200);
  });

  it("random lengths, writes and clears give what an array of JavaScript gives", () => {
    for (let round = 0; round < bySize(3, 20); round++) {
      const random = new Random(seed + round);
      const map = array(u32, random.between(1, 200));
      const model: number[] = Array(map.size).fill(0);
      for (let step = 0; step < 300; step++) {
        const index = random.below(model.length + 3);
        const roll = random.below(100);
        if (roll < 15) {
          const size = model.length + random.below(random.chance(10) ? 20_000 : 40);
          map.grow(size);
          while (model.length < size) model.push(0);
        } else if (roll < 60) {
          const value = random.below(1000);
          if (index < model.length) {
            map.set(index, value);
            model[index] = value;
          } else expectErrno(() => map.set(index, value), "E2BIG");
        } else if (roll < 90) expect(map.get(index)).toBe(model[index]);
        else if (roll < 98) {
          if (index < model.length) {
            model[index] = (model[index]! + 7) >>> 0;
            expect(map.add(index, 7)).toBe(model[index]);
          }
        } else if (roll === 98) {
          map.clear();
          model.fill(0);
        } else expect(isDeepStrictEqual([...map.values()], model), `TEST_SEED=${seed}`).toBe(true);
      }
      // Tens of thousands of numbers: to expect them to be equal takes longer than all of the calls.
      const viewed = map.views(Uint32Array).flatMap(({ view }) => [...view].filter((_, i) => i % 2 === 0));
      expect(isDeepStrictEqual([...map.values()], model), `TEST_SEED=${seed}`).toBe(true);
      expect(isDeepStrictEqual(viewed, model), `TEST_SEED=${seed}`).toBe(true);
      expectSound(map);
      hostOf(map).close();
    }
  });
});

it("threads of a shared host have the new elements as soon as grow returns", () => {
  const host = createHost({ shared: true, seed: 1, cpus: 3, maxMemory: MAX_MEMORY });
  const map = host.createMap({ type: "array", key: u32, value: bytes(24), maxEntries: 3 });
  host.pin("/m", map);
  const other = attachHost(host.share());
  const same = other.open("/m", { key: u32, value: bytes(24), type: "array" });
  const view = same.view(Uint8Array);
  expect([same.size, same.isWhole(view), same.views().length]).toEqual([3, true, 1]);
  map.grow(10_000);
  expect([same.size, same.info.maxEntries, same.isWhole(view)]).toEqual([10_000, 10_000, false]);
  same.set(9999, new Uint8Array(24).fill(9));
  expect(map.get(9999)).toEqual(new Uint8Array(24).fill(9));
  expect(same.views().reduce((sum, { count }) => sum + count, 0)).toBe(10_000);
  expect(same.lookup(2)).toBe(map.lookup(2));
  same.grow(20_000);
  expectErrno(() => map.grow(15_000), "EINVAL");
  expect([...map.keys()].length).toBe(20_000);
  expect(host.verify()).toEqual([]);
  other.detach();
  host.close();
});
