/**
 * An assembler of the kernel's notation, for tests and documentation: what `printCode` prints it reads back.
 *
 * @module
 */
import { encode, type Instruction } from "./decode.ts";
import { CALL, GOTOL, LD_IMM64 } from "./opcodes.ts";
import { parseInstruction } from "./parse.ts";

interface Waiting {
  readonly slot: number;
  readonly label: string;
  readonly line: number;
}

/**
 * The bytecode of a program, one instruction a line. A slot number and an opcode before it are passed over, so are comments, from `;` or
 * `//` on. A line `name:` is a label, for jumps, calls and callbacks: `if r0 == 0 goto name`, `call name`, `r2 = subprog[name]`.
 *
 * @throws SyntaxError that names the line
 */
export function assemble(text: string): Uint8Array<ArrayBuffer> {
  const code: (Instruction | undefined)[] = [];
  const labels = new Map<string, number>();
  const waiting: Waiting[] = [];
  text.split("\n").forEach((whole, i) => {
    const line = whole
      .replace(/(;|\/\/).*/, "")
      .replace(/^\s*\d+:/, "")
      .trim();
    const label = /^([A-Za-z_.$][\w.$]*):$/.exec(line)?.[1];
    if (label !== undefined) {
      if (labels.has(label)) throw syntaxError(i, `the label ${label} stands twice`);
      labels.set(label, code.length);
    } else if (line !== "") {
      const parsed = parsedLine(line.replace(/^\([0-9a-f]{2}\)\s*/, ""), i);
      if (parsed.label !== undefined) waiting.push({ slot: code.length, label: parsed.label, line: i });
      code.push(parsed.instruction);
      if (parsed.instruction.opcode === LD_IMM64) code.push(undefined);
    }
  });
  for (const { slot, label, line } of waiting) {
    const target = labels.get(label);
    if (target === undefined) throw syntaxError(line, `there is no label or helper ${label}`);
    code[slot] = withDistance(code[slot]!, target - slot - 1, line);
  }
  return encode(code);
}

function parsedLine(line: string, i: number) {
  try {
    const parsed = parseInstruction(line);
    if (parsed !== undefined) return parsed;
  } catch (error) {
    throw syntaxError(i, `${line}: ${(error as RangeError).message}`);
  }
  throw syntaxError(i, `${line}: this is no instruction`);
}

function withDistance(instruction: Instruction, distance: number, line: number): Instruction {
  const { opcode } = instruction;
  if (opcode === LD_IMM64) return { ...instruction, imm: distance, imm64: BigInt(distance >>> 0) };
  if (opcode === GOTOL || opcode === CALL) return { ...instruction, imm: distance };
  if (distance < -0x8000 || distance > 0x7fff) throw syntaxError(line, "the jump is too far");
  return { ...instruction, offset: distance };
}

const syntaxError = (line: number, what: string) => new SyntaxError(`assemble: line ${line + 1}: ${what}`);
