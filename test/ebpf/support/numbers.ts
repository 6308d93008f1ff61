// Arithmetic of eBPF over bigints, as RFC 9669 has it, and whether a number is one of those that the verifier thinks possible.
import { ALU, JMP } from "../../../src/ebpf/isa/opcodes.ts";
import type { Scalar } from "../../../src/ebpf/verify/scalar/scalar.ts";

type Operation = (a: bigint, b: bigint, bits: bigint, signed: boolean) => bigint;

/** The operands and the result of an operation are read in its width. */
const wide =
  (operate: Operation): Operation =>
  (a, b, bits, signed) => {
    const read = (value: bigint) =>
      signed ? BigInt.asIntN(Number(bits), value) : BigInt.asUintN(Number(bits), value);
    return BigInt.asUintN(Number(bits), operate(read(a), read(b), bits, signed));
  };

/** Results of arithmetic by operation. `signed` is for DIV and MOD. */
export const RESULT: Readonly<Record<number, Operation>> = {
  [ALU.ADD]: wide((a, b) => a + b),
  [ALU.SUB]: wide((a, b) => a - b),
  [ALU.MUL]: wide((a, b) => a * b),
  [ALU.DIV]: wide((a, b) => (b === 0n ? 0n : a / b)),
  [ALU.MOD]: wide((a, b) => (b === 0n ? a : a % b)),
  [ALU.OR]: wide((a, b) => a | b),
  [ALU.AND]: wide((a, b) => a & b),
  [ALU.XOR]: wide((a, b) => a ^ b),
  [ALU.LSH]: wide((a, b, bits) => a << (b & (bits - 1n))),
  [ALU.RSH]: wide((a, b, bits) => BigInt.asUintN(Number(bits), a) >> (b & (bits - 1n))),
  [ALU.ARSH]: wide((a, b, bits) => BigInt.asIntN(Number(bits), a) >> (b & (bits - 1n))),
};

/** Whether a comparison of a jump holds. */
export function holds(operation: number, left: bigint, right: bigint, bits: bigint): boolean {
  const width = Number(bits);
  const [a, b] = [BigInt.asUintN(width, left), BigInt.asUintN(width, right)];
  const [signedA, signedB] = [BigInt.asIntN(width, left), BigInt.asIntN(width, right)];
  switch (operation) {
    case JMP.JEQ:
      return a === b;
    case JMP.JNE:
      return a !== b;
    case JMP.JGT:
      return a > b;
    case JMP.JGE:
      return a >= b;
    case JMP.JLT:
      return a < b;
    case JMP.JLE:
      return a <= b;
    case JMP.JSGT:
      return signedA > signedB;
    case JMP.JSGE:
      return signedA >= signedB;
    case JMP.JSLT:
      return signedA < signedB;
    case JMP.JSLE:
      return signedA <= signedB;
    case JMP.JSET:
      return (a & b) !== 0n;
  }
  throw new RangeError(`no comparison: ${operation}`);
}

const halves = (low: number, high: number): bigint => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);

/** Whether an u64 is a number of which this is true. */
export function contains(known: Scalar, value: bigint): boolean {
  const { bits } = known;
  const signed = BigInt.asIntN(64, value);
  const half = BigInt.asIntN(32, value);
  const unknown = halves(bits.unknownLow, bits.unknownHigh);
  return (
    value >= BigInt(known.least) &&
    value <= BigInt(known.most) &&
    signed >= BigInt(known.signedLeast) &&
    signed <= BigInt(known.signedMost) &&
    half >= BigInt(known.halfLeast) &&
    half <= BigInt(known.halfMost) &&
    (value & ~unknown & 0xffff_ffff_ffff_ffffn) === halves(bits.low, bits.high)
  );
}

export function show(known: Scalar): string {
  const { least, most, signedLeast, signedMost, bits } = known;
  const hex = (low: number, high: number) => halves(low, high).toString(16);
  return `[${least}..${most} s${signedLeast}..${signedMost} h${known.halfLeast}..${known.halfMost} ${hex(bits.low, bits.high)}/${hex(bits.unknownLow, bits.unknownHigh)}]`;
}
