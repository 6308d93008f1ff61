/**
 * Where control goes from an instruction: to its target, to the one behind it, into a function of the program.
 *
 * @module
 */
import type { Code, Instruction } from "./decode.ts";
import { CALL, CALLEE, EXIT, GOTO, GOTOL, IMM64, isControl, JMP, LD_IMM64, operationOf } from "./opcodes.ts";

/** A function of a program: its instructions are those from `start` on, below `end`. */
export interface Subprogram {
  readonly start: number;
  readonly end: number;
}

/** Whether an instruction is a jump: neither a call nor an exit. */
export function isJump({ opcode }: Instruction): boolean {
  return isControl(opcode) && operationOf(opcode) !== JMP.CALL && operationOf(opcode) !== JMP.EXIT;
}

/** Where a jump goes to. */
export function jumpTarget(jump: Instruction, pc: number): number {
  return pc + 1 + (jump.opcode === GOTOL ? jump.imm : jump.offset);
}

/** Whether control can go on behind an instruction. */
export function fallsThrough({ opcode }: Instruction): boolean {
  return opcode !== EXIT && opcode !== GOTO && opcode !== GOTOL;
}

/** The slot behind an instruction. */
export function nextSlot({ opcode, imm64 }: Instruction, pc: number): number {
  return opcode === LD_IMM64 && imm64 !== undefined ? pc + 2 : pc + 1;
}

/** Whether an instruction names a function of the program: it calls it, or loads it as a callback. */
export function namesFunction({ opcode, src }: Instruction): boolean {
  return (opcode === CALL && src === CALLEE.LOCAL) || (opcode === LD_IMM64 && src === IMM64.FUNC);
}

/** Where the function begins that an instruction names. */
export function functionStart(instruction: Instruction, pc: number): number {
  return pc + 1 + instruction.imm;
}

/** The functions of a program in their order: the first begins at 0, the others where something names them. */
export function subprogramsOf(code: Code): Subprogram[] {
  const starts = new Set([0]);
  code.forEach((instruction, pc) => {
    if (instruction !== undefined && namesFunction(instruction)) starts.add(functionStart(instruction, pc));
  });
  const sorted = [...starts].sort((a, b) => a - b);
  return sorted.map((start, i) => ({ start, end: sorted[i + 1] ?? code.length }));
}
