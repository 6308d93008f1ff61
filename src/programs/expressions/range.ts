/**
 * What is known of an integer expression before it runs: how its 64 bits are read, and between which numbers it lies.
 *
 * Every integer of a program is 64 bits, either signed (two's complement) or unsigned. Ranges do not change what an expression
 * means; they let the code for it be shorter where both bounds fit 32 bits.
 *
 * @module
 */

/** How the 64 bits of an integer are read. */
export type Sign = "signed" | "unsigned";

/** Both bounds included. */
export interface Range {
  readonly low: bigint;
  readonly high: bigint;
}

const range = (low: bigint, high: bigint): Range => ({ low, high });

/** All integers of `bits` bits. */
export const signed = (bits: bigint): Range => range(-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n);
export const unsigned = (bits: bigint): Range => range(0n, (1n << bits) - 1n);

export const S32 = signed(32n);
export const U32 = unsigned(32n);
export const S64 = signed(64n);
export const U64 = unsigned(64n);
/** Everything that a constant may be. */
export const ANY_INTEGER = range(S64.low, U64.high);

export function signOf({ low }: Range): Sign {
  return low < 0n ? "signed" : "unsigned";
}

/** All integers of a sign. */
export function all(sign: Sign): Range {
  return sign === "signed" ? S64 : U64;
}

export function within(inner: Range, outer: Range): boolean {
  return inner.low >= outer.low && inner.high <= outer.high;
}

/** Whether 32 bits say which number of the range it is, and how they are read. */
export function narrow(of: Range): Sign | undefined {
  if (within(of, U32)) return "unsigned";
  return within(of, S32) ? "signed" : undefined;
}

/** The range of 64 bits that are read with another sign. */
export function readAs(sign: Sign, of: Range): Range {
  return wrapped(sign, of.low, of.high);
}

/** What is left of a mathematical result in 64 bits: itself when it cannot leave them. */
function wrapped(sign: Sign, low: bigint, high: bigint): Range {
  const found = range(low, high);
  return within(found, all(sign)) ? found : all(sign);
}

/** Ascending; `Math.min` takes no bigints. */
const sorted = (values: bigint[]): bigint[] => values.sort((a, b) => (a < b ? -1 : 1));
const min = (...values: bigint[]): bigint => sorted(values)[0];
const max = (...values: bigint[]): bigint => sorted(values)[values.length - 1];

/** All ones from the highest bit of a number down. */
function ones(value: bigint): bigint {
  return (1n << BigInt(value.toString(2).length)) - 1n;
}

/** Operations on two integers that give one. */
export type IntegerOperator =
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "mod"
  | "bitAnd"
  | "bitOr"
  | "bitXor"
  | "shl"
  | "shr";

/** The range of a result of a sign. */
export function rangeAfter(operator: IntegerOperator, sign: Sign, left: Range, right: Range): Range {
  // Sums and products depend on the low 64 bits alone, however these are read.
  switch (operator) {
    case "add":
      return wrapped(sign, left.low + right.low, left.high + right.high);
    case "sub":
      return wrapped(sign, left.low - right.high, left.high - right.low);
    case "mul": {
      const corners = [
        left.low * right.low,
        left.low * right.high,
        left.high * right.low,
        left.high * right.high,
      ];
      return wrapped(sign, min(...corners), max(...corners));
    }
  }
  const a = readAs(sign, left);
  const b = operator === "shl" || operator === "shr" ? right : readAs(sign, right);
  switch (operator) {
    case "div":
      return afterDivision(sign, a, b);
    case "mod":
      return afterModulo(a, b);
    case "bitAnd":
      if (a.low >= 0n && b.low >= 0n) return range(0n, min(a.high, b.high));
      if (a.low >= 0n) return range(0n, a.high);
      return b.low >= 0n ? range(0n, b.high) : all(sign);
    case "bitOr":
    case "bitXor":
      return a.low >= 0n && b.low >= 0n ? range(0n, ones(max(a.high, b.high))) : all(sign);
    case "shl":
      return b.low === b.high ? wrapped(sign, a.low << (b.low & 63n), a.high << (b.low & 63n)) : all(sign);
    case "shr":
      if (b.low === b.high) return range(a.low >> (b.low & 63n), a.high >> (b.low & 63n));
      return range(min(a.low, 0n), max(a.high, 0n));
  }
}

/** By zero it gives 0, and the largest quotient comes of the smallest divisor. */
function afterDivision(sign: Sign, a: Range, b: Range): Range {
  if (a.low >= 0n && b.low >= 0n) return range(0n, a.high);
  const most = max(-a.low, a.low, a.high, -a.high);
  return wrapped(sign, -most, most);
}

/** By zero it gives the dividend; otherwise it is closer to zero than both, with the sign of the dividend. */
function afterModulo(a: Range, b: Range): Range {
  const divisor = max(-b.low, b.low, b.high, -b.high);
  const byZero = b.low <= 0n && b.high >= 0n;
  const limit = byZero ? max(-a.low, a.high) : divisor - 1n;
  return range(a.low < 0n ? max(a.low, -limit) : 0n, a.high > 0n ? min(a.high, limit) : 0n);
}
