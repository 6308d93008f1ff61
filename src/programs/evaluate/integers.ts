/**
 * The integer arithmetic of programs in JavaScript, bit for bit what the generated code does.
 *
 * An integer of 64 bits is a number where that is exact and a bigint elsewhere: always the same for the same integer, so that
 * `===` and `<` hold, and without a bigint as long as everything stays below 2^53.
 *
 * @module
 */
import type { IntegerOperator, Sign } from "../expressions/range.ts";

export type Integer = number | bigint;

const BITS = 64;

/** What 64 bits leave of an integer. */
export function wrap(sign: Sign, value: bigint): Integer {
  const wrapped = sign === "signed" ? BigInt.asIntN(BITS, value) : BigInt.asUintN(BITS, value);
  const number = Number(wrapped);
  return Number.isSafeInteger(number) ? number : wrapped;
}

/** The 64 bits of an integer with another sign. */
export function readAs(sign: Sign, value: Integer): Integer {
  if (typeof value === "number" && (sign === "signed" || value >= 0)) return value;
  return wrap(sign, BigInt(value));
}

type Operation = (a: Integer, b: Integer) => Integer;

/**
 * An operation whose result has a sign.
 *
 * @param quick the result for two numbers, exact where it is a safe integer; it must not be -0, which no integer is
 * @param exact the result for two bigints, before it is wrapped
 */
function operation(
  sign: Sign,
  quick: (a: number, b: number) => number,
  exact: (a: bigint, b: bigint) => bigint,
): Operation {
  return (a, b) => {
    if (typeof a === "number" && typeof b === "number") {
      const result = quick(a, b);
      if (Number.isSafeInteger(result) && (sign === "signed" || result >= 0)) return result;
    }
    return wrap(sign, exact(BigInt(a), BigInt(b)));
  };
}

/** The bits that a shift counts with. */
function count(bits: Integer): number {
  return typeof bits === "number" ? bits & 63 : Number(BigInt.asUintN(6, bits));
}

const isU32 = (value: number): boolean => value >>> 0 === value;

/** A bit operation; words of 32 bits are done as such. */
function bitwise(
  sign: Sign,
  words: (a: number, b: number) => number,
  exact: (a: bigint, b: bigint) => bigint,
): Operation {
  return (a, b) => {
    if (typeof a === "number" && typeof b === "number" && isU32(a) && isU32(b)) return words(a, b) >>> 0;
    return wrap(sign, exact(BigInt(a), BigInt(b)));
  };
}

const quotient = (a: bigint, b: bigint): bigint => (b === 0n ? 0n : a / b);
const remainder = (a: bigint, b: bigint): bigint => (b === 0n ? a : a % b);

/** The function of an operation whose result has a sign. */
export function integerOperation(operator: IntegerOperator, sign: Sign): Operation {
  switch (operator) {
    case "add":
      return operation(
        sign,
        (a, b) => a + b,
        (a, b) => a + b,
      );
    case "sub":
      return operation(
        sign,
        (a, b) => a - b,
        (a, b) => a - b,
      );
    case "mul":
      return operation(
        sign,
        (a, b) => a * b + 0,
        (a, b) => a * b,
      );
    case "div": {
      // The dividend less its remainder divides exactly, so that nothing is rounded.
      const divide = operation(sign, (a, b) => (b === 0 ? 0 : (a - (a % b)) / b + 0), quotient);
      return (a, b) => divide(readAs(sign, a), readAs(sign, b));
    }
    case "mod": {
      const modulo = operation(sign, (a, b) => (b === 0 ? a : (a % b) + 0), remainder);
      return (a, b) => modulo(readAs(sign, a), readAs(sign, b));
    }
    case "bitAnd":
      return bitwise(
        sign,
        (a, b) => a & b,
        (a, b) => a & b,
      );
    case "bitOr":
      return bitwise(
        sign,
        (a, b) => a | b,
        (a, b) => a | b,
      );
    case "bitXor":
      return bitwise(
        sign,
        (a, b) => a ^ b,
        (a, b) => a ^ b,
      );
    case "shl": {
      const shift = operation(
        sign,
        (a, bits) => a * 2 ** bits,
        (a, bits) => a << bits,
      );
      return (a, bits) => shift(a, count(bits));
    }
    case "shr": {
      const shift = operation(
        sign,
        (a, bits) => Math.floor(a / 2 ** bits),
        (a, bits) => a >> bits,
      );
      return (a, bits) => shift(a, count(bits));
    }
  }
}

/** Keeps the low bits of an integer. */
export function castInteger(bytes: number, sign: Sign): (value: Integer) => Integer {
  if (bytes === 8) return (value) => readAs(sign, value);
  if (bytes === 4) return sign === "signed" ? (value) => low(value) | 0 : (value) => low(value) >>> 0;
  const shift = 32 - 8 * bytes;
  return sign === "signed"
    ? (value) => (low(value) << shift) >> shift
    : (value) => (low(value) << shift) >>> shift;
}

/** The low 32 bits of an integer, of either sign. */
export function low(value: Integer): number {
  // ToInt32 of a safe integer is exact.
  return typeof value === "number" ? value | 0 : Number(BigInt.asIntN(32, value));
}

/** The integer from `lowest` to `highest` that is nearest to a float cut towards zero. */
export function truncate(lowest: bigint, highest: bigint): (value: number) => Integer {
  const bottom = Number(lowest);
  const top = Number(highest);
  const sign = lowest < 0n ? "signed" : "unsigned";
  const ends = [wrap(sign, lowest), wrap(sign, highest)] as const;
  return (value) => {
    if (Number.isNaN(value)) return 0;
    if (value <= bottom) return ends[0];
    // 2^63 - 1 and 2^64 - 1 are rounded up as numbers: whatever is below them is below the ends.
    if (value >= top) return ends[1];
    const whole = Math.trunc(value) + 0;
    return Number.isSafeInteger(whole) ? whole : BigInt(whole);
  };
}
