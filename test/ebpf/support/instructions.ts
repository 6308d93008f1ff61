// Single instructions at random: every opcode that there is, every field that it uses.
import fc from "fast-check";
import type { Instruction } from "../../../src/ebpf/isa/decode.ts";
import { ALU, ATOMIC, CLASS, JMP, LD_IMM64, MODE, SIZE, SOURCE } from "../../../src/ebpf/isa/opcodes.ts";

const register = fc.nat(10);
/** One that may be written. */
const target = fc.nat(9);
const i16 = fc.integer({ min: -0x8000, max: 0x7fff });
const i32 = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
const size = fc.constantFrom(SIZE.B, SIZE.H, SIZE.W, SIZE.DW);
const word = fc.constantFrom(SIZE.W, SIZE.DW);

const NOTHING: Instruction = { opcode: 0, dst: 0, src: 0, offset: 0, imm: 0 };

function made(
  fields: { [K in Exclude<keyof Instruction, "imm64">]?: fc.Arbitrary<number> },
): fc.Arbitrary<Instruction> {
  return fc.record(fields).map((given) => ({ ...NOTHING, ...(given as Partial<Instruction>) }));
}

/** An opcode of parts, each drawn by itself. */
const opcode = (...parts: (number | fc.Arbitrary<number>)[]) =>
  fc
    .tuple(...parts.map((part) => (typeof part === "number" ? fc.constant(part) : part)))
    .map((drawn) => drawn.reduce((sum, part) => sum | part, 0));

const width = fc.constantFrom(CLASS.ALU, CLASS.ALU64);
const { END, NEG, MOV, DIV, MOD, LSH, RSH, ARSH, ...PLAIN } = ALU;
const operation = fc.constantFrom(...Object.values(PLAIN));
const division = fc.constantFrom(DIV, MOD);
const shift = fc.constantFrom(LSH, RSH, ARSH);
const isSigned = fc.constantFrom(0, 1);

export const arithmetic: fc.Arbitrary<Instruction> = fc.oneof(
  made({ opcode: opcode(width, operation, SOURCE.X), dst: target, src: register }),
  made({ opcode: opcode(width, operation, SOURCE.K), dst: target, imm: i32 }),
  made({ opcode: opcode(width, shift, SOURCE.X), dst: target, src: register }),
  made({ opcode: opcode(width, shift, SOURCE.K), dst: target, imm: fc.nat(31) }),
  made({ opcode: opcode(width, division, SOURCE.X), dst: target, src: register, offset: isSigned }),
  made({
    opcode: opcode(width, division, SOURCE.K),
    dst: target,
    imm: i32.filter((imm) => imm !== 0),
    offset: isSigned,
  }),
  made({ opcode: opcode(width, NEG), dst: target }),
  made({ opcode: opcode(width, MOV, SOURCE.K), dst: target, imm: i32 }),
  made({
    opcode: opcode(CLASS.ALU64, MOV, SOURCE.X),
    dst: target,
    src: register,
    offset: fc.constantFrom(0, 8, 16, 32),
  }),
  made({
    opcode: opcode(CLASS.ALU, MOV, SOURCE.X),
    dst: target,
    src: register,
    offset: fc.constantFrom(0, 8, 16),
  }),
  made({
    opcode: fc.constantFrom(CLASS.ALU | END, CLASS.ALU | END | SOURCE.X, CLASS.ALU64 | END),
    dst: target,
    imm: fc.constantFrom(16, 32, 64),
  }),
);

const { JA, CALL, EXIT, JCOND, ...CONDITIONS } = JMP;
const condition = fc.constantFrom(...Object.values(CONDITIONS));
const jumps = fc.constantFrom(CLASS.JMP, CLASS.JMP32);

export const conditional: fc.Arbitrary<Instruction> = fc.oneof(
  made({ opcode: opcode(jumps, condition, SOURCE.X), dst: register, src: register, offset: i16 }),
  made({ opcode: opcode(jumps, condition, SOURCE.K), dst: register, imm: i32, offset: i16 }),
);

const control = fc.oneof(
  conditional,
  made({ opcode: fc.constantFrom(CLASS.JMP | JA, CLASS.JMP | JCOND), offset: i16 }),
  made({ opcode: fc.constant(CLASS.JMP32 | JA), imm: i32 }),
  made({
    opcode: fc.constant(CLASS.JMP | CALL),
    src: fc.constantFrom(0, 1, 2),
    imm: fc.oneof(i32, fc.nat(220)),
  }),
  made({ opcode: fc.constant(CLASS.JMP | EXIT) }),
);

const { ADD, OR, AND, XOR, FETCH, XCHG, CMPXCHG, LOAD_ACQ, STORE_REL } = ATOMIC;
const combining = fc.constantFrom(ADD, OR, AND, XOR);

export const atomic: fc.Arbitrary<Instruction> = made({
  opcode: opcode(CLASS.STX, MODE.ATOMIC, word),
  dst: register,
  src: target,
  offset: i16,
  imm: fc.oneof(
    combining,
    combining.map((imm) => imm | FETCH),
    fc.constantFrom(XCHG, CMPXCHG),
  ),
});

const memory = fc.oneof(
  atomic,
  made({
    opcode: opcode(CLASS.STX, MODE.ATOMIC, size),
    dst: target,
    src: register,
    offset: i16,
    imm: fc.constantFrom(LOAD_ACQ, STORE_REL),
  }),
  made({ opcode: opcode(CLASS.LDX, MODE.MEM, size), dst: target, src: register, offset: i16 }),
  made({
    opcode: opcode(CLASS.LDX, MODE.MEMSX, fc.constantFrom(SIZE.B, SIZE.H, SIZE.W)),
    dst: target,
    src: register,
    offset: i16,
  }),
  made({ opcode: opcode(CLASS.ST, MODE.MEM, size), dst: register, offset: i16, imm: i32 }),
  made({ opcode: opcode(CLASS.STX, MODE.MEM, size), dst: register, src: register, offset: i16 }),
  made({ opcode: opcode(CLASS.LD, MODE.ABS, fc.constantFrom(SIZE.B, SIZE.H, SIZE.W)), imm: i32 }),
  made({
    opcode: opcode(CLASS.LD, MODE.IND, fc.constantFrom(SIZE.B, SIZE.H, SIZE.W)),
    src: register,
    imm: i32,
  }),
);

/** 64-bit immediates: those of a map by fd or index, and of a function, have no upper half. */
const immediate = fc
  .record({ dst: target, src: fc.nat(6), value: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }) })
  .map(({ dst, src, value }): Instruction => {
    const imm64 = src === 1 || src === 4 || src === 5 ? BigInt.asUintN(31, value) : value;
    const bounded = src === 2 || src === 6 ? imm64 & ~0x8000_0000n : imm64;
    return {
      ...NOTHING,
      opcode: LD_IMM64,
      dst,
      src,
      imm: Number(BigInt.asIntN(32, bounded)),
      imm64: bounded,
    };
  });

/** Any instruction whose fields are as they must be. Where it jumps to is not looked at. */
export const instructions: fc.Arbitrary<Instruction> = fc.oneof(arithmetic, control, memory, immediate);
