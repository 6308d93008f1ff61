/**
 * How much of its frame each function uses. A frame has 512 bytes here, whatever runs below it; in the kernel the frames of a chain of
 * calls share them.
 *
 * @module
 */
import { functionStart } from "../../isa/flow.ts";
import { accessBytes, CALL, CALLEE, CLASS, classOf, FRAME_POINTER, isArithmetic } from "../../isa/opcodes.ts";
import type { Session } from "../session.ts";
import { FRAME_BYTES } from "../stack.ts";

/** The kernel gives each frame a multiple of this. */
const ROUNDED_TO = 32;

/** By the slot where a function begins: how many bytes below r10 it names. */
export function stackDepths({ program, functions, origins }: Session): ReadonlyMap<number, number> {
  const depths = new Map<number, number>();
  for (const { start, end } of functions) {
    let depth = 0;
    for (let pc = start; pc < end; pc++) {
      const instruction = program.instructions[pc];
      const known = origins[pc];
      if (instruction === undefined || known === undefined) continue;
      const { opcode, dst, src, offset } = instruction;
      const isAccess = !isArithmetic(opcode) && classOf(opcode) <= CLASS.STX && classOf(opcode) !== CLASS.LD;
      if (isAccess && accessBytes(opcode) > 0) {
        const base = known[classOf(opcode) === CLASS.LDX ? src : dst];
        if (base?.kind === "frame") depth = Math.max(depth, -(base.offset + offset));
      }
      for (let r = 0; r < FRAME_POINTER; r++) {
        const origin = known[r];
        if (origin?.kind === "frame") depth = Math.max(depth, -origin.offset);
      }
    }
    depths.set(start, Math.min(depth, FRAME_BYTES));
  }
  return depths;
}

/** Refuses chains of calls that would not fit the stack of the kernel. A circle of calls that no path takes counts once. */
export function checkDepth(session: Session, depths: ReadonlyMap<number, number>): void {
  const { program, functions } = session;
  const rounded = (bytes: number): number => Math.max(ROUNDED_TO, Math.ceil(bytes / ROUNDED_TO) * ROUNDED_TO);
  const deepest = new Map<number, { bytes: number; calls: number }>();
  const below = (start: number): { bytes: number; calls: number } => {
    const known = deepest.get(start);
    if (known !== undefined) return known;
    deepest.set(start, { bytes: 0, calls: 0 });
    const { end } = functions.find((found) => found.start === start)!;
    let most = { bytes: 0, calls: 0 };
    for (let pc = start; pc < end; pc++) {
      const instruction = program.instructions[pc];
      if (instruction?.opcode !== CALL || instruction.src !== CALLEE.LOCAL) continue;
      const callee = below(functionStart(instruction, pc));
      if (callee.bytes > most.bytes) most = callee;
    }
    const found = { bytes: most.bytes + rounded(depths.get(start) ?? 0), calls: most.calls + 1 };
    deepest.set(start, found);
    return found;
  };
  const { bytes, calls } = below(0);
  if (bytes > FRAME_BYTES) session.refuse(`combined stack size of ${calls} calls is ${bytes}. Too large`);
}
