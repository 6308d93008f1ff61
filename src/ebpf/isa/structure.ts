/**
 * What can be said of bytecode without following data: known opcodes, unused fields that are zero, jumps that stay in their function.
 * What passes can be decoded, printed and run; whether it may touch what it touches is for the verifier.
 *
 * Texts and errnos are those of the kernel's verifier, where it has one.
 *
 * @module
 */
import { ERRNO } from "../../errors.ts";
import { type Code, decode, type Instruction } from "./decode.ts";
import { fieldProblem, type Problem, type Rules } from "./fields.ts";
import {
  fallsThrough,
  functionStart,
  isJump,
  jumpTarget,
  namesFunction,
  nextSlot,
  type Subprogram,
  subprogramsOf,
} from "./flow.ts";
import { CALL, SLOT_BYTES } from "./opcodes.ts";

/** Why a program is refused, and by which instruction. */
export interface StructureProblem extends Problem {
  readonly instruction: number;
}

/** Instructions that a program may have, BPF_COMPLEXITY_LIMIT_INSNS. */
export const MOST_INSTRUCTIONS = 1_000_000;

/** The first problem of a program, or undefined when there is none. */
export function structureProblem(bytecode: Uint8Array, rules: Rules): StructureProblem | undefined {
  const slots = bytecode.length / SLOT_BYTES;
  if (slots === 0) return { errno: ERRNO.E2BIG, text: "the program is empty", instruction: 0 };
  if (slots > MOST_INSTRUCTIONS) {
    const text = `the program has ${slots} instructions, more than ${MOST_INSTRUCTIONS}`;
    return { errno: ERRNO.E2BIG, text, instruction: MOST_INSTRUCTIONS };
  }
  const code = decode(bytecode);
  const all = { start: 0, end: code.length };
  const local =
    firstProblem(code, all, (instruction) => fieldProblem(instruction, rules)) ??
    firstProblem(code, all, (instruction, pc) => calleeProblem(code, instruction, pc));
  if (local !== undefined) return local;
  const subprograms = subprogramsOf(code);
  for (const subprogram of subprograms) {
    const problem =
      firstProblem(code, subprogram, (instruction, pc) => jumpProblem(code, instruction, pc, subprogram)) ??
      endProblem(code, subprogram);
    if (problem !== undefined) return problem;
  }
  return rules === "kernel" ? unreachable(code, subprograms) : undefined;
}

function firstProblem(
  code: Code,
  { start, end }: Subprogram,
  problemOf: (instruction: Instruction, pc: number) => Problem | undefined,
): StructureProblem | undefined {
  for (let pc = start; pc < end; pc++) {
    const instruction = code[pc];
    const problem = instruction === undefined ? undefined : problemOf(instruction, pc);
    if (problem !== undefined) return { ...problem, instruction: pc };
  }
  return undefined;
}

const invalid = (text: string): Problem => ({ errno: ERRNO.EINVAL, text });

/** A function that an instruction names must begin in the program, at an instruction. */
function calleeProblem(code: Code, instruction: Instruction, pc: number): Problem | undefined {
  if (!namesFunction(instruction)) return undefined;
  const start = functionStart(instruction, pc);
  if (code[start] !== undefined) return undefined;
  const what = instruction.opcode === CALL ? "call" : "callback";
  return invalid(`invalid destination in ${what}: from insn ${pc} to ${start}`);
}

/** A jump must lead to an instruction of its function. */
function jumpProblem(
  code: Code,
  instruction: Instruction,
  pc: number,
  within: Subprogram,
): Problem | undefined {
  if (!isJump(instruction)) return undefined;
  const target = jumpTarget(instruction, pc);
  if (target < within.start || target >= within.end) {
    return invalid(`jump out of range from insn ${pc} to ${target}`);
  }
  if (code[target] === undefined) return invalid(`jump into the middle of ldimm64 insn ${target - 1}`);
  return undefined;
}

/** Control must not leave a function at its end. */
function endProblem(code: Code, { end }: Subprogram): StructureProblem | undefined {
  const last = code[end - 1] === undefined ? end - 2 : end - 1;
  if (!fallsThrough(code[last]!)) return undefined;
  return { ...invalid("last insn is not an exit or jmp"), instruction: last };
}

/** The first instruction that no path leads to. */
function unreachable(code: Code, subprograms: readonly Subprogram[]): StructureProblem | undefined {
  const reached = new Uint8Array(code.length);
  const left = subprograms.map(({ start }) => start);
  for (let pc = left.pop(); pc !== undefined; pc = left.pop()) {
    if (reached[pc] === 1) continue;
    reached[pc] = 1;
    const instruction = code[pc]!;
    if (isJump(instruction)) left.push(jumpTarget(instruction, pc));
    if (fallsThrough(instruction)) left.push(nextSlot(instruction, pc));
  }
  const dead = code.findIndex((instruction, pc) => instruction !== undefined && reached[pc] === 0);
  return dead < 0 ? undefined : { ...invalid(`unreachable insn ${dead}`), instruction: dead };
}
