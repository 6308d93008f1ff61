/**
 * Disassembly as the kernel prints it: in the log of its verifier, and `bpftool prog dump xlated`.
 *
 * @module
 */
import type { Code, Instruction } from "./decode.ts";
import { helperName } from "./helper_names.ts";
import {
  ALU,
  ATOMIC,
  CALL,
  CALLEE,
  CALLX,
  CLASS,
  classOf,
  EXIT,
  GOTO,
  GOTOL,
  hasRegisterSource,
  IMM64,
  isArithmetic,
  isAtomic,
  isControl,
  LD_IMM64,
  MAY_GOTO,
  MODE,
  modeOf,
  operationOf,
  sizeOf,
} from "./opcodes.ts";
import { ALU_SIGNS, ATOMIC_NAMES, JMP_SIGNS, SIGNED_SIGNS, SIZE_BITS } from "./symbols.ts";

/** A name for what an instruction refers to (a map, a function), in the place of its number; undefined where it has none. */
export type NameOf = (instruction: Instruction, slot: number) => string | undefined;

/** A program, a line for each instruction: `   0: (b7) r0 = 0`. */
export function printCode(code: Code, nameOf?: NameOf): string {
  const lines = code.flatMap((instruction, slot) =>
    instruction === undefined
      ? []
      : [`${`${slot}`.padStart(4)}: ${printInstruction(instruction, slot, nameOf)}\n`],
  );
  return lines.join("");
}

/** One instruction: `(b7) r0 = 0`. */
export function printInstruction(instruction: Instruction, slot = 0, nameOf?: NameOf): string {
  const opcode = instruction.opcode.toString(16).padStart(2, "0");
  const name = nameOf?.(instruction, slot);
  return `(${opcode}) ${textOf(instruction, name) ?? `BUG_${opcode}`}`;
}

function textOf(instruction: Instruction, name: string | undefined): string | undefined {
  if (isArithmetic(instruction.opcode)) return arithmetic(instruction);
  if (isControl(instruction.opcode)) return control(instruction, name);
  switch (classOf(instruction.opcode)) {
    case CLASS.LD:
      return load(instruction, name);
    case CLASS.LDX:
      return loadRegister(instruction);
    case CLASS.ST:
      return modeOf(instruction.opcode) === MODE.MEM
        ? `${place(instruction, instruction.dst)} = ${instruction.imm}`
        : undefined;
  }
  if (isAtomic(instruction.opcode)) return atomic(instruction);
  return modeOf(instruction.opcode) === MODE.MEM
    ? `${place(instruction, instruction.dst)} = r${instruction.src}`
    : undefined;
}

/** With its sign, also when it is none. */
const signed = (value: number | bigint): string => (value < 0 ? `${value}` : `+${value}`);
const hex = (value: number): string => `0x${(value >>> 0).toString(16)}`;

function arithmetic({ opcode, dst, src, offset, imm }: Instruction): string | undefined {
  const operation = operationOf(opcode);
  const register = classOf(opcode) === CLASS.ALU ? "w" : "r";
  const target = `${register}${dst}`;
  const bySource = hasRegisterSource(opcode);
  if (operation === ALU.END) {
    const swap = classOf(opcode) === CLASS.ALU64 ? "bswap" : bySource ? "be" : "le";
    return `r${dst} = ${swap}${imm} r${dst}`;
  }
  if (operation === ALU.NEG) return `${target} = -${target}`;
  const sign = (offset === 1 ? SIGNED_SIGNS : ALU_SIGNS).get(operation) ?? ALU_SIGNS.get(operation);
  if (sign === undefined) return undefined;
  const extended = operation === ALU.MOV && offset !== 0 ? `(s${offset})` : "";
  return `${target} ${sign} ${bySource ? `${extended}${register}${src}` : imm}`;
}

function control(
  { opcode, dst, src, offset, imm }: Instruction,
  name: string | undefined,
): string | undefined {
  switch (opcode) {
    case EXIT:
      return "exit";
    case GOTO:
      return `goto pc${signed(offset)}`;
    case GOTOL:
      return `gotol pc${signed(imm)}`;
    case MAY_GOTO:
      return `may_goto pc${signed(offset)}`;
    case CALLX:
      return `callx r${dst}`;
    case CALL:
      if (src === CALLEE.LOCAL) return `call ${name ?? `pc${signed(imm)}`}`;
      if (src === CALLEE.KFUNC) return `call ${name ?? "kernel-function"}#${imm}`;
      return `call ${name ?? helperName(imm) ?? "unknown"}#${imm}`;
  }
  const sign = JMP_SIGNS.get(operationOf(opcode));
  if (sign === undefined) return undefined;
  const register = classOf(opcode) === CLASS.JMP32 ? "w" : "r";
  const operand = hasRegisterSource(opcode) ? `${register}${src}` : hex(imm);
  return `if ${register}${dst} ${sign} ${operand} goto pc${signed(offset)}`;
}

function load(instruction: Instruction, name: string | undefined): string | undefined {
  const { opcode, dst, src, imm } = instruction;
  const type = `u${SIZE_BITS.get(sizeOf(opcode))}`;
  if (modeOf(opcode) === MODE.ABS) return `r0 = *(${type} *)skb[${imm}]`;
  if (modeOf(opcode) === MODE.IND) return `r0 = *(${type} *)skb[r${src} + ${imm}]`;
  if (opcode !== LD_IMM64) return undefined;
  return `r${dst} = ${name ?? immediate(instruction)}`;
}

/** What a 64-bit immediate is, as bpftool says it. */
function immediate({ src, imm, imm64 = 0n }: Instruction): string {
  const upper = BigInt.asIntN(32, imm64 >> 32n);
  switch (src) {
    case IMM64.MAP_FD:
      return `map[fd:${imm}]`;
    case IMM64.MAP_VALUE:
      return `map[fd:${imm}][0]${signed(upper)}`;
    case IMM64.MAP_IDX:
      return `map[idx:${imm}]`;
    case IMM64.MAP_IDX_VALUE:
      return `map[idx:${imm}][0]${signed(upper)}`;
    case IMM64.BTF_ID:
      return `btf[id:${imm}][fd:${upper}]`;
    case IMM64.FUNC:
      return `subprog[${signed(imm)}]`;
  }
  return `0x${imm64.toString(16)}`;
}

/** Memory that a register points to: `*(u64 *)(r10 -8)`. */
const place = (instruction: Instruction, register: number): string => `*${pointer(instruction, register)}`;

function pointer({ opcode, offset }: Instruction, register: number): string {
  return `(u${SIZE_BITS.get(sizeOf(opcode))} *)(r${register} ${signed(offset)})`;
}

function loadRegister(instruction: Instruction): string | undefined {
  const { opcode, dst, src, offset } = instruction;
  if (modeOf(opcode) === MODE.MEM) return `r${dst} = ${place(instruction, src)}`;
  if (modeOf(opcode) !== MODE.MEMSX) return undefined;
  return `r${dst} = *(s${SIZE_BITS.get(sizeOf(opcode))} *)(r${src} ${signed(offset)})`;
}

function atomic(instruction: Instruction): string | undefined {
  const { opcode, dst, src, imm } = instruction;
  const name = SIZE_BITS.get(sizeOf(opcode)) === 64 ? "atomic64" : "atomic";
  const target = pointer(instruction, dst);
  switch (imm) {
    case ATOMIC.CMPXCHG:
      return `r0 = ${name}_cmpxchg(${target}, r0, r${src})`;
    case ATOMIC.XCHG:
      return `r${src} = ${name}_xchg(${target}, r${src})`;
    case ATOMIC.LOAD_ACQ:
      return `r${dst} = load_acquire(${pointer(instruction, src)})`;
    case ATOMIC.STORE_REL:
      return `store_release(${target}, r${src})`;
  }
  const operation = imm & ~ATOMIC.FETCH;
  const combined = ATOMIC_NAMES.get(operation);
  if (combined === undefined) return undefined;
  if (imm & ATOMIC.FETCH) return `r${src} = ${name}_fetch_${combined}(${target}, r${src})`;
  return `lock *${target} ${ALU_SIGNS.get(operation)} r${src}`;
}
