// Sentences of README.md, "Consistency", that no job of test/threads is about.
import { describe, expect, it } from "vitest";
import { attachHost, bytes, type HashMap, spinLock, struct, u32, u53 } from "../../src/index.ts";
import { expectErrno } from "../support/caught.ts";
import { pair, sharedHost } from "./hosts.ts";

const MIB = 1 << 20;
const numbers = { type: "rhash", key: u32, value: u32, maxEntries: 100_000 } as const;

function filled(map: HashMap<number, number>, entries: number): HashMap<number, number> {
  for (let key = 0; key < entries; key++) map.set(key, key);
  return map;
}

describe("a drain (5)", () => {
  const opened = () => {
    const [host, other] = pair();
    const map = filled(host.createMap(numbers), 300);
    host.pin("/m", map);
    return { map, seen: other.open("/m", { type: "rhash", key: u32, value: u32 }) };
  };

  it("goes over the map once: what another thread inserts behind it stays", () => {
    const { map, seen } = opened();
    const drained = new Set<number>();
    let next = 1000;
    for (const [key] of map.drain({ size: 10 })) {
      expect(drained.has(key)).toBe(false);
      drained.add(key);
      seen.set(next++, 0);
    }
    for (let key = 0; key < 300; key++) expect(drained.has(key), `key ${key}`).toBe(true);
    expect(map.size).toBe(next - 1000 - (drained.size - 300));
    expect(map.size).toBeGreaterThan(0);
  });

  it("that is left early puts back what it has not handed out, but for keys that are there again", () => {
    const { map, seen } = opened();
    let first = -1;
    for (const [key] of map.drain({ size: 300 })) {
      first = key;
      for (let again = 0; again < 300; again += 3) if (again !== first) seen.set(again, 7000);
      break;
    }
    for (let key = 0; key < 300; key++) {
      const expected = key === first ? undefined : key % 3 === 0 ? 7000 : key;
      expect(map.get(key), `key ${key}`).toBe(expected);
    }
  });
});

it("a thread holds four spin locks, one in the other, and a fifth is EBUSY (6)", () => {
  const [host, other] = pair();
  const value = struct({ lock: spinLock, n: u32 });
  const map = host.createMap({ type: "hash", key: u32, value, maxEntries: 8 });
  host.pin("/m", map);
  const seen = other.open("/m", { key: u32, value });
  for (let key = 0; key < 5; key++) map.set(key, { n: 0 });
  const nested = (key: number): void => {
    if (key === 4) {
      const error = expectErrno(() => map.locked(4, () => ({ n: 9 })), "EBUSY");
      expect(error.message).toBe(
        "locked: hash map #1 cannot give a further lock: this thread is inside locked() of four values (EBUSY)",
      );
      // Another thread may have it, and none of those that are held.
      seen.locked(4, () => ({ n: 1 }));
      for (let held = 0; held < 4; held++) expectErrno(() => seen.locked(held, () => undefined), "ETIMEDOUT");
      return;
    }
    map.locked(key, () => {
      nested(key + 1);
      return { n: key + 1 };
    });
  };
  nested(0);
  expect([...map].sort(([a], [b]) => a - b).map(([, { n }]) => n)).toEqual([1, 2, 3, 4, 1]);
  expect([host.verify(), other.verify()]).toEqual([[], []]);
});

it("Atomics work on what an address points at, for all threads (8)", () => {
  const [host, other] = pair();
  const map = filled(host.createMap(numbers), 10);
  host.pin("/m", map);
  const seen = other.open("/m", { key: u32, value: u32 });
  host.section(() => {
    const at = map.lookup(3) >>> 2;
    expect(Atomics.add(host.u32, at, 5)).toBe(3);
    expect(Atomics.compareExchange(other.u32, seen.lookup(3) >>> 2, 8, 100)).toBe(8);
    expect(Atomics.load(host.u32, at)).toBe(100);
  });
  expect([map.get(3), seen.get(3)]).toEqual([100, 100]);
});

describe("memory (13)", () => {
  it("is reserved at once, and does not grow", () => {
    const [host, other] = pair({ maxMemory: 32 * MIB });
    expect([host.u8.length, other.u8.length]).toEqual([32 * MIB, 32 * MIB]);
    const { buffer } = host.u8;
    const map = filled(host.createMap(numbers), 50_000);
    expect(host.u8.buffer).toBe(buffer);
    map.close();
  });

  it("of buckets is given back as entries go, when no other thread may look at it any more", () => {
    const [host, other] = pair();
    const map = filled(host.createMap(numbers), 20_000);
    host.pin("/m", map);
    const seen = other.open("/m", { type: "rhash", key: u32, value: u32 });
    const peak = map.memoryUsage();
    for (let key = 0; key < 20_000; key++) seen.delete(key);
    // A moment after the last merges, the next ones find that nobody is there. So many take ten times as long.
    for (let round = 0; round < 300 && map.memoryUsage() > peak / 20; round++) {
      filled(seen, 300);
      for (let key = 0; key < 300; key++) seen.delete(key);
    }
    expect(map.memoryUsage()).toBeLessThanOrEqual(peak / 20);
    expect([map.size, host.verify()]).toEqual([0, []]);
  });

  it("of values out of line is for new ones, and is given back when the map is empty", () => {
    const host = sharedHost();
    const map = host.createMap({ type: "rhash", key: u32, value: bytes(300), maxEntries: 10_000 });
    expect(map.stats().layout).toBe("out-of-line");
    const value = new Uint8Array(300);
    for (let key = 0; key < 1000; key++) map.set(key, value);
    const peak = map.memoryUsage();
    for (let key = 1; key < 1000; key++) map.delete(key);
    expect(map.memoryUsage()).toBeGreaterThan(1000 * 300);
    for (let key = 1000; key < 1999; key++) map.set(key, value);
    expect(map.memoryUsage()).toBeLessThan(1.01 * peak);
    for (const key of [...map.keys()]) map.delete(key);
    expect([map.size, host.verify()]).toEqual([0, []]);
    expect(map.memoryUsage()).toBeLessThan(peak / 20);
  });

  it.each(["hash", "rhash"] as const)("of a %s is 64 bytes more for each CPU", (type) => {
    const [two, four, nine] = [2, 4, 9].map((cpus) =>
      sharedHost({ cpus }).createMap({ type, key: u32, value: u53, maxEntries: 100 }).memoryUsage(),
    );
    expect([four! - two!, nine! - two!]).toEqual([2 * 64, 7 * 64]);
  });

  it.each([
    ["inline-keys", u32, 9],
    ["inline-tags", bytes(16), 11],
    ["out-of-line", bytes(60), 9],
  ] as const)("of buckets in the layout %s: slots of each", (layout, value, slotsPerBucket) => {
    const map = sharedHost().createMap<"rhash", number, unknown>({
      type: "rhash",
      key: u32,
      value,
      maxEntries: 8,
    });
    expect(map.stats()).toMatchObject({ layout, slotsPerBucket });
  });

  // A thread does not count its own credits when it asks whether the table is full; those of others it cannot see.
  it.each([1, 3])("is taken early by an rhash: %i threads, a 32nd of the entries for others", (threads) => {
    const wide = { ...numbers, value: bytes(16) };
    const host = sharedHost();
    const map = host.createMap(wide);
    host.pin("/m", map);
    const others = Array.from({ length: threads - 1 }, () => attachHost(host.share()).open("/m", wide));
    const writers = [map, ...others];
    const value = new Uint8Array(16);
    const [alone, ahead] = [0, 1].map(() => sharedHost().createMap(wide)) as [typeof map, typeof map];
    let early = 0;
    for (let key = 0; key < 5000; key++) {
      writers[key % threads]!.set(key, value);
      alone.set(key, value);
      const most = key + threads * Math.min(64, Math.max(2, key / 32));
      while (ahead.size <= most) ahead.set(ahead.size, value);
      const { buckets } = map.stats();
      expect(buckets).toBeGreaterThanOrEqual(alone.stats().buckets);
      expect(buckets).toBeLessThanOrEqual(ahead.stats().buckets);
      if (buckets > alone.stats().buckets) early++;
    }
    expect(early > 0).toBe(threads > 1);
  });
});
