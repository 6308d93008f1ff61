// A key of the right type that its layout has no room for cannot be in a map: to calls that only ask for it, it is absent.
import { describe, expect, it } from "vitest";
import {
  array,
  bytes,
  type Codec,
  createHost,
  cstring,
  f32,
  type HashMap,
  type Host,
  i8,
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
import { caught } from "../support/caught.ts";

const hosts: Record<string, () => Host> = {
  plain: () => createHost({ seed: 1, cpus: 2, maxMemory: 32 * 1024 * 1024 }),
  shared: () => createHost({ seed: 1, cpus: 2, maxMemory: 32 * 1024 * 1024, shared: true }),
};

interface Row {
  codec: Codec<never>;
  /** Keys of all zeros and others, which are what an encoding that stopped half way may look like. */
  good: readonly unknown[];
  absent: readonly unknown[];
  wrong: readonly unknown[];
}

const rows: Row[] = [
  { codec: u8, good: [0, 44], absent: [300, -1, 0.5, Number.NaN], wrong: ["0", 0n] },
  { codec: u16, good: [0, 1], absent: [65536, -1, 2 ** 40], wrong: [null] },
  {
    codec: u32,
    good: [0, 1, 2 ** 32 - 1],
    absent: [-1, 2 ** 32, 0.5, Number.POSITIVE_INFINITY],
    wrong: ["1"],
  },
  { codec: i32, good: [0, -1, 2 ** 31 - 1, -(2 ** 31)], absent: [2 ** 31, 2 ** 32 - 1, 0.5], wrong: [1n] },
  { codec: i8, good: [0, -1], absent: [128, 255], wrong: [true] },
  { codec: f32, good: [0, 1], absent: [1e39], wrong: ["1"] },
  { codec: u53, good: [0, 2 ** 53 - 1], absent: [-1, 2 ** 53, 0.5], wrong: [1n] },
  { codec: u64, good: [0n, 2n ** 64n - 1n], absent: [-1n, 2n ** 64n], wrong: [1] },
  { codec: i64, good: [0n, -1n], absent: [2n ** 63n], wrong: [1] },
  { codec: cstring(4), good: ["", "abc"], absent: ["abcd", "abcdefgh", "a\0", "\ud800"], wrong: [4] },
  { codec: cstring(8), good: ["", "abc"], absent: ["abcdefgh", "éééé"], wrong: [Uint8Array.of(1)] },
  {
    codec: cstring(16),
    good: ["", "abc"],
    absent: ["x".repeat(16), "x".repeat(100_000)],
    wrong: [undefined],
  },
  { codec: cstring(64), good: ["", "abc"], absent: ["x".repeat(64)], wrong: [{}] },
  {
    codec: bytes(6),
    good: [new Uint8Array(6)],
    absent: [new Uint8Array(5), new Uint8Array(7)],
    wrong: [[1]],
  },
  {
    codec: array(u8, 3),
    good: [[0, 0, 0]],
    absent: [
      [0, 0],
      [0, 0, 300],
    ],
    wrong: ["000"],
  },
  {
    codec: struct({ a: u32, b: u16 }),
    good: [{ a: 0, b: 0 }],
    absent: [
      { a: 0, b: 70000 },
      { a: -1, b: 0 },
    ],
    wrong: [{ a: 0 }, { a: 0, b: "0" }],
  },
] as unknown as Row[];

describe.each(Object.entries(hosts))("on a %s host", (_, newHost) => {
  describe.each(["hash", "rhash", "percpu_hash"] as const)("a %s", (type) => {
    it.each(rows.map((row) => [row.codec.name, row] as const))("with keys of %s", (_name, row) => {
      const spec = { type, name: "m", key: row.codec as Codec<unknown>, value: u32, maxEntries: 100 };
      const map = newHost().createMap(spec) as unknown as HashMap<unknown, unknown>;
      const value = type === "percpu_hash" ? [7, 7] : 7;
      const { local } = map as unknown as {
        local?: { get(key: unknown): unknown; lookup(key: unknown): number };
      };
      for (const key of row.good) map.set(key, value);
      const first = map.nextKey();
      for (const key of row.absent) {
        expect(map.get(key)).toBe(undefined);
        expect(map.has(key)).toBe(false);
        expect(map.lookup(key)).toBe(0);
        expect(map.delete(key)).toBe(false);
        expect(map.lookupAndDelete(key)).toBe(undefined);
        expect(map.nextKey(key)).toEqual(first);
        expect(local?.get(key)).toBe(undefined);
        expect(local?.lookup(key) ?? 0).toBe(0);
        for (const write of [
          () => map.set(key, value),
          () => map.update(key, value),
          () => map.add(key, 1),
          () => map.addMany([key], [1]),
          () => map.createBatch(1).set(0, key, value),
        ]) {
          expect(caught(write)).toBeInstanceOf(RangeError);
        }
      }
      for (const key of row.wrong) {
        for (const ask of [
          () => map.get(key),
          () => map.has(key),
          () => map.lookup(key),
          () => map.delete(key),
          () => map.lookupAndDelete(key),
          () => map.lookupMany([key]),
        ]) {
          expect(caught(ask)).toBeInstanceOf(TypeError);
        }
      }
      expect(map.size).toBe(row.good.length);
      expect(map.verify()).toEqual([]);
    });

    it("in lookupMany, wherever they stand", () => {
      const spec = { type, name: "m", key: cstring(8), value: u32, maxEntries: 20_000 } as const;
      const map = newHost().createMap(spec) as unknown as HashMap<string, unknown>;
      const value = type === "percpu_hash" ? [7, 7] : 7;
      map.set("", value).set("abc", value);
      // More than one group, and what is encoded beside an absent key is there.
      const keys = Array.from({ length: 9000 }, (_, i) =>
        i % 3 === 0 ? "abc" : i % 3 === 1 ? "much too long" : "",
      );
      const stride = type === "percpu_hash" ? 16 : 4;
      const values = new Uint8Array(keys.length * stride).fill(255);
      for (const target of [values, undefined]) {
        expect(map.lookupMany(keys, target)).toBe(6000);
        expect([0, 1, 2, 8995, 8996, 8998].map((i) => map.found(i))).toEqual([
          true,
          false,
          true,
          false,
          true,
          false,
        ]);
      }
      const firsts = Array.from(keys, (_, i) => values[i * stride]);
      expect(firsts).toEqual(keys.map((key) => (key.length > 3 ? 0 : 7)));
      // All that there is was found, but for one; then all.
      expect(map.lookupMany(["much too long"])).toBe(0);
      expect(map.found(0)).toBe(false);
      expect(map.lookupMany(["abc"])).toBe(1);
      expect(map.found(0)).toBe(true);
      expect(map.lookupMany(["much too long", "abc"], values)).toBe(1);
      expect([map.found(0), map.found(1)]).toEqual([false, true]);
    });
  });

  it("in lookupMany, with the values in host memory", () => {
    const map = newHost().createMap({ type: "hash", key: u8, value: u32, maxEntries: 9 });
    map.set(0, 5).set(44, 6);
    const batch = map.createBatch(4);
    batch.values.fill(255);
    expect(map.lookupMany([0, 300, 44, -1], batch.values)).toBe(2);
    expect([0, 1, 2, 3].map((i) => batch.value(i))).toEqual([5, 0, 6, 0]);
  });

  it.each(["array", "percpu_array"] as const)("indices of an %s", (type) => {
    const map = newHost().createMap({ type, name: "m", key: u32, value: u32, maxEntries: 4 });
    for (const index of [-1, 0.5, 2 ** 32, Number.NaN, -4]) {
      expect([map.get(index), map.has(index), map.lookup(index), map.nextKey(index)]).toEqual([
        undefined,
        false,
        0,
        0,
      ]);
      expect(map.lookupMany([0, index])).toBe(1);
      expect(caught(() => map.set(index, (type === "array" ? 1 : [1, 1]) as never))).toBeInstanceOf(
        RangeError,
      );
      expect(caught(() => map.add(index, 1))).toBeInstanceOf(RangeError);
    }
  });

  it("keys of maps of sockets", () => {
    const host = newHost();
    const names = host.createMap({ type: "sockhash", key: cstring(4), maxEntries: 9 });
    names.set("", {});
    expect([
      names.get("long"),
      names.has("long"),
      names.delete("long"),
      names.lookupAndDelete("long"),
    ]).toEqual([undefined, false, false, undefined]);
    expect([names.nextKey("long"), names.redirect("long", 1)]).toEqual(["", 0]);
    expect(caught(() => names.set("long", {}))).toBeInstanceOf(RangeError);
    const slots = host.createMap({ type: "sockmap", maxEntries: 9 });
    expect([slots.get(-1), slots.has(0.5), slots.delete(-1), slots.nextKey(-1)]).toEqual([
      undefined,
      false,
      false,
      0,
    ]);
    expect(caught(() => slots.set(-1, {}))).toBeInstanceOf(RangeError);
  });

  it("keys whose value has a lock", () => {
    const value = struct({ lock: spinLock, n: u32 });
    const map = newHost().createMap({ type: "hash", key: cstring(4), value, maxEntries: 9 });
    map.set("", { n: 1 });
    expect(map.locked("long", () => expect.fail("was called"))).toBe(undefined);
    expect(map.get("long", 4)).toBe(undefined);
    const cells = newHost().createMap({ type: "array", key: u32, value, maxEntries: 9 });
    expect(cells.locked(-1, () => expect.fail("was called"))).toBe(undefined);
    expect(cells.get(-1, 4)).toBe(undefined);
  });

  it("what a getter of a key throws is thrown", () => {
    const map = newHost().createMap({ type: "hash", key: struct({ a: u32 }), value: u32, maxEntries: 9 });
    const key = {
      get a(): number {
        throw new RangeError("mine");
      },
    };
    expect(caught(() => map.get(key)).message).toBe("mine");
    expect(caught(() => map.lookupMany([key])).message).toBe("mine");
  });
});
