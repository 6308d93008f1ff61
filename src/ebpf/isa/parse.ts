/**
 * One line of assembly to one instruction: the notation of `print.ts`, and what is easier to write by hand. Jumps and calls may name a
 * label, calls a helper without its number, and immediates may be hexadecimal.
 *
 * @module
 */
import type { Instruction } from "./decode.ts";
import { helperId, helperName } from "./helper_names.ts";
import {
  ALU,
  ATOMIC,
  CALL,
  CALLEE,
  CALLX,
  CLASS,
  EXIT,
  GOTO,
  GOTOL,
  IMM64,
  LD_IMM64,
  MAY_GOTO,
  MODE,
  REGISTERS,
  SOURCE,
} from "./opcodes.ts";
import { ALU_SIGNS, ATOMIC_NAMES, bySign, JMP_SIGNS, SIGNED_SIGNS, SIZE_BITS } from "./symbols.ts";

/** An instruction whose distance to a label is still to be filled in. */
export interface Parsed {
  readonly instruction: Instruction;
  readonly label?: string;
}

const ARITHMETIC = bySign(ALU_SIGNS);
const SIGNED = bySign(SIGNED_SIGNS);
const CONDITIONS = bySign(JMP_SIGNS);
const COMBINED = bySign(ATOMIC_NAMES);
const SIZES = new Map([...SIZE_BITS].map(([size, bits]) => [bits, size]));

const NUMBER = "[-+]?(?:0x[0-9a-fA-F]+|\\d+)";
const REGISTER = "([rw])(\\d+)";
const MEMORY = `\\([us](8|16|32|64) \\*\\)\\(r(\\d+) ([-+]\\w+)\\)`;
const TARGET = "(pc[-+]\\w+|[A-Za-z_.$][\\w.$]*)";

/** A kind of line: what it looks like, and what it is. Undefined where it only looks like it. */
type Rule = readonly [shape: RegExp, parse: (...groups: string[]) => Parsed | undefined];
const rule = (shape: string, parse: (...groups: string[]) => Parsed | undefined): Rule => [
  new RegExp(`^${shape.replaceAll(" ", "\\s*")}$`),
  parse,
];

const RULES: readonly Rule[] = [
  rule("exit", () => made({ opcode: EXIT })),
  rule(`goto\\b ${TARGET}`, (target) => jump({ opcode: GOTO }, target)),
  rule(`gotol\\b ${TARGET}`, (target) => jump({ opcode: GOTOL }, target)),
  rule(`may_goto\\b ${TARGET}`, (target) => jump({ opcode: MAY_GOTO }, target)),
  rule("callx\\b r(\\d+)", (dst) => made({ opcode: CALLX, dst: register(dst) })),
  rule("call\\b ([\\w-]*) # (-?\\d+)", numberedCall),
  rule(`call\\b ${TARGET}`, namedCall),
  rule(`if\\b ${REGISTER} (\\S+) ${REGISTER} goto\\b ${TARGET}`, (kind, dst, sign, other, src, target) =>
    kind === other ? conditional(kind, dst, sign, target, { src: register(src) }, SOURCE.X) : undefined,
  ),
  rule(`if\\b ${REGISTER} (\\S+) (${NUMBER}) goto\\b ${TARGET}`, (kind, dst, sign, imm, target) =>
    conditional(kind, dst, sign, target, { imm: imm32(imm) }, SOURCE.K),
  ),
  rule(`${REGISTER} = - ${REGISTER}`, (kind, dst, other, src) =>
    kind === other && dst === src
      ? made({ opcode: aluClass(kind) | ALU.NEG, dst: register(dst) })
      : undefined,
  ),
  rule("r(\\d+) = (be|le|bswap)(16|32|64) r(\\d+)", (dst, swap, bits, src) =>
    dst === src ? made({ opcode: SWAPS[swap]!, dst: register(dst), imm: Number(bits) }) : undefined,
  ),
  rule(`r(\\d+) = \\*${MEMORY.replace("[us]", "([us])")}`, (dst, sign, bits, src, offset) =>
    made({ opcode: loadOf(sign, bits), dst: register(dst), src: register(src), offset: i16(offset) }),
  ),
  rule(`\\*${MEMORY} = r(\\d+)`, (bits, dst, offset, src) =>
    stored(CLASS.STX | MODE.MEM, bits, dst, offset, { src: register(src) }),
  ),
  rule(`\\*${MEMORY} = (${NUMBER})`, (bits, dst, offset, imm) =>
    stored(CLASS.ST | MODE.MEM, bits, dst, offset, { imm: imm32(imm) }),
  ),
  rule(`lock\\b \\*${MEMORY} (\\S+) r(\\d+)`, (bits, dst, offset, sign, src) => {
    const imm = ARITHMETIC.get(sign);
    if (imm === undefined || !ATOMIC_NAMES.has(imm)) return undefined;
    return atomic(bits, dst, offset, src, imm);
  }),
  rule(`r(\\d+) = atomic(?:64)?_(?:fetch_)?(\\w+)\\(${MEMORY} , r(\\d+)\\)`, fetching),
  rule(`r0 = atomic(?:64)?_cmpxchg\\(${MEMORY} , r0 , r(\\d+)\\)`, (bits, dst, offset, src) =>
    atomic(bits, dst, offset, src, ATOMIC.CMPXCHG),
  ),
  rule(`r(\\d+) = load_acquire\\(${MEMORY}\\)`, (dst, bits, src, offset) =>
    atomic(bits, dst, offset, src, ATOMIC.LOAD_ACQ),
  ),
  rule(`store_release\\(${MEMORY} , r(\\d+)\\)`, (bits, dst, offset, src) =>
    atomic(bits, dst, offset, src, ATOMIC.STORE_REL),
  ),
  rule(`r0 = \\*\\(u(8|16|32) \\*\\)skb\\[(${NUMBER})\\]`, (bits, imm) =>
    made({ opcode: CLASS.LD | MODE.ABS | sizeOfBits(bits), imm: imm32(imm) }),
  ),
  rule(`r0 = \\*\\(u(8|16|32) \\*\\)skb\\[r(\\d+) \\+ (${NUMBER})\\]`, (bits, src, imm) =>
    made({ opcode: CLASS.LD | MODE.IND | sizeOfBits(bits), src: register(src), imm: imm32(imm) }),
  ),
  rule(`r(\\d+) = (0x[0-9a-fA-F]+)(?: ll)?`, (dst, value) => immediate(dst, IMM64.VALUE, BigInt(value))),
  rule(`r(\\d+) = (${NUMBER}) ll`, (dst, value) => immediate(dst, IMM64.VALUE, bigint(value))),
  rule(`r(\\d+) = map\\[(fd|idx):(\\d+)\\]`, (dst, what, map) =>
    immediate(dst, what === "fd" ? IMM64.MAP_FD : IMM64.MAP_IDX, BigInt(map)),
  ),
  rule(`r(\\d+) = map\\[(fd|idx):(\\d+)\\]\\[0\\] (${NUMBER})`, (dst, what, map, at) =>
    immediate(dst, what === "fd" ? IMM64.MAP_VALUE : IMM64.MAP_IDX_VALUE, halves(map, at)),
  ),
  rule(`r(\\d+) = btf\\[id:(${NUMBER})\\]\\[fd:(${NUMBER})\\]`, (dst, id, fd) =>
    immediate(dst, IMM64.BTF_ID, halves(id, fd)),
  ),
  rule(`r(\\d+) = subprog\\[(${NUMBER})\\]`, (dst, distance) =>
    immediate(dst, IMM64.FUNC, BigInt(imm32(distance) >>> 0)),
  ),
  rule("r(\\d+) = subprog\\[([A-Za-z_.$][\\w.$]*)\\]", (dst, label) => ({
    ...immediate(dst, IMM64.FUNC, 0n),
    label,
  })),
  rule(`${REGISTER} (\\S+) (?:\\(s(8|16|32)\\) )?${REGISTER}`, (kind, dst, sign, bits, other, src) => {
    if (kind !== other || (bits !== undefined && sign !== "=")) return undefined;
    return arithmetic(kind, dst, sign, { src: register(src), offset: Number(bits ?? 0) }, SOURCE.X);
  }),
  rule(`${REGISTER} (\\S+) (${NUMBER})`, (kind, dst, sign, imm) =>
    arithmetic(kind, dst, sign, { imm: imm32(imm) }, SOURCE.K),
  ),
];

/** The instruction of a line; undefined where it is none. Throws a RangeError for a number that has no room in its field. */
export function parseInstruction(line: string): Parsed | undefined {
  for (const [shape, parse] of RULES) {
    const found = shape.exec(line);
    const parsed = found === null ? undefined : parse(...found.slice(1));
    if (parsed !== undefined) return parsed;
  }
  return undefined;
}

type Fields = Partial<Instruction>;

const made = (fields: Fields): Parsed => ({
  instruction: { opcode: 0, dst: 0, src: 0, offset: 0, imm: 0, ...fields },
});

function bigint(text: string): bigint {
  const size = BigInt(text.replace(/^[-+]/, ""));
  return text.startsWith("-") ? -size : size;
}

function within(text: string, least: bigint, most: bigint): bigint {
  const value = bigint(text);
  if (value < least || value > most) throw new RangeError(`${text} is out of range, ${least} to ${most}`);
  return value;
}

function register(text: string): number {
  const number = Number(text);
  if (number >= REGISTERS) throw new RangeError(`there is no register r${text}`);
  return number;
}

const i16 = (text: string): number => Number(within(text, -0x8000n, 0x7fffn));
/** An i32, or an u32 that has the same bits. */
const imm32 = (text: string): number => Number(BigInt.asIntN(32, within(text, -0x8000_0000n, 0xffff_ffffn)));
const sizeOfBits = (bits: string): number => SIZES.get(Number(bits))!;
const aluClass = (kind: string): number => (kind === "w" ? CLASS.ALU : CLASS.ALU64);

const SWAPS: Readonly<Record<string, number>> = {
  le: CLASS.ALU | ALU.END,
  be: CLASS.ALU | ALU.END | SOURCE.X,
  bswap: CLASS.ALU64 | ALU.END,
};

/** `pc+3`, or a label. */
function jump(fields: Fields, target: string): Parsed {
  const distance = /^pc([-+].*)$/.exec(target)?.[1];
  if (distance === undefined) return { ...made(fields), label: target };
  const isFar = fields.opcode === GOTOL || fields.opcode === CALL;
  return made({ ...fields, ...(isFar ? { imm: imm32(distance) } : { offset: i16(distance) }) });
}

function numberedCall(name: string, number: string): Parsed | undefined {
  const imm = imm32(number);
  if (name === "kernel-function") return made({ opcode: CALL, src: CALLEE.KFUNC, imm });
  const known = name === "" || name === "unknown" || name === helperName(imm);
  return known ? made({ opcode: CALL, imm }) : undefined;
}

function namedCall(name: string): Parsed {
  const id = helperId(name);
  return id === undefined ? jump({ opcode: CALL, src: CALLEE.LOCAL }, name) : made({ opcode: CALL, imm: id });
}

function conditional(
  kind: string,
  dst: string,
  sign: string,
  target: string,
  operand: Fields,
  source: number,
): Parsed | undefined {
  const operation = CONDITIONS.get(sign);
  if (operation === undefined) return undefined;
  const opcode = (kind === "w" ? CLASS.JMP32 : CLASS.JMP) | operation | source;
  return jump({ opcode, dst: register(dst), ...operand }, target);
}

function arithmetic(
  kind: string,
  dst: string,
  sign: string,
  operand: Fields,
  source: number,
): Parsed | undefined {
  const operation = ARITHMETIC.get(sign) ?? SIGNED.get(sign);
  if (operation === undefined) return undefined;
  const offset = SIGNED.has(sign) ? 1 : (operand.offset ?? 0);
  return made({ ...operand, opcode: aluClass(kind) | operation | source, dst: register(dst), offset });
}

function loadOf(sign: string, bits: string): number {
  return CLASS.LDX | (sign === "s" ? MODE.MEMSX : MODE.MEM) | sizeOfBits(bits);
}

function stored(opcode: number, bits: string, dst: string, offset: string, operand: Fields): Parsed {
  return made({ opcode: opcode | sizeOfBits(bits), dst: register(dst), offset: i16(offset), ...operand });
}

function atomic(bits: string, dst: string, offset: string, src: string, imm: number): Parsed {
  return stored(CLASS.STX | MODE.ATOMIC, bits, dst, offset, { src: register(src), imm });
}

function fetching(
  target: string,
  name: string,
  bits: string,
  dst: string,
  offset: string,
  src: string,
): Parsed | undefined {
  if (target !== src) return undefined;
  if (name === "xchg") return atomic(bits, dst, offset, src, ATOMIC.XCHG);
  const operation = COMBINED.get(name);
  return operation === undefined ? undefined : atomic(bits, dst, offset, src, operation | ATOMIC.FETCH);
}

/** Two halves as one value, the lower one first. */
const halves = (lower: string, upper: string): bigint =>
  (BigInt(imm32(upper)) << 32n) | BigInt(imm32(lower) >>> 0);

function immediate(dst: string, src: number, value: bigint): Parsed {
  if (value < -(1n << 63n) || value >= 1n << 64n) throw new RangeError(`${value} is out of range of 64 bits`);
  const imm64 = BigInt.asUintN(64, value);
  return made({ opcode: LD_IMM64, dst: register(dst), src, imm: Number(BigInt.asIntN(32, imm64)), imm64 });
}
