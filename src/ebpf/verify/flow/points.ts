/**
 * Where paths meet: there the verifier remembers what it has seen.
 *
 * @module
 */
import { HELPER } from "../../helpers/prototypes.ts";
import type { Code, Instruction } from "../../isa/decode.ts";
import { fallsThrough, functionStart, isJump, jumpTarget, namesFunction, nextSlot } from "../../isa/flow.ts";
import { CALL, CALLEE, LD_IMM64 } from "../../isa/opcodes.ts";

/** Calls that may run a function of the program before they return, or many times. */
export function runsCallback({ opcode, src, imm }: Instruction): boolean {
  return (
    opcode === CALL && src === CALLEE.HELPER && (imm === HELPER.LOOP || imm === HELPER.FOR_EACH_MAP_ELEM)
  );
}

/**
 * By slot, whether it is such a place: two instructions lead to it, or one behind it. Every circle of control goes through one, also the
 * circle of a callback and the helper that calls it.
 */
export function meetingPoints(code: Code): Uint8Array {
  const ways = new Uint8Array(code.length + 1);
  const meet = (pc: number): void => {
    ways[pc] = 2;
  };
  const reach = (pc: number): void => {
    ways[pc] = Math.min(2, ways[pc] + 1);
  };
  code.forEach((instruction, pc) => {
    if (instruction === undefined) return;
    if (isJump(instruction)) {
      const target = jumpTarget(instruction, pc);
      if (target <= pc) meet(target);
      else reach(target);
    }
    if (fallsThrough(instruction)) reach(nextSlot(instruction, pc));
    if (instruction.opcode === CALL && instruction.src === CALLEE.LOCAL) meet(pc + 1);
    if (runsCallback(instruction)) meet(pc + 1);
    if (instruction.opcode === LD_IMM64 && namesFunction(instruction)) meet(functionStart(instruction, pc));
  });
  return ways.map((count) => (count > 1 ? 1 : 0));
}

/** Whether an instruction of the program leads back to one before it, or a helper may call a function many times. */
export function hasLoops(code: Code): boolean {
  return code.some(
    (instruction, pc) =>
      instruction !== undefined &&
      (runsCallback(instruction) || (isJump(instruction) && jumpTarget(instruction, pc) <= pc)),
  );
}
