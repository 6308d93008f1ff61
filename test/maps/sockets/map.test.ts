// What maps of objects do: JS Map's calls, the kernel's rules and errnos, and what they refuse.
import { describe, expect, it } from "vitest";
import {
  BPF_ANY,
  BPF_EXIST,
  BPF_F_LOCK,
  BPF_F_RDONLY,
  BPF_F_WRONLY,
  BPF_NOEXIST,
  bytes,
  createHost,
  type ErrnoCode,
  type SocketMap,
  struct,
  u32,
} from "../../../src/index.ts";
import { caught, expectErrno } from "../../support/caught.ts";
import { hostOf } from "../../support/host_of.ts";

const object = (id: number) => ({ id });

function open(type: "sockmap" | "sockhash", maxEntries = 8, shared = false): SocketMap<number, object> {
  const host = createHost({ seed: 5, cpus: 1, shared, maxMemory: 16 * 1024 * 1024 });
  return type === "sockmap"
    ? host.createMap({ type, name: "m", maxEntries })
    : host.createMap({ type, name: "m", key: u32, maxEntries });
}

const KINDS = [
  { type: "sockmap", shared: false },
  { type: "sockhash", shared: false },
  { type: "sockmap", shared: true },
  { type: "sockhash", shared: true },
] as const;

describe.each(KINDS)("$type, shared: $shared", ({ type, shared }) => {
  const make = (maxEntries = 8) => open(type, maxEntries, shared);

  it("is like a Map", () => {
    const map = make();
    const [a, b] = [object(1), object(2)];
    expect(map.set(1, a).set(2, b)).toBe(map);
    expect([map.get(1), map.get(2), map.get(3)]).toEqual([a, b, undefined]);
    expect(map.get(1)).toBe(a);
    expect([map.has(1), map.has(3), map.size]).toEqual([true, false, 2]);
    expect(map.set(1, b).get(1)).toBe(b);
    expect(map.size).toBe(2);
    expect([map.delete(1), map.delete(1), map.size]).toEqual([true, false, 1]);
    expect(map.lookupAndDelete(2)).toBe(b);
    expect(map.lookupAndDelete(2)).toBeUndefined();
    expect([map.size, map.has(2)]).toEqual([0, false]);
    map.set(3, a).set(4, a);
    map.clear();
    expect([map.size, [...map], map.get(3)]).toEqual([0, [], undefined]);
    expect(map.verify()).toEqual([]);
  });

  it("holds functions, too, and nothing that is no object", () => {
    const map = make();
    const call = () => 1;
    expect(map.set(1, call).get(1)).toBe(call);
    for (const value of [1, "s", null, undefined, true, 1n]) {
      const error = caught(() => map.set(2, value as unknown as object));
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toMatch(/^set: map "m": value: expected an object, got /);
    }
    expect(map.size).toBe(1);
  });

  it("iterates over what is there, in every way", () => {
    const map = make(100);
    const entries = new Map(Array.from({ length: 50 }, (_, i) => [2 * i, object(i)] as const));
    for (const [key, value] of entries) map.set(key, value);
    expect(new Map(map)).toEqual(entries);
    expect(new Map(map.entries())).toEqual(entries);
    expect(new Set(map.keys())).toEqual(new Set(entries.keys()));
    expect(new Set(map.values())).toEqual(new Set(entries.values()));
    const seen: [number, object][] = [];
    const self = {};
    map.forEach(function (this: unknown, value, key, from) {
      expect([this, from]).toEqual([self, map]);
      seen.push([key, value]);
    }, self);
    expect(new Map(seen)).toEqual(entries);
    expect(seen.length).toBe(50);
    expect(() => map.forEach(1 as never)).toThrow(/^forEach: map "m": expected a function$/);
  });

  it("comes to each entry that stays exactly once, whatever happens meanwhile", () => {
    const map = make(1000);
    for (let key = 0; key < 300; key++) map.set(key, object(key));
    const seen: number[] = [];
    for (const [key, value] of map) {
      seen.push(key);
      expect(value).toEqual(object(key));
      if (key < 100) map.delete(key);
      const other = (key * 7) % 100;
      if (other !== key) map.delete(other);
      map.set(300 + key, object(300 + key));
      if (key === 200) map.grow(2000);
    }
    expect(new Set(seen).size).toBe(seen.length);
    for (let key = 100; key < 300; key++) expect(seen).toContain(key);
    // A deleted one that comes after its end would not be there.
    for (const key of map.keys()) map.delete(key);
    expect(map.size).toBe(0);
  });

  it("ends its iterators early, and leaks nothing by it", () => {
    const map = make(100);
    for (let key = 0; key < 20; key++) map.set(key, object(key));
    // The stage, which all maps of the host share, is as large as it gets.
    for (const _ of map);
    const { bytes: before } = map.host.memoryUsage();
    for (const _ of map) break;
    map.keys().next();
    const values = map.values();
    values.next();
    values.return?.();
    expect(values.next().done).toBe(true);
    expect(map.host.memoryUsage().bytes).toBe(before);
  });

  it("updates under conditions", () => {
    const map = make();
    const [a, b] = [object(1), object(2)];
    expectErrno(() => map.update(1, a, BPF_EXIST), "ENOENT");
    map.update(1, a, BPF_NOEXIST);
    expect(expectErrno(() => map.update(1, b, BPF_NOEXIST), "EEXIST").syscall).toBe("map_update_elem");
    expect(map.get(1)).toBe(a);
    map.update(1, b, BPF_EXIST);
    expect(map.get(1)).toBe(b);
    map.update(1, a, BPF_ANY);
    map.update(2, b);
    expect([map.get(1), map.get(2)]).toEqual([a, b]);
    expectErrno(() => map.update(1, b, 3), "EINVAL");
    expectErrno(() => map.update(1, b, BPF_F_LOCK), "EINVAL");
    expect(() => map.update(1, b, -1)).toThrow(RangeError);
    expect(() => map.update(1, b, "1" as never)).toThrow(TypeError);
    expect([map.get(1), map.size]).toEqual([a, 2]);
  });

  it("has one object under many keys, and in many maps", () => {
    const map = make();
    const other = open("sockhash");
    const it = object(1);
    map.set(1, it).set(2, it).set(3, it);
    other.set(1, it);
    map.delete(2);
    expect([map.get(1), map.get(2), map.get(3), other.get(1)]).toEqual([it, undefined, it, it]);
  });

  it("refuses keys that its codec does not hold", () => {
    const map = make();
    for (const call of [() => map.set(1.5, {}), () => map.update(-1, {})]) expect(call).toThrow(RangeError);
    // To what only asks, they are absent: absent_keys.test.ts.
    expect([map.get(-1), map.has(2 ** 32), map.delete(-1), map.redirect(-1, "")]).toEqual([
      undefined,
      false,
      false,
      0,
    ]);
    expect(() => map.get("1" as never)).toThrow(/^get: map "m": key: expected u32/);
  });

  it("is full at maxEntries, and says so", () => {
    const map = make(3);
    for (let key = 0; key < 3; key++) map.set(key, object(key));
    const error = expectErrno(() => map.set(3, object(3)), "E2BIG");
    const cause = type === "sockmap" ? "has the indices 0..2 and no other" : "is full at maxEntries = 3";
    expect(error.message).toContain(`set: map "m" ${cause} (E2BIG)`);
    expect(error.message).toContain("grow() it");
    map.set(2, object(4));
    expect(map.size).toBe(3);
    map.grow(4);
    map.set(3, object(3));
    expect([map.size, map.info.maxEntries]).toEqual([4, 4]);
  });

  it("grows without touching what is there", () => {
    const map = make(100);
    const entries = Array.from({ length: 100 }, (_, key) => object(key));
    for (const [key, value] of entries.entries()) map.set(key, value);
    const slots = () => entries.map((_, key) => map.sockets.slotOf(map.encodeKey("get", key)));
    const before = slots();
    const usage = map.memoryUsage();
    map.grow(1_000_000);
    expect(map.memoryUsage()).toBe(usage);
    for (let key = 100; key < 5000; key++) map.set(key, object(key));
    expect(slots()).toEqual(before);
    for (const [key, value] of entries.entries()) expect(map.get(key)).toBe(value);
    expectErrno(() => map.grow(10), "EINVAL");
    expectErrno(() => map.grow(2 ** 31 + 1), "E2BIG");
    expect(() => map.grow(-1)).toThrow(RangeError);
    map.grow(2 ** 31);
    expect(map.info.maxEntries).toBe(2 ** 31);
    expect(map.verify()).toEqual([]);
  });

  it("counts its memory, and gives it back", () => {
    const map = make(100_000);
    const { host } = map;
    const empty = map.memoryUsage();
    for (let key = 0; key < 10_000; key++) map.set(key, object(key));
    expect(map.memoryUsage()).toBeGreaterThan(empty + 10_000 * 8);
    expect(host.memoryUsage().maps).toMatchObject([{ name: "m", type, entries: 10_000 }]);
    expect(map.stats()).toMatchObject({ entries: 10_000, maxEntries: 100_000 });
    map.clear();
    expect(map.memoryUsage()).toBeLessThan(empty + 4096);
    map.close();
    if (!shared) expect(host.memoryUsage().bytes).toBe(0);
    expect(host.memoryUsage().maps).toEqual([]);
  });

  it("tells of itself", () => {
    const map = make();
    expect(map.info).toEqual({
      id: 1,
      type,
      name: "m",
      keySize: 4,
      valueSize: 4,
      maxEntries: 8,
      flags: 0,
      mapExtra: 0,
    });
    expect([map.type, map.name]).toEqual([type, "m"]);
  });

  it("can be frozen", () => {
    const map = make();
    map.set(1, object(1)).freeze();
    for (const call of [
      () => map.set(1, object(2)),
      () => map.update(2, object(2)),
      () => map.delete(1),
      () => map.lookupAndDelete(1),
      () => map.clear(),
      () => map.grow(100),
      () => map.freeze(),
    ]) {
      expectErrno(call, "EPERM");
    }
    expect(map.get(1)).toEqual(object(1));
    expect(map.size).toBe(1);
  });

  it("is closed, and its host", () => {
    const map = make();
    const held = object(1);
    map.set(1, held);
    map.close();
    map.close();
    const calls: [string, () => unknown][] = [
      ["get", () => map.get(1)],
      ["has", () => map.has(1)],
      ["set", () => map.set(1, held)],
      ["update", () => map.update(1, held)],
      ["delete", () => map.delete(1)],
      ["lookupAndDelete", () => map.lookupAndDelete(1)],
      ["redirect", () => map.redirect(1, "")],
      ["nextKey", () => map.nextKey()],
      ["keys", () => map.keys()],
      ["values", () => map.values()],
      ["entries", () => map.entries()],
      ["forEach", () => map.forEach(() => {})],
      ["clear", () => map.clear()],
      ["size", () => map.size],
      ["info", () => map.info],
      ["grow", () => map.grow(100)],
      ["freeze", () => map.freeze()],
      ["verify", () => map.verify()],
    ];
    for (const [name, call] of calls) {
      expect(expectErrno(call, "EBADF").message, name).toMatch(
        new RegExp(`^${name}: map "m" is closed \\(EBADF\\)`),
      );
    }
    hostOf(map).close();
    expect(expectErrno(() => map.get(1), "EBADF").message).toContain("with its host");
  });

  it("is open for one direction with BPF_F_RDONLY and BPF_F_WRONLY", () => {
    const host = hostOf(make());
    const spec = type === "sockmap" ? ({ type } as const) : ({ type: "sockhash", key: u32 } as const);
    const readOnly = host.createMap({ ...spec, maxEntries: 4, flags: BPF_F_RDONLY } as never) as SocketMap<
      number,
      object
    >;
    for (const call of [() => readOnly.set(1, {}), () => readOnly.delete(1), () => readOnly.clear()])
      expectErrno(call, "EPERM");
    expect(readOnly.get(1)).toBeUndefined();
    const writeOnly = host.createMap({ ...spec, maxEntries: 4, flags: BPF_F_WRONLY } as never) as SocketMap<
      number,
      object
    >;
    writeOnly.set(1, {});
    for (const call of [
      () => writeOnly.get(1),
      () => writeOnly.redirect(1, ""),
      () => writeOnly.lookupAndDelete(1),
      () => writeOnly.keys(),
      () => writeOnly.nextKey(),
    ])
      expectErrno(call, "EPERM");
    expect(writeOnly.delete(1)).toBe(true);
    host.pin("/w", writeOnly);
    const opened = host.open("/w", spec as never) as SocketMap<number, object>;
    writeOnly.set(2, {});
    expect(opened.has(2)).toBe(true);
  });

  it("is pinned with its objects, and goes with its last pin", () => {
    const map = make();
    const host = hostOf(map);
    const spec = type === "sockmap" ? ({ type } as const) : ({ type: "sockhash", key: u32 } as const);
    const it = object(1);
    map.set(1, it);
    host.pin("/m", map);
    expectErrno(() => host.pin("/m", map), "EEXIST");
    map.close();
    const again = host.open("/m", spec as never) as SocketMap<number, object>;
    expect(again.get(1)).toBe(it);
    again.set(2, it).delete(1);
    const third = host.open("/m", spec as never) as SocketMap<number, object>;
    expect([third.get(2), third.get(1), third.size]).toEqual([it, undefined, 1]);
    again.close();
    host.unpin("/m");
    expectErrno(() => host.open("/m", spec as never), "ENOENT");
    expect(third.get(2)).toBe(it);
    third.close();
    expect(host.memoryUsage().maps).toEqual([]);
  });

  it("refuses what takes bytes", () => {
    const map = make();
    map.set(1, object(1));
    const refused: [string, ErrnoCode][] = [
      ["lookup", "EOPNOTSUPP"],
      ["add", "EOPNOTSUPP"],
      ["locked", "EOPNOTSUPP"],
      ["local", "EOPNOTSUPP"],
      ["process", "EOPNOTSUPP"],
      ["iterator", "EOPNOTSUPP"],
      ["createBatch", "ENOTSUPP"],
      ["batches", "ENOTSUPP"],
      ["lookupBatch", "ENOTSUPP"],
      ["lookupAndDeleteBatch", "ENOTSUPP"],
      ["updateBatch", "ENOTSUPP"],
      ["deleteBatch", "ENOTSUPP"],
      ["drain", "ENOTSUPP"],
      ["lookupMany", "ENOTSUPP"],
      ["found", "ENOTSUPP"],
      ["addMany", "ENOTSUPP"],
    ];
    // To TypeScript none of them is there. `local` is refused when it is asked for.
    const call = (name: string) => Reflect.apply(Reflect.get(map, name), map, [1, 1]);
    for (const [name, code] of refused) {
      const operation = name === "local" ? "local.get" : name;
      expect(expectErrno(() => call(name), code).message).toBe(
        `${operation}: map "m" holds objects, which have no bytes in host memory (${code})`,
      );
    }
    expect(map.size).toBe(1);
    const seen = [];
    for (const name in map) seen.push(name);
    expect(seen).toEqual([]);
    map.close();
    for (const [name] of refused) {
      const operation = name === "local" ? "local.get" : name;
      expect(expectErrno(() => call(name), "EBADF").message).toContain(`${operation}: map "m" is closed`);
    }
  });

  it("refuses a key whose getter uses a map of the host", () => {
    const host = createHost({ seed: 1, cpus: 1, shared });
    const map = host.createMap({ type: "sockhash", key: struct({ a: u32 }), maxEntries: 4 });
    const key = {
      get a() {
        map.has({ a: 2 });
        return 1;
      },
    };
    expectErrno(() => map.set(key, {}), "EBUSY");
    expect(map.size).toBe(0);
  });

  it("has room for one more only as far as the memory goes", () => {
    const host = createHost({ seed: 1, cpus: 1, shared, maxMemory: shared ? 512 * 1024 : 128 * 1024 });
    const map = host.createMap({ type: "sockhash", key: bytes(200), maxEntries: 2 ** 31 });
    const key = (n: number) => new Uint8Array(200).fill(n & 255).fill(n >> 8, 100);
    let entries = 0;
    const error = expectErrno(() => {
      for (; ; entries++) map.set(key(entries), object(entries));
    }, "ENOMEM");
    expect(error.message).toMatch(
      /^set: sockhash map #1 could not get memory: the host uses \d+ of \d+ bytes/,
    );
    expect(entries).toBeGreaterThan(50);
    expect(map.size).toBe(entries);
    map.grow(2 ** 31);
    for (let n = 0; n < entries; n++) expect(map.get(key(n))).toEqual(object(n));
    expect(map.verify()).toEqual([]);
    expect(new Set([...map.values()].map((value) => (value as { id: number }).id)).size).toBe(entries);
    map.clear();
    map.set(key(1), object(1));
    expect(map.size).toBe(1);
  });
});
