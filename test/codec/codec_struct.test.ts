import { describe, expect, it } from "vitest";
import {
  array,
  bytes,
  type Codec,
  cstring,
  Scalar,
  spinLock,
  struct,
  u8,
  u16,
  u32,
  u53,
  u64,
} from "../../src/codec/index.ts";

function encode<T>(codec: Codec<T>, value: T): number[] {
  const memory = new Uint8Array(codec.size).fill(0xff);
  codec.encode(value, new DataView(memory.buffer), 0);
  return [...memory];
}

function decode<T>(codec: Codec<T>, from: number[]): T {
  return codec.decode(new DataView(Uint8Array.from(from).buffer), 0);
}

/** The error of encoding what the types forbid. */
function refusal(codec: Codec<unknown>, value: unknown): string {
  try {
    codec.encode(value, new DataView(new ArrayBuffer(codec.size)), 0);
  } catch (error) {
    return String(error);
  }
  throw new Error(`${codec.name} took the value`);
}

/** What a JavaScript caller writes against the types. */
function make(maker: unknown, ...args: unknown[]): () => unknown {
  return () => (maker as (...args: unknown[]) => unknown)(...args);
}

const endpoint = struct({ address: u32, port: u16 });
const flow = struct({ proto: u8, src: endpoint, dst: endpoint });

describe("array", () => {
  const three = array(u16, 3);
  it("packs its elements", () => {
    expect(three).toMatchObject({ name: "array(u16, 3)", size: 6, align: 2, scalar: Scalar.NONE });
    expect(encode(three, [1, 2, 0x304])).toEqual([1, 0, 2, 0, 4, 3]);
    expect(decode(three, [1, 0, 2, 0, 4, 3])).toStrictEqual([1, 2, 0x304]);
    expect(array(array(u64, 2), 3)).toMatchObject({ name: "array(array(u64, 2), 3)", size: 48, align: 8 });
    expect(
      encode(array(endpoint, 2), [
        { address: 1, port: 2 },
        { address: 3, port: 4 },
      ]),
    ).toEqual([1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0]);
  });

  it("refuses other types, lengths and elements", () => {
    const expected = "expected array(u16, 3) (exactly 3 elements), got";
    expect(refusal(three, [1, 2])).toBe(`RangeError: ${expected} 2 elements`);
    expect(refusal(three, [1, 2, 3, 4])).toBe(`RangeError: ${expected} 4 elements`);
    expect(refusal(three, [])).toBe(`RangeError: ${expected} 0 elements`);
    expect(refusal(three, Uint16Array.of(1, 2, 3))).toBe(
      "TypeError: expected array(u16, 3) (an array), got Uint16Array of 3",
    );
    for (const value of [null, undefined, "abc", { length: 3 }, 3])
      expect(refusal(three, value)).toMatch(/^TypeError/);
    expect(refusal(three, [1, 2, 65536])).toBe("RangeError: [2]: expected u16 (0..65535), got 65536");
    expect(refusal(three, new Array(3))).toBe("TypeError: [0]: expected u16 (0..65535), got undefined");
  });
});

describe("struct", () => {
  it("lays fields out as C does", () => {
    expect(flow).toMatchObject({
      name: "struct { proto: u8, src: struct { address: u32, port: u16 }, dst: struct { address: u32, port: u16 } }",
      size: 20,
      align: 4,
      scalar: Scalar.NONE,
      offsets: { proto: 0, src: 4, dst: 12 },
    });
    const padded = struct({ a: u8, b: u64, c: u16, d: bytes(3) });
    expect(padded).toMatchObject({ size: 24, align: 8, offsets: { a: 0, b: 8, c: 16, d: 18 } });
    expect(encode(padded, { a: 1, b: 2n, c: 3, d: Uint8Array.of(4, 5, 6) })).toEqual([
      1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 4, 5, 6, 0, 0, 0,
    ]);
    expect(struct({ only: cstring(5) })).toMatchObject({ size: 5, align: 1 });
  });

  it("reads plain objects, whatever the padding holds", () => {
    const value = decode(endpoint, [1, 0, 0, 0, 2, 0, 0xaa, 0xbb]);
    expect(value).toStrictEqual({ address: 1, port: 2 });
    expect(Object.keys(value)).toEqual(["address", "port"]);
    expect(decode(endpoint, new Array(8).fill(0))).not.toBe(value);
  });

  it("takes properties in any order, getters and inherited ones", () => {
    const bytes = [1, 0, 0, 0, 2, 0, 0, 0];
    expect(encode(endpoint, { port: 2, address: 1 })).toEqual(bytes);
    class Point {
      address = 1;
      get port() {
        return 2;
      }
    }
    expect(encode(endpoint, new Point())).toEqual(bytes);
    expect(encode(endpoint, Object.create({ address: 1, port: 2 }))).toEqual(bytes);
    expect(encode(endpoint, Object.assign(Object.create(null), { address: 1, port: 2 }))).toEqual(bytes);
  });

  it("gives the path of a wrong value", () => {
    const dst = { address: 1, port: 2 };
    expect(refusal(flow, { proto: 6, src: { address: 1, port: 70000 }, dst })).toBe(
      "RangeError: .src.port: expected u16 (0..65535), got 70000",
    );
    expect(refusal(flow, { proto: 6, src: null, dst })).toBe(
      "TypeError: .src: expected struct { address: u32, port: u16 }, got null",
    );
    const deep = struct({ rows: array(struct({ cells: array(u8, 2) }), 2) });
    expect(refusal(deep, { rows: [{ cells: [1, 2] }, { cells: [3, "4"] }] })).toBe(
      'TypeError: .rows[1].cells[1]: expected u8 (0..255), got string "4"',
    );
    for (const value of [undefined, 5, "x", [1, 2, 3], () => 1])
      expect(refusal(flow, value)).toMatch(/^TypeError/);
    expect(refusal(flow, [1, 2, 3])).toMatch(/^TypeError: expected struct \{ proto: u8, .*, got Array of 3$/);
  });

  it("puts the path into the stack, too", () => {
    const view = new DataView(new ArrayBuffer(flow.size));
    const value = { proto: 6, src: { address: -1, port: 2 }, dst: { address: 1, port: 2 } };
    try {
      flow.encode(value, view, 0);
      expect.unreachable();
    } catch (error) {
      expect((error as Error).stack).toContain("RangeError: .src.address: expected u32");
      expect((error as Error).stack).toContain("codec_struct.test.ts");
    }
  });

  it("refuses missing and extra fields", () => {
    expect(refusal(endpoint, { address: 1 })).toBe(
      "TypeError: .port: expected u16, got nothing (the field is missing)",
    );
    expect(refusal(endpoint, { port: 1 })).toMatch(/^TypeError: \.address: expected u32, got nothing/);
    expect(refusal(endpoint, {})).toMatch(/^TypeError: \.address: .* missing/);
    expect(refusal(endpoint, { address: 1, port: undefined })).toBe(
      "TypeError: .port: expected u16 (0..65535), got undefined",
    );
    const extra = "expected only the fields of struct { address: u32, port: u16 }, got an extra field";
    for (const value of [
      { address: 1, port: 2, prot: 3 },
      { prot: 3, address: 1, port: 2 },
      { address: 1, prot: 3, port: 2 },
      { address: 1, prot: undefined, port: 2 },
      { port: 2, address: 1, prot: 3 },
    ]) {
      expect(refusal(endpoint, value)).toBe(`TypeError: .prot: ${extra}`);
    }
    // As many properties as fields, one of which a getter of the class provides.
    class Point {
      address = 1;
      prot = 3;
      get port() {
        return 2;
      }
    }
    expect(refusal(endpoint, new Point())).toBe(`TypeError: .prot: ${extra}`);
    const odd = struct({ constructor: u8, toString: u8 });
    expect(refusal(odd, { constructor: 1 })).toMatch(/^TypeError: \.toString: expected u8 .*got function/);
    expect(encode(odd, { constructor: 1, toString: 2 })).toEqual([1, 2]);
    expect(refusal(struct({ n: u8 }), { n: 1, toString: 2 })).toMatch(
      /^TypeError: \.toString: expected only/,
    );
  });

  it("lets errors of the user's getters through", () => {
    const own = new RangeError("mine");
    const value = {
      address: 1,
      get port(): number {
        throw own;
      },
    };
    expect(() => encode(endpoint, value)).toThrow(own);
  });

  it("asks a codec of the caller's for every member, also when it says that it is one of ours", () => {
    const ten: Codec<number> = {
      ...u16,
      encode: (value, view, offset) => u16.encode(value * 10, view, offset),
      decode: (view, offset) => u16.decode(view, offset) / 10,
    };
    const outer = { ...endpoint, decode: () => ({ address: 1, port: 1 }) };
    const codec = struct({ ten, outer });
    expect(encode(codec, { ten: 7, outer: { address: 2, port: 3 } })).toEqual([
      70, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0,
    ]);
    expect(decode(codec, [70, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0])).toStrictEqual({
      ten: 7,
      outer: { address: 1, port: 1 },
    });
  });

  it("has properties of its own, whatever Object.prototype has", () => {
    const codec = struct({ toString: u8, constructor: u8, polluted: u8 });
    Object.defineProperty(Object.prototype, "polluted", { set: () => {}, configurable: true });
    try {
      const value = decode(codec, [1, 2, 3]);
      expect(Object.entries(value)).toEqual([
        ["toString", 1],
        ["constructor", 2],
        ["polluted", 3],
      ]);
    } finally {
      Reflect.deleteProperty(Object.prototype, "polluted");
    }
  });

  it("does not change when the object it was made of does", () => {
    const fields: Record<string, Codec<number>> = { a: u8 };
    const codec = struct(fields);
    fields.b = u32;
    expect(codec.size).toBe(1);
    expect(encode(codec, { a: 1 })).toEqual([1]);
    expect(Object.isFrozen(codec.offsets)).toBe(true);
  });
});

describe("spinLock", () => {
  const counter = struct({ kind: u8, lock: spinLock, total: u53 });
  it("takes room and has no value", () => {
    expect(spinLock).toEqual({ name: "spinLock", size: 4, align: 4 });
    expect(counter).toMatchObject({
      name: "struct { kind: u8, lock: spinLock, total: u53 }",
      size: 16,
      align: 8,
      offsets: { kind: 0, lock: 4, total: 8 },
      lockOffset: 4,
    });
    expect(encode(counter, { kind: 1, total: 2 })).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]);
    expect(decode(counter, [1, 0, 0, 0, 9, 9, 9, 9, 2, 0, 0, 0, 0, 0, 0, 0])).toStrictEqual({
      kind: 1,
      total: 2,
    });
    expect(endpoint.lockOffset).toBeUndefined();
    const bare = struct({ lock: spinLock });
    expect(encode(bare, {})).toEqual([0, 0, 0, 0]);
    expect(decode(bare, [1, 2, 3, 4])).toStrictEqual({});
  });

  it("is refused in values and anywhere but at the top of a struct", () => {
    expect(refusal(counter, { kind: 1, lock: 0, total: 2 })).toBe(
      "TypeError: .lock: expected no value for the spinLock, got number 0",
    );
    const top = "a spinLock is allowed only at the top level of a value";
    expect(make(array, spinLock, 2)).toThrow(
      new TypeError("array(): expected a codec of the elements, got Object"),
    );
    expect(() => array(counter, 2)).toThrow(new TypeError(`array(): ${top}`));
    expect(() => struct({ inner: counter })).toThrow(new TypeError(`struct(): .inner: ${top}`));
    expect(() => struct({ a: spinLock, b: spinLock })).toThrow(
      new TypeError("struct(): .b: expected at most one spinLock, got two"),
    );
  });
});

describe("arguments of the constructors", () => {
  it.each([
    ["bytes", bytes, (n: unknown) => [n], 2 ** 31 - 1],
    ["cstring", cstring, (n: unknown) => [n], 2 ** 31 - 1],
    ["array", array, (n: unknown) => [u64, n], 2 ** 28 - 1],
  ] as const)("%s checks its length", (name, maker, args, max) => {
    for (const length of [0, -1, 1.5, NaN, Infinity, max + 1]) {
      const call = name === "array" ? `array(u64, ${length})` : `${name}(${length})`;
      const error = new RangeError(`${call}: expected a length of 1..${max}, got ${length}`);
      expect(make(maker, ...args(length))).toThrow(error);
    }
    for (const length of ["4", null, undefined, 4n, [4]]) {
      expect(make(maker, ...args(length))).toThrow(TypeError);
    }
    expect(make(maker, ...args(1))()).toMatchObject({ align: name === "array" ? 8 : 1 });
    expect(make(maker, ...args(max))()).toMatchObject({ size: name === "array" ? max * 8 : max });
  });

  it("array and struct check their codecs", () => {
    const notCodecs = [
      undefined,
      null,
      4,
      "u8",
      {},
      u8.encode,
      { ...u8, align: 3 },
      { ...u8, size: 0 },
      { ...u16, size: 3 },
    ];
    for (const value of notCodecs) {
      expect(make(array, value, 2)).toThrow(/^array\(\): expected a codec of the elements, got /);
      expect(make(struct, { a: u8, b: value })).toThrow(/^struct\(\): \.b: expected a codec, got /);
    }
    expect(make(struct, {})).toThrow(new TypeError("struct(): expected at least one field, got none"));
    expect(make(struct)).toThrow(new TypeError("struct(): expected an object of codecs, got undefined"));
    expect(make(struct, null)).toThrow(new TypeError("struct(): expected an object of codecs, got null"));
    const big = bytes(2 ** 31 - 1);
    expect(() => struct({ a: big, b: u8 })).toThrow(RangeError);
    expect(() => struct({ a: big, b: u64 })).toThrow(RangeError);
    expect(() => struct({ b: u64, a: bytes(2 ** 31 - 10) })).toThrow(RangeError);
  });

  it("struct takes only names that C and JavaScript agree on", () => {
    // JavaScript lists "1" before "a", whatever the order they were written in.
    for (const name of ["1", "0", "a-b", "", "ä", "a b", "1a"]) {
      expect(() => struct({ a: u8, [name]: u16 })).toThrow(
        new TypeError(
          `struct(): expected field names that are C identifiers, got string ${JSON.stringify(name)}`,
        ),
      );
    }
    expect(() => struct(JSON.parse('{"__proto__":1}'))).toThrow(/C identifiers, got string "__proto__"/);
    expect(struct({ _a1: u8, __proto: u8, B: u8 }).size).toBe(3);
  });
});
