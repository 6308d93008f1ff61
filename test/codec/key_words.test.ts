// Keys as words: the words are the bytes that the codec writes, and what the codec refuses is not taken.
import fc from "fast-check";
import { expect, it } from "vitest";
import { keyWordsOf } from "../../src/codec/words.ts";
import { bytes, type Codec, createHost, i8, i16, i32, struct, u8, u16, u32, u53 } from "../../src/index.ts";
import { bySize } from "../support/size.ts";
import { seeded } from "./codec_layouts.ts";

const view = new DataView(new ArrayBuffer(16));

/** What the codec writes, as i32; undefined when it refuses. */
function written(codec: Codec<never>, key: unknown): number[] | undefined {
  new Uint8Array(view.buffer).fill(0);
  try {
    codec.encode(key as never, view, 0);
  } catch {
    return undefined;
  }
  return [0, 4, 8, 12].map((at) => view.getInt32(at, true));
}

const LAYOUTS = [
  struct({ a: u32, b: u32 }),
  struct({ a: u16, b: i8, c: u8, d: i32 }),
  struct({ a: u8, b: u32 }),
  struct({ a: i16, b: u8 }),
  struct({ a: i32 }),
  struct({ a: i8, b: i8, c: u16, d: i16, e: u16 }),
  struct({ a: u32, b: u32, c: u32, d: u32 }),
  struct({ a: u32, b: u32, c: u16, d: i16 }),
  struct({ a: u16, b: i8, c: u32, d: i32, e: u8 }),
  bytes(4),
  bytes(8),
  bytes(6),
  bytes(9),
  bytes(13),
  bytes(16),
].map((codec) => codec as unknown as Codec<never>);

const number = fc.oneof(
  fc.integer({ min: -3, max: 300 }),
  fc.constantFrom(
    65_535,
    65_536,
    -32_768,
    2 ** 31 - 1,
    2 ** 31,
    -(2 ** 31),
    2 ** 32 - 1,
    2 ** 32,
    0.5,
    -0,
    Number.NaN,
  ),
);
const member = fc.oneof({ weight: 20, arbitrary: number }, fc.constantFrom("1", 1n, undefined, null, {}));
const object = fc
  .oneof({ weight: 5, arbitrary: fc.array(member, { minLength: 1, maxLength: 5 }) }, fc.constantFrom([]))
  .map((values) => Object.fromEntries(values.map((value, i) => ["abcde"[i], value])));
const key = fc.oneof(
  { weight: 5, arbitrary: object },
  fc.uint8Array({ minLength: 3, maxLength: 17 }),
  fc.uint16Array({ minLength: 3, maxLength: 4 }),
  fc.array(number, { minLength: 1, maxLength: 8 }),
  fc.constantFrom(null, undefined, 5, "abcd"),
);

it("the words are the bytes of the codec, and what it refuses is left to it", () => {
  let taken = 0;
  fc.assert(
    fc.property(fc.constantFrom(...LAYOUTS), key, (codec, value) => {
      const words = keyWordsOf(codec);
      if (words === undefined) throw new Error(`${codec.name} has no words`);
      if (!words.take(value)) return;
      taken++;
      const { first, second, third, fourth } = words;
      const all = codec.size > 8 ? [first, second, third, fourth] : [first, second, 0, 0];
      expect(all).toEqual(written(codec, value));
    }),
    { ...seeded, numRuns: bySize(3000, 300_000) },
  );
  expect(taken).toBeGreaterThan(bySize(30, 3000));
});

it("takes what is written in order, and nothing else", () => {
  const pair = keyWordsOf(struct({ a: u32, b: u32 }) as Codec<unknown>);
  expect(pair?.take({ a: 1, b: 2 ** 32 - 1 })).toBe(true);
  expect([pair?.first, pair?.second]).toEqual([1, -1]);
  const array = Object.assign([], { a: 1, b: 2 });
  for (const other of [{ b: 1, a: 1 }, { a: 1 }, { a: 1, b: 1, c: 1 }, {}, { a: 1, b: -1 }, array]) {
    expect(pair?.take(other)).toBe(false);
  }
  const short = keyWordsOf(bytes(8));
  const liar = Object.defineProperty(new Uint8Array(4), "length", { value: 8 });
  expect(short?.take(liar)).toBe(false);
  for (const codec of [u32, bytes(17), struct({ a: u53 }), struct({ a: u32, b: struct({ c: u32 }) })]) {
    expect(keyWordsOf(codec as Codec<unknown>)).toBeUndefined();
  }
  const own = { ...bytes(8), encode: () => {} };
  expect(keyWordsOf(own)).toBeUndefined();
});

it("keys of more than 8 bytes find what was set, whatever was in the scratch", () => {
  for (const shared of [false, true]) {
    const host = createHost({ seed: 1, shared, cpus: 1, maxMemory: 1 << 22 });
    const nine = host.createMap({ type: "rhash", key: bytes(9), value: u32, maxEntries: 9 });
    const flow = struct({ from: u32, to: u32, port: u16 });
    const flows = host.createMap({ type: "rhash", key: flow, value: struct({ n: u32 }), maxEntries: 9 });
    const keys = [1, 2, 3].map((n) => new Uint8Array(9).fill(n));
    keys.forEach((key, n) => {
      nine.set(key, n);
      flows.set({ from: n, to: 2 ** 32 - 1, port: 65_535 }, { n });
    });
    expect(keys.map((key) => nine.get(key))).toEqual([0, 1, 2]);
    expect([...nine.keys()].map((key) => key[8]).sort()).toEqual([1, 2, 3]);
    for (const n of [0, 1, 2]) {
      expect(flows.get({ from: n, to: 2 ** 32 - 1, port: 65_535 })).toEqual({ n });
      expect(flows.has({ from: n, to: 2 ** 32 - 1, port: 65_534 })).toBe(false);
    }
    expect(() => flows.set({ from: 1, to: 2, port: 65_536 }, { n: 1 })).toThrow(RangeError);
    expect(host.verify()).toEqual([]);
    host.close();
  }
});

it("a getter of a key may use the map", () => {
  for (const shared of [false, true]) {
    const map = createHost({ seed: 1, shared, cpus: 1, maxMemory: 1 << 22 }).createMap({
      type: "rhash",
      key: struct({ a: u32, b: u32 }),
      value: u32,
      maxEntries: 9,
    });
    map.set({ a: 1, b: 2 }, 12).set({ a: 3, b: 4 }, 34);
    const key = {
      a: 1,
      get b() {
        expect(map.get({ a: 3, b: 4 })).toBe(34);
        return 2;
      },
    };
    expect(map.get(key)).toBe(12);
    expect(map.get({ b: 2, a: 1 })).toBe(12);
    const closing = {
      a: 1,
      get b() {
        map.close();
        return 2;
      },
    };
    expect(() => map.get(closing)).toThrow(/EBUSY/);
  }
});
