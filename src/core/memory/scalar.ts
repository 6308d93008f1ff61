/**
 * Values that are one machine number, read and written in host memory without going through their codec. Values are
 * naturally aligned there. What each type accepts is what its codec accepts (`codec/scalars.ts`).
 *
 * @module
 */
import { Scalar, type ScalarKind } from "../../codec/codec.ts";
import type { CoreMemory } from "./core_memory.ts";

const WORD = 0x1_0000_0000;
/** Largest upper word of an integer below 2^53. */
const U53_HIGH_MAX = 0x1f_ffff;
const U64_MAX = 0xffff_ffff_ffff_ffffn;
const I64_MIN = -0x8000_0000_0000_0000n;
const I64_MAX = 0x7fff_ffff_ffff_ffffn;

export function isU32(value: unknown): value is number {
  return typeof value === "number" && value >>> 0 === value;
}

function isI32(value: unknown): value is number {
  return typeof value === "number" && (value | 0) === value;
}

export function isU53(value: unknown): value is number {
  return (
    typeof value === "number" && value >= 0 && value <= Number.MAX_SAFE_INTEGER && Math.floor(value) === value
  );
}

/** Whether values of the kind are JavaScript numbers, which the core takes and gives as they are. */
export function isNumberKind(scalar: ScalarKind): boolean {
  return scalar >= Scalar.U8 && scalar <= Scalar.U53;
}

/** Whether {@link writeScalar} may write the value; false for every value of a codec that is not one number. */
export function fitsScalar(scalar: ScalarKind, value: unknown): boolean {
  switch (scalar) {
    case Scalar.U32:
      return isU32(value);
    case Scalar.U53:
      return isU53(value);
    case Scalar.F64:
      return typeof value === "number";
    case Scalar.I32:
      return isI32(value);
    case Scalar.U16:
      return typeof value === "number" && (value & 0xffff) === value;
    case Scalar.U8:
      return typeof value === "number" && (value & 0xff) === value;
    case Scalar.I16:
      return typeof value === "number" && (value << 16) >> 16 === value;
    case Scalar.I8:
      return typeof value === "number" && (value << 24) >> 24 === value;
    case Scalar.F32:
      return typeof value === "number" && (!Number.isFinite(value) || Number.isFinite(Math.fround(value)));
    case Scalar.U64:
      return typeof value === "bigint" && value >= 0n && value <= U64_MAX;
    case Scalar.I64:
      return typeof value === "bigint" && value >= I64_MIN && value <= I64_MAX;
    default:
      return false;
  }
}

/** Writes a value that {@link fitsScalar}. */
export function writeScalar(host: CoreMemory, scalar: ScalarKind, address: number, value: unknown): void {
  switch (scalar) {
    case Scalar.U32:
    case Scalar.I32:
      host.u32[address >>> 2] = value as number;
      break;
    case Scalar.U53:
      host.u32[address >>> 2] = value as number;
      host.u32[(address >>> 2) + 1] = (value as number) / WORD;
      break;
    case Scalar.F64:
      host.f64[address >>> 3] = value as number;
      break;
    case Scalar.U16:
    case Scalar.I16:
      host.u16[address >>> 1] = value as number;
      break;
    case Scalar.U8:
    case Scalar.I8:
      host.u8[address] = value as number;
      break;
    case Scalar.F32:
      host.f32[address >>> 2] = value as number;
      break;
    case Scalar.U64:
      host.view.setBigUint64(address, value as bigint, true);
      break;
    case Scalar.I64:
      host.view.setBigInt64(address, value as bigint, true);
      break;
  }
}

/** The number at an address, or undefined where only the codec can tell: no number, or a u53 beyond 2^53 - 1. */
export function readScalar(host: CoreMemory, scalar: ScalarKind, address: number): unknown {
  switch (scalar) {
    case Scalar.U32:
      return host.u32[address >>> 2];
    case Scalar.U53: {
      const high = host.u32[(address >>> 2) + 1];
      return high > U53_HIGH_MAX ? undefined : high * WORD + host.u32[address >>> 2];
    }
    case Scalar.F64:
      return host.f64[address >>> 3];
    case Scalar.I32:
      return host.i32[address >>> 2];
    case Scalar.U16:
      return host.u16[address >>> 1];
    case Scalar.U8:
      return host.u8[address];
    case Scalar.I16:
      return (host.u16[address >>> 1] << 16) >> 16;
    case Scalar.I8:
      return (host.u8[address] << 24) >> 24;
    case Scalar.F32:
      return host.f32[address >>> 2];
    case Scalar.U64:
      return host.view.getBigUint64(address, true);
    case Scalar.I64:
      return host.view.getBigInt64(address, true);
    default:
      return undefined;
  }
}
