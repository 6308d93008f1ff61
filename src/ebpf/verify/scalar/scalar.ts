/**
 * What is known of a number in a register: between which numbers it lies, read as unsigned and as signed, and some of its bits.
 *
 * Bounds are doubles, and never wrong: beyond 2^53, where doubles have gaps, they are rounded outwards. So 2^64 stands for 2^64 - 1 and
 * 2^63 for 2^63 - 1. What a program indexes with is far below; there they are exact. Constants of any size are exact in their bits.
 *
 * @module
 */
import { bitsOfRange, bothBits, constantBits, type KnownBits, NO_BITS } from "./bits.ts";

/** Below this, doubles are exact. */
export const EXACT = 2 ** 53;
/** The bounds of 64 bits, rounded outwards. */
export const U64_MAX = 2 ** 64;
export const S64_MIN = -(2 ** 63);
export const S64_MAX = 2 ** 63;
export const U32_MAX = 0xffff_ffff;
export const S32_MIN = -0x8000_0000;
export const S32_MAX = 0x7fff_ffff;

const UPWARDS = 1 + 2 ** -52;
const DOWNWARDS = 1 - 2 ** -52;

/** A computed bound, rounded so that it is not below the true one. */
export function roundUp(bound: number): number {
  if (bound >= EXACT) return bound * UPWARDS;
  return bound <= -EXACT ? bound * DOWNWARDS : bound;
}

/** A computed bound, rounded so that it is not above the true one. */
export function roundDown(bound: number): number {
  if (bound >= EXACT) return bound * DOWNWARDS;
  return bound <= -EXACT ? bound * UPWARDS : bound;
}

export class Scalar {
  readonly kind = "scalar";
  /** Unsigned bounds. */
  readonly least: number;
  readonly most: number;
  /** Signed bounds. */
  readonly signedLeast: number;
  readonly signedMost: number;
  /** Signed bounds of the lower half. */
  readonly halfLeast: number;
  readonly halfMost: number;
  readonly bits: KnownBits;
  /** The same in all copies of a number: what is learned of one is true of all. 0: no copies. */
  readonly id: number;

  constructor(
    least: number,
    most: number,
    signedLeast: number,
    signedMost: number,
    halfLeast: number,
    halfMost: number,
    bits: KnownBits,
    id: number,
  ) {
    this.least = least;
    this.most = most;
    this.signedLeast = signedLeast;
    this.signedMost = signedMost;
    this.halfLeast = halfLeast;
    this.halfMost = halfMost;
    this.bits = bits;
    this.id = id;
  }

  get isConstant(): boolean {
    return this.bits.isConstant;
  }

  get isZero(): boolean {
    return this.most === 0;
  }

  /** Whether it may be any number. */
  get isUnknown(): boolean {
    const { unknownLow, unknownHigh } = this.bits;
    if (this.most !== U64_MAX || this.signedLeast !== S64_MIN || this.halfLeast !== S32_MIN) return false;
    return this.halfMost === S32_MAX && (unknownLow & unknownHigh) === -1;
  }

  withId(id: number): Scalar {
    if (id === this.id) return this;
    const { least, most, signedLeast, signedMost, halfLeast, halfMost, bits } = this;
    return new Scalar(least, most, signedLeast, signedMost, halfLeast, halfMost, bits, id);
  }
}

/** Any number. */
export const UNKNOWN = new Scalar(0, U64_MAX, S64_MIN, S64_MAX, S32_MIN, S32_MAX, NO_BITS, 0);

/** The number of unsigned bits. */
const unsignedOf = (low: number, high: number): number => (high >>> 0) * 2 ** 32 + (low >>> 0);
const signedOf = (low: number, high: number): number => high * 2 ** 32 + (low >>> 0);

/**
 * A number of which several things are known: each of them sharpens the others. Undefined when they contradict each other: no number
 * is like that.
 */
export function scalarWhere(
  least: number,
  most: number,
  signedLeast: number,
  signedMost: number,
  bits: KnownBits = NO_BITS,
  halfLeast: number = S32_MIN,
  halfMost: number = S32_MAX,
): Scalar | undefined {
  let known = bits;
  if (known.isConstant && known.high >>> 0 < 2 ** 20) {
    const value = unsignedOf(known.low, known.high);
    const fits = value >= least && value <= most && value >= signedLeast && value <= signedMost;
    if (!fits || known.low < halfLeast || known.low > halfMost) return undefined;
    return new Scalar(value, value, value, value, known.low, known.low, known, 0);
  }
  // Bits sharpen bounds, bounds of one kind those of the others, and what bounds have in common is known bits. Until nothing is new: a
  // number that is one of several must be found to be one of them.
  for (;;) {
    const [from, to, signedFrom, signedTo] = [least, most, signedLeast, signedMost];
    const [halfFrom, halfTo] = [halfLeast, halfMost];
    if (known !== NO_BITS) {
      least = Math.max(least, roundDown(unsignedOf(known.low, known.high)));
      most = Math.min(
        most,
        roundUp(unsignedOf(known.low | known.unknownLow, known.high | known.unknownHigh)),
      );
      // The least has an unknown sign bit set, the most has it clear.
      const sign = known.unknownHigh & 0x8000_0000;
      signedLeast = Math.max(signedLeast, roundDown(signedOf(known.low, known.high | sign)));
      signedMost = Math.min(
        signedMost,
        roundUp(signedOf(known.low | known.unknownLow, (known.high | known.unknownHigh) & ~sign)),
      );
      const halfSign = known.unknownLow & 0x8000_0000;
      halfLeast = Math.max(halfLeast, known.low | halfSign);
      halfMost = Math.min(halfMost, (known.low | known.unknownLow) & ~halfSign);
    }
    // A number of 32 bits is its lower half, read as unsigned or as signed.
    if (most <= U32_MAX) {
      if (most <= S32_MAX) {
        halfLeast = Math.max(halfLeast, least);
        halfMost = Math.min(halfMost, most);
      } else if (least > S32_MAX) {
        halfLeast = Math.max(halfLeast, least - 2 ** 32);
        halfMost = Math.min(halfMost, most - 2 ** 32);
      }
      if (halfLeast >= 0) {
        least = Math.max(least, halfLeast);
        most = Math.min(most, halfMost);
      } else if (halfMost < 0) {
        least = Math.max(least, halfLeast + 2 ** 32);
        most = Math.min(most, halfMost + 2 ** 32);
      }
    } else if (signedLeast >= S32_MIN && signedMost <= S32_MAX) {
      halfLeast = Math.max(halfLeast, signedLeast);
      halfMost = Math.min(halfMost, signedMost);
      signedLeast = Math.max(signedLeast, halfLeast);
      signedMost = Math.min(signedMost, halfMost);
    }
    if (most < S64_MAX) {
      signedLeast = Math.max(signedLeast, least);
      signedMost = Math.min(signedMost, most);
    } else if (least >= S64_MAX) {
      signedLeast = Math.max(signedLeast, least - U64_MAX);
      signedMost = Math.min(signedMost, most === U64_MAX ? -1 : most - U64_MAX);
    }
    if (signedLeast >= 0) {
      least = Math.max(least, signedLeast);
      most = Math.min(most, signedMost);
    } else if (signedMost < 0) {
      least = Math.max(least, roundDown(signedLeast + U64_MAX));
      most = Math.min(most, roundUp(signedMost + U64_MAX));
    }
    if (least > most || signedLeast > signedMost || halfLeast > halfMost) return undefined;
    const sharper = bothBits(known, bitsOfRange(least, most));
    if (sharper === undefined) return undefined;
    const isSharper = sharper.unknownLow !== known.unknownLow || sharper.unknownHigh !== known.unknownHigh;
    const isMoved = least !== from || most !== to || signedLeast !== signedFrom || signedMost !== signedTo;
    if (!isSharper && !isMoved && halfLeast === halfFrom && halfMost === halfTo) break;
    known = sharper;
  }
  return new Scalar(least, most, signedLeast, signedMost, halfLeast, halfMost, known, 0);
}

/** As {@link scalarWhere}, where there must be such a number: without one no path leads here, and any will do. */
export function scalar(
  least: number,
  most: number,
  signedLeast: number = S64_MIN,
  signedMost: number = S64_MAX,
  bits: KnownBits = NO_BITS,
  halfLeast: number = S32_MIN,
  halfMost: number = S32_MAX,
): Scalar {
  return scalarWhere(least, most, signedLeast, signedMost, bits, halfLeast, halfMost) ?? UNKNOWN;
}

/** A number of which only bits are known. */
export const scalarOfBits = (bits: KnownBits): Scalar => scalar(0, U64_MAX, S64_MIN, S64_MAX, bits);

const small: Scalar[] = [];

/** A constant of 32 bits, sign-extended: an immediate operand. */
export function constant(value: number): Scalar {
  if (value < 0 || value >= 256) return scalarOfBits(constantBits(value, value < 0 ? -1 : 0));
  small[value] ??= scalarOfBits(constantBits(value, 0));
  return small[value];
}

/** A constant of 64 bits. */
export function constant64(value: bigint): Scalar {
  return scalarOfBits(
    constantBits(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))),
  );
}

export const ZERO = constant(0);

/** Whole numbers below 2^53 from `least` to `most`. */
export const between = (least: number, most: number): Scalar => scalar(least, most);

/** The value of a constant, as an u64. */
export function constantOf({ bits }: Scalar): bigint {
  return (BigInt(bits.high >>> 0) << 32n) | BigInt(bits.low >>> 0);
}

const UNSIGNED = [1, 2, 4].map((bytes) => between(0, 2 ** (8 * bytes) - 1));
const SIGNED = [1, 2, 4].map((bytes) =>
  scalar(0, U64_MAX, -(2 ** (8 * bytes - 1)), 2 ** (8 * bytes - 1) - 1),
);

/** What a load of so many bytes gives. */
export function loaded(bytes: number, signed = false): Scalar {
  if (bytes === 8) return UNKNOWN;
  return (signed ? SIGNED : UNSIGNED)[bytes >> 1];
}
