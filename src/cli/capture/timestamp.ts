import type { Frame } from "./frame.ts";

/** How an interface of a pcapng file counts time (options if_tsresol and if_tsoffset). */
export interface Clock {
  /** Units of a timestamp in a second. */
  unitsPerSecond: bigint;
  /** Seconds that are added to every timestamp. */
  offset: number;
  /** The same number of units where it is a power of ten up to 10^9, 0 otherwise. */
  decimalUnits: number;
  /** Nanoseconds in a unit where `decimalUnits` is not 0. */
  nanoseconds: number;
}

/** `resolution` is the byte of if_tsresol: a negative power of 10, or of 2 with the highest bit set. 6 is the default. */
export function createClock(resolution: number, offset: number): Clock {
  const exponent = resolution & 0x7f;
  const base = resolution & 0x80 ? 2n : 10n;
  const decimal = base === 10n && exponent <= 9;
  return {
    unitsPerSecond: base ** BigInt(exponent),
    offset,
    decimalUnits: decimal ? 10 ** exponent : 0,
    nanoseconds: decimal ? 10 ** (9 - exponent) : 0,
  };
}

/** Sets the frame's time from the 64-bit count `high * 2^32 + low` of the clock's units. */
export function setTime(frame: Frame, clock: Clock, high: number, low: number): void {
  const units = clock.decimalUnits;
  let seconds: number;
  if (units === 0) {
    // Binary fractions, and units below a nanosecond: rare, exact by way of bigint at the price of garbage.
    const count = (BigInt(high) << 32n) | BigInt(low);
    const whole = count / clock.unitsPerSecond;
    seconds = Number(whole);
    const rest = count - whole * clock.unitsPerSecond;
    frame.nanoseconds = Number((rest * 1_000_000_000n) / clock.unitsPerSecond);
  } else {
    // Long division by 16-bit digits: nanoseconds since 1970 are beyond 2^53, each step here stays below 2^48.
    const top = Math.floor(high / units);
    const middle = (high - top * units) * 0x10000 + (low >>> 16);
    const middleSeconds = Math.floor(middle / units);
    const bottom = (middle - middleSeconds * units) * 0x10000 + (low & 0xffff);
    const bottomSeconds = Math.floor(bottom / units);
    seconds = top * 0x100000000 + middleSeconds * 0x10000 + bottomSeconds;
    frame.nanoseconds = (bottom - bottomSeconds * units) * clock.nanoseconds;
  }
  frame.seconds = seconds + clock.offset;
  frame.timed = true;
}
