// The numbers of the verifier: what it says of a result holds for every result that the instruction can give, and what it says after a
// comparison for every pair of numbers that compare so.
import { describe, expect, it } from "vitest";
import { ALU, JMP } from "../../../src/ebpf/isa/opcodes.ts";
import { byteOrdered, calculate, negate } from "../../../src/ebpf/verify/scalar/arithmetic.ts";
import { compared } from "../../../src/ebpf/verify/scalar/compare.ts";
import {
  eitherScalar,
  plus,
  scalarWithin,
  signExtended,
  truncated,
  widened,
} from "../../../src/ebpf/verify/scalar/relations.ts";
import {
  between,
  constant,
  constant64,
  type Scalar,
  scalarWhere,
} from "../../../src/ebpf/verify/scalar/scalar.ts";
import { Random } from "../../../src/testing/random.ts";
import { testSeed } from "../../support/seed.ts";
import { bySize } from "../../support/size.ts";
import { contains, holds, RESULT, show } from "../support/numbers.ts";

const seed = testSeed("ebpf/verify/scalar.test.ts");
const ROUNDS = bySize(2_000, 100_000);

const OPERATIONS = [
  ALU.ADD, ALU.SUB, ALU.MUL, ALU.DIV, ALU.OR, ALU.AND, ALU.LSH, ALU.RSH, ALU.MOD, ALU.XOR, ALU.ARSH,
]; // biome-ignore format: a row
const COMPARISONS = [
  JMP.JEQ, JMP.JNE, JMP.JGT, JMP.JGE, JMP.JLT, JMP.JLE, JMP.JSGT, JMP.JSGE, JMP.JSLT, JMP.JSLE, JMP.JSET,
]; // biome-ignore format: a row
const nameOf = (of: object, value: number) => Object.entries(of).find(([, found]) => found === value)![0];

/** Numbers where something happens: near powers of two, of both signs, and any. */
function interesting(random: Random): bigint {
  const any = (BigInt(random.next()) << 32n) | BigInt(random.next());
  switch (random.below(6)) {
    case 0:
      return BigInt(random.below(20));
    case 1:
      return BigInt.asUintN(64, -BigInt(random.below(20)));
    case 2:
      return BigInt.asUintN(64, (1n << BigInt(random.below(65))) + BigInt(random.below(5)) - 2n);
    case 3:
      return any >> BigInt(random.below(64));
    case 4:
      return BigInt(random.next());
    default:
      return any;
  }
}

/** Some numbers, and what is known of a number that is one of them. */
function some(random: Random): { values: bigint[]; known: Scalar } {
  const first = interesting(random);
  const near = () => BigInt.asUintN(64, first + BigInt(random.below(64)) * (1n << BigInt(random.below(8))));
  const values = [first];
  const count = [0, 1, 2, 5][random.below(4)];
  for (let k = 0; k < count; k++) values.push(random.chance(60) ? near() : interesting(random));
  return { values, known: values.map(constant64).reduce(eitherScalar) };
}

describe("a result is what is said of it", () => {
  it.each(OPERATIONS.map((operation) => [nameOf(ALU, operation), operation] as const))(
    "%s",
    (_, operation) => {
      const random = new Random(seed + operation);
      for (let round = 0; round < ROUNDS / 10; round++) {
        const a = some(random);
        const b =
          operation >= ALU.LSH && random.chance(50) ? { values: [3n], known: constant(3) } : some(random);
        for (const bits of [32, 64] as const) {
          for (const signed of [false, true]) {
            const result = calculate(operation, a.known, b.known, bits, signed);
            for (const x of a.values) {
              for (const y of b.values) {
                const got = RESULT[operation](x, y, BigInt(bits), signed);
                if (!contains(result, got)) {
                  expect.fail(
                    `${show(a.known)} ${nameOf(ALU, operation)}${bits} ${show(b.known)}: ${got} of ${x}, ${y} is not in ${show(result)}`,
                  );
                }
              }
            }
          }
        }
      }
    },
  );

  it("NEG, END, MOV with sign, truncation, fixed offsets, joins", () => {
    const random = new Random(seed);
    for (let round = 0; round < ROUNDS; round++) {
      const a = some(random);
      const b = some(random);
      const offset = random.below(100_000) - 50_000;
      const wide = widened(a.known, eitherScalar(a.known, b.known));
      for (const x of a.values) {
        const results: [string, Scalar, bigint][] = [
          ["neg", negate(a.known, 64), -x],
          ["neg32", negate(a.known, 32), BigInt.asUintN(32, -x)],
          ["truncated", truncated(a.known), BigInt.asUintN(32, x)],
          ["le16", byteOrdered(a.known, 16, false), BigInt.asUintN(16, x)],
          ["plus", plus(a.known, offset), x + BigInt(offset)],
          ["either", eitherScalar(a.known, b.known), x],
          ["widened", wide, x],
        ];
        for (const bits of [8, 16, 32])
          results.push([`sx${bits}`, signExtended(a.known, bits), BigInt.asIntN(bits, x)]);
        for (const [name, result, got] of results) {
          if (!contains(result, BigInt.asUintN(64, got))) {
            expect.fail(`${name} of ${show(a.known)}: ${got} of ${x} is not in ${show(result)}`);
          }
        }
      }
      expect(scalarWithin(a.known, wide) && scalarWithin(b.known, wide)).toBe(true);
    }
  });

  it("is exact for small ranges that are added, subtracted and indexed with", () => {
    expect(calculate(ALU.ADD, between(3, 9), between(10, 20), 64)).toMatchObject({ least: 13, most: 29 });
    expect(calculate(ALU.SUB, between(30, 40), constant(10), 64)).toMatchObject({ least: 20, most: 30 });
    expect(calculate(ALU.ADD, between(1, 10), constant(-1), 64)).toMatchObject({ least: 0, most: 9 });
    expect(
      calculate(ALU.AND, truncated(calculate(ALU.ADD, between(0, 5), constant(0), 64)), constant(7), 64),
    ).toMatchObject({ most: 5 });
    const shifted = calculate(ALU.LSH, between(0, 12345), constant(32), 64);
    expect(calculate(ALU.RSH, shifted, constant(32), 64)).toMatchObject({ least: 0, most: 12345 });
    expect(calculate(ALU.ARSH, shifted, constant(29), 64)).toMatchObject({ least: 0, most: 12345 * 8 });
    expect(calculate(ALU.DIV, between(10, 100), constant(7), 64)).toMatchObject({ least: 1, most: 14 });
    expect(calculate(ALU.MOD, between(10, 100), constant(7), 64)).toMatchObject({ least: 0, most: 6 });
  });
});

describe("a comparison", () => {
  it.each(COMPARISONS.map((operation) => [nameOf(JMP, operation), operation] as const))(
    "%s",
    (_, operation) => {
      const random = new Random(seed + operation);
      for (let round = 0; round < ROUNDS / 5; round++) {
        const a = some(random);
        const b = some(random);
        if (random.chance(20)) b.values.push(...a.values);
        b.known = b.values.map(constant64).reduce(eitherScalar);
        for (const bits of [32, 64] as const) {
          const sides = [
            compared(operation, a.known, b.known, false, bits),
            compared(operation, a.known, b.known, true, bits),
          ];
          for (const x of a.values) {
            for (const y of b.values) {
              const side = sides[Number(holds(operation, x, y, BigInt(bits)))];
              if (side === undefined || !contains(side.left, x) || !contains(side.right, y)) {
                expect.fail(`${x} ${nameOf(JMP, operation)}${bits} ${y}: ${show(a.known)}, ${show(b.known)}`);
              }
            }
          }
        }
      }
    },
  );

  it("decides where it can be decided, and sharpens bounds", () => {
    expect(compared(JMP.JGT, between(0, 5), constant(5), true, 64)).toBeUndefined();
    expect(compared(JMP.JGT, between(0, 9), constant(5), true, 64)!.left).toMatchObject({
      least: 6,
      most: 9,
    });
    expect(compared(JMP.JNE, between(0, 9), constant(9), true, 64)!.left).toMatchObject({
      least: 0,
      most: 8,
    });
    expect(compared(JMP.JSGT, between(0, 0xffff_ffff), constant(-1), true, 64)!.left).toMatchObject({
      least: 0,
    });
    const minusOne = truncated(constant(-1));
    expect(compared(JMP.JSGT, between(0, 0xffff_ffff), minusOne, true, 32)!.left).toMatchObject({
      least: 0,
      most: 0x7fff_ffff,
    });
    expect(compared(JMP.JSET, between(0, 255), constant(0xf0), false, 64)!.left).toMatchObject({
      least: 0,
      most: 15,
    });
    expect(compared(JMP.JEQ, constant(3), constant(4), true, 64)).toBeUndefined();
  });
});

it("every range of four bits, with every range: bounds and bits hold all results", () => {
  for (let a = 0; a < 16; a += bySize(3, 1)) {
    for (let b = a; b < 16; b += 1 + (a & 1)) {
      for (let c = 0; c < 16; c += 3) {
        for (let d = c; d < 16; d += 2) {
          for (const operation of OPERATIONS) {
            const result = calculate(operation, between(a, b), between(c, d), 64);
            for (let x = a; x <= b; x++) {
              for (let y = c; y <= d; y++) {
                if (!contains(result, RESULT[operation](BigInt(x), BigInt(y), 64n, false)))
                  expect.fail(`${a}-${b} ${nameOf(ALU, operation)} ${c}-${d}`);
              }
            }
          }
        }
      }
    }
  }
  expect(scalarWhere(3, 2, 0, 0)).toBeUndefined();
});
