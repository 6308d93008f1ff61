/**
 * Known bits of a 64-bit number: the kernel's tnum (kernel/bpf/tnum.c), in halves of 32 bits that JavaScript is quick with.
 *
 * A bit is unknown where `unknown` has it; elsewhere it is as in `value`, which is 0 where it is unknown. All halves are i32.
 *
 * @module
 */
export class KnownBits {
  readonly low: number;
  readonly high: number;
  readonly unknownLow: number;
  readonly unknownHigh: number;

  constructor(low: number, high: number, unknownLow: number, unknownHigh: number) {
    this.low = low;
    this.high = high;
    this.unknownLow = unknownLow;
    this.unknownHigh = unknownHigh;
  }

  get isConstant(): boolean {
    return (this.unknownLow | this.unknownHigh) === 0;
  }
}

/** Nothing is known. */
export const NO_BITS = new KnownBits(0, 0, -1, -1);

/** All is known. */
export const constantBits = (low: number, high: number): KnownBits => new KnownBits(low | 0, high | 0, 0, 0);

/** Bits that are wrong where `unknown` has them are cleared. */
function known(low: number, high: number, unknownLow: number, unknownHigh: number): KnownBits {
  return new KnownBits(low & ~unknownLow, high & ~unknownHigh, unknownLow | 0, unknownHigh | 0);
}

/** The upper half of a sum of two numbers in halves. */
const sumHigh = (aLow: number, aHigh: number, bLow: number, bHigh: number): number =>
  (aHigh + bHigh + ((aLow >>> 0) + (bLow >>> 0) > 0xffff_ffff ? 1 : 0)) | 0;

/** The upper half of a difference. */
const differenceHigh = (aLow: number, aHigh: number, bLow: number, bHigh: number): number =>
  (aHigh - bHigh - (aLow >>> 0 < bLow >>> 0 ? 1 : 0)) | 0;

export function andBits(a: KnownBits, b: KnownBits): KnownBits {
  const low = a.low & b.low;
  const high = a.high & b.high;
  return new KnownBits(
    low,
    high,
    (a.low | a.unknownLow) & (b.low | b.unknownLow) & ~low,
    (a.high | a.unknownHigh) & (b.high | b.unknownHigh) & ~high,
  );
}

export function orBits(a: KnownBits, b: KnownBits): KnownBits {
  const low = a.low | b.low;
  const high = a.high | b.high;
  return new KnownBits(
    low,
    high,
    (a.unknownLow | b.unknownLow) & ~low,
    (a.unknownHigh | b.unknownHigh) & ~high,
  );
}

export function xorBits(a: KnownBits, b: KnownBits): KnownBits {
  return known(a.low ^ b.low, a.high ^ b.high, a.unknownLow | b.unknownLow, a.unknownHigh | b.unknownHigh);
}

/** tnum_add: a bit of the sum is known where neither operand nor a carry makes a difference. */
export function addBits(a: KnownBits, b: KnownBits): KnownBits {
  const masksLow = (a.unknownLow + b.unknownLow) | 0;
  const masksHigh = sumHigh(a.unknownLow, a.unknownHigh, b.unknownLow, b.unknownHigh);
  const low = (a.low + b.low) | 0;
  const high = sumHigh(a.low, a.high, b.low, b.high);
  const allLow = (masksLow + low) | 0;
  const allHigh = sumHigh(masksLow, masksHigh, low, high);
  return known(
    low,
    high,
    (allLow ^ low) | a.unknownLow | b.unknownLow,
    (allHigh ^ high) | a.unknownHigh | b.unknownHigh,
  );
}

/** tnum_sub. */
export function subtractBits(a: KnownBits, b: KnownBits): KnownBits {
  const low = (a.low - b.low) | 0;
  const high = differenceHigh(a.low, a.high, b.low, b.high);
  const mostLow = (low + a.unknownLow) | 0;
  const mostHigh = sumHigh(low, high, a.unknownLow, a.unknownHigh);
  const leastLow = (low - b.unknownLow) | 0;
  const leastHigh = differenceHigh(low, high, b.unknownLow, b.unknownHigh);
  return known(
    low,
    high,
    (mostLow ^ leastLow) | a.unknownLow | b.unknownLow,
    (mostHigh ^ leastHigh) | a.unknownHigh | b.unknownHigh,
  );
}

/** A product has the zeros at its end that its factors have together. */
export function multiplyBits(a: KnownBits, b: KnownBits): KnownBits {
  const zeros = trailingZeros(a) + trailingZeros(b);
  return shiftLeftBits(NO_BITS, Math.min(zeros, 64));
}

/** How many bits at the lower end are known to be zero. */
export function trailingZeros({ low, high, unknownLow, unknownHigh }: KnownBits): number {
  const maybeLow = low | unknownLow;
  if (maybeLow !== 0) return 31 - Math.clz32(maybeLow & -maybeLow);
  const maybeHigh = high | unknownHigh;
  return maybeHigh === 0 ? 64 : 63 - Math.clz32(maybeHigh & -maybeHigh);
}

/** The halves of a number shifted to the left; by 64 nothing is left. */
const leftLow = (low: number, count: number): number => (count < 32 ? low << count : 0);
function leftHigh(low: number, high: number, count: number): number {
  if (count === 0) return high;
  if (count < 32) return (high << count) | (low >>> (32 - count));
  return count < 64 ? low << (count - 32) : 0;
}

export function shiftLeftBits(a: KnownBits, count: number): KnownBits {
  return new KnownBits(
    leftLow(a.low, count),
    leftHigh(a.low, a.high, count),
    leftLow(a.unknownLow, count),
    leftHigh(a.unknownLow, a.unknownHigh, count),
  );
}

function rightLow(low: number, high: number, count: number): number {
  if (count === 0) return low;
  return count < 32 ? (low >>> count) | (high << (32 - count)) : high >>> (count - 32);
}
const rightHigh = (high: number, count: number): number => (count < 32 ? high >>> count : 0);

export function shiftRightBits(a: KnownBits, count: number): KnownBits {
  return new KnownBits(
    rightLow(a.low, a.high, count) | 0,
    rightHigh(a.high, count) | 0,
    rightLow(a.unknownLow, a.unknownHigh, count) | 0,
    rightHigh(a.unknownHigh, count) | 0,
  );
}

function signedRightLow(low: number, high: number, count: number): number {
  if (count === 0) return low;
  return count < 32 ? (low >>> count) | (high << (32 - count)) : high >> (count - 32);
}
const signedRightHigh = (high: number, count: number): number => (count < 32 ? high >> count : high >> 31);

/** An unknown sign makes unknown bits. */
export function shiftRightSignedBits(a: KnownBits, count: number): KnownBits {
  return new KnownBits(
    signedRightLow(a.low, a.high, count),
    signedRightHigh(a.high, count),
    signedRightLow(a.unknownLow, a.unknownHigh, count),
    signedRightHigh(a.unknownHigh, count),
  );
}

/** The lowest `count` bits; the others are zero. */
export function lowestBits(a: KnownBits, count: number): KnownBits {
  const maskLow = count >= 32 ? -1 : (1 << count) - 1;
  const maskHigh = count >= 64 ? -1 : count > 32 ? (1 << (count - 32)) - 1 : 0;
  return new KnownBits(a.low & maskLow, a.high & maskHigh, a.unknownLow & maskLow, a.unknownHigh & maskHigh);
}

/** What both know; undefined when they contradict each other. */
export function bothBits(a: KnownBits, b: KnownBits): KnownBits | undefined {
  if (a === b) return a;
  const differLow = (a.low ^ b.low) & ~(a.unknownLow | b.unknownLow);
  const differHigh = (a.high ^ b.high) & ~(a.unknownHigh | b.unknownHigh);
  if ((differLow | differHigh) !== 0) return undefined;
  return new KnownBits(
    a.low | b.low,
    a.high | b.high,
    a.unknownLow & b.unknownLow,
    a.unknownHigh & b.unknownHigh,
  );
}

/** What is true of either. */
export function eitherBits(a: KnownBits, b: KnownBits): KnownBits {
  return known(
    a.low,
    a.high,
    a.unknownLow | b.unknownLow | (a.low ^ b.low),
    a.unknownHigh | b.unknownHigh | (a.high ^ b.high),
  );
}

/** Whether every number of `inner` is one of `outer`. */
export function bitsWithin(inner: KnownBits, outer: KnownBits): boolean {
  return (
    ((inner.unknownLow | (inner.low ^ outer.low)) & ~outer.unknownLow) === 0 &&
    ((inner.unknownHigh | (inner.high ^ outer.high)) & ~outer.unknownHigh) === 0
  );
}

/** The bits that all numbers of a range have in common: those above the highest in which its ends differ. */
export function bitsOfRange(least: number, most: number): KnownBits {
  if (most >= 2 ** 64) return NO_BITS;
  const low = least >>> 0;
  const high = Math.floor(least / 2 ** 32);
  const differLow = (low ^ (most >>> 0)) >>> 0;
  const differHigh = (high ^ Math.floor(most / 2 ** 32)) >>> 0;
  if (differHigh !== 0) return known(0, high, -1, allBelow(differHigh));
  return known(low, high, allBelow(differLow), 0);
}

/** All ones from the highest bit of a half down. */
function allBelow(half: number): number {
  const zeros = Math.clz32(half);
  return zeros === 32 ? 0 : -1 >>> zeros;
}
