// Maps whose entries expire on shared hosts: several hosts on one memory, in one thread, each with a CPU slot and a clock of its own.
import { describe, expect, it } from "vitest";
import {
  ACT_DELETE,
  ACT_KEEP,
  attachHost,
  BPF_F_LOCK,
  BPF_NOEXIST,
  type Codec,
  type HashType,
  type Host,
  type MapType,
  program,
  spinLock,
  struct,
  text,
  u32,
  u53,
} from "../../src/index.ts";
import { expectErrno } from "../support/caught.ts";
import { pair, sharedHost } from "./hosts.ts";

/** Two hosts on one memory whose time stands still, and how the first or the second of them moves it on. */
function hostsAt(start = 1e12): { hosts: [Host, Host]; pass: (ms: number, by?: 0 | 1) => void } {
  let now = start;
  const host = sharedHost({ clock: () => now });
  const hosts: [Host, Host] = [host, attachHost(host.share(), { clock: () => now })];
  const pass = (ms: number, by: 0 | 1 = 0) => {
    now += ms;
    hosts[by].expiry.tick(now);
  };
  return { hosts, pass };
}

function timed<V>(type: MapType, value: Codec<V>, options: object = {}) {
  const { hosts, pass } = hostsAt();
  const spec = { type: type as HashType, key: u32, value };
  const first = hosts[0].createMap({ ...spec, maxEntries: 100, ttl: 1000, ...options });
  hosts[0].pin("/m", first);
  return { hosts, pass, maps: [first, hosts[1].open("/m", spec)] as const };
}

describe.each<MapType>(["hash", "rhash", "lru_hash"])("a %s that two hosts have open", (type) => {
  it("expires for both at the same tick, whoever ticks", () => {
    const { hosts, maps, pass } = timed(type, u32);
    const [a, b] = maps;
    a.set(1, 10);
    b.set(2, 20, { ttl: 500 });
    for (const [by, ms, expected] of [
      [1, 499, [10, 20]],
      [0, 1, [10, undefined]],
      [1, 499, [10, undefined]],
      [1, 1, [undefined, undefined]],
    ] as const) {
      pass(ms, by);
      for (const map of maps) expect([map.get(1), map.get(2)]).toEqual(expected);
    }
    for (const host of hosts) expect(host.verify()).toEqual([]);
  });

  it("tells who attaches of its ttl, its resolution, and whether a get renews it", () => {
    const { maps, pass } = timed(type, u53, { ttl: 100, ttlResolution: 25, updateAgeOnGet: true });
    const [a, b] = maps;
    expect(b.info).toEqual(a.info);
    expect(b.info.ttl).toBe(100);
    b.set(1, 10);
    expect([a.remainingTtl(1), b.remainingTtl(1)]).toEqual([100, 100]);
    pass(50, 1);
    expect(b.get(1)).toBe(10);
    expect(a.remainingTtl(1)).toBe(100);
    b.set(2, 20, { ttl: 1 });
    expect(a.remainingTtl(2)).toBe(25);
  });

  it("goes on with the time of the host in a thread that attaches later", () => {
    const { hosts, maps, pass } = timed(type, u32);
    maps[0].set(1, 10);
    pass(600);
    const late = attachHost(hosts[0].share(), { clock: () => 0 }); // far behind: the clock of the host stays where it is
    const map = late.open("/m", { key: u32, value: u32 });
    expect(map.remainingTtl(1)).toBe(400);
    late.tick();
    map.set(2, 20);
    expect(maps[0].remainingTtl(2)).toBe(1000);
    late.tick(1e12 + 1000);
    expect([map.get(1), maps[0].get(1), maps[1].get(2)]).toEqual([undefined, undefined, 20]);
  });

  it("is swept by the tick of a thread that has not opened it", () => {
    const { hosts, maps } = timed(type, u32);
    maps[1].set(1, 10).set(2, 20, { ttl: 5000 });
    const other = attachHost(hosts[0].share(), { clock: () => 1e12 + 1000 });
    other.tick();
    expect([maps[0].size, maps[0].stats().expired]).toEqual([1, 1]);
    expect(hosts[0].verify()).toEqual([]);
  });
});

describe("a spin lock that is held when its entry expires", () => {
  const value = struct({ lock: spinLock, n: u32 });

  it("stays held when another thread writes the entry again", () => {
    const { hosts, maps, pass } = timed("hash", value);
    const [a, b] = maps;
    a.set(1, { n: 1 });
    a.locked(1, ({ n }) => {
      pass(1000);
      expect(b.get(1)).toBeUndefined();
      b.set(1, { n: 5 });
      expect(() => b.update(1, { n: 6 }, BPF_F_LOCK)).toThrow(/lock/);
      expect(() => b.locked(1, () => undefined)).toThrow(/lock/);
      return { n: n + 1 };
    });
    expect(b.locked(1, (entry) => entry)).toEqual({ n: 2 });
    b.field("n").add(1, 3);
    expect(a.field("n").get(1)).toBe(5);
    pass(1000);
    expect(b.field("n").add(1, 3)).toBe(3);
    for (const host of hosts) expect(host.verify()).toEqual([]);
  });

  it("is waited for by who writes the expired entry under its lock", () => {
    const { maps, pass } = timed("hash", value);
    const [a, b] = maps;
    a.set(1, { n: 1 });
    a.locked(1, () => {
      pass(1000);
      expect(() => b.update(1, { n: 5 }, BPF_F_LOCK)).toThrow(/lock/);
      expect(b.get(1)).toBeUndefined(); // what had begun was taken back
      return undefined;
    });
    b.update(1, { n: 5 }, BPF_F_LOCK);
    expect(a.get(1)).toEqual({ n: 5 });
  });
});

describe.each(["percpu_hash", "lru_percpu_hash"] as const)("a %s", (type) => {
  it.each([u32, u53, struct({ a: u53, b: u53 })] as Codec<unknown>[])(
    "of $name has an expiry for all slots",
    (value) => {
      const { hosts, pass } = hostsAt();
      const [x, y] =
        value === u32 || value === u53
          ? [5, 7]
          : [
              { a: 5, b: 6 },
              { a: 7, b: 8 },
            ];
      const zero = value === u32 || value === u53 ? 0 : { a: 0, b: 0 };
      const spec = { type, key: u32, value } as const;
      const first = hosts[0].createMap({ ...spec, maxEntries: 50, ttl: 1000 });
      hosts[0].pin("/m", first);
      const second = hosts[1].open("/m", spec);
      first.local.set(1, x);
      second.local.set(1, y);
      expect(first.get(1)).toEqual([x, y, zero, zero]);
      pass(600);
      second.local.set(1, x); // not a write of the whole value
      expect(first.remainingTtl(1)).toBe(400);
      pass(400, 1);
      expect([first.get(1), second.local.get(1), second.local.lookup(1)]).toEqual([undefined, undefined, 0]);
      expectErrno(() => second.local.update(1, x, 2), "ENOENT");
      second.local.update(1, y, BPF_NOEXIST);
      expect(first.get(1)).toEqual([zero, y, zero, zero]);
      expect(first.remainingTtl(1)).toBe(1000);
      for (let key = 100; key < 140; key++) first.set(key, [x, y, x, y]);
      expect(second.lookupAndDelete(120)).toEqual([x, y, x, y]);
      const batch = second.createBatch(60);
      second.lookupBatch(batch);
      expect(batch.count).toBe(40);
      for (const [key, slots] of batch.entries())
        expect(slots).toEqual(key === 1 ? [zero, y, zero, zero] : [x, y, x, y]);
      pass(1000);
      expect([...second]).toEqual([]);
      expect(first.sweep(1e6)).toBe(40);
      for (const host of hosts) expect(host.verify()).toEqual([]);
    },
  );

  it("counts from 0 again when it has expired", () => {
    const { hosts, pass } = hostsAt();
    const map = hosts[0].createMap({ type, key: u32, value: u53, maxEntries: 50, ttl: 1000 });
    map.add(1, 5);
    map.addMany([1, 2], [1, 1]);
    pass(1000);
    expect(map.add(1, 2)).toBe(2);
    map.addMany([1, 2, 3], [1, 1, 1]);
    expect([map.get(1), map.get(2), map.get(3)].map((slots) => slots?.[0])).toEqual([3, 1, 1]);
    expect(map.remainingTtl(2)).toBe(1000);
  });
});

it("what has expired is seen by no run over a map that another thread fills", () => {
  const { hosts, maps, pass } = timed("hash", u32, { maxEntries: 500 });
  const [a, b] = maps;
  for (let key = 0; key < 60; key++) a.set(key, key, { ttl: key % 3 === 0 ? 5000 : 50 });
  pass(60);
  expect(b.process({ filter: () => ACT_KEEP }).visited).toBe(20);
  expect(a.size).toBe(20);
  for (let key = 100; key < 150; key++) a.set(key, key, { ttl: 50 });
  pass(60);
  expect(b.process({ filter: program(b, ({ value }) => value.lt(0).then(ACT_DELETE)) }).visited).toBe(20);
  expect(a.size).toBe(20);
  for (const host of hosts) expect(host.verify()).toEqual([]);
});

it("nextKey goes on behind what has expired, and begins anew when its key has", () => {
  const { maps, pass } = timed("rhash", u32);
  const [a, b] = maps;
  for (let key = 0; key < 50; key++) a.set(key, key, { ttl: key % 5 === 0 ? 5000 : 50 });
  const all: number[] = [];
  for (let key = a.nextKey(); key !== undefined; key = a.nextKey(key)) all.push(key);
  pass(60);
  const live = all.filter((key) => key % 5 === 0);
  const seen: number[] = [];
  for (let key = b.nextKey(); key !== undefined; key = b.nextKey(key)) seen.push(key);
  expect(seen).toEqual(live);
  expect(b.nextKey(all.find((key) => key % 5 !== 0))).toBe(live[0]);
});

it("a full hash sweeps before it refuses, what another thread has put in, too", () => {
  const { hosts, maps, pass } = timed("hash", text(8), { maxEntries: 300 });
  const [a, b] = maps;
  for (let key = 0; key < 300; key++) (key % 2 ? a : b).set(key, "x");
  expectErrno(() => b.set(300, "y"), "E2BIG");
  pass(1000);
  b.set(300, "y");
  expect(a.get(300)).toBe("y");
  expect(a.size).toBeLessThan(300);
  for (const host of hosts) expect(host.verify()).toEqual([]);
});

it("an rhash gets smaller when what it had has expired, and few keys come", () => {
  const { hosts, maps, pass } = timed("rhash", u53, { maxEntries: 20_000 });
  const [a] = maps;
  for (let key = 0; key < 20_000; key++) a.set(key, key);
  const full = a.memoryUsage();
  pass(1000);
  for (let round = 0; round < 60; round++) {
    pass(10);
    for (let key = 0; key < 100; key++) a.set(1e6 + round * 100 + key, 1, { ttl: 10 });
  }
  expect(a.memoryUsage()).toBeLessThan(full / 2);
  for (const host of hosts) expect(host.verify()).toEqual([]);
});

it("the system's clock is that of all hosts, and asked by each", () => {
  const [host, other] = pair();
  const map = host.createMap({ type: "lru_hash", key: u32, value: u32, maxEntries: 10, ttl: 60_000 });
  host.pin("/m", map);
  map.set(1, 10);
  const seen = other.open("/m", { key: u32, value: u32 });
  expect(seen.remainingTtl(1)).toBeGreaterThan(59_000);
  expect(seen.remainingTtl(1)).toBeLessThanOrEqual(60_010);
});
