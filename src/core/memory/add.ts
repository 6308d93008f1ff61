/**
 * Adding to integers in host memory.
 *
 * @module
 */
import { Scalar, type ScalarKind } from "../../codec/codec.ts";
import type { HostViews } from "./views.ts";

const WORD = 0x1_0000_0000;
const U53_HIGH_MAX = 0x1f_ffff;

/** Adds to a u32 as {@link addTo}. The two counters that most programs have are functions of their own, for V8 to inline. */
export function addU32({ u32 }: HostViews, address: number, delta: number): number {
  const sum = (u32[address >>> 2] + delta) >>> 0;
  u32[address >>> 2] = sum;
  return sum;
}

/** Adds to a u53. It does not wrap: -1, and nothing is written, when it would leave 0..2^53 - 1, or had left it before. */
export function addU53({ u32 }: HostViews, address: number, delta: number): number {
  const low = address >>> 2;
  const high = u32[low + 1];
  const sum = high * WORD + u32[low] + delta;
  if (high > U53_HIGH_MAX || sum < 0 || sum > Number.MAX_SAFE_INTEGER) return -1;
  u32[low] = sum;
  u32[low + 1] = sum / WORD;
  return sum;
}

/**
 * Adds to an integer at an address, modulo 2^(8 * width) as an atomic add; the new count.
 *
 * @param delta one that `fitsDelta` of ops/calls/counter.ts takes
 */
export function addTo(
  host: HostViews,
  scalar: ScalarKind,
  address: number,
  delta: number | bigint,
): number | bigint {
  switch (scalar) {
    case Scalar.I32: {
      const sum = (host.i32[address >>> 2] + (delta as number)) | 0;
      host.i32[address >>> 2] = sum;
      return sum;
    }
    case Scalar.U16: {
      const sum = (host.u16[address >>> 1] + (delta as number)) & 0xffff;
      host.u16[address >>> 1] = sum;
      return sum;
    }
    case Scalar.U8: {
      const sum = (host.u8[address] + (delta as number)) & 0xff;
      host.u8[address] = sum;
      return sum;
    }
    case Scalar.I16: {
      const sum = host.u16[address >>> 1] + (delta as number);
      host.u16[address >>> 1] = sum;
      return (sum << 16) >> 16;
    }
    case Scalar.I8: {
      const sum = host.u8[address] + (delta as number);
      host.u8[address] = sum;
      return (sum << 24) >> 24;
    }
    case Scalar.U64: {
      const sum = BigInt.asUintN(64, host.view.getBigUint64(address, true) + (delta as bigint));
      host.view.setBigUint64(address, sum, true);
      return sum;
    }
    default: {
      const sum = BigInt.asIntN(64, host.view.getBigInt64(address, true) + (delta as bigint));
      host.view.setBigInt64(address, sum, true);
      return sum;
    }
  }
}

/** Adds to an integer of any kind, whose sum fits. */
export function addToAny(host: HostViews, scalar: ScalarKind, address: number, delta: number | bigint): void {
  if (scalar === Scalar.U32) addU32(host, address, delta as number);
  else if (scalar === Scalar.U53) addU53(host, address, delta as number);
  else addTo(host, scalar, address, delta);
}

/** Whether {@link addU53} would add. */
export function fitsU53({ u32 }: HostViews, address: number, delta: number): boolean {
  const low = address >>> 2;
  const sum = u32[low + 1] * WORD + u32[low] + delta;
  return u32[low + 1] <= U53_HIGH_MAX && sum >= 0 && sum <= Number.MAX_SAFE_INTEGER;
}
