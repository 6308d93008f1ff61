// What is of one type of maps of objects only, and what createMap and open refuse.
import { describe, expect, it } from "vitest";
import {
  BPF_EXIST,
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
} from "../../../src/index.ts";
import { expectErrno } from "../../support/caught.ts";

const object = (id: number) => ({ id });

function open(type: "sockmap" | "sockhash", maxEntries = 8): SocketMap<number, object> {
  const host = createHost({ seed: 5 });
  return type === "sockmap"
    ? host.createMap({ type, name: "m", maxEntries })
    : host.createMap({ type, name: "m", key: u32, maxEntries });
}

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
