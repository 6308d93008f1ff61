// Maps with 4-byte keys and values of one number: the core reads and writes the number itself (assembly/maps/number.ts), and must
// take, refuse and give exactly what the codec does.
import { describe, expect, it } from "vitest";
import {
  type Codec,
  createHost,
  f32,
  f64,
  type HashMap,
  i8,
  i16,
  i32,
  struct,
  u8,
  u16,
  u32,
  u53,
} from "../../src/index.ts";

const CODECS: Record<string, Codec<number>> = { u8, u16, u32, u53, i8, i16, i32, f32, f64 };

/** What the core gives for an absent key. */
const ABSENT = -2.2250738585072014e-308;

const NUMBERS = [
  ...[0, -0, 1, -1, 0.5, -0.5, 1e300, -1e300, 5e-324, ABSENT, -ABSENT, ABSENT / 2],
  ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  ...[7, 8, 15, 16, 31, 32, 52, 53, 63, 64].flatMap((bits) =>
    [-1, 1].flatMap((sign) => [-1, -0.5, 0, 0.5, 1].map((step) => sign * 2 ** bits + step)),
  ),
  ...[3.4028234663852886e38, 3.4028235677973366e38, 3.402823669209385e38, 1e39].flatMap((x) => [x, -x]),
];

/** A map whose value is a struct of the one field: it goes through the codec. */
function viaCodec(codec: Codec<number>): (value: number) => number {
  const value = struct({ x: codec });
  const map = createHost({ seed: 1 }).createMap({ type: "rhash", key: u32, value, maxEntries: 8 });
  return (x) => map.set(1, { x }).get(1)?.x as number;
}

/** The number that a call gives, or the kind of error that it throws. */
function outcome(call: () => number | undefined): unknown {
  try {
    return call();
  } catch (error) {
    return (error as Error).constructor;
  }
}

describe.each(Object.entries(CODECS))("%s values", (_name, codec) => {
  it("are what the codec makes of them, and are refused where it refuses them", () => {
    const map = createHost({ seed: 1 }).createMap({ type: "rhash", key: u32, value: codec, maxEntries: 8 });
    const expected = viaCodec(codec);
    for (const value of NUMBERS) {
      map.clear();
      const want = outcome(() => expected(value));
      expect(
        outcome(() => map.set(3, value).get(3)),
        String(value),
      ).toStrictEqual(want);
      expect(map.size, String(value)).toBe(typeof want === "number" ? 1 : 0);
      // Once more: over the entry that is there.
      expect(
        outcome(() => map.set(3, value).get(3)),
        String(value),
      ).toStrictEqual(want);
    }
  });

  it.each(["1", 1n, null, undefined, {}, true])("of type %o are a TypeError", (value) => {
    const map = createHost({ seed: 1 }).createMap({ type: "hash", key: u32, value: codec, maxEntries: 8 });
    expect(() => map.set(1, value as never)).toThrow(TypeError);
    expect(map.size).toBe(0);
  });
});

describe("a value that means absent to the core", () => {
  it("is found like any other, and an absent key is not", () => {
    const map = createHost({ seed: 1 }).createMap({ type: "rhash", key: u32, value: f64, maxEntries: 8 });
    map.set(1, ABSENT);
    expect([map.get(1), map.has(1), map.get(2), map.has(2)]).toEqual([ABSENT, true, undefined, false]);
  });
});

describe("growing memory", () => {
  it("replaces the views as soon as a set has grown it", () => {
    const host = createHost({ seed: 1 });
    const map: HashMap<number, number> = host.createMap({
      type: "rhash",
      key: u32,
      value: u32,
      maxEntries: 2 ** 20,
    });
    let grown = 0;
    for (let key = 0; key < 200_000; key++) {
      const { u8 } = host;
      map.set(key, key);
      if (host.u8 !== u8) grown++;
      if (host.u8.length === 0) throw new Error(`the view is detached after ${key}`);
    }
    expect(grown).toBeGreaterThan(1);
    expect(map.get(199_999)).toBe(199_999);
  });
});
