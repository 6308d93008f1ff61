// The whole public API on shared hosts: what one host writes, another on the same memory reads; and maps live as long as somebody
// has them. What threads do to each other at the same time is test/threads.
import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import {
  attachHost,
  BPF_EXIST,
  BPF_F_LOCK,
  BPF_NOEXIST,
  bytes,
  type Codec,
  createHost,
  cstring,
  f64,
  type Host,
  type HostHandle,
  i16,
  i64,
  type MapType,
  spinLock,
  struct,
  u8,
  u32,
  u53,
  u64,
} from "../../src/index.ts";
import { expectErrno } from "../support/caught.ts";
import { text } from "../support/samples.ts";
import { pair, sharedHost } from "./hosts.ts";

const HASHES = ["hash", "rhash"] as const;
const hits = { type: "rhash", name: "hits", key: u32, value: u32, maxEntries: 1000 } as const;

/** Values of every way to the core: numbers of one word and of two, structs, text, and one of many words. */
const VALUES: [Codec<unknown>, (n: number) => unknown][] = [
  [u8, (n) => n & 0xff],
  [i16, (n) => 7 - n],
  [u32, (n) => n * 7],
  [f64, (n) => n / 3],
  [u53, (n) => n * 2 ** 33],
  [u64, (n) => BigInt(n) << 40n],
  [i64, (n) => -BigInt(n)],
  [struct({ a: u32, b: u64 }), (n) => ({ a: n, b: BigInt(n) })],
  [cstring(24), (n) => `käse ${n}`],
  [bytes(300), (n) => new Uint8Array(300).fill(n)],
];
const KEYS: [Codec<unknown>, (n: number) => unknown][] = [
  [u32, (n) => n],
  [i16, (n) => n],
  [u53, (n) => n * 2 ** 35],
  [u64, (n) => BigInt(n)],
  [bytes(16), (n) => new Uint8Array(16).fill(n)],
  [cstring(40), (n) => `key ${n}`],
];

describe.each(HASHES)("%s", (type) => {
  for (const [key, makeKey] of KEYS) {
    it.each(VALUES)(`with ${key.name} keys holds values %#`, (value, make) => {
      const [host, other] = pair();
      const map = host.createMap({ type, name: "m", key, value, maxEntries: 100 });
      host.pin("/m", map);
      const seen = other.open("/m", { key, value });
      for (let n = 0; n < 60; n++) (n % 2 ? map : seen).set(makeKey(n), make(n));
      expect([map.size, seen.size]).toEqual([60, 60]);
      // Compared at once, and as text: to expect 300 bytes to equal 300 others takes a millisecond.
      const numbers = Array.from({ length: 60 }, (_, n) => n);
      const made = numbers.map((n) => text(make(n)));
      expect(numbers.map((n) => text(map.get(makeKey(n))))).toEqual(made);
      expect(numbers.map((n) => text(seen.get(makeKey(n))))).toEqual(made);
      expect(map.has(makeKey(1))).toBe(true);
      expect(map.has(makeKey(99))).toBe(false);
      seen.set(makeKey(3), make(50));
      expect(map.get(makeKey(3))).toEqual(make(50));
      seen.set(makeKey(3), make(3));
      const entries = [...map].map(([k, v]) => [text(k), text(v)]);
      expect(entries).toHaveLength(60);
      expect(entries).toEqual([...seen].map(([k, v]) => [text(k), text(v)]));
      expect(new Set(entries.map(([k]) => k)).size).toBe(60);
      expect(map.delete(makeKey(5))).toBe(true);
      expect(seen.delete(makeKey(5))).toBe(false);
      expect(seen.lookupAndDelete(makeKey(6))).toEqual(make(6));
      expect(map.get(makeKey(6))).toBeUndefined();
      expect([...seen.drain()]).toHaveLength(58);
      expect([map.size, map.nextKey()]).toEqual([0, undefined]);
    });
  }

  it("keeps the conditions of updates", () => {
    const [host, other] = pair();
    const map = host.createMap({ ...hits, type, maxEntries: 2 });
    host.pin("/m", map);
    const seen = other.open("/m", { key: u32, value: u32 });
    map.update(1, 10, BPF_NOEXIST);
    expectErrno(() => seen.update(1, 11, BPF_NOEXIST), "EEXIST");
    expectErrno(() => seen.update(2, 11, BPF_EXIST), "ENOENT");
    seen.update(1, 12, BPF_EXIST);
    map.set(2, 20);
    expectErrno(() => seen.set(3, 30), "E2BIG");
    expect([map.get(1), map.get(2), map.get(3), map.size]).toEqual([12, 20, undefined, 2]);
  });

  it("adds, also to what another host has added", () => {
    const [host, other] = pair();
    const value = struct({ tag: u8, small: i16, word: u32, exact: u53, big: u64, signed: i64 });
    const map = host.createMap({ type, key: u32, value, maxEntries: 10 });
    host.pin("/m", map);
    const seen = other.open("/m", { key: u32, value });
    for (const one of [map, seen]) {
      one.add(1, 200, { field: "tag" });
      one.add(1, -5, { field: "small" });
      one.add(1, 0xffff_ffff, { field: "word" });
      one.add(1, 2 ** 40, { field: "exact" });
      one.add(1, 2n ** 63n, { field: "big" });
      one.add(1, -7n, { field: "signed" });
    }
    expect(map.get(1)).toEqual({
      tag: 144,
      small: -10,
      word: 0xffff_fffe,
      exact: 2 ** 41,
      big: 0n,
      signed: -14n,
    });
    expect(seen.add(1, 1, { field: "small" })).toBe(-9);
    expect(() => seen.add(1, -(2 ** 42), { field: "exact" })).toThrow(RangeError);
    expect(() => seen.add(2, -1, { field: "exact" })).toThrow(/u53/);
    expect(map.has(2)).toBe(false);
    map.addMany(Uint32Array.of(3, 1, 3), [1, 2, 3], { field: "word" });
    expect([seen.get(3)?.word, seen.get(1)?.word]).toEqual([4, 0]);
  });

  it("runs batches, multi-gets and scans", () => {
    const [host, other] = pair();
    const map = host.createMap({ ...hits, type });
    host.pin("/m", map);
    const seen = other.open("/m", { key: u32, value: u32 });
    using batch = map.createBatch(100);
    for (let i = 0; i < 100; i++) batch.set(i, i, i * 2);
    map.updateBatch(batch);
    const values = new Uint32Array(3);
    expect(seen.lookupMany(Uint32Array.of(1, 1000, 99), values)).toBe(2);
    expect([...values, seen.found(1)]).toEqual([2, 0, 198, false]);
    let entries = 0;
    for (const part of seen.batches({ size: 7 })) entries += part.count;
    expect(entries).toBe(100);
    using taken = seen.createBatch(30);
    expect(seen.lookupAndDeleteBatch(taken)).toBe(true);
    expect([taken.count, map.size]).toEqual([30, 70]);
    batch.count = 1;
    batch.keys.set(taken.keys.subarray(0, 4));
    expect(expectErrno(() => map.deleteBatch(batch), "ENOENT").count).toBe(0);
    const left = [...map.keys()];
    for (const key of left) {
      const next = map.nextKey(key);
      expect(next === undefined || left.includes(next)).toBe(true);
    }
    map.clear();
    expect([...seen]).toEqual([]);
  });

  it("iterates while another host deletes what was fetched", () => {
    const [host, other] = pair();
    const map = host.createMap({ ...hits, type });
    host.pin("/m", map);
    const seen = other.open("/m", { key: u32, value: u32 });
    for (let key = 0; key < 300; key++) map.set(key, key);
    const found = new Set<number>();
    for (const key of map.keys()) {
      found.add(key);
      if (key % 3 === 0) for (let other = 0; other < 300; other += 3) seen.delete(other);
    }
    for (let key = 0; key < 300; key++) if (key % 3 !== 0) expect(found.has(key)).toBe(true);
    expect(found.size).toBeLessThan(203);
  });

  it("is frozen for all", () => {
    const [host, other] = pair();
    const map = host.createMap({ ...hits, type });
    host.pin("/m", map);
    const seen = other.open("/m", { key: u32, value: u32 });
    map.set(1, 1).freeze();
    for (const call of [
      () => seen.set(1, 2),
      () => seen.add(1, 2),
      () => seen.delete(1),
      () => seen.clear(),
      () => seen.addMany(Uint32Array.of(1), [1]),
      () => [...seen.drain()],
    ]) {
      expectErrno(call, "EPERM");
    }
    expect(seen.get(1)).toBe(1);
  });
});

it("an rhash grows for all", () => {
  const [host, other] = pair();
  const map = host.createMap({ ...hits, maxEntries: 1 });
  host.pin("/m", map);
  const seen = other.open("/m", { key: u32, value: u32 });
  seen.set(1, 1);
  expectErrno(() => seen.set(2, 2), "E2BIG");
  map.grow(3);
  seen.set(2, 2);
  expect([seen.info.maxEntries, seen.stats().maxEntries]).toEqual([3, 3]);
});

it("a getter of a value may look up another value", () => {
  const map = sharedHost().createMap({
    type: "hash",
    key: u32,
    value: struct({ a: u32, b: u32 }),
    maxEntries: 8,
  });
  map.set(1, { a: 10, b: 11 });
  map.set(2, {
    a: 5,
    get b() {
      return map.get(1)?.b ?? 0;
    },
  });
  expect(map.get(2)).toEqual({ a: 5, b: 11 });
});

describe("arrays", () => {
  it.each(VALUES)("hold values %#", (value, make) => {
    const [host, other] = pair();
    const map = host.createMap({ type: "array", key: u32, value, maxEntries: 10 });
    host.pin("/m", map);
    const seen = other.open("/m", { type: "array", key: u32, value });
    for (let n = 0; n < 10; n++) (n % 2 ? map : seen).set(n, make(n));
    expect([...seen.values()]).toEqual(Array.from({ length: 10 }, (_, n) => make(n)));
    expect([map.size, map.get(10)]).toEqual([10, undefined]);
    expectErrno(() => map.set(10, make(1)), "E2BIG");
    expectErrno(() => map.update(1, make(1), BPF_NOEXIST), "EEXIST");
    seen.clear();
    expect(map.get(3)).toEqual([...map.values()][0]);
  });

  it("add, scan, and show their memory to all", () => {
    const [host, other] = pair();
    const map = host.createMap({ type: "array", key: u32, value: u53, maxEntries: 5 });
    host.pin("/m", map);
    const seen = other.open("/m", { type: "array", key: u32, value: u53 });
    expect([map.add(1, 2 ** 40), seen.add(1, 1), seen.add(1, -2)]).toEqual([
      2 ** 40,
      2 ** 40 + 1,
      2 ** 40 - 1,
    ]);
    expect(() => seen.add(2, -1)).toThrow(RangeError);
    map.addMany(Uint32Array.of(2, 2), [3, 4]);
    expect(seen.view(BigUint64Array)[2]).toBe(7n);
    seen.view(BigUint64Array)[3] = 9n;
    expect([...map]).toEqual([
      [0, 0],
      [1, 2 ** 40 - 1],
      [2, 7],
      [3, 9],
      [4, 0],
    ]);
    const counts: number[] = [];
    for (const batch of map.batches({ size: 2 })) counts.push(batch.count);
    expect(counts).toEqual([2, 2, 1]);
  });
});

describe.each(["percpu_hash", "percpu_array"] as const)("%s", (type) => {
  const open = <V>(value: Codec<V>) => {
    const [host, other] = pair({ cpus: 3 });
    const map = host.createMap({ type, key: u32, value, maxEntries: 8 });
    host.pin("/m", map);
    const seen = other.open("/m", { type, key: u32, value });
    return [map, seen] as const;
  };

  it.each(VALUES)("has a slot for each host, of values %#", (value, make) => {
    const [map, seen] = open(value);
    const zero = () => {
      const zeros = new DataView(new ArrayBuffer(value.size));
      return value.decode(zeros, 0);
    };
    map.local.set(1, make(1));
    seen.local.set(1, make(2));
    expect(map.get(1)).toEqual([make(1), make(2), zero()]);
    expect([map.local.get(1), seen.local.get(1)]).toEqual([make(1), make(2)]);
    seen.set(1, [make(3), make(4), make(5)]);
    expect([map.local.get(1), seen.local.get(1)]).toEqual([make(3), make(4)]);
    seen.local.update(1, make(6), BPF_EXIST);
    expectErrno(() => seen.local.update(1, make(7), BPF_NOEXIST), "EEXIST");
    expect([...map][type === "percpu_hash" ? 0 : 1]).toEqual([1, [make(3), make(6), make(5)]]);
  });

  it("counts in the slot of the host", () => {
    const [map, seen] = open(struct({ n: u53, big: i64, word: u32 }));
    for (let i = 0; i < 3; i++) map.add(2, 2 ** 35, { field: "n" });
    expect(seen.add(2, 5, { field: "n" })).toBe(5);
    expect(seen.add(2, -5n, { field: "big" })).toBe(-5n);
    expect(() => seen.add(2, -6, { field: "n" })).toThrow(RangeError);
    seen.addMany(Uint32Array.of(2, 3, 2), [1, 2, 3], { field: "word" });
    expect(map.get(2)).toEqual([
      { n: 3 * 2 ** 35, big: 0n, word: 0 },
      { n: 5, big: -5n, word: 4 },
      { n: 0, big: 0n, word: 0 },
    ]);
    expect(map.get(3)?.map(({ word }) => word)).toEqual([0, 2, 0]);
  });

  it("gives the address of the slot", () => {
    const [map, seen] = open(u64);
    map.set(1, [1n, 2n, 3n]);
    const address = seen.local.lookup(1);
    expect(seen.host.view.getBigUint64(address, true)).toBe(2n);
    expect(seen.local.lookup(99)).toBe(0);
  });
});

it("a percpu_hash is drained whole", () => {
  const [host, other] = pair({ cpus: 2 });
  const map = host.createMap({ type: "percpu_hash", key: u32, value: u32, maxEntries: 100 });
  host.pin("/m", map);
  const seen = other.open("/m", { type: "percpu_hash", key: u32, value: u32 });
  for (let key = 0; key < 50; key++) {
    map.add(key, 1);
    seen.add(key, 2);
  }
  expect(new Map(map.drain())).toEqual(new Map(Array.from({ length: 50 }, (_, key) => [key, [1, 2]])));
  expect(seen.size).toBe(0);
});

describe("spin locks", () => {
  const account = struct({ id: u32, lock: spinLock, balance: u64, note: bytes(20) });
  const value = (balance: bigint) => ({ id: 1, balance, note: new Uint8Array(20).fill(Number(balance)) });

  it.each(["hash", "rhash", "array"] as const)(
    "%s: locked, and updates and lookups with BPF_F_LOCK",
    (type) => {
      const [host, other] = pair();
      const map = host.createMap({ type, key: u32, value: account, maxEntries: 8 });
      host.pin("/m", map);
      const seen = other.open("/m", { type, key: u32, value: account });
      map.set(1, value(5n));
      seen.update(1, value(6n), BPF_F_LOCK | BPF_EXIST);
      expect(map.get(1, BPF_F_LOCK)).toEqual(value(6n));
      expect(map.get(1, 0)).toEqual(value(6n));
      const changed = seen.locked(1, (before, address) => {
        expect(before).toEqual(value(6n));
        expect(map.lookup(1)).toBe(address);
        expect(expectErrno(() => map.get(1, BPF_F_LOCK), "ETIMEDOUT")).toMatchObject({
          owner: seen.host.cpu,
        });
        expect(map.get(1)).toEqual(value(6n));
        return value(before.balance + 1n);
      });
      expect(changed).toEqual(value(7n));
      expect(map.get(1, BPF_F_LOCK)).toEqual(value(7n));
      expect(map.locked(1, () => undefined)).toBeUndefined();
      expect(map.locked(7 + 1, () => value(1n))).toBeUndefined();
      expect(map.has(8)).toBe(false);
      // The word of the lock reads 0, whoever held it.
      using batch = map.createBatch(8);
      map.lookupBatch(batch);
      expect(new DataView(batch.values.buffer, batch.values.byteOffset).getUint32(4, true)).toBe(0);
      expect(() =>
        map.locked(1, () => {
          throw new Error("mine");
        }),
      ).toThrow("mine");
      expect(seen.get(1, BPF_F_LOCK)).toEqual(value(7n));
    },
  );

  const small = struct({ lock: spinLock, n: u32 });
  const middle = struct({ lock: spinLock, n: u32, more: bytes(12) });
  it.each([
    ["inline-keys", u32, small, { n: 7 }],
    ["inline-tags", u53, middle, { n: 7, more: new Uint8Array(12) }],
    ["out-of-line", u32, account, value(7n)],
  ] as const)("lookupMany gives 0 for a lock that was held, %s", (layout, key, codec, held) => {
    const [host] = pair();
    for (const type of ["hash", "rhash"] as const) {
      const map = host.createMap<"hash" | "rhash", number, unknown>({
        type,
        key,
        value: codec,
        maxEntries: 8,
      });
      expect(map.stats().layout).toBe(layout);
      map.set(1, held);
      map.locked(1, () => undefined);
      const { lock } = codec.offsets;
      const live = map.lookup(1) + lock;
      expect(host.u32[live >>> 2]).not.toBe(0);
      const values = new Uint8Array(codec.size).fill(255);
      expect(map.lookupMany([1], values)).toBe(1);
      expect([...values.subarray(lock, lock + 4)]).toEqual([0, 0, 0, 0]);
    }
  });

  it("updateBatch takes the locks that BPF_F_LOCK asks for", () => {
    const [host, other] = pair();
    const map = host.createMap({ type: "hash", key: u32, value: account, maxEntries: 8 });
    host.pin("/m", map);
    const seen = other.open("/m", { key: u32, value: account });
    using batch = seen.createBatch(2);
    batch.set(0, 1, value(1n));
    batch.set(1, 2, value(2n));
    batch.elemFlags = BPF_F_LOCK;
    seen.updateBatch(batch);
    expect([map.get(1), map.get(2)]).toEqual([value(1n), value(2n)]);
    map.locked(2, () => {
      expect(expectErrno(() => seen.updateBatch(batch), "ETIMEDOUT").count).toBe(1);
    });
  });

  it("a value deleted while it is locked is not written back", () => {
    const [host, other] = pair();
    const map = host.createMap({ type: "rhash", key: u32, value: account, maxEntries: 8 });
    host.pin("/m", map);
    const seen = other.open("/m", { key: u32, value: account });
    map.set(1, value(1n));
    map.locked(1, () => {
      expect(seen.delete(1)).toBe(true);
      return value(2n);
    });
    expect([map.has(1), map.size]).toEqual([false, 0]);
  });
});

describe("sections", () => {
  it("keep what addresses point at, whatever other hosts do", () => {
    const [host, other] = pair();
    const map = host.createMap({ ...hits, maxEntries: 20_000 });
    host.pin("/m", map);
    const seen = other.open("/m", { key: u32, value: u32 });
    for (let key = 0; key < 50; key++) map.set(key, key);
    host.section(() => {
      const addresses = Array.from({ length: 50 }, (_, key) => map.lookup(key));
      for (let key = 50; key < 5000; key++) seen.set(key, key);
      for (let key = 0; key < 50; key++) {
        expect(map.lookup(key)).toBe(addresses[key]);
        expect(host.u32[addresses[key] >>> 2]).toBe(key);
      }
      seen.delete(7);
      expect(host.u32[addresses[7] >>> 2]).toBe(7);
    });
    expect(seen.size).toBe(4999);
  });

  it("keep the memory of a map that goes in it", () => {
    const [host, other] = pair();
    const map = other.createMap({ ...hits, type: "hash" }).set(1, 77);
    host.section(() => {
      const address = map.lookup(1);
      map.close();
      const next = other.createMap({ ...hits, type: "hash" });
      for (let key = 0; key < 1000; key++) next.set(key, 0xffff);
      expect(host.u32[address >>> 2]).toBe(77);
      next.close();
      expect(host.memoryUsage().maps).toEqual([]);
      expect(host.memoryUsage().bytes).toBeGreaterThan(0);
    });
    expect(host.memoryUsage().bytes).toBe(0);
  });

  it("are what synchronize waits for", () => {
    const [host, other] = pair();
    host.synchronize();
    other.section(() => {
      expect(expectErrno(() => host.synchronize(), "ETIMEDOUT")).toMatchObject({ owner: 1 });
      expectErrno(() => other.synchronize(), "EDEADLK");
      expectErrno(() => other.detach(), "EBUSY");
    });
    host.synchronize();
  });
});

describe("maps of several hosts", () => {
  it("are listed by all, in the order of their ids", () => {
    const [host, other] = pair();
    const first = host.createMap({ ...hits, name: "first" }).set(1, 1);
    const types: MapType[] = ["hash", "percpu_hash", "array", "percpu_array"];
    for (const type of types) other.createMap({ type, name: type, key: u32, value: u64, maxEntries: 7 });
    const { maps } = other.memoryUsage();
    expect(maps.map(({ id, name, entries }) => [id, name, entries])).toEqual([
      [1, "first", 1],
      [2, "hash", 0],
      [3, "percpu_hash", 0],
      [4, "array", 7],
      [5, "percpu_array", 7],
    ]);
    expect(maps[0].bytes).toBe(first.memoryUsage());
    expect(host.memoryUsage()).toEqual(other.memoryUsage());
  });

  it("are the same to all", () => {
    const [host, other] = pair();
    const map = host.createMap({ ...hits, name: "fifteen_letters", mapExtra: 16 });
    host.pin("/m", map);
    expect(other.open("/m", { type: "rhash", key: u32, value: u32 }).info).toEqual(map.info);
    expect(map.info).toMatchObject({ id: 1, name: "fifteen_letters", mapExtra: 16, type: "rhash" });
    expect(() => other.open("/m", { type: "hash", key: u32, value: u64 })).toThrow(
      /of type rhash, not hash; values are 4/,
    );
    expect(() => other.pin("/n", map)).toThrow(TypeError);
  });

  it("live as long as a host or a pin has them", () => {
    const [host, other] = pair();
    const map = host.createMap(hits).set(1, 2);
    host.pin("/m", map);
    host.pin("/n", map);
    const second = other.createMap(hits);
    expectErrno(() => other.pin("/m", second), "EEXIST");
    second.close();
    map.close();
    expect(other.open("/m", { key: u32, value: u32 }).get(1)).toBe(2);
    other.unpin("/m");
    host.unpin("/n");
    expect(host.memoryUsage().maps.map(({ id }) => id)).toEqual([1]);
    expectErrno(() => host.open("/m", { key: u32, value: u32 }), "ENOENT");
    expectErrno(() => host.unpin("/n"), "ENOENT");
    other.detach();
    expect(host.memoryUsage()).toMatchObject({ bytes: 0, maps: [] });
  });

  it("go with a host that is reaped, but for what others have open", () => {
    const [host, other] = pair();
    const kept = other.createMap({ ...hits, name: "kept" }).set(1, 2);
    other.pin("/kept", kept);
    const mine = host.open("/kept", { key: u32, value: u32 });
    other.createMap({ ...hits, name: "gone" });
    kept.createBatch(100);
    host.unpin("/kept");
    expect([host.reap(1), host.reap(1)]).toEqual([true, false]);
    expect(host.memoryUsage().maps.map(({ name }) => name)).toEqual(["kept"]);
    expect(mine.get(1)).toBe(2);
    mine.close();
    expect(host.memoryUsage().bytes).toBe(0);
  });

  it("are found through host.bpf, too", async () => {
    const uapi = await import("../../src/uapi/index.ts");
    const [host, other] = pair();
    const create = { map_type: uapi.BPF_MAP_TYPE_HASH, key_size: 4, value_size: 8, max_entries: 100 };
    const fd = host.bpf(uapi.BPF_MAP_CREATE, uapi.writeStruct(uapi.BPF_ATTR_MAP_CREATE, create));
    const map = fd as number;
    const memory = new ArrayBuffer(64);
    const words = new Uint32Array(memory);
    words.set([7, 0, 70, 1], 2);
    const elem = (on: Host, command: number, map_fd: number, value = 16) =>
      on.bpf(command, uapi.writeStruct(uapi.BPF_ATTR_ELEM, { map_fd, key: 8, value }), memory);
    expect(elem(host, uapi.BPF_MAP_UPDATE_ELEM, map)).toBe(0);
    const byId = uapi.writeStruct(uapi.BPF_ATTR_ID, { map_id: 1 });
    const found = other.bpf(uapi.BPF_MAP_GET_FD_BY_ID, byId);
    expect(found).toBeGreaterThanOrEqual(3);
    words.fill(0, 4);
    expect(elem(other, uapi.BPF_MAP_LOOKUP_ELEM, found)).toBe(0);
    expect([words[4], words[5]]).toEqual([70, 1]);
    expect(elem(other, uapi.BPF_MAP_DELETE_ELEM, found, 0)).toBe(0);
    expect(elem(host, uapi.BPF_MAP_LOOKUP_ELEM, map)).toBe(-2);
    expect([other.closeFd(found), host.closeFd(map)]).toEqual([0, 0]);
    expect(host.memoryUsage()).toMatchObject({ bytes: 0, maps: [] });
  });
});

describe("slots", () => {
  it("are handed out from 0 up, and again when they are free", () => {
    const host = sharedHost({ cpus: 3 });
    const [second, third] = [attachHost(host.share()), attachHost(host.share())];
    expect([host.cpu, second.cpu, third.cpu, third.cpus]).toEqual([0, 1, 2, 3]);
    expect([host.shared, third.shared, createHost({ seed: 1 }).shared]).toEqual([true, true, false]);
    second.detach();
    expect(host.slots().map(({ state, self }) => [state, self])).toEqual([
      ["live", true],
      ["free", false],
      ["live", false],
    ]);
    expect(attachHost(third.share()).cpu).toBe(1);
    host.close();
    expect(third.slots()[0]).toEqual({ cpu: 0, state: "free", thread: undefined, self: false });
    expect(attachHost(third.share()).cpu).toBe(0);
  });

  it("outlive the host that made the memory", () => {
    const [host, other] = pair();
    host.pin("/m", host.createMap(hits).set(1, 2));
    const handle = host.share();
    host.close();
    expect(other.open("/m", { key: u32, value: u32 }).get(1)).toBe(2);
    expect(attachHost(handle).open("/m", { key: u32, value: u32 }).get(1)).toBe(2);
  });

  it("a handle is what postMessage takes", () => {
    const host = sharedHost();
    const { port1, port2 } = new MessageChannel();
    return new Promise<void>((done) => {
      port2.onmessage = ({ data }: MessageEvent<HostHandle>) => {
        const attached = attachHost(data);
        expect([attached.cpu, attached.memoryUsage().limit]).toEqual([1, host.memoryUsage().limit]);
        port1.close();
        done();
      };
      port1.postMessage(host.share());
    });
  });

  it("watch reaps those of a worker that has ended", () => {
    const [host, other] = pair();
    // Both hosts are of this thread: a worker with its id that ends leaves the other one's slot.
    const worker = Object.assign(new EventEmitter(), { threadId: host.slots()[0].thread ?? -1 });
    expect(host.watch(worker)).toBe(worker);
    worker.threadId = -1;
    worker.emit("exit");
    expect(host.slots().map(({ state }) => state)).toEqual(["live", "free", "free", "free"]);
    expect(attachHost(host.share()).cpu).toBe(other.cpu);
  });
});

describe("verify", () => {
  it("has nothing to say of maps that are in order", () => {
    for (const host of [...pair(), createHost({ seed: 1, cpus: 2 })]) {
      for (const type of ["hash", "rhash", "percpu_hash", "array", "percpu_array"] as const) {
        const map = host.createMap({ type, key: u32, value: u64, maxEntries: 2000 });
        for (let key = 0; key < 1000; key++) map.add(key, 1n);
        expect(map.verify()).toEqual([]);
      }
      expect(host.verify()).toEqual([]);
    }
    expect(createHost({ seed: 1 }).verify()).toEqual([]);
  });
});
