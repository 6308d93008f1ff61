// Entries that expire: what each call sees of them, one by one, on a clock of the test's.
import { describe, expect, it } from "vitest";
import {
  ACT_DELETE,
  ACT_KEEP,
  BPF_EXIST,
  BPF_NOEXIST,
  createHost,
  createMap,
  type HashType,
  type MapSpec,
  program,
  spinLock,
  struct,
  text,
  u32,
  u53,
} from "../../src/index.ts";
import { expectErrno } from "../support/caught.ts";

/** A map on a host whose time stands still until `pass` is called. */
function timed(options: Partial<MapSpec<number, number>> = {}) {
  let now = 1e12;
  const host = createHost({ seed: 1, maxMemory: 2 ** 25, clock: () => now });
  const spec = { type: "hash", key: u32, value: u32, maxEntries: 100, ttl: 1000, ...options };
  const map = host.createMap(spec as MapSpec<number, number, HashType>);
  const pass = (ms: number) => {
    now += ms;
    host.tick();
  };
  /** Without the sweep of `tick`, which would hide what a call sees of the dead. */
  const passUnswept = (ms: number) => {
    now += ms;
    host.clock.now();
    host.expiry.tick(now);
  };
  return { host, map, pass, passUnswept };
}

describe.each<HashType>(["hash", "rhash"])("an entry of a %s", (type) => {
  it("is there until its ttl has passed, and one unit longer at most", () => {
    for (const [ttl, late] of [
      [1000, 0],
      [1, 9],
      [999.5, 0.5],
      [1001, 9],
    ]) {
      const { map, passUnswept } = timed({ type, ttl: 0 });
      map.set(1, 10, { ttl });
      passUnswept(ttl + late - 0.25);
      expect([map.get(1), map.has(1), map.size]).toEqual([10, true, 1]);
      passUnswept(0.25);
      expect([map.get(1), map.has(1), map.size]).toEqual([undefined, false, 1]);
    }
  });

  it("is never early when it is set between two units", () => {
    const { map, passUnswept } = timed({ type });
    passUnswept(7);
    map.set(1, 10);
    passUnswept(1000);
    expect(map.get(1)).toBe(10);
    passUnswept(3);
    expect(map.get(1)).toBeUndefined();
  });

  it("is absent to every call that asks for a key, from then on", () => {
    const { host, map, passUnswept } = timed({ type });
    map.set(1, 10).set(2, 20, { ttl: Number.POSITIVE_INFINITY });
    passUnswept(1000);
    expect(map.peek(1)).toBeUndefined();
    expect(map.lookup(1)).toBe(0);
    expect(map.remainingTtl(1)).toBe(0);
    expect(map.lookupMany([1, 2])).toBe(1);
    expect([map.found(0), map.found(1)]).toEqual([false, true]);
    expect(map.nextKey()).toBe(2);
    expect(map.nextKey(1)).toBe(2);
    expect([...map]).toEqual([[2, 20]]);
    expect([...map.keys()]).toEqual([2]);
    expect([...map.values()]).toEqual([20]);
    expect(map.delete(1)).toBe(false);
    expect(map.size).toBe(1);
    expect(host.verify()).toEqual([]);
  });

  it("is not taken", () => {
    const { map, passUnswept } = timed({ type });
    map.set(1, 10);
    passUnswept(1000);
    expect(map.lookupAndDelete(1)).toBeUndefined();
    expect(map.size).toBe(0);
  });

  it("that has expired is a new one when it is written again", () => {
    const { map, passUnswept } = timed({ type });
    const expire = () => {
      map.set(1, 10);
      passUnswept(1010);
    };
    expire();
    expectErrno(() => map.update(1, 11, BPF_EXIST), "ENOENT");
    map.update(1, 12, BPF_NOEXIST);
    expect(map.get(1)).toBe(12);
    expire();
    expect(map.add(1, 5)).toBe(5);
    expect(map.remainingTtl(1)).toBeGreaterThan(900);
    expire();
    map.addMany([1], [7]);
    expect(map.get(1)).toBe(7);
    expire();
    expect(map.getOrInsert(1, 9)).toBe(9);
    expire();
    map.set(1, 3);
    expect([map.get(1), map.size]).toEqual([3, 1]);
  });

  it("stays longer with every update, but not with what changes it in place", () => {
    const { map, pass } = timed({ type });
    map.set(1, 10);
    pass(600);
    map.add(1, 1);
    map.addMany([1], [1]);
    expect(map.remainingTtl(1)).toBe(400);
    map.update(1, 20);
    expect(map.remainingTtl(1)).toBe(1000);
    pass(600);
    const batch = map.createBatch(1);
    batch.set(0, 1, 30);
    map.updateBatch(batch);
    expect([map.get(1), map.remainingTtl(1)]).toEqual([30, 1000]);
    pass(600);
    map.set(1, 40);
    expect(map.remainingTtl(1)).toBe(1000);
    map.update(1, 41, BPF_EXIST);
    expect(map.remainingTtl(1)).toBe(1000);
  });

  it("is in no batch, no scan and no drain when it has expired", () => {
    for (const capacity of [1, 7, 100]) {
      const { host, map, passUnswept } = timed({ type });
      for (let key = 0; key < 60; key++) map.set(key, key, { ttl: key % 3 === 0 ? 5000 : 50 });
      passUnswept(60);
      const live = Array.from({ length: 20 }, (_, i) => 3 * i);
      const batch = map.createBatch(capacity);
      const seen: number[] = [];
      for (let more = true; more; ) {
        batch.count = capacity;
        more = map.lookupBatch(batch);
        for (const [key, value] of batch.entries()) {
          expect(value).toBe(key);
          seen.push(key);
        }
      }
      expect(seen.sort((a, b) => a - b)).toEqual(live);
      batch.rewind();
      const taken: number[] = [];
      for (let more = true; more && taken.length < 10; ) {
        batch.count = Math.min(capacity, 10 - taken.length);
        more = map.lookupAndDeleteBatch(batch);
        for (const [key] of batch.entries()) taken.push(key);
      }
      batch.close();
      for (const [key, value] of map.drain({ size: capacity })) {
        expect(value).toBe(key);
        taken.push(key);
      }
      expect(taken.sort((a, b) => a - b)).toEqual(live);
      expect([map.size, map.stats().expired]).toEqual([0, 40]);
      expect(host.verify()).toEqual([]);
    }
  });

  it("goes back from a drain that is left early with its value, and with the ttl of the map", () => {
    const { host, map, passUnswept } = timed({ type });
    for (let key = 0; key < 20; key++) map.set(key, 10 * key, { ttl: 500 });
    const taken: number[] = [];
    for (const [key] of map.drain()) {
      taken.push(key);
      if (taken.length === 3) break;
    }
    passUnswept(600);
    const left = Array.from({ length: 20 }, (_, key) => key).filter((key) => !taken.includes(key));
    expect([...map].sort((a, b) => a[0] - b[0])).toEqual(left.map((key) => [key, 10 * key]));
    for (const key of left) expect(map.remainingTtl(key)).toBe(400);
    expect(host.verify()).toEqual([]);
  });

  it("does not come when it expires while an iterator is on its way", () => {
    const { map, passUnswept } = timed({ type });
    for (let key = 0; key < 10; key++) map.set(key, key, { ttl: key % 2 === 0 ? 50 : 5000 });
    const seen: number[] = [];
    for (const key of map.keys()) {
      seen.push(key);
      if (seen.length === 1) passUnswept(60);
    }
    expect(seen.slice(1).filter((key) => key % 2 === 0)).toEqual([]);
  });

  it("is seen by no filter and no compiled program when it has expired", () => {
    const { host, map, passUnswept } = timed({ type });
    const fill = () => {
      for (let key = 0; key < 60; key++) map.set(key, key, { ttl: key % 3 === 0 ? 5000 : 50 });
      passUnswept(60);
    };
    fill();
    const seen: number[] = [];
    const filter = (entry: { readonly key: number }) => {
      seen.push(entry.key);
      return entry.key % 2 === 0 ? ACT_DELETE : ACT_KEEP;
    };
    expect(map.process({ filter })).toEqual({ visited: 20, deleted: 10, stopped: false });
    expect(seen.every((key) => key % 3 === 0)).toBe(true);
    expect(map.size).toBe(10);
    fill();
    const compiled = program(map, ({ value }) => value.mod(2).eq(0).then(ACT_DELETE));
    expect(map.process({ filter: compiled })).toEqual({ visited: 20, deleted: 10, stopped: false });
    expect(map.size).toBe(10);
    expect(host.verify()).toEqual([]);
  });

  it("can be run over in parts", () => {
    const { host, map, passUnswept } = timed({ type });
    for (let key = 0; key < 60; key++) map.set(key, key, { ttl: key % 3 === 0 ? 5000 : 50 });
    passUnswept(60);
    let visited = 0;
    let cursor: Parameters<typeof map.process>[0]["cursor"];
    do {
      const result = map.process({ filter: () => ACT_KEEP, budget: { entries: 3 }, cursor });
      visited += result.visited;
      cursor = result.cursor;
    } while (cursor !== undefined);
    expect([visited, map.size]).toEqual([20, 20]);
    expect(host.verify()).toEqual([]);
  });

  it("keeps its address in a section in which it expires and is swept", () => {
    const { host, map, passUnswept } = timed({ type });
    map.set(1, 10);
    host.section(() => {
      const address = map.lookup(1);
      passUnswept(1000);
      map.sweep();
      for (let key = 100; key < 150; key++) map.set(key, key);
      expect(map.get(1)).toBeUndefined();
      expect(host.u32[address >>> 2]).toBe(10);
    });
    expect(host.verify()).toEqual([]);
  });

  it("with a lock is not locked when it has expired, and keeps its expiry when it is", () => {
    const { host, passUnswept } = timed();
    const value = struct({ lock: spinLock, n: u32 });
    const map = host.createMap({ type, key: u32, value, maxEntries: 8, ttl: 1000 });
    map.set(1, { n: 1 });
    passUnswept(600);
    expect(map.locked(1, (entry) => ({ n: entry.n + 1 }))).toEqual({ n: 2 });
    map.field("n").add(1, 1);
    map.field("n").set(1, 7);
    map.addFields(1, { n: 1 });
    expect([map.field("n").get(1), map.remainingTtl(1)]).toEqual([8, 400]);
    passUnswept(400);
    expect(map.locked(1, () => ({ n: 5 }))).toBeUndefined();
    expect([map.field("n").get(1), map.field("n").set(1, 7)]).toEqual([undefined, false]);
  });

  it("is absent in a frozen map, too", () => {
    const { map, passUnswept } = timed({ type });
    map.set(1, 10);
    map.freeze();
    passUnswept(1000);
    expect([map.get(1), [...map]]).toEqual([undefined, []]);
  });
});

describe("updateAgeOnGet", () => {
  it("lets the ttl begin anew with a get, but not with a look that is no use", () => {
    const { map, pass } = timed({ updateAgeOnGet: true });
    map.set(1, 10).set(2, 20, { ttl: Number.POSITIVE_INFINITY });
    pass(900);
    map.has(1);
    map.peek(1);
    map.forEach(() => {});
    expect(map.remainingTtl(1)).toBe(100);
    map.get(1);
    expect(map.remainingTtl(1)).toBe(1000);
    pass(900);
    map.lookupMany([1, 2]);
    expect(map.remainingTtl(1)).toBe(1000);
    map.get(2);
    expect(map.remainingTtl(2)).toBe(Number.POSITIVE_INFINITY);
  });

  it("writes only when that makes an entry stay longer by a sixteenth of its ttl", () => {
    const { map, pass } = timed({ updateAgeOnGet: true });
    map.set(1, 10);
    pass(50);
    map.get(1);
    expect(map.remainingTtl(1)).toBe(950);
    pass(50);
    map.get(1);
    expect(map.remainingTtl(1)).toBe(1000);
  });
});

describe("sweeping", () => {
  it("tells how many entries went, and stats count them", () => {
    const { map, passUnswept } = timed({ maxEntries: 1000 });
    for (let key = 0; key < 1000; key++) map.set(key, key);
    passUnswept(1000);
    let swept = 0;
    for (let round = 0; round < 100; round++) swept += map.sweep(2);
    expect(swept).toBe(1000 - map.size);
    swept += map.sweep(1e6);
    expect([swept, map.size, map.stats().expired]).toEqual([1000, 0, 1000]);
  });

  it.each<HashType>(["hash", "rhash"])(
    "leaves a tenth of a %s dead at most when keys keep coming",
    (type) => {
      for (const share of [0.2, 0.5, 0.8]) {
        const { map, passUnswept } = timed({ type, maxEntries: 2000 });
        let most = 0;
        for (let key = 0; key < 12_000; key++) {
          passUnswept(1000 / (2000 * share));
          map.set(key, key);
          if (key % 97 === 0 && key > 4000) most = Math.max(most, map.size - [...map.keys()].length);
        }
        expect(most).toBeGreaterThan(0);
        expect(most).toBeLessThanOrEqual(200);
      }
    },
  );

  it("of the whole map leaves nothing dead in one that shrinks by it", () => {
    for (let most = 40; most < 640; most += 17) {
      const { host, map, passUnswept } = timed({ type: "rhash", maxEntries: 1000 });
      for (let key = 0; key < most; key++) map.set(key, key, { ttl: key % 7 === 0 ? 5000 : 50 });
      map.sweep(most >> 5); // it begins anywhere
      passUnswept(60);
      map.sweep(2 ** 32 - 1);
      expect(map.size).toBe(Math.ceil(most / 7));
      expect(host.verify()).toEqual([]);
    }
  });

  it("makes room in a full map before an insert is refused", () => {
    const { map, passUnswept } = timed({ maxEntries: 300 });
    for (let key = 0; key < 300; key++) map.set(key, key);
    expectErrno(() => map.set(300, 300), "E2BIG");
    passUnswept(1000);
    map.set(300, 300);
    expect(map.get(300)).toBe(300);
  });

  it("is done for each map of the host by tick", () => {
    const { host, map, pass } = timed();
    const other = host.createMap({ type: "rhash", key: text(20), value: u53, maxEntries: 9, ttl: 500 });
    map.set(1, 10);
    other.set("a", 1);
    pass(1000);
    expect([map.size, other.size]).toEqual([0, 0]);
  });
});

describe("the clock", () => {
  it("is that of the host: same calls, same bytes", () => {
    const bytesAfter = (noise: number) => {
      let now = 5;
      const host = createHost({ seed: 3, maxMemory: 2 ** 20, clock: () => now });
      const map = host.createMap({ type: "rhash", key: u32, value: u53, maxEntries: 500, ttl: 100 });
      for (let step = 0; step < 3000; step++) {
        if (step % 10 === 0) {
          now = 5 + step;
          host.tick();
        }
        now += noise; // moved, and the host not told of it
        map.set((step * 7919) % 700, step);
        if (step % 3 === 0) map.get(step % 700);
      }
      return Buffer.from(host.u8);
    };
    const bytes = bytesAfter(0);
    expect(bytesAfter(0).equals(bytes)).toBe(true);
    expect(bytesAfter(1000).equals(bytes)).toBe(true);
  });

  it("of the system goes by itself", async () => {
    const map = createHost({ maxMemory: 2 ** 20 }).createMap({
      type: "hash",
      key: u32,
      value: u32,
      maxEntries: 8,
      ttl: 20,
      ttlResolution: 1,
    });
    map.set(1, 10);
    while (map.has(1)) await new Promise((done) => setTimeout(done, 5));
    expect(map.get(1)).toBeUndefined();
  });

  it("makes everything expire when its range is over, and refuses what is beyond", () => {
    const { map, passUnswept } = timed({ ttlResolution: 1 });
    map.set(1, 10).set(2, 20, { ttl: Number.POSITIVE_INFINITY });
    passUnswept(2 ** 32);
    map.set(3, 30);
    expect([map.get(1), map.get(2), map.get(3)]).toEqual([undefined, 20, undefined]);
    expect(() => map.set(4, 40, { ttl: 1 })).toThrow(RangeError);
    expect(map.get(4)).toBeUndefined();
  });
});

describe("options", () => {
  const spec = { type: "hash", key: u32, value: u32, maxEntries: 8 } as const;

  it("are refused that make no sense", () => {
    const bad = (options: object) => () => createMap({ ...spec, ...options });
    expect(bad({ ttl: -1 })).toThrow(RangeError);
    expect(bad({ ttl: Number.NaN })).toThrow(TypeError);
    expect(bad({ ttl: "1" })).toThrow(TypeError);
    expect(bad({ ttl: 2 ** 32 * 10 })).toThrow(RangeError);
    expect(bad({ ttl: 1, ttlResolution: 0 })).toThrow(RangeError);
    expect(bad({ ttl: 1, ttlResolution: 1001 })).toThrow(RangeError);
    expect(bad({ ttl: 1, updateAgeOnGet: 1 })).toThrow(TypeError);
    expect(bad({ ttlResolution: 10 })).toThrow(/has a ttl, too/);
    expect(bad({ updateAgeOnGet: true })).toThrow(/has a ttl, too/);
    expect(bad({ ttl: 1, absentFilter: true })).toThrow(/maps with a ttl have none/);
    expect(bad({ ttl: 1, type: "array" })).toThrow(/entries of hashes expire/);
    expect(bad({ ttl: 1, type: "sockmap", value: undefined })).toThrow(/entries of hashes expire/);
  });

  it("of set are refused that make no sense, before anything is written", () => {
    const { map } = timed();
    const bad = (options: object) => () => map.set(1, 10, options);
    expect(bad({ ttl: -1 })).toThrow(RangeError);
    expect(bad({ ttl: Number.NaN })).toThrow(TypeError);
    expect(bad({ ttl: "5" })).toThrow(TypeError);
    expect(bad({ ttl: 2 ** 32 * 10 })).toThrow(RangeError);
    expect(bad({ tll: 5 })).toThrow(/did you mean "ttl"|ttl/);
    expect(() => map.set(1, 10, 5 as never)).toThrow(TypeError);
    expect(map.size).toBe(0);
  });

  it("of set are for maps with a ttl", () => {
    const values = [u32, u53, text(3), struct({ a: u32 })] as const;
    for (const value of values) {
      for (const type of ["hash", "lru_hash"] as const) {
        for (const shared of [false, true]) {
          if (shared && type === "lru_hash") continue;
          const host = createHost({ shared, maxMemory: 2 ** 24 });
          const map = host.createMap({ type, key: u32, value: value as typeof u32, maxEntries: 8 });
          const one = [1, 1, "a", { a: 1 }][values.indexOf(value)] as number;
          expect(() => map.set(1, one, { ttl: 5 })).toThrow(/the map has no ttl/);
          expect(map.size).toBe(0);
          expect(map.set(1, one).remainingTtl(1)).toBe(Number.POSITIVE_INFINITY);
          expect(map.remainingTtl(2)).toBe(0);
          expect([map.sweep(), map.stats().expired]).toEqual([0, 0]);
          host.close();
        }
      }
    }
  });

  it("are told by info", () => {
    expect(timed().map.info.ttl).toBe(1000);
    expect(createMap(spec).info.ttl).toBeUndefined();
  });
});
