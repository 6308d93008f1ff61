/**
 * Arithmetic on numbers of which something is known: the result holds every number that the instruction can give.
 *
 * @module
 */
import { ALU } from "../../isa/opcodes.ts";
import {
  addBits,
  andBits,
  lowestBits,
  multiplyBits,
  orBits,
  shiftLeftBits,
  shiftRightBits,
  shiftRightSignedBits,
  subtractBits,
  xorBits,
} from "./bits.ts";
import { signExtended, truncated } from "./relations.ts";
import {
  between,
  constant64,
  constantOf,
  EXACT,
  loaded,
  roundDown,
  roundUp,
  S64_MAX,
  S64_MIN,
  type Scalar,
  scalar,
  scalarOfBits,
  U32_MAX,
  U64_MAX,
  UNKNOWN,
  ZERO,
} from "./scalar.ts";

/**
 * The result of an instruction of class ALU64, or of ALU when `bits` is 32.
 *
 * @param operation one of ALU with two operands, but MOV and END
 * @param signed of DIV and MOD
 */
export function calculate(operation: number, a: Scalar, b: Scalar, bits: 32 | 64, signed = false): Scalar {
  if (bits === 64) return calculate64(operation, a, b, 64, signed);
  const left = truncated(a);
  const right = truncated(b);
  if (operation === ALU.ARSH)
    return truncated(calculate64(operation, signExtended(left, 32), right, 32, signed));
  return truncated(calculate64(operation, left, right, 32, signed));
}

/** Operands of 32 bits are zero-extended, of signed shifts sign-extended; the caller truncates the result. */
function calculate64(operation: number, a: Scalar, b: Scalar, bits: 32 | 64, signed: boolean): Scalar {
  switch (operation) {
    case ALU.ADD:
      return add(a, b);
    case ALU.SUB:
      return subtract(a, b);
    case ALU.MUL:
      return multiply(a, b);
    case ALU.AND:
      return scalar(0, Math.min(a.most, b.most), S64_MIN, S64_MAX, andBits(a.bits, b.bits));
    case ALU.OR:
      return scalar(Math.max(a.least, b.least), U64_MAX, S64_MIN, S64_MAX, orBits(a.bits, b.bits));
    case ALU.XOR:
      return scalarOfBits(xorBits(a.bits, b.bits));
    case ALU.LSH:
      return shiftLeft(a, b, bits);
    case ALU.RSH:
      return shiftRight(a, b, bits);
    case ALU.ARSH:
      return shiftRightSigned(a, b, bits);
    case ALU.DIV:
    case ALU.MOD:
      return divide(operation, a, b, bits, signed);
  }
  return UNKNOWN;
}

export function add(a: Scalar, b: Scalar): Scalar {
  if (b.isZero) return a.withId(0);
  const most = roundUp(a.most + b.most);
  const overflows = most >= U64_MAX;
  const signedLeast = roundDown(a.signedLeast + b.signedLeast);
  const signedMost = roundUp(a.signedMost + b.signedMost);
  const signedOverflows = signedLeast < S64_MIN || signedMost >= S64_MAX;
  return scalar(
    overflows ? 0 : roundDown(a.least + b.least),
    overflows ? U64_MAX : most,
    signedOverflows ? S64_MIN : signedLeast,
    signedOverflows ? S64_MAX : signedMost,
    addBits(a.bits, b.bits),
  );
}

export function subtract(a: Scalar, b: Scalar): Scalar {
  if (b.isZero) return a.withId(0);
  const underflows = a.least < b.most;
  const signedLeast = roundDown(a.signedLeast - b.signedMost);
  const signedMost = roundUp(a.signedMost - b.signedLeast);
  const signedOverflows = signedLeast < S64_MIN || signedMost >= S64_MAX;
  return scalar(
    underflows ? 0 : roundDown(a.least - b.most),
    underflows ? U64_MAX : roundUp(a.most - b.least),
    signedOverflows ? S64_MIN : signedLeast,
    signedOverflows ? S64_MAX : signedMost,
    subtractBits(a.bits, b.bits),
  );
}

/** NEG. */
export function negate(a: Scalar, bits: 32 | 64): Scalar {
  return bits === 64 ? subtract(ZERO, a) : truncated(subtract(ZERO, truncated(a)));
}

function multiply(a: Scalar, b: Scalar): Scalar {
  if (a.isConstant && b.isConstant) return constant64(constantOf(a) * constantOf(b));
  const bits = multiplyBits(a.bits, b.bits);
  const most = roundUp(a.most * b.most);
  if (most < U64_MAX) return scalar(roundDown(a.least * b.least), most, S64_MIN, S64_MAX, bits);
  const corners = [a.signedLeast, a.signedMost].flatMap((x) => [x * b.signedLeast, x * b.signedMost]);
  const least = Math.min(...corners);
  const largest = Math.max(...corners);
  if (least > -EXACT && largest < EXACT) return scalar(0, U64_MAX, least, largest, bits);
  return scalarOfBits(bits);
}

/** How far a shift goes, if that is known. Shifts count with as many bits as the width of the operand needs. */
function countOf(b: Scalar, bits: 32 | 64): number | undefined {
  return b.isConstant ? b.bits.low & (bits - 1) : undefined;
}

function shiftLeft(a: Scalar, b: Scalar, bits: 32 | 64): Scalar {
  const count = countOf(b, bits);
  if (count === undefined) {
    // A power of two in the place of the count is as far as it may go; doubles are exact in that.
    const most = b.most < bits ? a.most * 2 ** b.most : U64_MAX;
    return most < U64_MAX ? scalar(a.least * 2 ** b.least, most) : UNKNOWN;
  }
  const shifted = shiftLeftBits(a.bits, count);
  const factor = 2 ** count;
  const fits = a.most * factor < U64_MAX;
  // Shifted by 32, a number is its lower half, as a signed one.
  const [from, to] = count === 32 ? [a.halfLeast, a.halfMost] : [a.signedLeast, a.signedMost];
  const signedFits = from * factor >= S64_MIN && to * factor < S64_MAX;
  return scalar(
    fits ? a.least * factor : 0,
    fits ? a.most * factor : U64_MAX,
    signedFits ? from * factor : S64_MIN,
    signedFits ? to * factor : S64_MAX,
    shifted,
  );
}

function shiftRight(a: Scalar, b: Scalar, bits: 32 | 64): Scalar {
  const count = countOf(b, bits);
  if (count === undefined) {
    const least = b.most < bits ? Math.floor(a.least / 2 ** b.most) : 0;
    return scalar(least, b.most < bits ? Math.floor(a.most / 2 ** b.least) : a.most);
  }
  if (count === 0) return a.withId(0);
  return scalar(
    Math.floor(a.least / 2 ** count),
    rightOfMost(a.most, U64_MAX, count),
    S64_MIN,
    S64_MAX,
    shiftRightBits(a.bits, count),
  );
}

/** An upper bound shifted to the right; the bound of all numbers stands for one less. */
function rightOfMost(most: number, all: number, count: number): number {
  return most === all && all / 2 ** count <= EXACT ? all / 2 ** count - 1 : Math.floor(most / 2 ** count);
}

function shiftRightSigned(a: Scalar, b: Scalar, bits: 32 | 64): Scalar {
  const count = countOf(b, bits);
  if (count === undefined) return scalar(0, U64_MAX, Math.min(a.signedLeast, 0), Math.max(a.signedMost, -1));
  if (count === 0) return a.withId(0);
  return scalar(
    0,
    U64_MAX,
    Math.floor(a.signedLeast / 2 ** count),
    rightOfMost(a.signedMost, S64_MAX, count),
    shiftRightSignedBits(a.bits, count),
  );
}

/** DIV and MOD. A division by zero gives 0, its remainder is the dividend. */
function divide(operation: number, a: Scalar, b: Scalar, bits: 32 | 64, signed: boolean): Scalar {
  if (a.isConstant && b.isConstant) return quotientOf(operation, a, b, bits, signed);
  if (signed) return UNKNOWN;
  if (operation === ALU.DIV) {
    if (b.least === 0) return between(0, a.most);
    // A quotient of doubles beyond 2^52 may be rounded up to the next whole number.
    const least = Math.floor(a.least / b.most);
    return scalar(
      a.least < 2 ** 52 ? least : Math.max(0, roundDown(least) - 1),
      roundUp(Math.floor(a.most / b.least)),
    );
  }
  if (b.least > 0 && a.most < b.least) return a.withId(0);
  return between(0, b.least > 0 ? Math.min(a.most, b.most < EXACT ? b.most - 1 : b.most) : a.most);
}

function quotientOf(operation: number, a: Scalar, b: Scalar, bits: 32 | 64, signed: boolean): Scalar {
  const read = (value: bigint): bigint => (signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value));
  const dividend = read(constantOf(a));
  const divisor = read(constantOf(b));
  if (operation === ALU.DIV) return constant64(divisor === 0n ? 0n : dividend / divisor);
  return constant64(divisor === 0n ? dividend : dividend % divisor);
}

/**
 * END: bytes swapped, or, on a machine whose order it is already, the lowest bits alone.
 *
 * @param width 16, 32 or 64
 */
export function byteOrdered(a: Scalar, width: number, swaps: boolean): Scalar {
  if (swaps) return a.isConstant ? constant64(swapped(constantOf(a), width)) : loaded(width / 8);
  if (width === 64) return a.withId(0);
  if (width === 32) return truncated(a).withId(0);
  if (a.most <= 0xffff) return a.withId(0);
  return scalar(0, Math.min(U32_MAX, 2 ** width - 1), S64_MIN, S64_MAX, lowestBits(a.bits, width));
}

function swapped(value: bigint, width: number): bigint {
  let result = 0n;
  for (let shift = 0; shift < width; shift += 8) result = (result << 8n) | ((value >> BigInt(shift)) & 0xffn);
  return result;
}
