/**
 * Whether one instruction is one: a known opcode, with nothing in the fields that it does not use.
 *
 * @module
 */
import { ERRNO } from "../../errors.ts";
import type { Instruction } from "./decode.ts";
import {
  ALU,
  ATOMIC,
  CALLEE,
  CALLX,
  CLASS,
  classOf,
  FRAME_POINTER,
  GOTO,
  GOTOL,
  hasRegisterSource,
  IMM64,
  isArithmetic,
  isAtomic,
  isControl,
  JMP,
  LD_IMM64,
  MODE,
  modeOf,
  operationOf,
  REGISTERS,
  SIZE,
  SOURCE,
  sizeOf,
} from "./opcodes.ts";

/**
 * Whose rules a program keeps. RFC 9669 gives a meaning to a shift by more than the width of its operand, to a division by the constant
 * 0, and to calls of a function whose number is in a register. The kernel refuses them, and code that is never reached.
 */
export type Rules = "kernel" | "rfc";

export interface Problem {
  /** As the kernel answers. */
  readonly errno: number;
  readonly text: string;
}

const invalid = (text: string): Problem => ({ errno: ERRNO.EINVAL, text });

/** What is wrong with an instruction by itself; undefined when nothing is. */
export function fieldProblem(instruction: Instruction, rules: Rules): Problem | undefined {
  const { opcode, dst, src } = instruction;
  if (!isKnown(opcode) || (opcode === CALLX && rules === "kernel")) {
    return invalid(`unknown opcode ${opcode.toString(16).padStart(2, "0")}`);
  }
  if (dst >= REGISTERS) return invalid(`R${dst} is invalid`);
  if (src >= REGISTERS) return invalid(`R${src} is invalid`);
  if (writesFramePointer(instruction)) return { errno: ERRNO.EACCES, text: "frame pointer is read only" };
  if (isArithmetic(opcode)) return arithmeticProblem(instruction, rules);
  if (isControl(opcode)) return controlProblem(instruction);
  return memoryProblem(instruction);
}

const { ADD, OR, AND, XOR, FETCH, XCHG, CMPXCHG, LOAD_ACQ, STORE_REL } = ATOMIC;
const FETCHING = [ADD, OR, AND, XOR].map((operation) => operation | FETCH);
const ATOMICS: readonly number[] = [ADD, OR, AND, XOR, ...FETCHING, XCHG, CMPXCHG, LOAD_ACQ, STORE_REL];

function isKnown(opcode: number): boolean {
  const operation = operationOf(opcode);
  switch (classOf(opcode)) {
    case CLASS.ALU:
      return operation <= ALU.END && opcode !== (CLASS.ALU | ALU.NEG | SOURCE.X);
    case CLASS.ALU64:
      return operation < ALU.END
        ? opcode !== (CLASS.ALU64 | ALU.NEG | SOURCE.X)
        : opcode === (CLASS.ALU64 | ALU.END);
    case CLASS.JMP:
      if (operation === JMP.JA || operation === JMP.EXIT || operation === JMP.JCOND)
        return !hasRegisterSource(opcode);
      return operation < JMP.JCOND;
    case CLASS.JMP32:
      if (operation === JMP.JA) return !hasRegisterSource(opcode);
      return operation < JMP.JCOND && operation !== JMP.CALL && operation !== JMP.EXIT;
    case CLASS.LD:
      if (modeOf(opcode) === MODE.ABS || modeOf(opcode) === MODE.IND) return sizeOf(opcode) !== SIZE.DW;
      return opcode === LD_IMM64;
    case CLASS.LDX:
      return modeOf(opcode) === MODE.MEM || (modeOf(opcode) === MODE.MEMSX && sizeOf(opcode) !== SIZE.DW);
    case CLASS.ST:
      return modeOf(opcode) === MODE.MEM;
    default:
      return modeOf(opcode) === MODE.MEM || modeOf(opcode) === MODE.ATOMIC;
  }
}

function writesFramePointer({ opcode, dst, src, imm }: Instruction): boolean {
  if (isAtomic(opcode)) {
    if (imm === ATOMIC.LOAD_ACQ) return dst === FRAME_POINTER;
    return (imm & ATOMIC.FETCH) !== 0 && imm !== ATOMIC.CMPXCHG && src === FRAME_POINTER;
  }
  const writes = isArithmetic(opcode) || classOf(opcode) === CLASS.LDX || opcode === LD_IMM64;
  return writes && dst === FRAME_POINTER;
}

function arithmeticProblem(instruction: Instruction, rules: Rules): Problem | undefined {
  const { opcode, src, offset, imm } = instruction;
  const operation = operationOf(opcode);
  const bits = classOf(opcode) === CLASS.ALU ? 32 : 64;
  const byRegister = hasRegisterSource(opcode);
  if (operation === ALU.NEG) return unused("NEG", src, offset, imm);
  if (operation === ALU.END) {
    return imm === 16 || imm === 32 || imm === 64 ? unused("END", src, offset) : reserved("END");
  }
  if (operation === ALU.MOV) {
    if (!byRegister) return unused("MOV", src, offset);
    const extends_ = offset === 8 || offset === 16 || (offset === 32 && bits === 64);
    return unused("MOV", imm, extends_ ? 0 : offset);
  }
  const divides = operation === ALU.DIV || operation === ALU.MOD;
  const found = unused("ALU", byRegister ? imm : src, divides && offset === 1 ? 0 : offset);
  if (found !== undefined || byRegister || rules === "rfc") return found;
  if (divides && imm === 0) return invalid("div by zero");
  const shifts = operation === ALU.LSH || operation === ALU.RSH || operation === ALU.ARSH;
  return shifts && (imm < 0 || imm >= bits) ? invalid(`invalid shift ${imm}`) : undefined;
}

function controlProblem({ opcode, dst, src, offset, imm }: Instruction): Problem | undefined {
  if (opcode === CALLX) return unused("CALL", src, offset, imm);
  if (opcode === GOTO) return unused("JA", dst, src, imm);
  if (opcode === GOTOL) return unused("JA", dst, src, offset);
  switch (operationOf(opcode)) {
    case JMP.CALL:
      return src > CALLEE.KFUNC ? reserved("CALL") : unused("CALL", dst, src === CALLEE.KFUNC ? 0 : offset);
    case JMP.EXIT:
      return unused("EXIT", dst, src, offset, imm);
    case JMP.JCOND:
      return unused("JCOND", dst, src, imm);
  }
  const name = classOf(opcode) === CLASS.JMP ? "JMP" : "JMP32";
  return unused(name, hasRegisterSource(opcode) ? imm : src);
}

function memoryProblem(instruction: Instruction): Problem | undefined {
  const { opcode, dst, src, offset, imm } = instruction;
  switch (classOf(opcode)) {
    case CLASS.LD:
      if (opcode === LD_IMM64) return immediateProblem(instruction);
      return unused("LD_[ABS|IND]", dst, offset, modeOf(opcode) === MODE.ABS ? src : 0);
    case CLASS.LDX:
      return unused("LDX", imm);
    case CLASS.ST:
      return unused("ST", src);
  }
  return isAtomic(opcode) ? atomicProblem(opcode, imm) : unused("STX", imm);
}

function atomicProblem(opcode: number, imm: number): Problem | undefined {
  if (!ATOMICS.includes(imm)) {
    return invalid(`BPF_ATOMIC uses invalid atomic opcode ${(imm >>> 0).toString(16).padStart(2, "0")}`);
  }
  const ordered = imm === ATOMIC.LOAD_ACQ || imm === ATOMIC.STORE_REL;
  const small = sizeOf(opcode) === SIZE.B || sizeOf(opcode) === SIZE.H;
  return small && !ordered ? invalid("invalid atomic operand size") : undefined;
}

function immediateProblem({ src, offset, imm64 }: Instruction): Problem | undefined {
  if (imm64 === undefined) return invalid("invalid bpf_ld_imm64 insn");
  if (src > IMM64.MAP_IDX_VALUE) return invalid("unrecognized bpf_ld_imm64 insn");
  const usesUpper = src !== IMM64.MAP_FD && src !== IMM64.MAP_IDX && src !== IMM64.FUNC;
  if (!usesUpper && imm64 >> 32n !== 0n) return invalid("unrecognized bpf_ld_imm64 insn");
  return unused("LD_IMM64", offset);
}

const reserved = (name: string): Problem => invalid(`BPF_${name} uses reserved fields`);

/** Fields that must be zero. */
function unused(name: string, ...fields: number[]): Problem | undefined {
  return fields.some((field) => field !== 0) ? reserved(name) : undefined;
}
