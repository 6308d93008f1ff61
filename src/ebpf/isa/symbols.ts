/**
 * The signs of the kernel's disassembly (kernel/bpf/disasm.c), which the printer and the assembler both know.
 *
 * @module
 */
import { ALU, ATOMIC, JMP, SIZE } from "./opcodes.ts";

/** Between the operands of arithmetic. */
export const ALU_SIGNS: ReadonlyMap<number, string> = new Map([
  [ALU.ADD, "+="],
  [ALU.SUB, "-="],
  [ALU.MUL, "*="],
  [ALU.DIV, "/="],
  [ALU.OR, "|="],
  [ALU.AND, "&="],
  [ALU.LSH, "<<="],
  [ALU.RSH, ">>="],
  [ALU.MOD, "%="],
  [ALU.XOR, "^="],
  [ALU.MOV, "="],
  [ALU.ARSH, "s>>="],
]);

/** The same where the operands are signed. */
export const SIGNED_SIGNS: ReadonlyMap<number, string> = new Map([
  [ALU.DIV, "s/="],
  [ALU.MOD, "s%="],
]);

/** Between the operands of a conditional jump. */
export const JMP_SIGNS: ReadonlyMap<number, string> = new Map([
  [JMP.JEQ, "=="],
  [JMP.JGT, ">"],
  [JMP.JGE, ">="],
  [JMP.JSET, "&"],
  [JMP.JNE, "!="],
  [JMP.JSGT, "s>"],
  [JMP.JSGE, "s>="],
  [JMP.JLT, "<"],
  [JMP.JLE, "<="],
  [JMP.JSLT, "s<"],
  [JMP.JSLE, "s<="],
]);

/** Atomic instructions that add or combine. */
export const ATOMIC_NAMES: ReadonlyMap<number, string> = new Map([
  [ATOMIC.ADD, "add"],
  [ATOMIC.OR, "or"],
  [ATOMIC.AND, "and"],
  [ATOMIC.XOR, "xor"],
]);

/** How many bits are loaded or stored. */
export const SIZE_BITS: ReadonlyMap<number, number> = new Map([
  [SIZE.B, 8],
  [SIZE.H, 16],
  [SIZE.W, 32],
  [SIZE.DW, 64],
]);

/** From signs back to what they stand for. */
export function bySign(signs: ReadonlyMap<number, string>): ReadonlyMap<string, number> {
  return new Map([...signs].map(([operation, sign]) => [sign, operation]));
}
