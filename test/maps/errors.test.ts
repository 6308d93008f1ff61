// Every kind of bad input gives a typed error that names the map and the operation, and leaves the map as it was.
import { describe, expect, it } from "vitest";
import {
  BpfError,
  bytes,
  type Codec,
  createHost,
  f32,
  type HashMap,
  type HashType,
  i8,
  i16,
  i32,
  i64,
  struct,
  u8,
  u16,
  u32,
  u53,
  u64,
} from "../../src/index.ts";
import { caught } from "../support/caught.ts";

const TYPES: HashType[] = ["hash", "rhash"];
type Kind = typeof TypeError | typeof RangeError;

/** Expects `call` to throw a `Kind` that names `operation` and the map, and the map to stay as it is. */
function refuses(
  map: HashMap<unknown, unknown>,
  operation: string,
  call: () => unknown,
  Kind: Kind,
  detail?: RegExp,
): void {
  const before = [...map.entries()];
  const bytesBefore = map.memoryUsage();
  const error = caught(call);
  expect(error, String(error)).toBeInstanceOf(Kind);
  expect(error).not.toBeInstanceOf(BpfError);
  expect(error.message).toMatch(new RegExp(`^${operation}: map "flows": `));
  if (detail !== undefined) expect(error.message).toMatch(detail);
  expect([...map.entries()]).toEqual(before);
  expect(map.memoryUsage()).toBe(bytesBefore);
}

/** Codecs with values that they cannot hold. */
const BAD: [Codec<unknown>, unknown, [unknown, Kind][]][] = [
  [
    u8,
    1,
    [
      [256, RangeError],
      [-1, RangeError],
      [1.5, RangeError],
      ["1", TypeError],
      [1n, TypeError],
    ],
  ],
  [
    u16,
    1,
    [
      [65536, RangeError],
      [-1, RangeError],
      [Number.NaN, RangeError],
    ],
  ],
  [
    i8,
    1,
    [
      [128, RangeError],
      [-129, RangeError],
    ],
  ],
  [
    i16,
    1,
    [
      [32768, RangeError],
      [-32769, RangeError],
    ],
  ],
  [
    u32,
    1,
    [
      [2 ** 32, RangeError],
      [-1, RangeError],
      [0.5, RangeError],
      [Number.NaN, RangeError],
      [Number.POSITIVE_INFINITY, RangeError],
      ["1", TypeError],
      [1n, TypeError],
      [null, TypeError],
      [undefined, TypeError],
      [{}, TypeError],
      [Symbol("s"), TypeError],
    ],
  ],
  [
    i32,
    1,
    [
      [2 ** 31, RangeError],
      [-(2 ** 31) - 1, RangeError],
      [0.5, RangeError],
      ["1", TypeError],
    ],
  ],
  [
    f32,
    1,
    [
      [1e39, RangeError],
      ["1", TypeError],
    ],
  ],
  [
    u53,
    1,
    [
      [2 ** 53, RangeError],
      [-1, RangeError],
      [0.5, RangeError],
      [Number.NaN, RangeError],
      [1n, TypeError],
      ["1", TypeError],
    ],
  ],
  [
    u64,
    1n,
    [
      [2n ** 64n, RangeError],
      [-1n, RangeError],
      [1, TypeError],
      ["1", TypeError],
    ],
  ],
  [
    i64,
    1n,
    [
      [2n ** 63n, RangeError],
      [-(2n ** 63n) - 1n, RangeError],
      [1, TypeError],
    ],
  ],
  [
    bytes(4),
    new Uint8Array(4),
    [
      [new Uint8Array(3), RangeError],
      [new Uint8Array(5), RangeError],
      [[1, 2, 3, 4], TypeError],
      ["abcd", TypeError],
    ],
  ],
  [
    bytes(16),
    new Uint8Array(16),
    [
      [new Uint8Array(15), RangeError],
      [null, TypeError],
    ],
  ],
  [
    bytes(40),
    new Uint8Array(40),
    [
      [new Uint8Array(41), RangeError],
      [5, TypeError],
    ],
  ],
  [
    struct({ a: u16, b: u16 }),
    { a: 1, b: 2 },
    [
      [{ a: 1 }, TypeError],
      [{ a: 1, b: 70000 }, RangeError],
      [{ a: 1, b: 2, c: 3 }, TypeError],
      [null, TypeError],
      [5, TypeError],
    ],
  ],
];

describe.each(TYPES)("%s refuses", (type) => {
  describe.each(BAD.map((row) => [row[0].name, row] as const))("%s", (_name, [codec, good, wrongs]) => {
    it("keys it cannot hold, in every call that takes one", () => {
      const map = createHost({ seed: 1 }).createMap({
        type,
        name: "flows",
        key: codec,
        value: u32,
        maxEntries: 8,
      });
      map.set(good, 7);
      const batch = map.createBatch(2);
      for (const [wrong, Kind] of wrongs) {
        const key = wrong;
        refuses(map, "set", () => map.set(key, 1), Kind, /: key/);
        refuses(map, "update", () => map.update(key, 1), Kind, /: key/);
        refuses(map, "batch.set", () => batch.set(0, key, 1), Kind, /: key/);
        refuses(map, "add", () => map.add(key, 1), Kind, /: key/);
        const keys = [good, key];
        // What only asks for a key takes one that there is no room for as absent: absent_keys.test.ts.
        if (Kind === TypeError) {
          refuses(map, "get", () => map.get(key), Kind, /: key/);
          refuses(map, "has", () => map.has(key), Kind, /: key/);
          refuses(map, "delete", () => map.delete(key), Kind, /: key/);
          refuses(map, "lookup", () => map.lookup(key), Kind, /: key/);
          refuses(map, "lookupAndDelete", () => map.lookupAndDelete(key), Kind, /: key/);
          if (wrong !== undefined) refuses(map, "nextKey", () => map.nextKey(key), Kind, /: key/);
          refuses(map, "lookupMany", () => map.lookupMany(keys), Kind, /: keys\[1\]/);
        } else {
          expect([map.get(key), map.lookupAndDelete(key)]).toEqual([undefined, undefined]);
          expect([map.has(key), map.delete(key), map.lookup(key)]).toEqual([false, false, 0]);
          expect(map.lookupMany(keys)).toBe(1);
          expect(map.found(1)).toBe(false);
          expect(map.nextKey(key)).toEqual(map.nextKey());
        }
        refuses(map, "addMany", () => map.addMany(keys, [1, 1]), Kind, /: keys\[1\]/);
      }
    });

    it("values it cannot hold, in every call that takes one", () => {
      const map = createHost({ seed: 1 }).createMap({
        type,
        name: "flows",
        key: u32,
        value: codec,
        maxEntries: 8,
      });
      map.set(1, good);
      const batch = map.createBatch(2);
      for (const [wrong, Kind] of wrongs) {
        const value = wrong;
        refuses(map, "set", () => map.set(1, value), Kind, /: value/);
        refuses(map, "set", () => map.set(2, value), Kind, /: value/);
        refuses(map, "update", () => map.update(2, value), Kind, /: value/);
        refuses(map, "batch.set", () => batch.set(0, 1, value), Kind, /: value/);
      }
    });
  });

  it("with the path inside the key and the value", () => {
    const codec = struct({ src: struct({ port: u16 }) });
    const map = createHost({ seed: 1 }).createMap({
      type,
      name: "flows",
      key: codec,
      value: codec,
      maxEntries: 8,
    });
    const good = { src: { port: 1 } };
    const bad = { src: { port: 70000 } };
    expect(caught(() => map.set(bad, good)).message).toBe(
      'set: map "flows": key.src.port: expected u16 (0..65535), got 70000',
    );
    expect(caught(() => map.set(good, bad)).message).toBe(
      'set: map "flows": value.src.port: expected u16 (0..65535), got 70000',
    );
    const wrong = { src: { port: "1" as never } };
    expect(caught(() => map.lookupMany([good, wrong])).message).toContain("keys[1].src.port");
  });

  it("other arguments of the wrong type or range", () => {
    const map = createHost({ seed: 1 }).createMap({
      type: "rhash",
      name: "flows",
      key: u32,
      value: u32,
      maxEntries: 8,
    });
    map.set(1, 1);
    const check = (operation: string, call: () => unknown, Kind: Kind) => refuses(map, operation, call, Kind);
    check("update", () => map.update(1, 2, "0" as never), TypeError);
    check("update", () => map.update(1, 2, -1), RangeError);
    check("update", () => map.update(1, 2, 0.5), RangeError);
    check("forEach", () => map.forEach(5 as never), TypeError);
    check("grow", () => map.grow("9" as never), TypeError);
    check("grow", () => map.grow(1.5), RangeError);
    check("grow", () => map.grow(2 ** 32), RangeError);
    for (const size of [0, -1, 1.5, Number.NaN]) {
      check("createBatch", () => map.createBatch(size), RangeError);
      check("batches", () => map.batches({ size }), RangeError);
      check("drain", () => map.drain({ size }), RangeError);
    }
    check("createBatch", () => map.createBatch("4" as never), TypeError);
    check("lookupMany", () => map.lookupMany(5 as never), TypeError);
    check("lookupMany", () => map.lookupMany(null as never), TypeError);
    check("lookupMany", () => map.lookupMany(new Set([1]) as never), TypeError);
    check("lookupMany", () => map.lookupMany(new Float64Array(2)), TypeError);
    check("lookupMany", () => map.lookupMany(new Int32Array(2)), TypeError);
    check("lookupMany", () => map.lookupMany(new DataView(new ArrayBuffer(8)) as never), TypeError);
    check("lookupMany", () => map.lookupMany(new Uint8Array(6)), RangeError);
    check("lookupMany", () => map.lookupMany([1, 2], new Uint8Array(7)), RangeError);
    check("lookupMany", () => map.lookupMany([1, 2], new Float32Array(2)), TypeError);
    check("lookupMany", () => map.lookupMany([1, 2], [0, 0] as never), TypeError);
    map.lookupMany([1, 2]);
    check("found", () => map.found(2), RangeError);
    check("found", () => map.found(-1), RangeError);
    const batch = map.createBatch(2);
    check("batch.key", () => batch.key(2), RangeError);
    check("batch.value", () => batch.value(-1), RangeError);
    check("batch.set", () => batch.set(0.5, 1, 1), RangeError);
    for (const count of [3, -1, 0.5]) {
      batch.count = count;
      check("lookupBatch", () => map.lookupBatch(batch), RangeError);
      check("lookupAndDeleteBatch", () => map.lookupAndDeleteBatch(batch), RangeError);
      check("updateBatch", () => map.updateBatch(batch), RangeError);
      check("deleteBatch", () => map.deleteBatch(batch), RangeError);
    }
    batch.count = "1" as never;
    check("updateBatch", () => map.updateBatch(batch), TypeError);
    check("deleteBatch", () => map.deleteBatch(batch), TypeError);
    batch.count = 1;
    batch.elemFlags = "1" as never;
    check("updateBatch", () => map.updateBatch(batch), TypeError);
  });
});
