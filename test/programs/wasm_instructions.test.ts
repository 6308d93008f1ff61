// The instructions that the encoder of WebAssembly modules writes validate, run, and do what their names say.
import { describe, expect, it } from "vitest";
import {
  F32,
  F64,
  I8X16,
  I32,
  I64,
  type MemoryOpcode,
  type Opcode,
  TYPE_F64,
  TYPE_I32,
  TYPE_I64,
  TYPE_V128,
  V128,
  type ValueType,
} from "../../src/programs/wasm/index.ts";
import { compile, type Wasm } from "../support/core/wasm_function.ts";

const binary = (type: ValueType, result: ValueType, opcode: Opcode) =>
  compile([type, type], result, (code, [a, b]) => code.get(a).get(b).op(opcode));
const unary = (type: ValueType, result: ValueType, opcode: Opcode) =>
  compile([type], result, (code, [a]) => code.get(a).op(opcode));

const MIN = -0x8000_0000;

describe("instructions", () => {
  it.each([
    ["add", 5, -7, -2],
    ["sub", 5, -7, 12],
    ["mul", 5, -7, -35],
    ["div_s", -7, 2, -3],
    ["div_u", -2, 2, 0x7fff_ffff],
    ["rem_s", -7, 2, -1],
    ["rem_u", -1, 10, 5],
    ["and", 12, 10, 8],
    ["or", 12, 10, 14],
    ["xor", 12, 10, 6],
    ["shl", 3, 33, 6],
    ["shr_s", -8, 1, -4],
    ["shr_u", -8, 1, 0x7fff_fffc],
    ["rotl", MIN + 1, 1, 3],
    ["rotr", 3, 1, MIN + 1],
    ["eq", 3, 3, 1],
    ["ne", 3, 3, 0],
    ["lt_s", -1, 1, 1],
    ["lt_u", -1, 1, 0],
    ["gt_s", -1, 1, 0],
    ["gt_u", -1, 1, 1],
    ["le_s", 2, 1, 0],
    ["le_u", -1, -1, 1],
    ["ge_s", -1, -1, 1],
    ["ge_u", 1, -1, 0],
  ] as const)("i32.%s and i64.%s", (name, a, b, result) => {
    expect(binary(TYPE_I32, TYPE_I32, I32[name])(a, b)).toBe(result);
    const shift = ["shl", "shr_s", "shr_u", "rotl", "rotr"].includes(name);
    const compares = /^(eq|ne|[lg][te]_)/.test(name);
    const wide = binary(TYPE_I64, compares ? TYPE_I32 : TYPE_I64, I64[name]);
    // A shift by 64 more is the same shift; the numbers that 32 bits make of their sign differ.
    const got = wide(BigInt(a), BigInt(shift && name === "shl" ? b + 32 : b));
    const expected: Record<string, bigint> = {
      div_u: 0x7fff_ffff_ffff_ffffn,
      shr_u: 0x7fff_ffff_ffff_fffcn,
      rotl: (BigInt(MIN) + 1n) * 2n + 1n,
      rotr: BigInt.asIntN(64, (3n >> 1n) | (1n << 63n)),
    };
    expect(got).toBe(compares ? result : (expected[name] ?? BigInt(result)));
  });

  it.each([
    [I32.eqz, TYPE_I32, TYPE_I32, 0, 1],
    [I32.clz, TYPE_I32, TYPE_I32, 1, 31],
    [I32.ctz, TYPE_I32, TYPE_I32, 8, 3],
    [I32.popcnt, TYPE_I32, TYPE_I32, -1, 32],
    [I32.extend8_s, TYPE_I32, TYPE_I32, 0x1ff, -1],
    [I32.extend16_s, TYPE_I32, TYPE_I32, 0x18000, -0x8000],
    [I32.wrap_i64, TYPE_I64, TYPE_I32, 2n ** 32n + 5n, 5],
    [I32.trunc_sat_f64_s, TYPE_F64, TYPE_I32, -1e10, MIN],
    [I32.trunc_sat_f64_u, TYPE_F64, TYPE_I32, -1e10, 0],
    [I64.eqz, TYPE_I64, TYPE_I32, 0n, 1],
    [I64.clz, TYPE_I64, TYPE_I64, 1n, 63n],
    [I64.ctz, TYPE_I64, TYPE_I64, 8n, 3n],
    [I64.popcnt, TYPE_I64, TYPE_I64, -1n, 64n],
    [I64.extend8_s, TYPE_I64, TYPE_I64, 0xffn, -1n],
    [I64.extend16_s, TYPE_I64, TYPE_I64, 0xffffn, -1n],
    [I64.extend32_s, TYPE_I64, TYPE_I64, 0xffff_ffffn, -1n],
    [I64.extend_i32_s, TYPE_I32, TYPE_I64, -1, -1n],
    [I64.extend_i32_u, TYPE_I32, TYPE_I64, -1, 0xffff_ffffn],
    [I64.trunc_sat_f64_s, TYPE_F64, TYPE_I64, Number.NaN, 0n],
    [I64.trunc_sat_f64_u, TYPE_F64, TYPE_I64, -1, 0n],
    [F64.neg, TYPE_F64, TYPE_F64, 1.5, -1.5],
    [F64.convert_i32_s, TYPE_I32, TYPE_F64, -1, -1],
    [F64.convert_i32_u, TYPE_I32, TYPE_F64, -1, 0xffff_ffff],
    [F64.convert_i64_s, TYPE_I64, TYPE_F64, -1n, -1],
    [F64.convert_i64_u, TYPE_I64, TYPE_F64, -1n, 2 ** 64],
  ] as const)("unary 0x%s", (opcode, from, to, value, result) => {
    expect(unary(from, to, opcode)(value)).toBe(result);
  });

  it.each([
    ["add", 1.5, 0.25, 1.75],
    ["sub", 1.5, 0.25, 1.25],
    ["mul", 1.5, 0.25, 0.375],
    ["div", 1.5, 0.25, 6],
    ["min", 1.5, 0.25, 0.25],
    ["max", 1.5, 0.25, 1.5],
    ["eq", 1.5, 1.5, 1],
    ["ne", 1.5, 1.5, 0],
    ["lt", 1.5, 2, 1],
    ["gt", 1.5, 2, 0],
    ["le", 2, 1.5, 0],
    ["ge", 2, 1.5, 1],
  ] as const)("f64.%s", (name, a, b, result) => {
    const type = /^(eq|ne|[lg][te])$/.test(name) ? TYPE_I32 : TYPE_F64;
    expect(binary(TYPE_F64, type, F64[name])(a, b)).toBe(result);
  });

  it("f64 and f32 convert", () => {
    const round = compile([TYPE_F64], TYPE_F64, (code, [a]) =>
      code.get(a).op(F32.demote_f64).op(F64.promote_f32),
    );
    expect(round(0.1)).toBe(Math.fround(0.1));
  });
});

describe("constants", () => {
  const edges = [0, 1, 63, 64, 127, 128, 8191, 8192, 2 ** 31 - 1];
  it.each([...edges, ...edges.map((n) => -n - 1)])("i32 %s", (value) => {
    expect(compile([], TYPE_I32, (code) => code.i32(value))()).toBe(value);
    expect(compile([], TYPE_I32, (code) => code.i32(value >>> 0))()).toBe(value);
  });
  it.each([0n, 63n, 64n, -64n, -65n, 2n ** 31n, 2n ** 62n, 2n ** 63n - 1n, -(2n ** 63n)])(
    "i64 %s",
    (value) => {
      expect(compile([], TYPE_I64, (code) => code.i64(value))()).toBe(value);
      expect(compile([], TYPE_I64, (code) => code.i64(BigInt.asUintN(64, value)))()).toBe(value);
    },
  );
  it.each([0, -0, 0.1, -1e300, Number.POSITIVE_INFINITY, Number.NaN])("f64 %s", (value) => {
    expect(compile([], TYPE_F64, (code) => code.f64(value))()).toBe(value);
  });
});

describe("memory", () => {
  const bits = 0x8182_8384_8586_8788n;

  function reading(opcode: MemoryOpcode, type: ValueType, shared = false): Wasm {
    return compile(
      [],
      type,
      (code) => code.i32(8).i64(bits).store(I64.store, 8).i32(0).load(opcode, 16),
      shared,
    );
  }

  it.each([
    [I32.load, 0x8586_8788 | 0],
    [I32.load8_s, -0x78],
    [I32.load8_u, 0x88],
    [I32.load16_s, -0x7878],
    [I32.load16_u, 0x8788],
  ] as const)("i32 %s", (opcode, value) => {
    expect(reading(opcode, TYPE_I32)()).toBe(value);
  });
  it.each([
    [I64.load, BigInt.asIntN(64, bits)],
    [I64.load8_s, -0x78n],
    [I64.load8_u, 0x88n],
    [I64.load16_s, -0x7878n],
    [I64.load16_u, 0x8788n],
    [I64.load32_s, BigInt.asIntN(32, bits)],
    [I64.load32_u, 0x8586_8788n],
  ] as const)("i64 %s", (opcode, value) => {
    expect(reading(opcode, TYPE_I64)()).toBe(value);
  });
  it("floats", () => {
    const f64 = compile([], TYPE_F64, (code) => code.i32(8).f64(0.1).store(F64.store).i32(8).load(F64.load));
    expect(f64()).toBe(0.1);
    const f32 = compile([], TYPE_F64, (code) => {
      code.i32(8).f64(0.1).op(F32.demote_f64).store(F32.store).i32(8).load(F32.load).op(F64.promote_f32);
    });
    expect(f32()).toBe(Math.fround(0.1));
  });
  it.each([
    [I32.store, 0xffff_ffffn],
    [I32.store8, 0xffn],
    [I32.store16, 0xffffn],
  ] as const)("a narrow i32 store writes its bytes only: %s", (opcode, value) => {
    expect(
      compile([], TYPE_I64, (code) => code.i32(0).i32(-1).store(opcode, 8).i32(8).load(I64.load))(),
    ).toBe(value);
  });
  it.each([
    [I64.store8, 0xffn],
    [I64.store16, 0xffffn],
    [I64.store32, 0xffff_ffffn],
  ] as const)("a narrow i64 store writes its bytes only: %s", (opcode, value) => {
    expect(
      compile([], TYPE_I64, (code) => code.i32(0).i64(-1n).store(opcode, 8).i32(8).load(I64.load))(),
    ).toBe(value);
  });

  it("atomics on shared memory", () => {
    expect(reading(I32.atomic_load, TYPE_I32, true)()).toBe(0x8586_8788 | 0);
    expect(reading(I64.atomic_load, TYPE_I64, true)()).toBe(BigInt.asIntN(64, bits));
    const narrow: [MemoryOpcode, number][] = [
      [I32.atomic_rmw_add, 15],
      [I32.atomic_rmw_sub, 9],
      [I32.atomic_rmw_and, 0],
      [I32.atomic_rmw_or, 15],
      [I32.atomic_rmw_xchg, 3],
    ];
    for (const [opcode, result] of narrow) {
      const run = compile(
        [],
        TYPE_I32,
        (code) => {
          code.i32(8).i32(12).store(I32.atomic_store).i32(8).i32(3).load(opcode).drop();
          code.fence().i32(8).load(I32.atomic_load);
        },
        true,
      );
      expect(run()).toBe(result);
    }
    const wide: [MemoryOpcode, bigint][] = [
      [I64.atomic_rmw_add, 15n],
      [I64.atomic_rmw_sub, 9n],
      [I64.atomic_rmw_xchg, 3n],
    ];
    for (const [opcode, result] of wide) {
      const run = compile(
        [],
        TYPE_I64,
        (code) => {
          code.i32(8).i64(12n).store(I64.atomic_store).i32(8).i64(3n).load(opcode).drop();
          code.i32(8).load(I64.atomic_load);
        },
        true,
      );
      expect(run()).toBe(result);
    }
    const swap = compile(
      [],
      TYPE_I64,
      (code) => {
        code.i32(8).i64(12n).store(I64.store);
        code.i32(8).i32(12).i32(5).load(I32.atomic_rmw_cmpxchg).drop();
        code.i32(8).i64(5n).i64(6n).load(I64.atomic_rmw_cmpxchg).drop();
        code.i32(8).load(I64.load);
      },
      true,
    );
    expect(swap()).toBe(6n);
  });
});

describe("vectors", () => {
  const lanes = Uint8Array.from({ length: 16 }, (_, i) => i + 0x7a);
  const mask = (opcode: Opcode) =>
    compile([TYPE_I32], TYPE_I32, (code, [value]) => {
      code.v128Const(lanes).get(value).op(I8X16.splat).op(opcode).op(I8X16.bitmask);
    });
  const expected = (test: (lane: number) => boolean) =>
    lanes.reduce((bits, lane, i) => (test(lane) ? bits | (1 << i) : bits), 0);
  const signed = (lane: number) => (lane << 24) >> 24;

  it.each([
    ["eq", (lane: number) => lane === 0x81],
    ["ne", (lane: number) => lane !== 0x81],
    ["lt_u", (lane: number) => lane < 0x81],
    ["gt_u", (lane: number) => lane > 0x81],
    ["le_u", (lane: number) => lane <= 0x81],
    ["ge_u", (lane: number) => lane >= 0x81],
    ["lt_s", (lane: number) => signed(lane) < signed(0x81)],
    ["gt_s", (lane: number) => signed(lane) > signed(0x81)],
  ] as const)("i8x16.%s", (name, test) => {
    expect(mask(I8X16[name])(0x81)).toBe(expected(test));
  });

  it.each([
    ["and", 0b1000],
    ["or", 0b1110],
    ["xor", 0b0110],
    ["andnot", 0b0100],
  ] as const)("v128.%s", (name, low) => {
    const a = new Uint8Array(16);
    const b = new Uint8Array(16);
    for (const [lane, bits] of [0b00, 0b10, 0b01, 0b11].entries()) {
      a[lane] = (bits & 1) * 0xff;
      b[lane] = (bits >> 1) * 0xff;
    }
    const run = compile([], TYPE_I32, (code) => {
      code.v128Const(a).v128Const(b).op(V128[name]).op(I8X16.bitmask);
    });
    expect(run()).toBe(low);
  });

  it("loads, stores and reduces", () => {
    const run = compile([], TYPE_I32, (code) => {
      const vector = code.local(TYPE_V128);
      code.i32(16).v128Const(lanes).store(V128.store);
      code.i32(0).load(V128.load, 16).set(vector);
      code.get(vector).op(V128.any_true).get(vector).op(V128.not).op(I8X16.all_true).op(I32.add);
      code.i32(16).load(V128.load8_splat).get(vector).op(I8X16.eq).op(I8X16.bitmask).op(I32.add);
      code.i32(16).load(V128.load64_zero).op(I8X16.bitmask).op(I32.add);
      code.i32(20).load(V128.load32_zero).op(I8X16.bitmask).op(I32.add);
    });
    // any_true 1, all_true of ~lanes 1 (no lane is 0xff), the first lane alone equals itself 1; of lanes 6 and 7, and of lanes
    // 4..7, those from 0x80 on are 6 and 7.
    expect(run()).toBe(1 + 1 + 1 + 0b1100_0000 + 0b1100);
  });
});
