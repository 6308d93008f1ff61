// Programs that are a little wrong, as holes of a verifier would have them: bounds off by one, comparisons turned, tests left out.
import { type Code, encode, type Instruction } from "../../../src/ebpf/isa/decode.ts";
import { isJump } from "../../../src/ebpf/isa/flow.ts";
import {
  ALU,
  accessBytes,
  CALL,
  CLASS,
  classOf,
  GOTO,
  isArithmetic,
  JMP,
  LD_IMM64,
  operationOf,
  SOURCE,
} from "../../../src/ebpf/isa/opcodes.ts";
import { structureProblem } from "../../../src/ebpf/isa/structure.ts";
import type { Random } from "../../../src/testing/random.ts";

/** Comparisons that are easily taken for each other. */
const NEIGHBOURS: Readonly<Record<number, readonly number[]>> = {
  [JMP.JEQ]: [JMP.JNE, JMP.JGE],
  [JMP.JNE]: [JMP.JEQ, JMP.JGT],
  [JMP.JGT]: [JMP.JGE, JMP.JLE, JMP.JLT, JMP.JSGT],
  [JMP.JGE]: [JMP.JGT, JMP.JLT, JMP.JSGE],
  [JMP.JLT]: [JMP.JLE, JMP.JGE, JMP.JSLT],
  [JMP.JLE]: [JMP.JLT, JMP.JGT, JMP.JSLE],
  [JMP.JSGT]: [JMP.JSGE, JMP.JGT, JMP.JSLE],
  [JMP.JSGE]: [JMP.JSGT, JMP.JGE],
  [JMP.JSLT]: [JMP.JSLE, JMP.JLT],
  [JMP.JSLE]: [JMP.JSLT, JMP.JLE],
  [JMP.JSET]: [JMP.JEQ, JMP.JNE],
};
const OPERATIONS = [
  ALU.ADD,
  ALU.SUB,
  ALU.MUL,
  ALU.DIV,
  ALU.OR,
  ALU.AND,
  ALU.LSH,
  ALU.RSH,
  ALU.MOD,
  ALU.XOR,
  ALU.ARSH,
  ALU.MOV,
];

/** A program with one to three changes; undefined where it is no program any more. */
export function mutated(code: Code, random: Random): Code | undefined {
  const changed = code.slice();
  const changes = 1 + random.below(3);
  for (let k = 0; k < changes; k++) {
    const at = random.below(changed.length);
    const instruction = changed[at];
    if (instruction !== undefined && instruction.opcode !== LD_IMM64)
      changed[at] = change(instruction, changed, random);
  }
  return structureProblem(encode(changed), "rfc") === undefined ? changed : undefined;
}

const pick = <T>(from: readonly T[], random: Random): T => from[random.below(from.length)];

function change(instruction: Instruction, code: Code, random: Random): Instruction {
  const { opcode } = instruction;
  if (random.chance(15)) return anyChange(instruction, code, random);
  if (isJump(instruction)) return jump(instruction, random);
  if (opcode === CALL)
    return {
      ...instruction,
      imm: random.chance(20) ? pick([1, 2, 3, 6, 26, 39, 44, 65, 131], random) : instruction.imm,
    };
  if (isArithmetic(opcode)) return arithmetic(instruction, random);
  return access(instruction, random);
}

function jump(instruction: Instruction, random: Random): Instruction {
  const { opcode, offset, imm } = instruction;
  const neighbours = NEIGHBOURS[operationOf(opcode)];
  switch (random.below(5)) {
    case 0:
      // Never, or always.
      return random.chance(50)
        ? { ...instruction, offset: 0 }
        : { opcode: GOTO, dst: 0, src: 0, offset, imm: 0 };
    case 1:
      return { ...instruction, imm: nearby(imm, random) };
    case 2:
      return { ...instruction, opcode: opcode ^ (CLASS.JMP ^ CLASS.JMP32) };
    default:
      if (neighbours === undefined) return instruction;
      return { ...instruction, opcode: (opcode & 0x0f) | pick(neighbours, random) };
  }
}

function arithmetic(instruction: Instruction, random: Random): Instruction {
  const { opcode, imm } = instruction;
  switch (random.below(4)) {
    case 0:
      return { ...instruction, opcode: (opcode & 0x0f) | pick(OPERATIONS, random) };
    case 1:
      return { ...instruction, opcode: opcode ^ (CLASS.ALU ^ CLASS.ALU64) };
    default:
      return (opcode & SOURCE.X) !== 0 ? instruction : { ...instruction, imm: nearby(imm, random) };
  }
}

function access(instruction: Instruction, random: Random): Instruction {
  const { opcode, offset } = instruction;
  const bytes = accessBytes(opcode);
  if (random.chance(25)) return { ...instruction, opcode: (opcode & ~0x18) | (random.below(4) << 3) };
  return { ...instruction, offset: offset + pick([1, -1, bytes, -bytes, 8, -8], random) };
}

const nearby = (imm: number, random: Random): number =>
  pick(
    [imm + 1, imm - 1, imm * 2, imm >> 1, -imm, 0, imm + 8, imm - 8, random.below(600), 0x7fff_ffff],
    random,
  ) | 0;

function anyChange(instruction: Instruction, code: Code, random: Random): Instruction {
  const other = pick(code, random);
  switch (random.below(4)) {
    case 0:
      return { ...instruction, dst: random.below(11) };
    case 1:
      return { ...instruction, src: random.below(11) };
    case 2:
      return other === undefined || other.opcode === LD_IMM64 ? instruction : other;
    default:
      return classOf(instruction.opcode) === CLASS.JMP
        ? instruction
        : { ...instruction, opcode: instruction.opcode ^ (1 << random.below(8)) };
  }
}
