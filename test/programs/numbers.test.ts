// Every operation on numbers, at the ends of their ranges, in both back ends.
import { describe, expect, it } from "vitest";
import {
  array,
  type Codec,
  f32,
  f64,
  i8,
  i16,
  i32,
  i64,
  type NumberExpression,
  struct,
  u8,
  u16,
  u32,
  u53,
  u64,
} from "../../src/index.ts";
import { compute, holds } from "../support/programs/run.ts";

const U64_MAX = (1n << 64n) - 1n;
const I64_MIN = -(1n << 63n);
const I64_MAX = (1n << 63n) - 1n;

describe("fields", () => {
  it.each([
    [u8, 0xff],
    [u16, 0xffff],
    [u32, 0xffff_ffff],
    [u53, Number.MAX_SAFE_INTEGER],
    [u64, U64_MAX],
    [i8, -0x80],
    [i8, 0x7f],
    [i16, -0x8000],
    [i32, -0x8000_0000],
    [i32, 0x7fff_ffff],
    [i64, I64_MIN],
    [i64, I64_MAX],
    [f32, Math.fround(0.1)],
    [f64, 0.1],
    [f64, -0],
    [f64, Number.NaN],
  ] as [Codec<number>, number | bigint][])("$name holds %s", (codec, value) => {
    const read = compute({ pad: u8, a: codec }, { pad: 1, a: value }, ({ a }) => a);
    const float = codec === f32 || codec === f64;
    expect(read).toBe(float ? Number(value) + 0 : BigInt(value));
  });
});

describe("integers", () => {
  const fields = { a: i64, b: i64, u: u64, v: u64, w: u32, x: u32, s: i32, t: i32 };
  type Fields = Record<keyof typeof fields, NumberExpression>;
  const zero = { a: 0n, b: 0n, u: 0n, v: 0n, w: 0, x: 0, s: 0, t: 0 };
  const run = (
    values: Partial<Record<keyof typeof fields, number | bigint>>,
    build: (of: Fields) => NumberExpression,
  ) => compute(fields, { ...zero, ...values }, build as never);

  it("add wraps at 64 bits, in the sign of its operands", () => {
    expect(run({ u: U64_MAX, v: 2n }, ({ u, v }) => u.add(v))).toBe(1n);
    expect(run({ a: I64_MAX, b: 1n }, ({ a, b }) => a.add(b))).toBe(I64_MIN);
    expect(run({ w: 0xffff_ffff, x: 0xffff_ffff }, ({ w, x }) => w.add(x))).toBe(0x1_ffff_fffen);
    expect(run({ u: U64_MAX }, ({ u }) => u.add(1))).toBe(0n);
    expect(run({ u: 5n }, ({ u }) => u.add(-7))).toBe(-2n);
    expect(run({ a: -5n, u: 2n }, ({ a, u }) => u.add(a))).toBe(-3n);
  });

  it("sub is signed", () => {
    expect(run({ w: 1, x: 2 }, ({ w, x }) => w.sub(x))).toBe(-1n);
    expect(run({ u: 1n, v: 2n }, ({ u, v }) => u.sub(v))).toBe(-1n);
    expect(run({ u: U64_MAX, v: 1n }, ({ u, v }) => u.sub(v))).toBe(-2n);
    expect(run({ a: I64_MIN }, ({ a }) => a.sub(1))).toBe(I64_MAX);
  });

  it("mul wraps", () => {
    expect(run({ w: 0xffff_ffff, x: 0xffff_ffff }, ({ w, x }) => w.mul(x))).toBe(0xffff_fffe_0000_0001n);
    expect(run({ a: I64_MIN }, ({ a }) => a.mul(-1))).toBe(I64_MIN);
    expect(run({ s: -3 }, ({ s }) => s.mul(0))).toBe(0n);
    expect(run({ u: 1n << 63n }, ({ u }) => u.mul(3))).toBe(1n << 63n);
  });

  it.each([
    [7n, 2n, 3n, 1n],
    [-7n, 2n, -3n, -1n],
    [7n, -2n, -3n, 1n],
    [-7n, -2n, 3n, -1n],
    [7n, 0n, 0n, 7n],
    [I64_MIN, 0n, 0n, I64_MIN],
    [I64_MIN, -1n, I64_MIN, 0n],
    [I64_MIN, I64_MAX, -1n, -1n],
    [I64_MAX, I64_MIN, 0n, I64_MAX],
    [9007199254740991n, 3n, 3002399751580330n, 1n],
  ])("%s / %s", (a, b, quotient, remainder) => {
    expect(run({ a, b }, (of) => of.a.div(of.b))).toBe(quotient);
    expect(run({ a, b }, (of) => of.a.mod(of.b))).toBe(remainder);
    expect(run({ a }, (of) => of.a.div(b))).toBe(quotient);
    expect(run({ a }, (of) => of.a.mod(b))).toBe(remainder);
  });

  it("div and mod of 32 bits, and of unsigned integers", () => {
    expect(run({ w: 0xffff_ffff, x: 10 }, ({ w, x }) => w.div(x))).toBe(429496729n);
    expect(run({ w: 0xffff_ffff, x: 10 }, ({ w, x }) => w.mod(x))).toBe(5n);
    expect(run({ w: 7 }, ({ w, x }) => w.div(x))).toBe(0n);
    expect(run({ w: 7 }, ({ w, x }) => w.mod(x))).toBe(7n);
    expect(run({ s: -0x8000_0000, t: -1 }, ({ s, t }) => s.div(t))).toBe(0x8000_0000n);
    expect(run({ s: -0x8000_0000, t: -1 }, ({ s, t }) => s.mod(t))).toBe(0n);
    expect(run({ s: -7, t: 2 }, ({ s, t }) => s.div(t))).toBe(-3n);
    expect(run({ u: U64_MAX, v: 2n }, ({ u, v }) => u.div(v))).toBe(I64_MAX);
    expect(run({ u: U64_MAX }, ({ u }) => u.div(1n << 63n))).toBe(1n);
    expect(run({ u: U64_MAX }, ({ u }) => u.mod(1024))).toBe(1023n);
    // With a signed operand both are signed: all ones are -1.
    expect(run({ u: U64_MAX, a: 1n }, ({ u, a }) => u.div(a))).toBe(-1n);
    expect(run({ a: -9n }, ({ a }) => a.div(8))).toBe(-1n);
    expect(run({ a: -9n }, ({ a }) => a.mod(8))).toBe(-1n);
  });

  it("neg is signed and bitNot inverts 64 bits", () => {
    expect(run({ w: 5 }, ({ w }) => w.neg())).toBe(-5n);
    expect(run({ a: I64_MIN }, ({ a }) => a.neg())).toBe(I64_MIN);
    expect(run({ w: 0 }, ({ w }) => w.neg())).toBe(0n);
    expect(run({ w: 5 }, ({ w }) => w.bitNot())).toBe(U64_MAX - 5n);
    expect(run({ s: 5 }, ({ s }) => s.bitNot())).toBe(-6n);
  });

  it("bit operations", () => {
    expect(run({ w: 0xff00_ff00 }, ({ w }) => w.bitAnd(0xffff_0000))).toBe(0xff00_0000n);
    expect(run({ u: U64_MAX, w: 0x8000_0000 }, ({ u, w }) => u.bitAnd(w))).toBe(0x8000_0000n);
    expect(run({ a: -1n, w: 6 }, ({ a, w }) => a.bitAnd(w))).toBe(6n);
    expect(run({ u: 1n << 63n, w: 1 }, ({ u, w }) => u.bitOr(w))).toBe((1n << 63n) + 1n);
    expect(run({ s: -2, w: 1 }, ({ s, w }) => w.bitOr(s))).toBe(-1n);
    expect(run({ w: 12, x: 10 }, ({ w, x }) => w.bitXor(x))).toBe(6n);
    expect(run({ a: -1n, u: 1n }, ({ a, u }) => u.bitXor(a))).toBe(-2n);
  });

  it("shifts count with six bits", () => {
    expect(run({ w: 1 }, ({ w }) => w.shl(40))).toBe(1n << 40n);
    expect(run({ w: 3 }, ({ w }) => w.shl(63))).toBe(1n << 63n);
    expect(run({ s: 1 }, ({ s }) => s.shl(63))).toBe(I64_MIN);
    expect(run({ w: 1 }, ({ w }) => w.shl(64))).toBe(1n);
    expect(run({ w: 1 }, ({ w }) => w.shl(-1))).toBe(1n << 63n);
    expect(run({ w: 1, x: 65 }, ({ w, x }) => w.shl(x))).toBe(2n);
    expect(run({ w: 0xffff_ffff }, ({ w }) => w.shl(31).to(u32))).toBe(0x8000_0000n);
    expect(run({ w: 0xffff_ffff }, ({ w }) => w.shl(32).to(u32))).toBe(0n);
    expect(run({ s: -8 }, ({ s }) => s.shr(1))).toBe(-4n);
    expect(run({ s: -8 }, ({ s }) => s.shr(63))).toBe(-1n);
    expect(run({ u: U64_MAX }, ({ u }) => u.shr(63))).toBe(1n);
    expect(run({ w: 0xffff_ffff }, ({ w }) => w.shr(31))).toBe(1n);
    expect(run({ w: 0xffff_ffff }, ({ w }) => w.shr(32))).toBe(0n);
    expect(run({ w: 0x8000_0000, x: 33 }, ({ w, x }) => w.shr(x))).toBe(0n);
    // The sign of the count does not matter.
    expect(run({ u: U64_MAX, s: 63 }, ({ u, s }) => u.shr(s))).toBe(1n);
  });
});

describe("conversions", () => {
  const of = { a: i64, f: f64, u: u64 };
  const run = (value: number | bigint, to: Codec<number> | Codec<bigint>) =>
    typeof value === "bigint"
      ? compute(of, { a: BigInt.asIntN(64, value), f: 0, u: 0n }, ({ a }) => a.to(to))
      : compute(of, { a: 0n, f: value, u: 0n }, ({ f }) => f.to(to));

  it.each([
    [u8, 0x1_ffff_ff81n, 0x81n],
    [i8, 0x1_ffff_ff81n, -0x7fn],
    [u16, -1n, 0xffffn],
    [i16, 0x8000n, -0x8000n],
    [u32, -1n, 0xffff_ffffn],
    [i32, 0x8000_0000n, -0x8000_0000n],
    [u64, -1n, U64_MAX],
    [u53, -1n, U64_MAX],
    [i64, -1n, -1n],
  ] as const)("keep the low bits of integers", (codec, value, result) => {
    expect(run(value, codec)).toBe(result);
    expect(compute(of, { a: 0n, f: 0, u: BigInt.asUintN(64, value) }, ({ u }) => u.to(codec))).toBe(result);
  });

  it.each([
    [u8, 255.9, 255n],
    [u8, 256, 255n],
    [u8, -0.9, 0n],
    [u8, -1, 0n],
    [i8, -128.9, -128n],
    [i8, -1e9, -128n],
    [i8, 127.5, 127n],
    [i16, 4e4, 0x7fffn],
    [u16, 1.99, 1n],
    [u32, 2 ** 32, 0xffff_ffffn],
    [i32, -(2 ** 31) - 1, -0x8000_0000n],
    [i64, 2 ** 63, I64_MAX],
    [i64, -(2 ** 63), I64_MIN],
    [i64, Number.NEGATIVE_INFINITY, I64_MIN],
    [i64, -1.5, -1n],
    [u64, 2 ** 64, U64_MAX],
    [u64, Number.POSITIVE_INFINITY, U64_MAX],
    [u64, -5, 0n],
    [u64, 2 ** 63, 1n << 63n],
    [u64, Number.NaN, 0n],
    [i8, Number.NaN, 0n],
  ] as const)("cut floats towards zero and stop at the ends", (codec, value, result) => {
    expect(run(value, codec)).toBe(result);
  });

  it.each([
    [f64, (1n << 53n) + 1n, 2 ** 53],
    [f64, (1n << 53n) + 3n, 2 ** 53 + 4],
    [f64, -5n, -5],
    [f32, (1n << 24n) + 1n, 2 ** 24],
  ] as const)("round integers to the nearest float", (codec, value, result) => {
    expect(run(value, codec)).toBe(result);
  });

  it("an integer is never -0", () => {
    const inverse = (build: (of: Record<"s" | "f", NumberExpression>) => NumberExpression) =>
      compute({ s: i32, f: f64, one: f64 }, { s: -3, f: -0.5, one: 1 }, (value) =>
        value.one.div(build(value as never).to(f64)),
      );
    expect(inverse(({ s }) => s.mul(0))).toBe(Number.POSITIVE_INFINITY);
    expect(inverse(({ s }) => s.div(5))).toBe(Number.POSITIVE_INFINITY);
    expect(inverse(({ s }) => s.mod(3))).toBe(Number.POSITIVE_INFINITY);
    expect(inverse(({ s }) => s.add(3).neg())).toBe(Number.POSITIVE_INFINITY);
    expect(inverse(({ f }) => f.to(i32))).toBe(Number.POSITIVE_INFINITY);
    expect(inverse(({ f }) => f.add(0.5).neg())).toBe(Number.NEGATIVE_INFINITY);
  });

  it("unsigned integers and floats become floats, too", () => {
    expect(compute(of, { a: 0n, f: 0, u: U64_MAX }, ({ u }) => u.to(f64))).toBe(2 ** 64);
    expect(compute({ a: u32 }, { a: 0xffff_ffff }, ({ a }) => a.to(f64))).toBe(0xffff_ffff);
    expect(run(0.1, f32)).toBe(Math.fround(0.1));
    expect(run(1e300, f32)).toBe(Number.POSITIVE_INFINITY);
    expect(run(0.1, f64)).toBe(0.1);
  });
});

describe("floats", () => {
  const run = (a: number, b: number, build: (of: Record<"a" | "b", NumberExpression>) => NumberExpression) =>
    compute({ a: f64, b: f32 }, { a, b }, build as never);

  it("are IEEE 754 numbers of 64 bits, also those read from 32", () => {
    expect(run(0.1, 0.2, ({ a, b }) => a.add(b))).toBe(0.1 + Math.fround(0.2));
    expect(run(1, 3, ({ a, b }) => a.div(b))).toBe(1 / 3);
    expect(run(1, 0, ({ a, b }) => a.div(b))).toBe(Number.POSITIVE_INFINITY);
    expect(run(0, 0, ({ a, b }) => a.div(b))).toBe(Number.NaN);
    expect(run(1e308, 0, ({ a }) => a.mul(10).sub(1))).toBe(Number.POSITIVE_INFINITY);
    expect(run(1.5, 0, ({ a }) => a.neg().add(0.25))).toBe(-1.25);
  });
});

describe("comparisons", () => {
  const results = (
    fields: Record<string, Codec<never>>,
    values: Record<string, unknown>,
    b?: number | bigint,
  ) =>
    (["eq", "ne", "lt", "le", "gt", "ge"] as const).map((how) =>
      holds(fields as never, values, (of: Record<"a" | "b", NumberExpression>) => of.a[how](b ?? of.b))
        ? 1
        : 0,
    );
  const LESS = [0, 1, 1, 1, 0, 0];
  const SAME = [1, 0, 0, 1, 0, 1];
  const MORE = [0, 1, 0, 0, 1, 1];

  it.each([
    [u8, 1, u8, 2, LESS],
    [u32, 0xffff_ffff, u32, 1, MORE],
    [i32, -1, i32, 1, LESS],
    [i32, -1, u32, 0xffff_ffff, LESS],
    [u32, 0xffff_ffff, i32, -1, MORE],
    [i64, -1n, u64, U64_MAX, LESS],
    [u64, U64_MAX, i64, -1n, MORE],
    [i64, I64_MIN, u64, 1n << 63n, LESS],
    [u64, 1n << 63n, i64, I64_MAX, MORE],
    [i64, 5n, u64, 5n, SAME],
    [u64, 5n, i8, 5, SAME],
    [u64, U64_MAX, u8, 255, MORE],
    [u53, Number.MAX_SAFE_INTEGER, i64, BigInt(Number.MAX_SAFE_INTEGER), SAME],
    [f64, 0.5, f32, 0.5, SAME],
    [f64, 0, f64, -0, SAME],
    [f64, 1, f64, Number.POSITIVE_INFINITY, LESS],
    [f64, Number.NaN, f64, 1, [0, 1, 0, 0, 0, 0]],
    [f64, Number.NaN, f64, Number.NaN, [0, 1, 0, 0, 0, 0]],
  ])("$0.name %s with %s %s", (first, a, second, b, expected) => {
    expect(results({ a: first, b: second } as never, { a, b })).toEqual(expected);
  });

  it.each([
    [u32, 5, 5, SAME],
    [u64, U64_MAX, U64_MAX, SAME],
    [u64, U64_MAX, 1, MORE],
    [i64, -1n, 0, LESS],
    [i8, -128, -128, SAME],
    [f64, 0.5, 1, LESS],
    [f64, 0.5, Number.NEGATIVE_INFINITY, MORE],
  ] as const)("$0.name %s with the constant %s", (codec, a, b, expected) => {
    expect(results({ a: codec as never }, { a }, b)).toEqual(expected);
  });

  it("a difference of unsigned fields may be negative", () => {
    expect(
      holds({ a: u32, b: u32 }, { a: 1, b: 2 }, ({ a, b }: Record<"a" | "b", NumberExpression>) =>
        a.sub(b).lt(0),
      ),
    ).toBe(true);
  });
});

describe("arrays", () => {
  const list = {
    i: i64,
    u: array(u16, 3),
    s: array(i64, 3),
    f: array(f32, 2),
    e: array(struct({ n: u8, g: array(i32, 2) }), 2),
  };
  const value = {
    i: 0n,
    u: [1, 0xffff, 3],
    s: [-5n, I64_MAX, 2n],
    f: [0.5, -2],
    e: [
      { n: 7, g: [1, 2] },
      { n: 8, g: [3, -4] },
    ],
  };
  interface Element {
    n: NumberExpression;
    g: List;
  }
  interface List<E = NumberExpression> {
    at(i: number | bigint | NumberExpression): E;
    sum(of?: (e: E) => NumberExpression): NumberExpression;
    min(of?: (e: E) => NumberExpression): NumberExpression;
    max(of?: (e: E) => NumberExpression): NumberExpression;
  }
  interface Lists {
    i: NumberExpression;
    u: List;
    s: List;
    f: List;
    e: List<Element>;
  }
  const run = (i: bigint, build: (of: Lists) => NumberExpression) =>
    compute(list as never, { ...value, i } as never, build as never);

  it("at an index", () => {
    expect(run(0n, ({ u }) => u.at(1))).toBe(0xffffn);
    expect(run(2n, ({ u, i }) => u.at(i))).toBe(3n);
    expect(run(1n, ({ e, i }) => e.at(i).g.at(i))).toBe(-4n);
    expect(run(1n, ({ e, i }) => e.at(0).g.at(i))).toBe(2n);
    expect(run(1n, ({ f, i }) => f.at(i))).toBe(-2);
  });

  it.each([3n, -1n, 1n << 32n, (1n << 32n) + 1n, I64_MIN, I64_MAX])(
    "beside the array there are zeros: %s",
    (i) => {
      expect(run(i, (of) => of.u.at(of.i))).toBe(0n);
      expect(run(i, (of) => of.f.at(of.i))).toBe(0);
      expect(run(i, (of) => of.e.at(of.i).g.at(1))).toBe(0n);
      expect(run(i, (of) => of.e.at(of.i).g.at(of.e.at(of.i).n))).toBe(0n);
    },
  );

  it("an index that is known to be small is still looked at: behind the array stand other bytes", () => {
    expect(run(3n, ({ s, i }) => s.at(i.bitAnd(3)))).toBe(0n);
    expect(run(2n, ({ s, i }) => s.at(i.bitAnd(3).mod(3).bitOr(1)))).toBe(0n);
    expect(run(2n, ({ s, i }) => s.at(i.bitAnd(3).mod(3)))).toBe(2n);
    expect(run(-1n, ({ s, i }) => s.at(i.mod(3)))).toBe(0n);
  });

  it("a sum of 32 bits may need more", () => {
    const fields = { u: array(u32, 3) };
    const values = { u: [0xffff_ffff, 0xffff_ffff, 2] };
    const sum = (of: Pick<Lists, "u">) => of.u.sum();
    expect(holds(fields, values, (of: Pick<Lists, "u">) => sum(of).eq(2n ** 33n))).toBe(true);
    expect(holds(fields, values, (of: Pick<Lists, "u">) => sum(of).lt(1))).toBe(false);
  });

  it("sum, min and max", () => {
    expect(run(0n, ({ u }) => u.sum())).toBe(0x1_0003n);
    expect(run(0n, ({ u }) => u.min())).toBe(1n);
    expect(run(0n, ({ u }) => u.max())).toBe(0xffffn);
    expect(run(0n, ({ s }) => s.sum())).toBe(I64_MAX - 3n);
    expect(run(0n, ({ s }) => s.min())).toBe(-5n);
    expect(run(0n, ({ s }) => s.max())).toBe(I64_MAX);
    expect(run(0n, ({ f }) => f.sum())).toBe(-1.5);
    expect(run(0n, ({ f }) => f.min())).toBe(-2);
    expect(run(0n, ({ f }) => f.max())).toBe(0.5);
  });

  it("of elements and of arrays in elements", () => {
    expect(run(0n, ({ e }) => e.sum((x) => x.n))).toBe(15n);
    expect(run(0n, ({ e }) => e.max((x) => x.g.sum()))).toBe(3n);
    expect(run(10n, ({ e, i }) => e.sum((x) => x.g.sum((y) => y.mul(x.n).add(i))))).toBe(
      1n * 7n + 2n * 7n + 3n * 8n - 4n * 8n + 40n,
    );
    expect(run(1n, ({ e, i }) => e.min((x) => x.g.at(i)))).toBe(-4n);
  });
});
