/**
 * Numbers beside others: one that is inside another, one that is either of two, and what is left of one in fewer bits.
 *
 * @module
 */
import { addBits, bitsWithin, constantBits, eitherBits, lowestBits } from "./bits.ts";
import {
  constant,
  EXACT,
  loaded,
  S32_MAX,
  S32_MIN,
  S64_MAX,
  S64_MIN,
  type Scalar,
  scalar,
  scalarOfBits,
  U32_MAX,
  U64_MAX,
} from "./scalar.ts";

/** Whether every number of `inner` is one of `outer`. */
export function scalarWithin(inner: Scalar, outer: Scalar): boolean {
  return (
    inner === outer ||
    (inner.least >= outer.least &&
      inner.most <= outer.most &&
      inner.signedLeast >= outer.signedLeast &&
      inner.signedMost <= outer.signedMost &&
      inner.halfLeast >= outer.halfLeast &&
      inner.halfMost <= outer.halfMost &&
      bitsWithin(inner.bits, outer.bits))
  );
}

/** A number that is one of the two. */
export function eitherScalar(a: Scalar, b: Scalar): Scalar {
  return scalar(
    Math.min(a.least, b.least),
    Math.max(a.most, b.most),
    Math.min(a.signedLeast, b.signedLeast),
    Math.max(a.signedMost, b.signedMost),
    eitherBits(a.bits, b.bits),
    Math.min(a.halfLeast, b.halfLeast),
    Math.max(a.halfMost, b.halfMost),
  );
}

/** Where bounds that grow in a loop stop on their way. */
const STEPS = [0xff, 0xffff, 0x7fff_ffff, U32_MAX];

/** As {@link eitherScalar}, with bounds so wide that a loop which moves them comes to an end. */
export function widened(before: Scalar, now: Scalar): Scalar {
  const upTo = (bound: number, all: number): number => STEPS.find((step) => step >= bound) ?? all;
  return scalar(
    now.least < before.least ? 0 : before.least,
    now.most > before.most ? upTo(now.most, U64_MAX) : before.most,
    now.signedLeast < before.signedLeast ? S64_MIN : before.signedLeast,
    now.signedMost > before.signedMost ? upTo(now.signedMost, S64_MAX) : before.signedMost,
    eitherBits(before.bits, now.bits),
    now.halfLeast < before.halfLeast ? S32_MIN : before.halfLeast,
    now.halfMost > before.halfMost ? S32_MAX : before.halfMost,
  );
}

/** The lowest 32 bits, as arithmetic of 32 bits leaves them. */
export function truncated(a: Scalar): Scalar {
  if (a.most <= U32_MAX) return a;
  const bits = lowestBits(a.bits, 32);
  const { halfLeast, halfMost } = a;
  if (a.most < EXACT) {
    const above = Math.floor(a.least / 2 ** 32);
    if (above === Math.floor(a.most / 2 ** 32)) {
      return scalar(
        a.least - above * 2 ** 32,
        a.most - above * 2 ** 32,
        S64_MIN,
        S64_MAX,
        bits,
        halfLeast,
        halfMost,
      );
    }
  }
  if (a.signedLeast >= -(2 ** 32) && a.signedMost < 0) {
    return scalar(
      a.signedLeast + 2 ** 32,
      a.signedMost + 2 ** 32,
      S64_MIN,
      S64_MAX,
      bits,
      halfLeast,
      halfMost,
    );
  }
  return scalar(0, U32_MAX, S64_MIN, S64_MAX, bits, halfLeast, halfMost);
}

/** The lowest 8, 16 or 32 bits read as a signed number. */
export function signExtended(a: Scalar, bits: number): Scalar {
  const half = 2 ** (bits - 1);
  if (a.signedLeast >= -half && a.signedMost < half) return a;
  const low = truncated(a);
  if (low.most < half) return low;
  if (bits === 32) return scalar(0, U64_MAX, a.halfLeast, a.halfMost);
  if (low.most < 2 * half && low.least >= half) {
    return scalar(0, U64_MAX, low.least - 2 * half, low.most - 2 * half);
  }
  if (low.isConstant) {
    return constant((low.bits.low << (32 - bits)) >> (32 - bits));
  }
  return loaded(bits / 8, true);
}

/** How far `p + n` may be from `p`: the sum of a fixed and a variable part, modulo 2^64. */
export function plus(a: Scalar, offset: number): Scalar {
  if (offset === 0) return a;
  const shifted = addBits(a.bits, constantBits(offset % 2 ** 32, Math.floor(offset / 2 ** 32)));
  const least = a.signedLeast + offset;
  const most = a.signedMost + offset;
  if (least <= -EXACT || most >= EXACT) return scalarOfBits(shifted);
  return scalar(0, U64_MAX, least, most, shifted);
}
