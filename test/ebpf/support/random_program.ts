// Random programs that are sound by construction: every register is a number, memory is the frame, jumps go forward, or back in a loop
// that counts. All of the frame is written first, and the registers go there in the end: it is the whole state of the machine.
import fc from "fast-check";
import { encode, type Instruction } from "../../../src/ebpf/isa/decode.ts";
import { ALU, CLASS, EXIT, JMP, LD_IMM64, MODE, SIZE, SOURCE } from "../../../src/ebpf/isa/opcodes.ts";
import { arithmetic, atomic, conditional } from "./instructions.ts";

const NOTHING: Instruction = { opcode: 0, dst: 0, src: 0, offset: 0, imm: 0 };
const FRAME_WORDS = 64;
/** r9 counts rounds of loops, r10 is the frame: the others are for numbers. */
const number = fc.nat(8);
const LOOP = 9;
const FRAME = 10;

const isNumber = (register: number) => register < LOOP;
const onNumbers = ({ dst, src }: Instruction) => isNumber(dst) && isNumber(src);

const size = fc.constantFrom(SIZE.B, SIZE.H, SIZE.W, SIZE.DW);
const word = fc.integer({ min: 1, max: FRAME_WORDS }).map((words) => -8 * words);

const load = fc
  .record({
    mode: fc.constantFrom(MODE.MEM, MODE.MEMSX),
    size: fc.constantFrom(SIZE.B, SIZE.H, SIZE.W),
    dst: number,
    at: word,
  })
  .map(({ mode, size, dst, at }) => ({
    ...NOTHING,
    opcode: CLASS.LDX | mode | size,
    dst,
    src: FRAME,
    offset: at,
  }));
const loadWord = fc.record({ dst: number, at: word }).map(({ dst, at }) => ({
  ...NOTHING,
  opcode: CLASS.LDX | MODE.MEM | SIZE.DW,
  dst,
  src: FRAME,
  offset: at,
}));
const store = fc.record({ size, src: number, at: word }).map(({ size, src, at }) => ({
  ...NOTHING,
  opcode: CLASS.STX | MODE.MEM | size,
  dst: FRAME,
  src,
  offset: at,
}));
const storeNumber = fc
  .record({ size, at: word, imm: fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }) })
  .map(({ size, at, imm }) => ({
    ...NOTHING,
    opcode: CLASS.ST | MODE.MEM | size,
    dst: FRAME,
    offset: at,
    imm,
  }));
const atomicInFrame = fc.tuple(atomic, number, word).map(([instruction, src, offset]) => ({
  ...instruction,
  dst: FRAME,
  src,
  offset,
}));
const constant = fc
  .record({ dst: number, value: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }) })
  .map(({ dst, value }) => ({
    ...NOTHING,
    opcode: LD_IMM64,
    dst,
    imm: Number(BigInt.asIntN(32, value)),
    imm64: value,
  }));

const straight: fc.Arbitrary<Instruction> = fc.oneof(
  { arbitrary: arithmetic.filter(onNumbers), weight: 10 },
  { arbitrary: load, weight: 1 },
  { arbitrary: loadWord, weight: 2 },
  { arbitrary: store, weight: 2 },
  { arbitrary: storeNumber, weight: 1 },
  { arbitrary: atomicInFrame, weight: 3 },
  { arbitrary: constant, weight: 1 },
);

type Part =
  | { readonly kind: "straight"; readonly body: Instruction[] }
  | { readonly kind: "if"; readonly test: Instruction; readonly body: Instruction[] }
  | { readonly kind: "loop"; readonly rounds: number; readonly body: Instruction[] };

const body = fc.array(straight, { minLength: 1, maxLength: 6 });
const part: fc.Arbitrary<Part> = fc.oneof(
  fc.record({ kind: fc.constant("straight" as const), body }),
  fc.record({ kind: fc.constant("if" as const), test: conditional.filter(onNumbers), body }),
  fc.record({ kind: fc.constant("loop" as const), rounds: fc.integer({ min: 1, max: 5 }), body }),
);

const set = (dst: number, imm: number): Instruction => ({
  ...NOTHING,
  opcode: CLASS.ALU64 | ALU.MOV | SOURCE.K,
  dst,
  imm,
});

/** How many slots instructions take. */
const slotsOf = (list: readonly Instruction[]) =>
  list.reduce((sum, { imm64 }) => sum + (imm64 === undefined ? 1 : 2), 0);

function written(part: Part): Instruction[] {
  if (part.kind === "straight") return part.body;
  if (part.kind === "if") return [{ ...part.test, offset: slotsOf(part.body) }, ...part.body];
  const step: Instruction = { ...NOTHING, opcode: CLASS.ALU64 | ALU.ADD | SOURCE.K, dst: LOOP, imm: -1 };
  const offset = -slotsOf(part.body) - 2;
  const again: Instruction = { ...NOTHING, opcode: CLASS.JMP | JMP.JNE | SOURCE.K, dst: LOOP, offset };
  return [set(LOOP, part.rounds), ...part.body, step, again];
}

/** All registers go to the end of the frame: what is in them is lost when the program returns. */
function shown(): Instruction[] {
  return Array.from({ length: LOOP + 1 }, (_, src) => ({
    ...NOTHING,
    opcode: CLASS.STX | MODE.MEM | SIZE.DW,
    dst: FRAME,
    src,
    offset: -8 * (src + 1),
  }));
}

/** All of the frame is written first, and every register, from numbers that are given. */
function begun(numbers: readonly bigint[]): Instruction[] {
  const clear = Array.from(
    { length: FRAME_WORDS },
    (_, i): Instruction => ({
      ...NOTHING,
      opcode: CLASS.ST | MODE.MEM | SIZE.DW,
      dst: FRAME,
      offset: -8 * (i + 1),
      imm: i,
    }),
  );
  const registers = numbers.map(
    (value, dst): Instruction => ({
      ...NOTHING,
      opcode: LD_IMM64,
      dst,
      imm: Number(BigInt.asIntN(32, value)),
      imm64: value,
    }),
  );
  return [...clear, ...registers, set(LOOP, 0)];
}

const interesting = fc.oneof(
  fc.constantFrom(0n, 1n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 1n << 63n, (1n << 64n) - 1n),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
);

/** Bytecode of a program without helpers. */
export const randomProgram: fc.Arbitrary<Uint8Array<ArrayBuffer>> = fc
  .record({
    numbers: fc.array(interesting, { minLength: 9, maxLength: 9 }),
    parts: fc.array(part, { minLength: 1, maxLength: 8 }),
  })
  .map(({ numbers, parts }) => {
    const list = [...begun(numbers), ...parts.flatMap(written), ...shown(), { ...NOTHING, opcode: EXIT }];
    return encode(
      list.flatMap((instruction) =>
        instruction.imm64 === undefined ? [instruction] : [instruction, undefined],
      ),
    );
  });
