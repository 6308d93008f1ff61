/**
 * Opcodes of eBPF by the names of RFC 9669 and `include/uapi/linux/bpf.h`, without their prefix: `ALU.ADD` is `BPF_ADD`.
 *
 * An opcode is one byte. Its lowest three bits are the class, which says how the others are cut:
 *
 *   arithmetic, jumps   7..4 operation | 3 source: 0 imm, 1 register | 2..0 class
 *   loads, stores       7..5 mode      | 4..3 size                   | 2..0 class
 *
 * Operations, modes and sizes are kept where they stand in the byte, so that an opcode is the sum of its parts.
 *
 * @module
 */

export const CLASS = {
  LD: 0x00,
  LDX: 0x01,
  ST: 0x02,
  STX: 0x03,
  ALU: 0x04,
  JMP: 0x05,
  JMP32: 0x06,
  ALU64: 0x07,
} as const;

/** The second operand of arithmetic and of jumps: `imm`, or the register `src`. */
export const SOURCE = { K: 0x00, X: 0x08 } as const;

export const SIZE = { W: 0x00, H: 0x08, B: 0x10, DW: 0x18 } as const;

/** ABS and IND are the loads of packet bytes that classic BPF had. */
export const MODE = { IMM: 0x00, ABS: 0x20, IND: 0x40, MEM: 0x60, MEMSX: 0x80, ATOMIC: 0xc0 } as const;

/** Operations of the classes ALU and ALU64. DIV and MOD are signed when `offset` is 1, MOV extends the sign of `offset` bits. */
export const ALU = {
  ADD: 0x00,
  SUB: 0x10,
  MUL: 0x20,
  DIV: 0x30,
  OR: 0x40,
  AND: 0x50,
  LSH: 0x60,
  RSH: 0x70,
  NEG: 0x80,
  MOD: 0x90,
  XOR: 0xa0,
  MOV: 0xb0,
  ARSH: 0xc0,
  END: 0xd0,
} as const;

/** Operations of the classes JMP and JMP32. */
export const JMP = {
  JA: 0x00,
  JEQ: 0x10,
  JGT: 0x20,
  JGE: 0x30,
  JSET: 0x40,
  JNE: 0x50,
  JSGT: 0x60,
  JSGE: 0x70,
  CALL: 0x80,
  EXIT: 0x90,
  JLT: 0xa0,
  JLE: 0xb0,
  JSLT: 0xc0,
  JSLE: 0xd0,
  /** `may_goto`: jumps when the loop has gone round too often. */
  JCOND: 0xe0,
} as const;

/** What an atomic instruction does: its `imm`. With FETCH, or one that has it, the old value goes to `src` (CMPXCHG: to r0). */
export const ATOMIC = {
  ADD: 0x00,
  FETCH: 0x01,
  OR: 0x40,
  AND: 0x50,
  XOR: 0xa0,
  XCHG: 0xe1,
  CMPXCHG: 0xf1,
  LOAD_ACQ: 0x100,
  STORE_REL: 0x110,
} as const;

/** Opcodes that stand alone in their kind. */
export const LD_IMM64 = CLASS.LD | MODE.IMM | SIZE.DW;
export const GOTO = CLASS.JMP | JMP.JA;
/** A jump as far as `imm` says. */
export const GOTOL = CLASS.JMP32 | JMP.JA;
export const MAY_GOTO = CLASS.JMP | JMP.JCOND;
export const CALL = CLASS.JMP | JMP.CALL;
/** A call of the function whose number is in a register. The RFC knows it, the kernel does not. */
export const CALLX = CLASS.JMP | JMP.CALL | SOURCE.X;
export const EXIT = CLASS.JMP | JMP.EXIT;

/** What the 64-bit immediate of {@link LD_IMM64} is: its `src`, `BPF_PSEUDO_...`. */
export const IMM64 = {
  VALUE: 0,
  MAP_FD: 1,
  /** An address in the only value of a map: the fd in the lower half, the offset in the upper half. */
  MAP_VALUE: 2,
  BTF_ID: 3,
  /** A function of this program, as a callback: how many instructions it is from the next slot on. */
  FUNC: 4,
  MAP_IDX: 5,
  MAP_IDX_VALUE: 6,
} as const;

/** What {@link CALL} calls: its `src`. */
export const CALLEE = { HELPER: 0, LOCAL: 1, KFUNC: 2 } as const;

/** r0 .. r9, and r10, the end of the frame, which is only read. */
export const REGISTERS = 11;
export const FRAME_POINTER = 10;

/** Bytes of an instruction slot. */
export const SLOT_BYTES = 8;

export const classOf = (opcode: number): number => opcode & 0x07;
export const operationOf = (opcode: number): number => opcode & 0xf0;
export const modeOf = (opcode: number): number => opcode & 0xe0;
export const sizeOf = (opcode: number): number => opcode & 0x18;
/** Whether the second operand of arithmetic or of a jump is a register. */
export const hasRegisterSource = (opcode: number): boolean => (opcode & SOURCE.X) !== 0;

/** ALU or ALU64. */
export const isArithmetic = (opcode: number): boolean =>
  (opcode & 0x07) === CLASS.ALU || (opcode & 0x07) === CLASS.ALU64;
/** JMP or JMP32: calls and exits, too. */
export const isControl = (opcode: number): boolean =>
  (opcode & 0x07) === CLASS.JMP || (opcode & 0x07) === CLASS.JMP32;
export const isAtomic = (opcode: number): boolean => (opcode & 0xe7) === (CLASS.STX | MODE.ATOMIC);

const BYTES = [4, 2, 1, 8] as const;

/** How many bytes a load or store touches. */
export function accessBytes(opcode: number): 1 | 2 | 4 | 8 {
  return BYTES[(opcode >> 3) & 3];
}
