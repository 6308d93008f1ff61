/**
 * What a comparison tells about the numbers that it compares.
 *
 * @module
 */
import { JMP } from "../../isa/opcodes.ts";
import { bothBits, KnownBits, lowestBits } from "./bits.ts";
import { truncated } from "./relations.ts";
import { EXACT, type Scalar, scalarWhere, U32_MAX } from "./scalar.ts";

/** What the two operands are where the comparison has come out one way. */
export interface Compared {
  readonly left: Scalar;
  readonly right: Scalar;
}

/** The comparison that holds where one does not. JSET has none: it is asked for by `taken`. */
export const OPPOSITE: ReadonlyMap<number, number> = new Map([
  [JMP.JEQ, JMP.JNE],
  [JMP.JNE, JMP.JEQ],
  [JMP.JGT, JMP.JLE],
  [JMP.JLE, JMP.JGT],
  [JMP.JGE, JMP.JLT],
  [JMP.JLT, JMP.JGE],
  [JMP.JSGT, JMP.JSLE],
  [JMP.JSLE, JMP.JSGT],
  [JMP.JSGE, JMP.JSLT],
  [JMP.JSLT, JMP.JSGE],
]);

/** The comparison of the operands in the other order. */
export const MIRRORED: ReadonlyMap<number, number> = new Map([
  [JMP.JEQ, JMP.JEQ],
  [JMP.JNE, JMP.JNE],
  [JMP.JGT, JMP.JLT],
  [JMP.JLT, JMP.JGT],
  [JMP.JGE, JMP.JLE],
  [JMP.JLE, JMP.JGE],
]);

/**
 * The operands where a jump is taken, or is not; undefined where that cannot be.
 *
 * @param operation of JMP, or of JMP32 when `bits` is 32
 */
export function compared(
  operation: number,
  left: Scalar,
  right: Scalar,
  taken: boolean,
  bits: 32 | 64,
): Compared | undefined {
  if (operation === JMP.JSET) return bitsTested(left, right, taken, bits);
  const holds = taken ? operation : OPPOSITE.get(operation)!;
  if (bits === 64) return comparedWhole(holds, left, right);
  const isWhole = left.most <= U32_MAX && right.most <= U32_MAX;
  if (isWhole || isSigned(holds)) return compared32(holds, left, right);
  // Only the lower halves are compared: that may decide, and of equal ones the bits are known.
  const halves = compared32(holds, truncated(left), truncated(right));
  if (halves === undefined || holds !== JMP.JEQ) return halves && { left, right };
  const sharperLeft = withLowerHalf(left, halves.left);
  const sharperRight = withLowerHalf(right, halves.right);
  return sharperLeft && sharperRight && { left: sharperLeft, right: sharperRight };
}

/** A number of which the lower half is known better now. */
function withLowerHalf(whole: Scalar, half: Scalar): Scalar | undefined {
  const lower = new KnownBits(half.bits.low, 0, half.bits.unknownLow, -1);
  return withBits(whole, lower);
}

function withBits(a: Scalar, more: KnownBits): Scalar | undefined {
  const bits = bothBits(a.bits, more);
  if (bits === undefined) return undefined;
  return scalarWhere(a.least, a.most, a.signedLeast, a.signedMost, bits, a.halfLeast, a.halfMost);
}

/** JSET. */
function bitsTested(left: Scalar, right: Scalar, taken: boolean, bits: 32 | 64): Compared | undefined {
  if (!right.isConstant) return { left, right };
  const mask = bits === 64 ? right.bits : lowestBits(right.bits, 32);
  if (!taken) {
    const clear = withBits(left, new KnownBits(0, 0, ~mask.low, ~mask.high));
    return clear && { left: clear, right };
  }
  const maybeLow = (left.bits.low | left.bits.unknownLow) & mask.low;
  const maybeHigh = (left.bits.high | left.bits.unknownHigh) & mask.high;
  if ((maybeLow | maybeHigh) === 0) return undefined;
  // Only one bit can have done it.
  const single =
    maybeHigh === 0
      ? (maybeLow & (maybeLow - 1)) === 0
      : maybeLow === 0 && (maybeHigh & (maybeHigh - 1)) === 0;
  if (!single) return { left, right };
  const set = withBits(left, new KnownBits(maybeLow, maybeHigh, ~maybeLow, ~maybeHigh));
  return set && { left: set, right };
}

const isSigned = (operation: number): boolean =>
  operation === JMP.JSGT || operation === JMP.JSGE || operation === JMP.JSLT || operation === JMP.JSLE;

/** A comparison of 32 bits. Signed ones say something of lower halves, the others of numbers that have no more. */
function compared32(holds: number, left: Scalar, right: Scalar): Compared | undefined {
  switch (holds) {
    case JMP.JSGT:
      return orderedHalves(right, left, true, flipped);
    case JMP.JSGE:
      return orderedHalves(right, left, false, flipped);
    case JMP.JSLT:
      return orderedHalves(left, right, true);
    case JMP.JSLE:
      return orderedHalves(left, right, false);
  }
  return comparedWhole(holds, left, right);
}

function orderedHalves(
  lesser: Scalar,
  greater: Scalar,
  strictly: boolean,
  pair = both,
): Compared | undefined {
  const most = Math.min(lesser.halfMost, strictly ? greater.halfMost - 1 : greater.halfMost);
  const least = Math.max(greater.halfLeast, strictly ? lesser.halfLeast + 1 : lesser.halfLeast);
  return pair(withHalf(lesser, lesser.halfLeast, most), withHalf(greater, least, greater.halfMost));
}

function withHalf(a: Scalar, least: number, most: number): Scalar | undefined {
  if (least === a.halfLeast && most === a.halfMost) return a;
  return scalarWhere(a.least, a.most, a.signedLeast, a.signedMost, a.bits, least, most);
}

/** The next whole number, where doubles have it. */
const after = (bound: number): number => (Math.abs(bound) < EXACT ? bound + 1 : bound);
const before = (bound: number): number => (Math.abs(bound) < EXACT ? bound - 1 : bound);

function comparedWhole(holds: number, a: Scalar, b: Scalar): Compared | undefined {
  switch (holds) {
    case JMP.JEQ:
      return equal(a, b);
    case JMP.JNE:
      return different(a, b);
    case JMP.JGT:
      return ordered(b, a, true, flipped);
    case JMP.JGE:
      return ordered(b, a, false, flipped);
    case JMP.JLT:
      return ordered(a, b, true);
    case JMP.JLE:
      return ordered(a, b, false);
    case JMP.JSGT:
      return orderedSigned(b, a, true, flipped);
    case JMP.JSGE:
      return orderedSigned(b, a, false, flipped);
    case JMP.JSLT:
      return orderedSigned(a, b, true);
    case JMP.JSLE:
      return orderedSigned(a, b, false);
  }
  return { left: a, right: b };
}

const both = (left: Scalar | undefined, right: Scalar | undefined): Compared | undefined =>
  left && right && { left, right };
const flipped = (left: Scalar | undefined, right: Scalar | undefined): Compared | undefined =>
  both(right, left);

function ordered(lesser: Scalar, greater: Scalar, strictly: boolean, pair = both): Compared | undefined {
  const most = Math.min(lesser.most, strictly ? before(greater.most) : greater.most);
  const least = Math.max(greater.least, strictly ? after(lesser.least) : lesser.least);
  return pair(
    most === lesser.most
      ? lesser
      : scalarWhere(
          lesser.least,
          most,
          lesser.signedLeast,
          lesser.signedMost,
          lesser.bits,
          lesser.halfLeast,
          lesser.halfMost,
        ),
    least === greater.least
      ? greater
      : scalarWhere(
          least,
          greater.most,
          greater.signedLeast,
          greater.signedMost,
          greater.bits,
          greater.halfLeast,
          greater.halfMost,
        ),
  );
}

function orderedSigned(
  lesser: Scalar,
  greater: Scalar,
  strictly: boolean,
  pair = both,
): Compared | undefined {
  const most = Math.min(lesser.signedMost, strictly ? before(greater.signedMost) : greater.signedMost);
  const least = Math.max(greater.signedLeast, strictly ? after(lesser.signedLeast) : lesser.signedLeast);
  return pair(
    most === lesser.signedMost
      ? lesser
      : scalarWhere(
          lesser.least,
          lesser.most,
          lesser.signedLeast,
          most,
          lesser.bits,
          lesser.halfLeast,
          lesser.halfMost,
        ),
    least === greater.signedLeast
      ? greater
      : scalarWhere(
          greater.least,
          greater.most,
          least,
          greater.signedMost,
          greater.bits,
          greater.halfLeast,
          greater.halfMost,
        ),
  );
}

function equal(a: Scalar, b: Scalar): Compared | undefined {
  const bits = bothBits(a.bits, b.bits);
  if (bits === undefined) return undefined;
  const one = scalarWhere(
    Math.max(a.least, b.least),
    Math.min(a.most, b.most),
    Math.max(a.signedLeast, b.signedLeast),
    Math.min(a.signedMost, b.signedMost),
    bits,
    Math.max(a.halfLeast, b.halfLeast),
    Math.min(a.halfMost, b.halfMost),
  );
  return one && { left: one, right: one };
}

function different(a: Scalar, b: Scalar): Compared | undefined {
  if (a.isConstant && b.isConstant && bothBits(a.bits, b.bits) !== undefined) return undefined;
  return both(unequalTo(a, b), unequalTo(b, a));
}

/** A number that is not a certain constant: a bound that was it moves. */
function unequalTo(a: Scalar, b: Scalar): Scalar | undefined {
  if (!b.isConstant) return a;
  const isBound =
    a.least === b.least ||
    a.most === b.most ||
    a.signedLeast === b.signedLeast ||
    a.signedMost === b.signedMost;
  if (!isBound) return a;
  const { least: value, signedLeast: signed } = b;
  const isExact = b.most < EXACT;
  return scalarWhere(
    isExact && a.least === value ? after(a.least) : a.least,
    isExact && a.most === value ? before(a.most) : a.most,
    a.signedLeast === signed ? after(a.signedLeast) : a.signedLeast,
    a.signedMost === signed ? before(a.signedMost) : a.signedMost,
    a.bits,
    a.halfLeast,
    a.halfMost,
  );
}
