// The public vectors of bpf_conformance (github.com/Alan-Jowett/bpf_conformance): files of sections, with an assembly of their own.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { encode, type Instruction } from "../../../src/ebpf/isa/decode.ts";
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
  JMP,
  LD_IMM64,
  MODE,
  SIZE,
  SOURCE,
} from "../../../src/ebpf/isa/opcodes.ts";

export interface Vector {
  readonly name: string;
  readonly code: Uint8Array<ArrayBuffer>;
  /** r1 points at it, r2 is its size. */
  readonly memory: Uint8Array<ArrayBuffer>;
  /** What r0 is in the end; undefined where the program is to be refused. */
  readonly result: bigint | undefined;
}

/** The vectors of a folder by name. A file that is no vector throws. */
export function vectorFiles(folder: string): { name: string; read(): Vector }[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".data"))
    .map((file) => ({ name: file, read: () => vector(file, readFileSync(join(folder, file), "utf8")) }));
}

function vector(name: string, text: string): Vector {
  const sections = new Map<string, string[]>();
  let lines: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const content = line.replace(/#.*/, "");
    const section = /^--\s*(.+?)\s*$/.exec(content)?.[1];
    if (section !== undefined) {
      lines = [];
      sections.set(section, lines);
    } else if (content.trim() !== "") lines.push(content.trim());
  }
  const bytes = (section: string) =>
    Uint8Array.from((sections.get(section) ?? []).join(" ").match(/[0-9a-fA-F]{2}/g) ?? [], (byte) =>
      Number.parseInt(byte, 16),
    );
  const raw = sections.get("raw");
  const assembly = sections.get("asm");
  if (raw === undefined && assembly === undefined) throw new SyntaxError(`${name}: no instructions`);
  if (sections.has("result") === sections.has("error")) throw new SyntaxError(`${name}: no result`);
  const result = sections.get("result")?.[0];
  return {
    name,
    code: raw === undefined ? assembleVector(assembly!) : rawCode(raw),
    memory: bytes("mem"),
    result: result === undefined ? undefined : BigInt(result),
  };
}

/** Bytes, or words of 64 bits. */
function rawCode(lines: readonly string[]): Uint8Array<ArrayBuffer> {
  const words = lines.join(" ").split(/\s+/);
  if (!words[0].startsWith("0x")) return Uint8Array.from(words, (byte) => Number.parseInt(byte, 16));
  return new Uint8Array(BigUint64Array.from(words, (word) => BigInt(word)).buffer);
}

interface Waiting {
  readonly slot: number;
  readonly label: string;
  readonly field: "offset" | "imm";
}

const SIZES: Readonly<Record<string, number>> = { b: SIZE.B, h: SIZE.H, w: SIZE.W, dw: SIZE.DW };
const operation = (names: Readonly<Record<string, number>>, name: string) => names[name.toUpperCase()];

/** The assembly of the vectors, `ldxw %r0, [%r1+2]`. Throws for what is none. */
export function assembleVector(lines: readonly string[]): Uint8Array<ArrayBuffer> {
  const code: (Instruction | undefined)[] = [];
  const labels = new Map<string, number>();
  const waiting: Waiting[] = [];
  for (const line of lines) {
    const label = /^(\w+):$/.exec(line)?.[1];
    if (label !== undefined) labels.set(label, code.length);
    else {
      const { label, field, ...fields } = parsed(line);
      if (label !== undefined) waiting.push({ slot: code.length, label, field: field ?? "offset" });
      code.push({ opcode: 0, dst: 0, src: 0, offset: 0, imm: 0, ...fields });
      if (fields.imm64 !== undefined) code.push(undefined);
    }
  }
  for (const { slot, label, field } of waiting) {
    // "exit" is the last one when nobody has given the label.
    const last = code.findLastIndex((instruction) => instruction?.opcode === EXIT);
    const target = labels.get(label) ?? (label === "exit" ? last : -1);
    if (target < 0) throw new SyntaxError(`no label ${label}`);
    code[slot] = { ...code[slot]!, [field]: target - slot - 1 };
  }
  return encode(code);
}

type Line = Partial<Instruction> & { label?: string; field?: "offset" | "imm" };

function parsed(line: string): Line {
  const [name, ...rest] = line.split(/[\s,]+/);
  const exactly = (count: number) => {
    if (rest.length !== count) throw new SyntaxError(`${line}: expected ${count} operands`);
    return rest;
  };
  if (name === "exit") return exactly(0) && { opcode: EXIT };
  if (name === "ja") return { opcode: GOTO, ...target(exactly(1)[0], "offset") };
  if (name === "ja32") return { opcode: GOTOL, ...target(exactly(1)[0], "imm") };
  if (name === "call") return call(rest);
  if (name === "lddw") {
    const [dst, value] = exactly(2);
    const imm64 = BigInt.asUintN(64, number(value, -(1n << 63n), (1n << 64n) - 1n));
    return { opcode: LD_IMM64, dst: register(dst), imm: Number(BigInt.asIntN(32, imm64)), imm64 };
  }
  if (name === "lock") return lock(rest);
  const access = /^(ldxs?|stx|st)(b|h|w|dw)$/.exec(name);
  if (access !== null) return accessLine(access[1], SIZES[access[2]], exactly(2));
  const swap = /^(be|le|swap|bswap)(16|32|64)$/.exec(name);
  if (swap !== null) {
    const class_ = swap[1].endsWith("swap") ? CLASS.ALU64 : CLASS.ALU;
    const source = swap[1] === "be" ? SOURCE.X : SOURCE.K;
    return { opcode: class_ | ALU.END | source, dst: register(exactly(1)[0]), imm: Number(swap[2]) };
  }
  const jump = /^(j\w+?)(32)?$/.exec(name);
  if (jump !== null && operation(JMP, jump[1]) !== undefined) {
    const [dst, right, to] = exactly(3);
    const opcode = operation(JMP, jump[1]) | (jump[2] === undefined ? CLASS.JMP : CLASS.JMP32);
    return withOperand({ opcode, dst: register(dst), ...target(to, "offset") }, right);
  }
  const extend = /^movsx(8|16|32)(32|64)$/.exec(name);
  if (extend !== null) {
    const [dst, src] = exactly(2);
    const opcode = ALU.MOV | (extend[2] === "32" ? CLASS.ALU : CLASS.ALU64);
    return withOperand({ opcode, dst: register(dst), offset: Number(extend[1]) }, src);
  }
  const arithmetic = /^(s(?=div|mod))?(\w+?)(32|64)?$/.exec(name)!;
  const kind = operation(ALU, arithmetic[2]);
  if (kind === undefined) throw new SyntaxError(`${line}: no instruction`);
  const opcode = kind | (arithmetic[3] === "32" ? CLASS.ALU : CLASS.ALU64);
  if (kind === ALU.NEG) return { opcode, dst: register(exactly(1)[0]) };
  const [dst, right] = exactly(2);
  return withOperand({ opcode, dst: register(dst), offset: arithmetic[1] === undefined ? 0 : 1 }, right);
}

function register(text: string): number {
  const found = /^%r(\d|10)$/.exec(text)?.[1];
  if (found === undefined) throw new SyntaxError(`${text} is no register`);
  return Number(found);
}

function number(text: string, least: bigint, most: bigint): bigint {
  if (!/^[-+]?(0x[0-9a-fA-F]+|\d+)$/.test(text)) throw new SyntaxError(`${text} is no number`);
  const value = BigInt(text.replace(/^[-+]/, "")) * (text.startsWith("-") ? -1n : 1n);
  if (value < least || value > most) throw new RangeError(`${text} is out of range`);
  return value;
}

/** Hexadecimal ones are the bits of the field, others what it says. */
function imm32(text: string): number {
  const hex = text.includes("0x");
  return Number(BigInt.asIntN(32, number(text, -(1n << 31n), hex ? 0xffff_ffffn : (1n << 31n) - 1n)));
}

const offset16 = (text: string) => Number(BigInt.asIntN(16, number(text, -0x8000n, 0xffffn)));

function place(text: string): [register: number, offset: number] {
  const found = /^\[(%r\d+)([-+]\w+)?\]$/.exec(text);
  if (found === null) throw new SyntaxError(`${text} is no place in memory`);
  return [register(found[1]), found[2] === undefined ? 0 : offset16(found[2])];
}

function target(text: string, field: "offset" | "imm"): Line {
  return /^[-+]/.test(text) ? { [field]: offset16(text) } : { label: text, field };
}

function withOperand(line: Line, right: string): Line {
  if (!right.startsWith("%")) return { ...line, imm: imm32(right) };
  return { ...line, opcode: line.opcode! | SOURCE.X, src: register(right) };
}

function call(operands: readonly string[]): Line {
  const [kind, what] = operands.length > 1 ? operands : ["helper", operands[0]];
  if (kind === "local") return { opcode: CALL, src: CALLEE.LOCAL, ...target(what, "imm") };
  if (kind === "runtime") return { opcode: CALL, src: CALLEE.KFUNC, imm: imm32(what) };
  if (what.startsWith("%")) return { opcode: CALLX, dst: register(what) };
  return { opcode: CALL, imm: imm32(what) };
}

function lock(operands: readonly string[]): Line {
  const [name, at, from, ...more] = operands.filter((operand) => operand !== "fetch");
  const found = /^(add|and|or|xor|xchg|cmpxchg)(32)?$/.exec(name ?? "");
  if (found === null || from === undefined || more.length > 0) throw new SyntaxError(`lock ${name}: invalid`);
  const [dst, offset] = place(at);
  const fetch = operands.includes("fetch") ? ATOMIC.FETCH : 0;
  const opcode = CLASS.STX | MODE.ATOMIC | (found[2] === undefined ? SIZE.DW : SIZE.W);
  return { opcode, dst, offset, src: register(from), imm: operation(ATOMIC, found[1]) | fetch };
}

function accessLine(kind: string, size: number, [left, right]: readonly string[]): Line {
  if (kind === "stx") return { opcode: CLASS.STX | MODE.MEM | size, ...to(left), src: register(right) };
  if (kind === "st") return { opcode: CLASS.ST | MODE.MEM | size, ...to(left), imm: imm32(right) };
  const [src, offset] = place(right);
  const mode = kind === "ldx" ? MODE.MEM : MODE.MEMSX;
  return { opcode: CLASS.LDX | mode | size, dst: register(left), src, offset };
}

function to(text: string): { dst: number; offset: number } {
  const [dst, offset] = place(text);
  return { dst, offset };
}
