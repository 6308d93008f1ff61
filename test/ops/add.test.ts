// add and addMany: every integer type, signs, wrapping, the limits of a u53, fields, and what they refuse.
import fc from "fast-check";
import { describe, expect, expectTypeOf, it } from "vitest";
import {
  bytes,
  type Codec,
  createHost,
  cstring,
  f64,
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
import { EVERY_TYPE, HASHES, isPerCpu, openAny, refuses } from "../support/every_type.ts";
import { KEYS } from "../support/samples.ts";
import { bySize } from "../support/size.ts";

const NUMBERS: [Codec<number>, bits: number, signed: boolean][] = [
  [u8, 8, false],
  [u16, 16, false],
  [u32, 32, false],
  [i8, 8, true],
  [i16, 16, true],
  [i32, 32, true],
];
const MAX = Number.MAX_SAFE_INTEGER;

function hash<V>(value: Codec<V>, maxEntries = 100) {
  return createHost({ seed: 1, maxMemory: 1 << 20 }).createMap({
    type: "hash",
    name: "m",
    key: u32,
    value,
    maxEntries,
  });
}

/** A sum as an integer of `bits` bits holds it. */
function wrapped(sum: bigint, bits: number, signed: boolean): bigint {
  return signed ? BigInt.asIntN(bits, sum) : BigInt.asUintN(bits, sum);
}

describe("add", () => {
  it.each(NUMBERS)("wraps as a $name of C", (codec, bits, signed) => {
    const limit = 2 ** 32 - 1;
    const delta = fc.oneof(fc.integer({ min: -limit, max: limit }), fc.integer({ min: -300, max: 300 }));
    const property = fc.property(fc.array(delta, { maxLength: 20 }), (deltas) => {
      const map = hash(codec);
      const many = hash(codec);
      let sum = 0n;
      for (const one of deltas) {
        sum = wrapped(sum + BigInt(one), bits, signed);
        expect(map.add(5, one)).toBe(Number(sum));
        expect(map.get(5)).toBe(Number(sum));
      }
      many.addMany(
        deltas.map(() => 5),
        deltas,
      );
      expect(many.get(5)).toBe(deltas.length === 0 ? undefined : Number(sum));
    });
    fc.assert(property, { numRuns: bySize(10, 100), ...seeded });
  });

  it.each([
    [u64, false],
    [i64, true],
  ] as const)("takes and gives bigints of 64 bits", (codec, signed) => {
    const limit = 2n ** 64n - 1n;
    const delta = fc.oneof(fc.bigInt({ min: -limit, max: limit }), fc.bigInt({ min: -9n, max: 9n }));
    const property = fc.property(fc.array(delta, { maxLength: 20 }), (deltas) => {
      const map = hash(codec);
      const many = hash(codec);
      let sum = 0n;
      for (const one of deltas) {
        sum = wrapped(sum + one, 64, signed);
        expect(map.add(5, one)).toBe(sum);
        expect(map.get(5)).toBe(sum);
      }
      many.addMany(
        deltas.map(() => 5),
        deltas,
      );
      expect(many.get(5)).toBe(deltas.length === 0 ? undefined : sum);
    });
    fc.assert(property, { numRuns: bySize(10, 100), ...seeded });
  });

  it("keeps a u53 within 0..2^53 - 1, or changes nothing", () => {
    const map = hash(u53);
    const refused = (key: number, delta: number) => {
      const before = [...map];
      const error = caught(() => map.add(key, delta));
      expect(error).toBeInstanceOf(RangeError);
      expect(error.message).toBe(
        `add: map "m": value: expected u53 (0..9007199254740991), got a sum beyond it by adding ${delta}`,
      );
      expect([...map]).toEqual(before);
    };
    refused(1, -1);
    expect(map.has(1), "no key is inserted").toBe(false);
    expect(map.add(1, MAX)).toBe(MAX);
    refused(1, 1);
    refused(1, MAX);
    expect(map.add(1, -MAX)).toBe(0);
    refused(1, -1);
    expect(map.add(1, 2 ** 40 + 5)).toBe(2 ** 40 + 5);
    expect(map.add(1, -7)).toBe(2 ** 40 - 2);
    expect(map.add(2, 0)).toBe(0);
    expect(map.has(2)).toBe(true);
  });

  it("refuses a u53 that is beyond 2^53 - 1 in memory already", () => {
    const host = createHost({ seed: 1 });
    const wide = host.createMap({ type: "hash", name: "m", key: u32, value: u64, maxEntries: 8 });
    wide.set(1, 2n ** 53n);
    host.pin("/m", wide);
    const map = host.open("/m", { key: u32, value: u53 });
    expect(() => map.add(1, -5)).toThrow(RangeError);
    expect(wide.get(1)).toBe(2n ** 53n);
  });

  it.each(EVERY_TYPE)("%s: a new value starts with zeros, whatever was in its memory", (type) => {
    const any = openAny(type, 4);
    for (let key = 0; key < 4; key++) any.map.set(key, any.value(0xdead));
    any.map.clear();
    expect(any.map.add(1, 5)).toBe(5);
    expect(any.map.add(1, -2)).toBe(3);
    const zeros = [3, 0, 0];
    expect(any.map.get(1)).toEqual(isPerCpu(type) ? zeros : 3);
  });

  it("counts under keys of every kind", () => {
    for (const type of HASHES) {
      for (const [key, make] of KEYS) {
        const map = createHost({ seed: 2, cpus: 2, maxMemory: 1 << 20 }).createMap({
          type: type as "hash",
          key,
          value: u32,
          maxEntries: 40,
        });
        const numbers = Array.from({ length: 40 }, (_, n) => n);
        const keys = numbers.map(make);
        for (let round = 1; round < 4; round++) {
          const counted = keys.map((one, n) => map.add(one, n));
          expect(counted, key.name).toEqual(numbers.map((n) => round * n));
        }
        map.addMany(
          keys,
          keys.map((_, n) => -n),
        );
        expect(
          keys.map((one) => map.add(one, 0)),
          key.name,
        ).toEqual(numbers.map((n) => 2 * n));
      }
    }
  });

  it("is E2BIG on a full map for a new key only", () => {
    for (const type of EVERY_TYPE.filter(refuses)) {
      const { map } = openAny(type, 2);
      map.add(0, 1);
      map.add(1, 1);
      expect(map.add(1, 1)).toBe(2);
      expect(expectErrno(() => map.add(2, 1), "E2BIG").syscall).toBe("map_update_elem");
      expect(map.size).toBe(2);
    }
  });

  it("grows an rhash and the memory under it", () => {
    const value = struct({ n: u32, rest: bytes(100) });
    const map = createHost({ seed: 1 }).createMap({ type: "rhash", key: u32, value, maxEntries: 50_000 });
    for (let key = 0; key < 50_000; key++) map.add(key, key, { field: "n" });
    for (let key = 0; key < 50_000; key += 777) {
      expect(map.get(key)).toEqual({ n: key, rest: new Uint8Array(100) });
    }
  });

  it("is seen by iterators that have fetched the entry", () => {
    for (const type of EVERY_TYPE) {
      const any = openAny(type, 3);
      for (const key of [0, 1, 2]) any.map.add(key, 1);
      const iterator = any.map.values();
      iterator.next();
      for (const key of [0, 1, 2]) any.map.add(key, 1);
      expect([...iterator].map(any.count)).toEqual([2, 2]);
    }
  });
});

describe("a field of a struct", () => {
  const flow = struct({ lock: spinLock, flags: u8, packets: u16, bytes: u53, seen: u64, name: cstring(4) });
  const zero = { flags: 0, packets: 0, bytes: 0, seen: 0n, name: "" };

  it("is added to alone", () => {
    const map = hash(flow);
    expect(map.add(1, 70_000, { field: "packets" })).toBe(70_000 - 65_536);
    expect(map.add(1, 1500, { field: "bytes" })).toBe(1500);
    expect(map.add(1, -3n, { field: "seen" })).toBe(2n ** 64n - 3n);
    map.addMany([1, 2], [200, 100], { field: "flags" });
    map.addMany([1, 1], BigInt64Array.of(1n, 2n), { field: "seen" });
    expect(map.get(1)).toEqual({ flags: 200, packets: 4464, bytes: 1500, seen: 0n, name: "" });
    expect(map.get(2)).toEqual({ ...zero, flags: 100 });
  });

  it("of a u53 is checked, and named", () => {
    const map = hash(flow);
    const error = caught(() => map.add(1, -1, { field: "bytes" }));
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).toMatch(/^add: map "m": value\.bytes: expected u53/);
    expect(map.size).toBe(0);
  });

  it("must be one, and an integer", () => {
    const map = hash(flow);
    for (const call of ["add", "addMany"] as const) {
      const run = (options: unknown) =>
        caught(() =>
          call === "add"
            ? map.add(1, 1, options as { field: "packets" })
            : map.addMany([1], [1], options as { field: "packets" }),
        );
      for (const options of [
        { field: "ports" },
        { field: "lock" },
        { field: 1 },
        {},
        { field: "toString" },
        null,
        "bytes",
      ]) {
        expect(run(options)).toBeInstanceOf(TypeError);
        expect(run(options).message).toMatch(new RegExp(`^${call}: map "m": `));
      }
      expect(run({ field: "name" }).message).toBe(
        `${call}: map "m": field: expected an integer, .name is cstring(4)`,
      );
      expect(run(undefined).message).toContain('name one of its fields: { field: "..." }');
    }
    for (const value of [f64, bytes(4)] as Codec<unknown>[]) {
      expect(caught(() => hash(value).add(1, 1)).message).toContain(
        `expected values that are integers, they are ${value.name}`,
      );
      expect(caught(() => hash(value).add(1, 1 as never, { field: "x" as never })).message).toContain(
        value.name,
      );
    }
    expect(map.size).toBe(0);
  });
});

describe("deltas", () => {
  it.each([
    ...NUMBERS.map(
      ([codec]) =>
        [
          codec as Codec<unknown>,
          [0.5, Number.NaN, 2 ** 32, -(2 ** 32), Infinity],
          [1n, "1", null, undefined],
        ] as const,
    ),
    [u53, [0.5, 2 ** 53, -(2 ** 53), Number.NaN], [1n, "1", {}]] as const,
    [u64, [2n ** 64n, -(2n ** 64n)], [1, "1", null]] as const,
    [i64, [2n ** 64n, -(2n ** 64n)], [1, "1", null]] as const,
  ])("of $name are checked before anything is written", (codec, ranges, types) => {
    const map = hash(codec as Codec<number>);
    const one = (codec === u64 || codec === i64 ? 1n : 1) as number;
    for (const [wrongs, Kind] of [
      [ranges, RangeError],
      [types, TypeError],
    ] as const) {
      for (const wrong of wrongs) {
        const single = caught(() => map.add(1, wrong as number));
        expect(single, String(single)).toBeInstanceOf(Kind);
        expect(single.message).toMatch(/^add: map "m": delta: expected an integer -\d+\.\.\d+/);
        const many = caught(() => map.addMany([1, 2, 3], [one, one, wrong as number]));
        expect(many, String(many)).toBeInstanceOf(Kind);
        expect(many.message).toMatch(/^addMany: map "m": deltas\[2\]: expected an integer/);
      }
    }
    expect(map.size).toBe(0);
    expect(map.add(1, one)).toBe(one);
  });
});

describe("addMany", () => {
  it("takes keys and deltas in every form", () => {
    const map = hash(u32);
    const keys = [1, 2, 1];
    for (const [round, deltas] of [
      [1, 2, 3],
      Uint32Array.of(1, 2, 3),
      Int32Array.of(1, 2, 3),
      Uint8Array.of(1, 2, 3),
      Int8Array.of(1, 2, 3),
      Uint16Array.of(1, 2, 3),
      Float64Array.of(1, 2, 3),
      Float32Array.of(1, 2, 3),
    ].entries()) {
      map.addMany(round % 2 ? keys : Uint32Array.from(keys), deltas);
      expect([map.get(1), map.get(2)]).toEqual([4 * (round + 1), 2 * (round + 1)]);
    }
    map.addMany(new Uint8Array(Uint32Array.from(keys).buffer), Int32Array.of(-1, -2, -3));
    expect([map.get(1), map.get(2)]).toEqual([28, 14]);
    map.addMany([], []);
    expect(map.size).toBe(2);
  });

  it("takes them from host memory, also when it grows meanwhile", () => {
    const host = createHost({ seed: 1 });
    const map = host.createMap({
      type: "rhash",
      key: u32,
      value: struct({ n: u32, rest: bytes(60) }),
      maxEntries: 100_000,
    });
    const source = host.createMap({ type: "hash", key: u32, value: u32, maxEntries: 1 });
    const batch = source.createBatch(30_000);
    const keys = new Uint32Array(batch.keys.buffer, batch.keys.byteOffset, 30_000);
    const deltas = new Uint32Array(batch.values.buffer, batch.values.byteOffset, 30_000);
    for (let i = 0; i < 30_000; i++) {
      keys[i] = i;
      deltas[i] = i * 2;
    }
    map.addMany(keys, deltas, { field: "n" });
    expect(keys.length, "the memory has grown").toBe(0);
    for (let i = 0; i < 30_000; i += 1001) expect(map.get(i)?.n).toBe(i * 2);
    expect(map.size).toBe(30_000);
  });

  it("checks every key before the first delta is added, in calls of several groups, too", () => {
    const map = hash(u32, 20_000);
    const keys: unknown[] = Array.from({ length: 10_000 }, (_, i) => i);
    keys[9_999] = -1;
    const error = caught(() => map.addMany(keys as number[], new Uint32Array(10_000)));
    expect(error.message).toBe('addMany: map "m": keys[9999]: expected u32 (0..4294967295), got -1');
    expect(map.size).toBe(0);
    keys[9_999] = 0;
    map.addMany(keys as number[], new Array(10_000).fill(1));
    expect([map.size, map.get(0), map.get(4096), map.get(9_998)]).toEqual([9_999, 2, 1, 1]);
  });

  it("says how far it got when the map is full, in calls of several groups, too", () => {
    for (const type of EVERY_TYPE.filter(refuses)) {
      const { map, count } = openAny(type, 5000);
      const keys = Uint32Array.from({ length: 6000 }, (_, i) => i);
      const error = expectErrno(() => map.addMany(keys, new Uint32Array(6000).fill(3)), "E2BIG");
      expect([error.count, error.syscall, map.size]).toEqual([5000, "map_update_batch", 5000]);
      expect([count(map.get(0)), count(map.get(4999)), map.get(5000)]).toEqual([3, 3, undefined]);
    }
  });

  it("refuses arrays of the wrong kind or length", () => {
    const map = hash(u32);
    const check = (call: () => unknown, Kind: typeof TypeError | typeof RangeError) => {
      const error = caught(call);
      expect(error, String(error)).toBeInstanceOf(Kind);
      expect(error.message).toMatch(/^addMany: map "m": (keys|deltas)/);
    };
    check(() => map.addMany([1, 2], [1]), RangeError);
    check(() => map.addMany([1], new Uint32Array(2)), RangeError);
    check(() => map.addMany(new Uint8Array(5), [1]), RangeError);
    check(() => map.addMany(new Float64Array(1), [1]), TypeError);
    check(() => map.addMany(5 as never, [1]), TypeError);
    check(() => map.addMany([1], 1 as never), TypeError);
    check(() => map.addMany([1], "1" as never), TypeError);
    check(() => map.addMany([1], new DataView(new ArrayBuffer(1)) as never), TypeError);
    check(() => map.addMany([1], BigInt64Array.of(1n) as never), TypeError);
    check(() => hash(u64).addMany([1], Int32Array.of(1) as never), TypeError);
    expect(map.size).toBe(0);
  });

  it("wraps a u53 modulo 2^64, and reading tells", () => {
    const map = hash(u53);
    map.addMany([1, 2], [-1, 2 ** 40 + 1]);
    expect(() => map.get(1)).toThrow(RangeError);
    expect(map.get(2)).toBe(2 ** 40 + 1);
    map.addMany([1, 2], [6, -(2 ** 40)]);
    expect([map.get(1), map.get(2)]).toEqual([5, 1]);
  });
});

it("types follow from the value", () => {
  const numbers = hash(u32);
  expectTypeOf(numbers.add(1, 1)).toEqualTypeOf<number>();
  // @ts-expect-error a bigint for a number
  expect(() => numbers.add(1, 1n)).toThrow(TypeError);
  const big = hash(i64);
  expectTypeOf(big.add(1, 1n)).toEqualTypeOf<bigint>();
  // @ts-expect-error a number for a bigint
  expect(() => big.add(1, 1)).toThrow(TypeError);
  // @ts-expect-error numbers for bigints
  expect(() => big.addMany([1], [1])).toThrow(TypeError);
  const flows = hash(struct({ packets: u32, bytes: u64, name: cstring(4) }));
  expectTypeOf(flows.add(1, 1, { field: "packets" })).toEqualTypeOf<number>();
  expectTypeOf(flows.add(1, 1n, { field: "bytes" })).toEqualTypeOf<bigint>();
  // @ts-expect-error a number for a field of bigints
  expect(() => flows.add(1, 1, { field: "bytes" })).toThrow(TypeError);
  // @ts-expect-error a field that is no integer
  expect(() => flows.add(1, 1, { field: "name" })).toThrow(TypeError);
  // @ts-expect-error a struct without a field
  expect(() => flows.add(1, 1)).toThrow(TypeError);
  // @ts-expect-error no integer
  expect(() => hash(bytes(4)).add(1, 1)).toThrow(TypeError);
});
