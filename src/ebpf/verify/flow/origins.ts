/**
 * Where registers come from, as far as the text of a function tells without following paths: an address in its own frame, a constant, a
 * map. One forward pass; the verifier proper knows more, but later.
 *
 * @module
 */
import type { Code, Instruction } from "../../isa/decode.ts";
import { fallsThrough, isJump, jumpTarget, nextSlot, type Subprogram } from "../../isa/flow.ts";
import {
  ALU,
  ATOMIC,
  CLASS,
  classOf,
  FRAME_POINTER,
  hasRegisterSource,
  isArithmetic,
  isAtomic,
  isControl,
  JMP,
  LD_IMM64,
  operationOf,
} from "../../isa/opcodes.ts";
import type { Reference, VerifiedMap } from "../program.ts";

export type Origin =
  /** r10 + `offset`; or, if it is not exact, somewhere from there on. */
  | { readonly kind: "frame"; readonly offset: number; readonly isExact: boolean }
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "map"; readonly map: VerifiedMap };

type Origins = (Origin | undefined)[];

const FRAME: Origin = { kind: "frame", offset: 0, isExact: true };

/** By slot: the origins of r0 .. r10 before the instruction. Undefined where no path leads. */
export function originsOf(
  code: Code,
  functions: readonly Subprogram[],
  references: ReadonlyMap<number, Reference>,
): readonly (Origins | undefined)[] {
  const before = new Array<Origins | undefined>(code.length).fill(undefined);
  for (const { start } of functions) {
    const entry: Origins = new Array(11).fill(undefined);
    entry[FRAME_POINTER] = FRAME;
    before[start] = entry;
    const left = [start];
    const reach = (pc: number, after: Origins): void => {
      const known = before[pc];
      const joined = known === undefined ? after : joinedOrigins(known, after);
      if (joined === known) return;
      before[pc] = joined;
      left.push(pc);
    };
    for (let pc = left.pop(); pc !== undefined; pc = left.pop()) {
      const instruction = code[pc];
      if (instruction === undefined) continue;
      const after = originsAfter(instruction, before[pc]!, references.get(pc));
      if (isJump(instruction)) reach(jumpTarget(instruction, pc), after);
      if (fallsThrough(instruction)) reach(nextSlot(instruction, pc), after);
    }
  }
  return before;
}

/** The same array when nothing is new. */
function joinedOrigins(known: Origins, other: Origins): Origins {
  let joined = known;
  for (let r = 0; r < FRAME_POINTER; r++) {
    const origin = joinedOrigin(known[r], other[r]);
    if (origin === known[r]) continue;
    if (joined === known) joined = known.slice();
    joined[r] = origin;
  }
  return joined;
}

function joinedOrigin(a: Origin | undefined, b: Origin | undefined): Origin | undefined {
  if (a === b || a === undefined) return a;
  if (a.kind === "frame") {
    const offset = b?.kind === "frame" ? Math.min(a.offset, b.offset) : a.offset;
    const isExact = a.isExact && b?.kind === "frame" && b.isExact && b.offset === a.offset;
    return offset === a.offset && isExact === a.isExact ? a : { kind: "frame", offset, isExact };
  }
  if (a.kind === "constant") return b?.kind === "constant" && b.value === a.value ? a : undefined;
  return b?.kind === "map" && b.map === a.map ? a : undefined;
}

function originsAfter(instruction: Instruction, before: Origins, reference: Reference | undefined): Origins {
  const { opcode, dst, src, imm } = instruction;
  const written = writtenBy(instruction);
  if (written.length === 0) return before;
  const after = before.slice();
  for (const register of written) after[register] = undefined;
  if (isArithmetic(opcode)) {
    const operand: Origin | undefined = hasRegisterSource(opcode)
      ? before[src]
      : { kind: "constant", value: imm };
    after[dst] = arithmetic(instruction, before[dst], operand);
  } else if (opcode === LD_IMM64 && reference?.kind === "map") {
    after[dst] = { kind: "map", map: reference.map };
  }
  return after;
}

/** The registers that an instruction writes. */
export function writtenBy({ opcode, dst, src, imm }: Instruction): readonly number[] {
  if (isArithmetic(opcode) || classOf(opcode) === CLASS.LDX || opcode === LD_IMM64) return [dst];
  if (isControl(opcode)) return operationOf(opcode) === JMP.CALL ? CALLER_SAVED : [];
  if (classOf(opcode) === CLASS.LD) return CALLER_SAVED;
  if (!isAtomic(opcode)) return [];
  if (imm === ATOMIC.LOAD_ACQ) return [dst];
  if (imm === ATOMIC.CMPXCHG) return [0];
  return (imm & ATOMIC.FETCH) !== 0 && imm !== ATOMIC.STORE_REL ? [src] : [];
}

const CALLER_SAVED = [0, 1, 2, 3, 4, 5];

function arithmetic(
  { opcode, offset, imm }: Instruction,
  left: Origin | undefined,
  right: Origin | undefined,
): Origin | undefined {
  const isWide = classOf(opcode) === CLASS.ALU64;
  const operation = operationOf(opcode);
  if (operation === ALU.MOV) {
    if (offset !== 0) return undefined;
    if (isWide) return right;
    return hasRegisterSource(opcode) ? undefined : { kind: "constant", value: imm >>> 0 };
  }
  if (!isWide || (operation !== ALU.ADD && operation !== ALU.SUB)) return undefined;
  const [base, moved] = left?.kind === "frame" ? [left, right] : [right, left];
  if (base?.kind !== "frame" || (operation === ALU.SUB && base !== left)) return undefined;
  if (moved?.kind !== "constant") return { ...base, isExact: false };
  return { ...base, offset: base.offset + (operation === ALU.ADD ? moved.value : -moved.value) };
}
