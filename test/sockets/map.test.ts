// What maps of objects do: JS Map's calls, the kernel's rules and errnos, and what they refuse.
import { describe, expect, it } from "vitest";
import {
  BPF_ANY,
  BPF_EXIST,
  BPF_F_LOCK,
  BPF_F_NO_PREALLOC,
  BPF_F_NUMA_NODE,
  BPF_F_RDONLY,
  BPF_F_WRONLY,
  BPF_NOEXIST,
  bytes,
  createHost,
  createMap,
  cstring,
  type ErrnoCode,
  type SocketMap,
  struct,
  u8,
  u16,
  u32,
  u64,
} from "../../src/index.ts";
import { caught, expectErrno } from "../support/caught.ts";

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
    for (const call of [
      () => map.get(-1),
      () => map.set(1.5, {}),
      () => map.has(2 ** 32),
      () => map.delete(-1),
      () => map.nextKey(-1),
      () => map.redirect(-1, ""),
    ]) {
      expect(call).toThrow(RangeError);
    }
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
      ["lookup", () => map.lookup(1)],
      ["drain", () => map.drain()],
    ];
    for (const [name, call] of calls) {
      expect(expectErrno(call, "EBADF").message, name).toMatch(
        new RegExp(`^${name}: map "m" is closed \\(EBADF\\)`),
      );
    }
    map.host.close();
    expect(expectErrno(() => map.get(1), "EBADF").message).toContain("with its host");
  });

  it("is open for one direction with BPF_F_RDONLY and BPF_F_WRONLY", () => {
    const { host } = make();
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
    const { host } = map;
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
    const refused: [string, ErrnoCode, () => unknown][] = [
      ["lookup", "EOPNOTSUPP", () => map.lookup(1)],
      ["add", "EOPNOTSUPP", () => map.add(1, 1)],
      ["locked", "EOPNOTSUPP", () => map.locked(1, () => {})],
      ["local.get", "EOPNOTSUPP", () => map.local],
      ["process", "EOPNOTSUPP", () => map.process({ filter: () => 0 })],
      ["iterator", "EOPNOTSUPP", () => map.iterator({ show() {} })],
      ["createBatch", "ENOTSUPP", () => map.createBatch(1)],
      ["batches", "ENOTSUPP", () => map.batches()],
      ["lookupBatch", "ENOTSUPP", () => map.lookupBatch({})],
      ["lookupAndDeleteBatch", "ENOTSUPP", () => map.lookupAndDeleteBatch({})],
      ["updateBatch", "ENOTSUPP", () => map.updateBatch({})],
      ["deleteBatch", "ENOTSUPP", () => map.deleteBatch({})],
      ["drain", "ENOTSUPP", () => map.drain()],
      ["lookupMany", "ENOTSUPP", () => map.lookupMany([1])],
      ["found", "ENOTSUPP", () => map.found(0)],
      ["addMany", "ENOTSUPP", () => map.addMany([1], [1])],
    ];
    for (const [name, code, call] of refused) {
      const { message } = expectErrno(call, code);
      expect(message).toBe(`${name}: map "m" holds objects, which have no bytes in host memory (${code})`);
    }
    expect(map.size).toBe(1);
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

describe("sockmap", () => {
  it("has the indices below maxEntries", () => {
    const map = open("sockmap", 4);
    expectErrno(() => map.set(4, {}), "E2BIG");
    expectErrno(() => map.update(4, {}, BPF_NOEXIST), "E2BIG");
    // The kernel looks at the index first.
    expectErrno(() => map.update(4, {}, BPF_EXIST), "E2BIG");
    expect([map.get(4), map.has(4), map.delete(4), map.lookupAndDelete(4), map.redirect(4, "")]).toEqual([
      undefined,
      false,
      false,
      undefined,
      0,
    ]);
  });

  it("goes through the indices like an array", () => {
    const map = open("sockmap", 4);
    map.set(3, object(3)).set(1, object(1));
    expect([map.nextKey(), map.nextKey(0), map.nextKey(1), map.nextKey(2), map.nextKey(3)]).toEqual([
      0,
      1,
      2,
      3,
      undefined,
    ]);
    expect([map.nextKey(4), map.nextKey(2 ** 32 - 1)]).toEqual([0, 0]);
    expect([...map]).toEqual([
      [1, object(1)],
      [3, object(3)],
    ]);
  });

  it("iterates by ascending index, however the table lies", () => {
    const map = open("sockmap", 5000);
    for (let i = 0; i < 1000; i++) map.set((i * 2657) % 5000, object(i));
    const keys = [...map.keys()];
    expect(keys.length).toBe(1000);
    expect(keys).toEqual(keys.toSorted((a, b) => a - b));
  });

  it("takes no memory for indices that nothing is at", () => {
    const map = open("sockmap", 2 ** 31);
    map.set(2 ** 31 - 1, object(1));
    expect([...map.keys()]).toEqual([2 ** 31 - 1]);
    expect(map.memoryUsage()).toBeLessThan(8192);
  });

  it("takes a u32 codec for its keys, and no other", () => {
    expect(createMap({ type: "sockmap", key: u32, maxEntries: 1 }).info.keySize).toBe(4);
    for (const key of [u64, u8, bytes(4)]) {
      const { message } = expectErrno(
        () => createMap({ type: "sockmap", name: "m", key: key as never, maxEntries: 1 }),
        "EINVAL",
      );
      expect(message).toMatch(/^createMap: map "m" has keys of .*index of a sockmap/);
    }
  });
});

describe("sockhash", () => {
  const CODECS = [
    { key: u32, of: (n: number) => n },
    { key: u64, of: (n: number) => BigInt(n) << 33n },
    { key: u16, of: (n: number) => n },
    { key: cstring(16), of: (n: number) => `key ${n}` },
    { key: cstring(40), of: (n: number) => `a longer key of a client, number ${n}` },
    { key: struct({ address: u32, port: u16 }), of: (n: number) => ({ address: n * 7, port: n }) },
    { key: bytes(512), of: (n: number) => new Uint8Array(512).fill(n) },
  ];

  it.each(CODECS)("has keys of $key.name", ({ key, of }) => {
    const map = createMap({ type: "sockhash", key: key as never, maxEntries: 300 }) as SocketMap<
      unknown,
      object
    >;
    for (let n = 0; n < 200; n++) map.set(of(n), object(n));
    for (let n = 0; n < 200; n += 2) expect(map.delete(of(n))).toBe(true);
    for (let n = 0; n < 200; n++) expect(map.get(of(n))).toEqual(n % 2 === 0 ? undefined : object(n));
    expect([...map].length).toBe(100);
    for (const [at, { id }] of map as Iterable<[unknown, { id: number }]>) expect(at).toEqual(of(id));
    let keys = 0;
    for (let at = map.nextKey(); at !== undefined; at = map.nextKey(at)) keys++;
    expect(keys).toBe(100);
    expect(map.verify()).toEqual([]);
    map.close();
  });

  it("does not care what becomes of a key object", () => {
    const map = createMap({ type: "sockhash", key: struct({ a: u32 }), maxEntries: 4 });
    const key = { a: 1 };
    const emitter = new EventTarget();
    map.set(key, emitter);
    key.a = 2;
    emitter.dispatchEvent(new Event("close"));
    expect(map.size).toBe(0);
  });

  it("starts again at the first key after one that is absent", () => {
    const map = open("sockhash");
    expect(map.nextKey()).toBeUndefined();
    map.set(1, {});
    expect([map.nextKey(), map.nextKey(1), map.nextKey(9)]).toEqual([1, undefined, 1]);
  });
});

describe("createMap", () => {
  it("refuses what the kernel refuses", () => {
    const refused: [string, ErrnoCode, object][] = [
      ["has maxEntries = 0", "EINVAL", { maxEntries: 0 }],
      ["has flags 0x1, unknown to this type", "EINVAL", { flags: BPF_F_NO_PREALLOC }],
      ["has mapExtra = 1, which is for rhash", "EINVAL", { mapExtra: 1 }],
      ["has both BPF_F_RDONLY and BPF_F_WRONLY", "EINVAL", { flags: BPF_F_RDONLY | BPF_F_WRONLY }],
      ["has keys of 513 bytes; a sockhash takes up to 512", "E2BIG", { key: bytes(513) }],
      [
        `has maxEntries = ${2 ** 31 + 1}; sockhash takes up to ${2 ** 31}`,
        "E2BIG",
        { maxEntries: 2 ** 31 + 1 },
      ],
      ["needs a name of at most 15 characters", "EINVAL", { name: "a name that is too long" }],
    ];
    for (const [cause, code, part] of refused) {
      const spec = { type: "sockhash", key: u32, maxEntries: 1, ...part } as const;
      expect(expectErrno(() => createMap(spec), code).message).toContain(cause);
    }
    createMap({ type: "sockmap", maxEntries: 1, flags: BPF_F_NUMA_NODE }).close();
  });

  it("refuses specs of the wrong form", () => {
    const wrong: [RegExp, object][] = [
      [/^createMap: map "m": key: expected a codec, got undefined$/, { key: undefined }],
      [/^createMap: map "m": value: expected none: the values of a sockhash are objects/, { value: u32 }],
      [/^createMap: map "m": maxEntries: expected an integer/, { maxEntries: "1" }],
      [/^createMap: map "m": flags: expected an integer/, { flags: "1" }],
      [/^createMap: map "m": lowWater: expected { free, grow }, got number 1$/, { lowWater: 1 }],
      [/^createMap: map "m": lowWater: expected { free, grow }, got null$/, { lowWater: null }],
      [/^createMap: map "m": lowWater.free: expected an integer 1..8, got undefined$/, { lowWater: {} }],
      [
        /^createMap: map "m": lowWater.free: expected an integer 1..8, got number 0$/,
        { lowWater: { free: 0 } },
      ],
      [
        /^createMap: map "m": lowWater.free: expected an integer 1..8, got number 9$/,
        { lowWater: { free: 9 } },
      ],
      [/^createMap: map "m": lowWater.grow: expected a function, got undefined$/, { lowWater: { free: 1 } }],
    ];
    const host = createHost();
    for (const [message, part] of wrong) {
      const spec = { type: "sockhash", name: "m", key: u32, maxEntries: 8, ...part } as never;
      expect(() => host.createMap(spec)).toThrow(message);
    }
    expect(host.memoryUsage()).toMatchObject({ bytes: 0, maps: [] });
  });
});

describe("open", () => {
  it("refuses another type, and keys of another size", () => {
    const host = createHost();
    host.pin("/hash", host.createMap({ type: "sockhash", name: "s", key: u64, maxEntries: 4 }));
    host.pin("/map", host.createMap({ type: "sockmap", maxEntries: 4 }));
    host.pin("/plain", host.createMap({ type: "hash", key: u32, value: u32, maxEntries: 4 }));
    expect(() => host.open("/hash", { type: "sockhash", key: u32 })).toThrow(
      /^open: map "s": keys are 8 bytes, u32 has 4$/,
    );
    expect(() => host.open("/hash", { type: "hash", key: u64, value: u32 } as never)).toThrow(TypeError);
    expect(() => host.open("/map", { type: "sockmap", key: bytes(4) as never })).toThrow(RangeError);
    expect(() => host.open("/map", { type: "sockhash", key: u32 })).toThrow(/of type sockmap, not sockhash/);
    expect(() => host.open("/plain", { type: "sockhash", key: u32 })).toThrow(/value: expected a codec/);
    expect(() => host.open("/map", 1 as never)).toThrow(TypeError);
  });
});
