// field() and addFields(): every kind of member, nested ones, on plain and shared hosts, and what they refuse.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  array,
  BPF_F_LOCK,
  BPF_F_NO_PREALLOC,
  BPF_F_RDONLY,
  BPF_F_WRONLY,
  bytes,
  type Codec,
  createHost,
  cstring,
  f32,
  f64,
  type HashMap,
  type Host,
  i8,
  i16,
  i32,
  i64,
  spinLock,
  struct,
  u8,
  u16,
  u32,
  u53,
  u64,
} from "../../src/index.ts";
import { seeded } from "../codec/codec_layouts.ts";
import { caught, expectErrno } from "../support/caught.ts";
import { bySize } from "../support/size.ts";

const HOSTS = [false, true];
const CPUS = 2;
const MAX = Number.MAX_SAFE_INTEGER;
const open = (shared: boolean): Host => createHost({ seed: 3, cpus: CPUS, shared, maxMemory: 4 << 20 });

/** A struct with a member of every kind, in no good order. */
const every = struct({
  a: u8,
  b: u64,
  c: i8,
  d: u16,
  e: f32,
  f: struct({ g: i16, h: u53, i: struct({ j: i64 }) }),
  k: i32,
  l: f64,
  m: u32,
  n: bytes(3),
  o: array(u16, 2),
  p: cstring(6),
  q: u53,
});
type Every = typeof every extends Codec<infer V> ? V : never;
const START: Every = {
  a: 200,
  b: 2n ** 63n,
  c: -100,
  d: 60_000,
  e: 0.5,
  f: { g: -30_000, h: MAX, i: { j: -(2n ** 62n) } },
  k: -2_000_000_000,
  l: Math.PI,
  m: 4_000_000_000,
  n: Uint8Array.of(1, 2, 3),
  o: [1, 65_535],
  p: "text",
  q: 77,
};
/** Another value of each field; those of the struct f are fields, too. */
const OTHER = {
  a: 1,
  b: 5n,
  c: 100,
  d: 2,
  e: Number.NaN,
  "f.g": 3,
  "f.h": 0,
  "f.i.j": 2n ** 62n,
  "f.i": { j: 9n },
  f: { g: 1, h: 2, i: { j: 3n } },
  k: 4,
  l: -0,
  m: 6,
  n: Uint8Array.of(7, 8, 9),
  o: [3, 4],
  p: "other",
  q: MAX,
} as const;

function at(value: unknown, path: string): unknown {
  return path.split(".").reduce((part, name) => (part as Record<string, unknown>)[name], value);
}

/** The value with one field written. */
function having(value: object, path: string, x: unknown): object {
  const [name, ...rest] = path.split(".");
  const inner = rest.length === 0 ? x : having((value as Record<string, object>)[name], rest.join("."), x);
  return { ...value, [name]: inner };
}

type Loose = HashMap<unknown, unknown>;

/** Maps of each type with keys of each size; `slot` is the value that fields are of. */
const MAPS: readonly [name: string, make: (host: Host, value: Codec<unknown>) => Loose, key: unknown][] = [
  [
    "hash, u32",
    (host, value) => host.createMap({ type: "hash", key: u32, value, maxEntries: 9 }) as Loose,
    5,
  ],
  [
    "rhash, u53",
    (host, value) => host.createMap({ type: "rhash", key: u53, value, maxEntries: 9 }) as Loose,
    5,
  ],
  [
    "rhash, 16 bytes",
    (host, value) => host.createMap({ type: "rhash", key: bytes(16), value, maxEntries: 9 }) as Loose,
    new Uint8Array(16).fill(7),
  ],
  [
    "hash, text",
    (host, value) => host.createMap({ type: "hash", key: cstring(20), value, maxEntries: 9 }) as Loose,
    "key",
  ],
  [
    "percpu_hash",
    (host, value) =>
      host.createMap({ type: "percpu_hash", key: u32, value, maxEntries: 9 }) as unknown as Loose,
    5,
  ],
  [
    "array",
    (host, value) => host.createMap({ type: "array", key: u32, value, maxEntries: 9 }) as unknown as Loose,
    5,
  ],
  [
    "percpu_array",
    (host, value) =>
      host.createMap({ type: "percpu_array", key: u32, value, maxEntries: 9 }) as unknown as Loose,
    5,
  ],
];
const perCpu = (map: Loose) => map.type.startsWith("percpu");
const isArray = (map: Loose) => map.type.endsWith("array");
const write = (map: Loose, key: unknown, value: unknown) =>
  map.set(key, perCpu(map) ? [value, value] : value);
const read = (map: Loose, key: unknown) => {
  const value = map.get(key);
  return perCpu(map) ? (value as unknown[])[map.host.cpu] : value;
};

describe.each(HOSTS)("on a host that is shared: %s", (shared) => {
  describe.each(MAPS)("%s", (_, make, key) => {
    it("reads and writes every kind of field, and nothing else", () => {
      const host = open(shared);
      const map = make(host, every as Codec<unknown>);
      write(map, key, START);
      for (const [path, x] of Object.entries(OTHER)) {
        const field = map.field(path);
        const before = read(map, key) as object;
        expect(field.get(key), path).toStrictEqual(at(before, path));
        expect(field.set(key, x)).toBe(true);
        expect(field.get(key), path).toStrictEqual(x);
        expect(read(map, key), path).toStrictEqual(having(before, path, x));
      }
      // Of per-CPU maps the other slots are what they were.
      if (perCpu(map)) expect((map.get(key) as unknown[])[1 - host.cpu]).toStrictEqual(START);
      expect(host.verify()).toEqual([]);
    });

    it("finds absent keys absent", () => {
      const map = make(open(shared), every as Codec<unknown>);
      const absent = isArray(map) ? 9 : key;
      for (const path of ["a", "b", "n", "f"]) {
        const field = map.field(path);
        expect(field.get(absent)).toBeUndefined();
        expect(field.set(absent, OTHER[path as "a"])).toBe(false);
        if (typeof key === "number") {
          expect(field.get(-1)).toBeUndefined();
          expect(field.set(-1, OTHER[path as "a"])).toBe(false);
        }
      }
      expect(map.has(absent)).toBe(false);
    });

    it("adds to one field and to many, which start at zeros", () => {
      const host = open(shared);
      const map = make(host, every as Codec<unknown>);
      const numbers = { a: 255, c: 1, d: 2, k: -3, m: 5, q: 6, "f.g": -7, "f.h": 8 };
      const bigs = { b: -1n, "f.i.j": -9n };
      expect(map.field("f.h").add(key, 3 as never)).toBe(3);
      map.addFields(key, { ...numbers, ...bigs });
      expect(map.field("f.h").get(key)).toBe(11);
      map.addFields(key, { ...bigs, ...numbers });
      expect(read(map, key)).toStrictEqual({
        ...START,
        a: 254,
        b: 2n ** 64n - 2n,
        c: 2,
        d: 4,
        e: 0,
        f: { g: -14, h: 19, i: { j: -18n } },
        k: -6,
        l: 0,
        m: 10,
        n: new Uint8Array(3),
        o: [0, 0],
        p: "",
        q: 12,
      });
      expect(map.add(key, 1 as never, { field: "f.g" } as never)).toBe(-13);
      expect(host.verify()).toEqual([]);
    });

    it("adds to all fields or to none", () => {
      const host = open(shared);
      const map = make(host, every as Codec<unknown>);
      const sum = "a sum beyond it by adding";
      expect(caught(() => map.addFields(key, { a: 1, q: 5, "f.h": -1 })).message).toMatch(
        `value.f.h: expected u53 (0..9007199254740991), got ${sum} -1`,
      );
      if (!isArray(map)) expect(map.has(key)).toBe(false);
      map.addFields(key, { a: 1, q: MAX });
      const before = read(map, key);
      expect(caught(() => map.addFields(key, { a: 1, m: 1, "f.h": 1, q: 1 })).message).toMatch(
        `value.q: expected u53 (0..9007199254740991), got ${sum} 1`,
      );
      expect(read(map, key)).toStrictEqual(before);
      expect(caught(() => map.field("q").add(key, 1 as never)).message).toMatch(
        /field\.add: .*value\.q: .*beyond/,
      );
      expect(host.verify()).toEqual([]);
    });

    it("refuses what it cannot hold before anything is written", () => {
      const map = make(open(shared), every as Codec<unknown>);
      write(map, key, START);
      for (const [path, x] of [
        ["a", 256],
        ["b", 5],
        ["f.h", -1],
        ["f.g", 40_000],
        ["p", "longer"],
        ["n", Uint8Array.of(1)],
        ["f.i", { j: 1 }],
      ] as const) {
        expect(caught(() => map.field(path).set(key, x)).message, path).toMatch(
          /^field\.set: .*: value.*expected/,
        );
      }
      for (const deltas of [
        { a: 0.5 },
        { m: 1, b: 1 },
        { m: 1, q: 1n },
        { m: 1, p: 1 },
        { m: 1, x: 1 },
        5,
        null,
      ]) {
        expect(() => map.addFields(key, deltas as never)).toThrow(/^addFields: /);
      }
      expect(() => map.addFields(key, { m: undefined } as never)).toThrow(/: m: expected an integer/);
      expect(read(map, key)).toStrictEqual(START);
    });
  });

  it("says which fields there are", () => {
    const host = open(shared);
    const map = host.createMap({
      type: "hash",
      name: "m",
      key: u32,
      value: struct({ lock: spinLock, n: u32, in: struct({ m: u32 }) }),
      maxEntries: 4,
    });
    for (const path of [
      "",
      "x",
      "lock",
      "n.",
      ".n",
      "n.m",
      "in.x",
      "in.m.n",
      "toString",
      "__proto__",
      5,
      undefined,
      {},
    ]) {
      expect(caught(() => map.field(path as never)).message).toMatch(
        /^field: map "m": field: expected a field of the values, which are struct/,
      );
    }
    map.set(1, { n: 1, in: { m: 2 } });
    expect(map.field("in.m").get(1)).toBe(2);
    const numbers = host.createMap({ type: "hash", key: u32, value: u32, maxEntries: 4 });
    expect(() => numbers.field("value" as never)).toThrow(/expected a field of the values, which are u32/);
  });

  it("leaves the lock of a small element alone", () => {
    for (const value of [
      struct({ lock: spinLock, n: u16, m: u8 }),
      struct({ n: u16, m: u8, lock: spinLock }),
    ]) {
      const map = open(shared).createMap({ type: "array", key: u32, value, maxEntries: 2 });
      map.locked(1, () => {
        map.field("m").set(1, 7);
        map.addFields(1, { n: 5, m: 1 });
        if (shared) expectErrno(() => map.get(1, BPF_F_LOCK), "EDEADLK");
        return undefined;
      });
      expect(map.get(1, BPF_F_LOCK)).toEqual({ n: 5, m: 8 });
      expect(map.verify()).toEqual([]);
    }
  });

  it("asks the codec of the caller's", () => {
    const half: Codec<number> = {
      ...u16,
      encode: (value, view, offset) => u16.encode(value * 2, view, offset),
      decode: (view, offset) => u16.decode(view, offset) / 2,
    };
    const map = open(shared).createMap({
      type: "hash",
      key: u32,
      value: struct({ half, n: u8 }),
      maxEntries: 4,
    });
    map.set(1, { half: 1.5, n: 1 });
    const field = map.field("half");
    expect(field.get(1)).toBe(1.5);
    expect(field.set(1, 2.5)).toBe(true);
    expect(map.get(1)).toEqual({ half: 2.5, n: 1 });
  });

  it("says what it cannot read, and where", () => {
    const map = open(shared).createMap({
      type: "rhash",
      name: "m",
      key: u32,
      value: struct({ q: u53, n: u8 }),
      maxEntries: 4,
    });
    map.set(1, { q: 1, n: 1 });
    const batch = map.createBatch(1);
    batch.set(0, 1, { q: 0, n: 0 });
    batch.values.fill(0xff);
    batch.count = 1;
    map.updateBatch(batch);
    batch.close();
    expect(() => map.field("q").get(1)).toThrow(
      /^field\.get: map "m": value: expected u53 .*, got 18446744073709551615 in memory/,
    );
    expect(map.field("n").get(1)).toBe(255);
    expect(() => map.addFields(1, { n: 1, q: 1 })).toThrow(RangeError);
    expect(map.field("n").get(1)).toBe(255);
  });

  it("keeps the rules of the handle", () => {
    const host = open(shared);
    const spec = { type: "rhash", key: u32, value: struct({ n: u32 }), maxEntries: 2 } as const;
    const readable = host.createMap({ ...spec, flags: BPF_F_RDONLY | BPF_F_NO_PREALLOC }).field("n");
    expectErrno(() => readable.set(1, 1), "EPERM");
    expectErrno(() => readable.add(1, 1), "EPERM");
    expect(readable.get(1)).toBeUndefined();
    expectErrno(
      () =>
        host
          .createMap({ ...spec, flags: BPF_F_WRONLY | BPF_F_NO_PREALLOC })
          .field("n")
          .get(1),
      "EPERM",
    );
    const map = host.createMap(spec);
    const field = map.field("n");
    map.addFields(1, { n: 1 });
    map.addFields(2, {});
    expect(map.get(2)).toEqual({ n: 0 });
    expectErrno(() => map.addFields(3, { n: 1 }), "E2BIG");
    expectErrno(() => field.add(3, 1), "E2BIG");
    map.freeze();
    expectErrno(() => field.set(1, 5), "EPERM");
    expectErrno(() => field.add(1, 5), "EPERM");
    expectErrno(() => map.addFields(1, { n: 1 }), "EPERM");
    expect(field.get(1)).toBe(1);
    map.close();
    for (const call of [
      () => field.get(1),
      () => field.set(1, 1),
      () => field.add(1, 1),
      () => map.addFields(1, {}),
    ]) {
      expectErrno(call, "EBADF");
    }
    expectErrno(() => map.field("n"), "EBADF");
  });

  it("calls the low-water hook", () => {
    const map = open(shared).createMap({
      type: "rhash",
      key: u32,
      value: struct({ n: u32, q: u53 }),
      maxEntries: 4,
      lowWater: { free: 1, grow: (full) => full.grow(full.info.maxEntries * 2) },
    });
    for (let key = 0; key < 20; key++) {
      if (key % 2 === 0) map.addFields(key, { n: key, q: 1 });
      else map.field("n").add(key, key);
    }
    expect([...map].map(([key, { n }]) => n - key)).toEqual(new Array(20).fill(0));
  });
});

it("behaves as a struct that is read, changed and written", () => {
  const step = fc.record({
    shared: fc.boolean(),
    key: fc.integer({ min: 0, max: 3 }),
    field: fc.constantFrom("a", "c", "d", "k", "m"),
    action: fc.constantFrom("add", "set", "get", "addFields", "delete"),
    x: fc.integer({ min: -128, max: 255 }),
  });
  const small = struct({ a: u8, c: i8, d: u16, k: i32, m: u32 });
  type Small = { a: number; c: number; d: number; k: number; m: number };
  const fits = { a: u8, c: i8, d: u16, k: i32, m: u32 };
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const maps = HOSTS.map((shared) =>
        open(shared).createMap({ type: "rhash", key: u32, value: small, maxEntries: 9 }),
      );
      const models = HOSTS.map(() => new Map<number, Small>());
      const view = new DataView(new ArrayBuffer(8));
      /** What the field makes of a sum. */
      const wrap = (field: keyof Small, x: number): number => {
        const codec = fits[field];
        view.setUint32(0, x >>> 0, true);
        return codec.decode(view, 0);
      };
      for (const { shared, key, field, action, x } of steps) {
        const map = maps[Number(shared)];
        const model = models[Number(shared)];
        const value = model.get(key);
        const zeros = () => value ?? { a: 0, c: 0, d: 0, k: 0, m: 0 };
        if (action === "get") expect(map.field(field).get(key)).toBe(value?.[field]);
        else if (action === "delete") expect(map.delete(key)).toBe(model.delete(key));
        else if (action === "set") {
          const y = wrap(field, x);
          expect(map.field(field).set(key, y)).toBe(value !== undefined);
          if (value !== undefined) value[field] = y;
        } else {
          const next = { ...zeros(), [field]: wrap(field, zeros()[field] + x) };
          if (action === "add") expect(map.field(field).add(key, x)).toBe(next[field]);
          else {
            next.m = field === "m" ? next.m : wrap("m", next.m + 1);
            map.addFields(key, field === "m" ? { m: x } : { m: 1, [field]: x });
          }
          model.set(key, next);
        }
      }
      for (const [i, map] of maps.entries()) {
        expect([...map].sort(([a], [b]) => a - b)).toEqual([...models[i]].sort(([a], [b]) => a - b));
        expect(map.verify()).toEqual([]);
      }
    }),
    { ...seeded, numRuns: bySize(20, 2000) },
  );
});

it("prints and compares as what it is", () => {
  const map = open(false).createMap({
    type: "hash",
    name: "m",
    key: u32,
    value: struct({ n: u32 }),
    maxEntries: 4,
  });
  const field = map.field("n");
  expect(String(field)).toBe("[object Field]");
  expect(JSON.stringify(field)).toMatch(/^\{"path":"n","map":\{.*"m"/);
  expect(field).toEqual(map.field("n"));
  expect(Object.keys(field)).toEqual([]);
});
