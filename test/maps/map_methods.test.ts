// What JavaScript's Map and its iterators have got lately.
import { describe, expect, it } from "vitest";
import {
  BPF_F_RDONLY,
  createHost,
  createMap,
  cstring,
  f32,
  type Host,
  struct,
  u32,
} from "../../src/index.ts";
import { caught, expectErrno } from "../support/caught.ts";

const hosts: Record<string, () => Host> = {
  plain: () => createHost({ cpus: 2, maxMemory: 16 * 1024 * 1024 }),
  shared: () => createHost({ cpus: 2, maxMemory: 16 * 1024 * 1024, shared: true }),
};

describe.each(Object.entries(hosts))("on a %s host", (kind, newHost) => {
  it.each(["hash", "rhash"] as const)("getOrInsert of a %s", (type) => {
    const map = newHost().createMap({ type, name: "m", key: cstring(8), value: f32, maxEntries: 2 });
    expect(map.getOrInsert("a", 0.1)).toBe(Math.fround(0.1));
    expect(map.getOrInsert("a", 7)).toBe(Math.fround(0.1));
    expect(map.getOrInsert("b", 0)).toBe(0);
    expect(map.getOrInsert("b", 1)).toBe(0);
    expect(map.size).toBe(2);
    expect(expectErrno(() => map.getOrInsert("c", 1), "E2BIG").message).toMatch(
      /^getOrInsert: map "m" is full/,
    );
    expect(caught(() => map.getOrInsert("much too long", 1)).message).toMatch(
      /^getOrInsert: map "m": key: expected/,
    );
    expect(caught(() => map.getOrInsert("c", "1" as never))).toBeInstanceOf(TypeError);
    expect([...map.keys()].sort()).toEqual(["a", "b"]);
  });

  it("getOrInsertComputed", () => {
    const map = newHost().createMap({
      type: "hash",
      name: "m",
      key: u32,
      value: struct({ n: u32 }),
      maxEntries: 9,
    });
    let calls = 0;
    const make = (key: number) => ({ n: key * ++calls });
    expect(map.getOrInsertComputed(5, make)).toEqual({ n: 5 });
    expect(map.getOrInsertComputed(5, make)).toEqual({ n: 5 });
    expect(calls).toBe(1);
    expect(caught(() => map.getOrInsertComputed(5, 5 as never)).message).toBe(
      'getOrInsertComputed: map "m": expected a function, got number 5',
    );
    const thrown = new Error("mine");
    const fail = () => {
      throw thrown;
    };
    expect(caught(() => map.getOrInsertComputed(6, fail))).toBe(thrown);
    expect(map.has(6)).toBe(false);
    // Map: the result counts, though the function has inserted the key. Where another thread may have, the first one counts.
    const inserts = (key: number) => {
      map.set(key, { n: 1 });
      return { n: 2 };
    };
    expect(map.getOrInsertComputed(7, inserts)).toEqual({ n: kind === "shared" ? 1 : 2 });
    expect(map.get(7)).toEqual({ n: kind === "shared" ? 1 : 2 });
  });

  it("of arrays, per-CPU maps and maps of sockets", () => {
    const host = newHost();
    const cells = host.createMap({ type: "array", key: u32, value: u32, maxEntries: 2 });
    expect(cells.getOrInsert(1, 5)).toBe(0);
    expectErrno(() => cells.getOrInsert(2, 5), "E2BIG");
    const counts = host.createMap({ type: "percpu_hash", key: u32, value: u32, maxEntries: 2 });
    expect(counts.getOrInsert(1, [5, 6])).toEqual([5, 6]);
    expect(counts.getOrInsertComputed(1, () => expect.fail("was called"))).toEqual([5, 6]);
    const peers = host.createMap({ type: "sockhash", key: u32, maxEntries: 2 });
    const peer = {};
    expect(peers.getOrInsert(1, peer)).toBe(peer);
    expect(peers.getOrInsertComputed(1, () => ({}))).toBe(peer);
    expect(peers.getOrInsertComputed(2, () => peer)).toBe(peer);
  });

  it("needs a map to read and write", () => {
    const host = newHost();
    const spec = { type: "hash", key: u32, value: u32, maxEntries: 2 } as const;
    expectErrno(() => host.createMap({ ...spec, flags: BPF_F_RDONLY }).getOrInsert(1, 1), "EPERM");
    const map = host.createMap(spec);
    map.close();
    expectErrno(() => map.getOrInsert(1, 1), "EBADF");
    expectErrno(() => map.getOrInsertComputed(1, () => 1), "EBADF");
  });
});

describe("iterators of maps", () => {
  const map = createMap({ type: "rhash", key: u32, value: u32, maxEntries: 100 });
  for (let i = 0; i < 20; i++) map.set(i, i * i);
  const prototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
  const peers = createMap({ type: "sockhash", key: u32, maxEntries: 4 });
  const iterators = {
    keys: () => map.keys(),
    values: () => map.values(),
    entries: () => map.entries(),
    drain: () => map.drain({ size: 4 }),
    batches: () => map.batches(),
    "keys of sockets": () => peers.keys(),
    "entries of sockets": () => peers.entries(),
  };

  it.each(Object.entries(iterators))("%s are what JavaScript's own are", (_, make) => {
    const iterator = make() as Iterator<unknown> & Disposable;
    expect(Object.prototype.isPrototypeOf.call(prototype, iterator)).toBe(true);
    iterator.return?.();
    expect(iterator.next()).toEqual({ done: true, value: undefined });
  });

  it("end when they are disposed of", () => {
    for (const iterator of [map.keys(), map.drain()]) {
      iterator[Symbol.dispose]();
      expect(iterator.next().done).toBe(true);
    }
    expect(map.size).toBe(20);
    expect(Object.prototype.toString.call(map.keys())).toBe("[object Map Iterator]");
  });

  it.runIf("map" in prototype)("have the helpers where JavaScript has them", () => {
    const helped = map.keys() as unknown as {
      filter(f: (key: number) => boolean): {
        map(f: (key: number) => number): { take(n: number): Iterable<number> };
      };
    };
    const taken = helped
      .filter((key) => key % 2 === 0)
      .map((key) => key * 10)
      .take(3);
    expect([...taken].every((key) => key % 20 === 0)).toBe(true);
  });
});
