/**
 * Programs as text: instructions in the kernel's notation, under the lines of the source that they come from.
 *
 * @module
 */
import { decode, type Instruction } from "./isa/decode.ts";
import { functionStart } from "./isa/flow.ts";
import { IMM64, LD_IMM64 } from "./isa/opcodes.ts";
import { printInstruction } from "./isa/print.ts";
import type { ProgramSource } from "./load.ts";

export function printProgram({ code, references, functions, lineOf }: ProgramSource): string {
  const names = new Map(functions.map(({ entry, name }) => [entry, name]));
  const nameOf = (instruction: Instruction, slot: number): string | undefined => {
    const reference = references.get(slot);
    if (reference?.kind === "map") return `map[${reference.map.name}]`;
    if (reference?.kind === "data") return `map[${reference.map.name}][0]+${reference.offset}`;
    const isFunction = instruction.opcode === LD_IMM64 && instruction.src === IMM64.FUNC;
    return isFunction ? names.get(functionStart(instruction, slot)) : undefined;
  };
  const lines: string[] = [];
  let last: string | undefined;
  decode(code).forEach((instruction, slot) => {
    if (instruction === undefined) return;
    const name = names.get(slot);
    if (name !== undefined) lines.push(`${name}:`);
    const line = lineOf(slot);
    const source = line && `; ${line.text.trim()} @ ${line.file}:${line.line}`;
    if (source !== undefined && source !== last) lines.push(source);
    last = source;
    lines.push(`${`${slot}`.padStart(4)}: ${printInstruction(instruction, slot, nameOf)}`);
  });
  return `${lines.join("\n")}\n`;
}
