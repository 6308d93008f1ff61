import { describe, expect, it } from "vitest";
import {
  bytes,
  createHost,
  cstring,
  type HashMap,
  type HashType,
  struct,
  u8,
  u32,
  u53,
} from "../../src/index.ts";
import { expectErrno } from "../support/caught.ts";
import { bySize } from "../support/size.ts";

const TYPES: HashType[] = ["hash", "rhash"];

describe.each(TYPES)("%s", (type) => {
  const make = (entries: number, maxEntries = 50_000): HashMap<number, number> => {
    const map = createHost({ seed: 9, maxMemory: 64 * 1024 * 1024 }).createMap({
      type,
      name: "flows",
      key: u32,
      value: u32,
      maxEntries,
      flags: 1,
    });
    for (let key = 0; key < entries; key++) map.set(key, key + 1);
    return map;
  };
  const numbers = (n: number) => Array.from({ length: n }, (_, i) => i);
  const ascending = (a: number, b: number) => a - b;

  it.each([0, 1, 2, 7, 8, 9, 127, 128, 129, 136, 137, bySize(1000, 5000)])(
    "yields each of %i entries once",
    (n) => {
      const map = make(n);
      expect([...map.keys()].sort(ascending)).toEqual(numbers(n));
      expect([...map.values()].sort(ascending)).toEqual(numbers(n).map((key) => key + 1));
      expect([...map].sort(([a], [b]) => a - b)).toEqual(numbers(n).map((key) => [key, key + 1]));
      expect([...map.entries()]).toEqual([...map]);
    },
  );

  it("forEach passes value, key, map and thisArg", () => {
    const map = make(20);
    const seen = new Map<number, number>();
    const self = {};
    map.forEach(function (this: unknown, value, key, given) {
      expect(this).toBe(self);
      expect(given).toBe(map);
      seen.set(key, value);
    }, self);
    expect(seen).toEqual(new Map(map));
  });

  it("gives the same order again, and another host with the same seed the same", () => {
    const map = make(300);
    expect([...map.keys()]).toEqual([...map.keys()]);
    expect([...make(300).keys()]).toEqual([...map.keys()]);
  });

  it("does not yield an entry that was deleted before it was reached", () => {
    const map = make(1000);
    const seen: number[] = [];
    for (const key of map.keys()) {
      seen.push(key);
      // Delete most of the others, some of them in the group that was fetched already.
      if (seen.length === 3)
        for (let other = 0; other < 1000; other++) if (!seen.includes(other) && other % 4) map.delete(other);
    }
    const left = new Set([...map.keys(), ...seen.slice(0, 3)]);
    expect(new Set(seen)).toEqual(left);
    expect(seen).toHaveLength(left.size);
  });

  it("yields the current value of an entry", () => {
    const map = make(500);
    let count = 0;
    for (const [key, value] of map) {
      if (count++ === 0) for (let other = 0; other < 500; other++) map.set(other, other + 1000);
      else expect(value).toBe(key + 1000);
    }
    count = 0;
    for (const value of map.values()) {
      if (count++ === 5) for (let other = 0; other < 500; other++) map.set(other, 7);
      if (count > 6) expect(value).toBe(7);
    }
  });

  it("deleting each entry as it comes visits all", () => {
    const map = make(3000);
    let count = 0;
    for (const key of map.keys()) {
      expect(map.delete(key)).toBe(true);
      count++;
    }
    expect([count, map.size]).toEqual([3000, 0]);
  });

  it("entries present throughout come exactly once while it grows and shrinks many times over", () => {
    const map = make(400);
    const seen = new Map<number, number>();
    let step = 0;
    for (const key of map.keys()) {
      seen.set(key, (seen.get(key) ?? 0) + 1);
      // Ten entries more per step, then all of them away again, and so on.
      if (step % 200 < 100) for (let i = 0; i < 10; i++) map.set(100_000 + (step % 200) * 10 + i, 0);
      else if (step % 200 === 100) for (let i = 0; i < 1000; i++) map.delete(100_000 + i);
      step++;
    }
    for (const key of numbers(400)) expect(seen.get(key), `key ${key}`).toBe(1);
    for (const [key, times] of seen) expect(times, `key ${key}`).toBe(1);
  });

  it("goes on after clear, with what was inserted later at most", () => {
    const map = make(1000);
    const iterator = map.keys();
    iterator.next();
    map.clear();
    expect([...iterator]).toEqual([]);
    const again = make(1000);
    const seen = new Set<number>();
    let first = true;
    for (const key of again.keys()) {
      expect(seen.has(key)).toBe(false);
      seen.add(key);
      if (first) {
        again.clear();
        for (let other = 5000; other < 5100; other++) again.set(other, 1);
        first = false;
      }
    }
    expect([...seen].filter((key) => key < 1000)).toHaveLength(1);
  });

  it("an iterator of a map that was closed throws EBADF, one that had ended stays ended", () => {
    const map = make(100);
    const keys = map.keys();
    const entries = map.entries();
    const ended = map.values();
    keys.next();
    for (const _ of ended);
    map.close();
    expect(expectErrno(() => keys.next(), "EBADF").message).toBe('keys: map "flows" is closed (EBADF)');
    expectErrno(() => entries.next(), "EBADF");
    expect(ended.next()).toEqual({ done: true, value: undefined });
    expect(() => make(10).forEach((_value, _key, other) => void other.close())).toThrow(
      /^forEach: map "flows" is closed/,
    );
  });

  it("return ends it", () => {
    const iterator = make(100).keys();
    expect(iterator.next().done).toBe(false);
    expect(iterator.return?.()).toEqual({ done: true, value: undefined });
    expect(iterator.next()).toEqual({ done: true, value: undefined });
    expect(iterator[Symbol.iterator]()).toBe(iterator);
  });

  it("several iterators do not disturb each other or other calls", () => {
    const map = make(300);
    const expected = [...map.keys()];
    const first: number[] = [];
    const second: number[] = [];
    const a = map.keys();
    const b = map.entries();
    for (let i = 0; i < 300; i++) {
      first.push(a.next().value as number);
      map.lookupMany([1, 2, 3]);
      map.nextKey(5);
      second.push((b.next().value as [number, number])[0]);
      expect(map.get(i)).toBe(i + 1);
    }
    expect([first, second]).toEqual([expected, expected]);
    for (const x of map.keys()) {
      let inner = 0;
      for (const _ of map.keys()) inner++;
      expect(inner).toBe(300);
      if (x % 50 === 0) break;
    }
  });

  it("holds no host memory when it is dropped half way", () => {
    const map = make(1000);
    map.keys().next();
    const used = map.host.memoryUsage().bytes;
    for (let i = 0; i < 1000; i++) map.keys().next();
    expect(map.host.memoryUsage().bytes).toBe(used);
    map.close();
    expect(map.host.memoryUsage().bytes).toBe(0);
  });

  it("works with keys and values of every kind", () => {
    const host = createHost({ seed: 4 });
    const shapes = [
      { key: u8, keys: numbers(50) },
      { key: u53, keys: numbers(50).map((n) => n * 2 ** 40) },
      { key: bytes(16), keys: numbers(50).map((n) => new Uint8Array(16).fill(n)) },
      { key: cstring(20), keys: numbers(50).map((n) => `key ${n}`) },
      { key: struct({ a: u8, b: u53 }), keys: numbers(50).map((n) => ({ a: n, b: n })) },
    ];
    for (const { key, keys } of shapes as { key: never; keys: unknown[] }[]) {
      const value = struct({ text: cstring(9), n: u32 });
      const map: HashMap<unknown, { text: string; n: number }> = host.createMap({
        type,
        key,
        value,
        maxEntries: 60,
      });
      for (const [n, k] of keys.entries()) map.set(k, { text: `v${n}`, n });
      const seen = new Set<number>();
      for (const [k, v] of map) {
        expect(k).toEqual(keys[v.n]);
        expect(v.text).toBe(`v${v.n}`);
        seen.add(v.n);
        if (seen.size === 2) map.set(keys[v.n], v);
      }
      expect(seen.size).toBe(50);
    }
  });

  it("copes with entries larger than a group", () => {
    const host = createHost({ seed: 4 });
    const map = host.createMap({ type, key: u32, value: bytes(100_000), maxEntries: 5 });
    for (let key = 0; key < 5; key++) map.set(key, new Uint8Array(100_000).fill(key));
    for (const [key, value] of map) expect(value[99_999]).toBe(key);
    expect([...map.batches()].length).toBe(5);
    expect(map.size).toBe(5);
  });
});
