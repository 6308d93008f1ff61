import { runInNewContext } from "node:vm";
import { describe, expect, expectTypeOf, it } from "vitest";
import {
  array,
  bytes,
  type Codec,
  cstring,
  f32,
  f64,
  type Infer,
  i8,
  i16,
  i32,
  i64,
  Scalar,
  spinLock,
  struct,
  u8,
  u16,
  u32,
  u53,
  u64,
} from "../../src/codec/index.ts";

/** The bytes that a codec writes, in memory that held 0xff before, and with guard bytes around. */
function encode<T>(codec: Codec<T>, value: T): number[] {
  const memory = new Uint8Array(codec.size + 16).fill(0xff);
  codec.encode(value, new DataView(memory.buffer), 8);
  expect([...memory.subarray(0, 8), ...memory.subarray(8 + codec.size)]).toEqual(new Array(16).fill(0xff));
  return [...memory.subarray(8, 8 + codec.size)];
}

function decode<T>(codec: Codec<T>, from: number[]): T {
  // Starts at 1: no layout may rely on where its memory begins.
  return codec.decode(new DataView(Uint8Array.of(0xee, ...from, 0xee).buffer, 1), 0);
}

/** Encodes what the types forbid, as JavaScript callers do, and returns the error. */
function refusal(codec: Codec<unknown>, value: unknown): { kind: string; message: string } {
  try {
    codec.encode(value, new DataView(new ArrayBuffer(codec.size)), 0);
  } catch (error) {
    if (error instanceof Error) return { kind: error.name, message: error.message };
  }
  throw new Error(`${codec.name} took ${String(value)}`);
}

const typeError = (message: string) => ({ kind: "TypeError", message });
const rangeError = (message: string) => ({ kind: "RangeError", message });

/** What JavaScript's `+` or `&` would turn into a number without a word. */
const NOT_NUMBERS: unknown[] = [
  undefined,
  null,
  "1",
  "",
  true,
  false,
  1n,
  [1],
  {},
  { valueOf: () => 1 },
  Symbol("1"),
  () => 1,
];

describe("integers", () => {
  const cases = [
    { codec: u8, kind: Scalar.U8, size: 1, min: 0, max: 0xff },
    { codec: u16, kind: Scalar.U16, size: 2, min: 0, max: 0xffff },
    { codec: u32, kind: Scalar.U32, size: 4, min: 0, max: 0xffff_ffff },
    { codec: i8, kind: Scalar.I8, size: 1, min: -0x80, max: 0x7f },
    { codec: i16, kind: Scalar.I16, size: 2, min: -0x8000, max: 0x7fff },
    { codec: i32, kind: Scalar.I32, size: 4, min: -0x8000_0000, max: 0x7fff_ffff },
    { codec: u53, kind: Scalar.U53, size: 8, min: 0, max: Number.MAX_SAFE_INTEGER },
  ];
  it.each(cases)("$codec.name takes $min..$max and nothing else", ({ codec, kind, size, min, max }) => {
    expect(codec).toMatchObject({ size, align: size, scalar: kind });
    const middle = Math.floor((min + max) / 2);
    for (const value of [min, min + 1, -1, 0, 1, middle, max - 1, max].filter((n) => n >= min && n <= max)) {
      const expected = Array.from({ length: size }, (_, i) =>
        Number((BigInt(value) >> BigInt(8 * i)) & 0xffn),
      );
      expect(encode(codec, value)).toEqual(expected);
      expect(decode(codec, expected)).toBe(value);
    }
    expect(encode(codec, -0)).toEqual(new Array(size).fill(0));
    const expected = `expected ${codec.name} (${min}..${max}), got`;
    for (const value of [
      min - 1,
      max + 1,
      -(2 ** 53),
      2 ** 53,
      2 ** 64,
      0.5,
      1e-9,
      max - 0.5,
      NaN,
      Infinity,
      -Infinity,
    ]) {
      if (Number.isInteger(value) && value >= min && value <= max) continue;
      if (codec === u53 && value === max - 0.5) continue; // not representable: rounds to an integer
      expect(refusal(codec, value)).toEqual(rangeError(`${expected} ${value}`));
    }
    for (const value of NOT_NUMBERS) {
      expect(refusal(codec, value)).toMatchObject({
        kind: "TypeError",
        message: expect.stringContaining(expected),
      });
    }
  });

  it("says what it got", () => {
    const got = (value: unknown) => refusal(u8, value).message.replace(/^.*got /, "");
    expect(got("80")).toBe('string "80"');
    expect(got("x".repeat(50))).toBe(`string "${"x".repeat(40)}..."`);
    expect(got(5n)).toBe("bigint 5n");
    expect(got(true)).toBe("boolean true");
    expect(got(null)).toBe("null");
    expect(got(undefined)).toBe("undefined");
    expect(got([1, 2])).toBe("Array of 2");
    expect(got(Uint8Array.of(1))).toBe("Uint8Array of 1");
    expect(got(new Map())).toBe("Map");
    expect(got({})).toBe("Object");
    expect(got(Symbol("x"))).toBe("symbol");
    expect(got(() => 1)).toBe("function");
  });

  it("u53 refuses to read what a number cannot hold", () => {
    expect(decode(u53, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f, 0])).toBe(2 ** 53 - 1);
    expect(() => decode(u53, [0, 0, 0, 0, 0, 0, 0x20, 0])).toThrow(
      new RangeError("expected u53 (0..9007199254740991), got 9007199254740992 in memory (u64 reads it)"),
    );
    expect(() => decode(array(struct({ n: u53 }), 1), new Array(8).fill(0xff))).toThrow(
      /^\[0\]\.n: expected u53 .*got 18446744073709551615/,
    );
  });
});

describe("64-bit integers", () => {
  it.each([
    { codec: u64, kind: Scalar.U64, min: 0n, max: 2n ** 64n - 1n },
    { codec: i64, kind: Scalar.I64, min: -(2n ** 63n), max: 2n ** 63n - 1n },
  ])("$codec.name takes bigints $min..$max and nothing else", ({ codec, kind, min, max }) => {
    expect(codec).toMatchObject({ size: 8, align: 8, scalar: kind });
    for (const value of [min, min + 1n, 0n, 1n, 0x0123_4567_89ab_cdefn, max - 1n, max]) {
      const expected = Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
      expect(encode(codec, value)).toEqual(expected);
      expect(decode(codec, expected)).toBe(value);
    }
    const expected = `expected ${codec.name} (bigint ${min}..${max}), got`;
    for (const value of [min - 1n, max + 1n, 2n ** 200n]) {
      expect(refusal(codec, value)).toEqual(rangeError(`${expected} ${value}n`));
    }
    expect(refusal(codec, 5)).toEqual(typeError(`${expected} number 5`));
    for (const value of [0, -1, NaN, ...NOT_NUMBERS.filter((x) => typeof x !== "bigint")]) {
      expect(refusal(codec, value).kind).toBe("TypeError");
    }
  });
});

describe("floats", () => {
  it("f64 keeps every number", () => {
    expect(f64).toMatchObject({ size: 8, align: 8, scalar: Scalar.F64 });
    for (const value of [0, -0, 1.5, Math.PI, Number.MAX_VALUE, Number.MIN_VALUE, Infinity, -Infinity, NaN]) {
      expect(decode(f64, encode(f64, value))).toBe(value);
    }
    expect(encode(f64, 1)).toEqual([0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
    for (const value of NOT_NUMBERS) expect(refusal(f64, value).kind).toBe("TypeError");
  });

  it("f32 rounds, but never a finite number to infinity", () => {
    expect(f32).toMatchObject({ size: 4, align: 4, scalar: Scalar.F32 });
    const max = 3.4028234663852886e38;
    for (const value of [0, -0, 1.5, max, -max, 2 ** -149, Infinity, -Infinity, NaN]) {
      expect(decode(f32, encode(f32, value))).toBe(value);
    }
    expect(encode(f32, 1)).toEqual([0, 0, 0x80, 0x3f]);
    expect(decode(f32, encode(f32, 0.1))).toBe(Math.fround(0.1));
    expect(decode(f32, encode(f32, max + 2 ** 102))).toBe(max); // less than half a step beyond: rounds down
    const expected = "expected f32 (a number up to 3.4028234663852886e+38, Infinity or NaN), got";
    for (const value of [max + 2 ** 103, -(max + 2 ** 103), 1e39, Number.MAX_VALUE]) {
      expect(refusal(f32, value)).toEqual(rangeError(`${expected} ${value}`));
    }
    for (const value of NOT_NUMBERS) expect(refusal(f32, value).kind).toBe("TypeError");
  });
});

describe("bytes", () => {
  const four = bytes(4);
  it("copies both ways", () => {
    expect(four).toMatchObject({ name: "bytes(4)", size: 4, align: 1, scalar: Scalar.NONE });
    const value = Uint8Array.of(1, 2, 3, 255);
    expect(encode(four, value)).toEqual([1, 2, 3, 255]);
    expect(encode(four, Buffer.from(value))).toEqual([1, 2, 3, 255]);
    expect(encode(four, new Uint8Array(Uint8Array.of(9, 1, 2, 3, 4, 9).buffer, 1, 4))).toEqual([1, 2, 3, 4]);
    expect(encode(four, runInNewContext("Uint8Array.of(5, 6, 7, 8)"))).toEqual([5, 6, 7, 8]);

    const memory = new Uint8Array(8);
    const view = new DataView(memory.buffer);
    four.encode(value, view, 2);
    const read = four.decode(view, 2);
    expect(read).toStrictEqual(value);
    memory.fill(0);
    expect(read).toStrictEqual(value);
  });

  it("refuses other types and lengths", () => {
    expect(refusal(four, new Uint8Array(3))).toEqual(
      rangeError("expected bytes(4) (exactly 4 bytes), got 3 bytes"),
    );
    expect(refusal(four, new Uint8Array(5)).kind).toBe("RangeError");
    expect(refusal(four, [1, 2, 3, 4])).toEqual(
      typeError("expected bytes(4) (a Uint8Array), got Array of 4"),
    );
    const others = [new Int8Array(4), new Uint8ClampedArray(4), new Uint32Array(1), new ArrayBuffer(4)];
    for (const value of [...others, new DataView(new ArrayBuffer(4)), "abcd", null, undefined, 4]) {
      expect(refusal(four, value).kind).toBe("TypeError");
    }
  });

  it("never reads or writes outside the view", () => {
    const view = new DataView(new ArrayBuffer(16), 4, 6);
    expect(() => four.decode(view, 3)).toThrow(RangeError);
    expect(() => four.encode(new Uint8Array(4), view, 3)).toThrow(RangeError);
    expect(four.decode(view, 2)).toStrictEqual(new Uint8Array(4));
  });

  it("works over shared memory and returns memory of its own", () => {
    const view = new DataView(new SharedArrayBuffer(32));
    four.encode(Uint8Array.of(1, 2, 3, 4), view, 8);
    const read = four.decode(view, 8);
    expect(read).toStrictEqual(Uint8Array.of(1, 2, 3, 4));
    expect(read.buffer).toBeInstanceOf(ArrayBuffer);
    cstring(16).encode("é", view, 8);
    expect(cstring(16).decode(view, 8)).toBe("é");
  });
});

describe("cstring", () => {
  const eight = cstring(8);
  it("writes UTF-8, a NUL and zeros", () => {
    expect(eight).toMatchObject({ name: "cstring(8)", size: 8, align: 1, scalar: Scalar.NONE });
    expect(encode(eight, "abc")).toEqual([97, 98, 99, 0, 0, 0, 0, 0]);
    expect(encode(cstring(1), "")).toEqual([0]);
    for (const text of [
      "",
      "a",
      "1234567",
      "ééé",
      "€€",
      "😀abc",
      "\u{10ffff}",
      "\u007f\u0080\u07ff",
      "\u0800\uffff",
      "\ufeffx",
    ]) {
      const utf8 = [...Buffer.from(text)];
      expect(encode(eight, text)).toEqual([...utf8, ...new Array(8 - utf8.length).fill(0)]);
      expect(decode(eight, encode(eight, text))).toBe(text);
    }
  });

  it("refuses what does not fit instead of cutting it", () => {
    const expected = "expected cstring(8) (at most 7 bytes of UTF-8), got";
    expect(refusal(eight, "12345678")).toEqual(rangeError(`${expected} 8 bytes`));
    // The first 7 bytes end inside a sequence of 2, 3 and 4 bytes.
    expect(refusal(eight, "123456é")).toEqual(rangeError(`${expected} 8 bytes`));
    expect(refusal(eight, "12345€")).toEqual(rangeError(`${expected} 8 bytes`));
    expect(refusal(eight, "1234😀")).toEqual(rangeError(`${expected} 8 bytes`));
    expect(refusal(cstring(1), "a").kind).toBe("RangeError");
  });

  it("refuses text that would not come back the same", () => {
    expect(refusal(eight, "ab\0c")).toEqual(
      rangeError("expected cstring(8) (text without NUL), got NUL at index 2"),
    );
    for (const text of ["\ud800", "a\udc00", "\ude00\ud83d", "\ud83dx"]) {
      expect(refusal(eight, text)).toMatchObject({
        kind: "RangeError",
        message: expect.stringContaining(
          "expected cstring(8) (Unicode text), got a lone surrogate in string ",
        ),
      });
    }
    expect(refusal(eight, 5)).toEqual(typeError("expected cstring(8) (a string), got number 5"));
    for (const value of [null, undefined, new String("a"), new Uint8Array(8), ["a"]]) {
      expect(refusal(eight, value).kind).toBe("TypeError");
    }
  });

  it("reads to the first NUL, or to the end", () => {
    expect(decode(eight, [97, 0, 98, 99, 0, 0, 0, 0])).toBe("a");
    expect(decode(eight, [97, 98, 99, 100, 101, 102, 103, 104])).toBe("abcdefgh");
    expect(decode(eight, [97, 0xe2, 0x82, 0, 0, 0, 0, 0])).toBe("a\ufffd");
    expect(decode(eight, [98, 0, 0, 0, 0, 0, 0, 0])).toBe("b"); // nothing left over from the reads before
  });
});

describe("types", () => {
  it("follow from the codecs", () => {
    expectTypeOf<Infer<typeof u32>>().toEqualTypeOf<number>();
    expectTypeOf<Infer<typeof u53>>().toEqualTypeOf<number>();
    expectTypeOf<Infer<typeof u64>>().toEqualTypeOf<bigint>();
    const buffer = bytes(4);
    const text = cstring(4);
    expectTypeOf<Infer<typeof buffer>>().toEqualTypeOf<Uint8Array>();
    expectTypeOf<Infer<typeof text>>().toEqualTypeOf<string>();
    const grid = array(array(u16, 2), 3);
    expectTypeOf<Infer<typeof grid>>().toEqualTypeOf<number[][]>();
    const port = struct({ port: u16, name: text });
    const value = struct({ lock: spinLock, src: port, seen: array(port, 2), total: u64, raw: buffer });
    interface Port {
      port: number;
      name: string;
    }
    expectTypeOf<Infer<typeof value>>().branded.toEqualTypeOf<{
      src: Port;
      seen: Port[];
      total: bigint;
      raw: Uint8Array;
    }>();
    expectTypeOf<keyof Infer<typeof value>>().toEqualTypeOf<"src" | "seen" | "total" | "raw">();
    expectTypeOf<keyof (typeof value)["offsets"]>().toEqualTypeOf<
      "lock" | "src" | "seen" | "total" | "raw"
    >();
    expectTypeOf(value.offsets.lock).toEqualTypeOf<number>();
    expectTypeOf(value.decode).returns.toHaveProperty("total").toEqualTypeOf<bigint>();
    expectTypeOf<{ total: number }>().not.toExtend<Infer<typeof value>>();
    expectTypeOf(spinLock).not.toExtend<Codec<unknown>>();
    expectTypeOf<Infer<typeof spinLock>>().toEqualTypeOf<never>();
    expect(Object.values(Scalar)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });
});
