/**
 * What instructions of an object refer to: maps, variables, functions. A compiler leaves zeros there and writes down the symbol.
 *
 * @module
 */
import type { Instruction } from "../isa/decode.ts";
import { CALL, CALLEE, LD_IMM64, SLOT_BYTES } from "../isa/opcodes.ts";
import { KCONFIG, type PlacedData } from "./data_sections.ts";
import { type ElfRelocation, type ElfSymbol, EXECUTABLE, type Section, WEAK } from "./elf.ts";
import { functionAt, type ObjectFunction } from "./functions.ts";
import type { PlacedMap } from "./map_definitions.ts";
import { ObjectError } from "./object_error.ts";

/** What the parts of an object are found by. */
export interface Parts {
  readonly sections: readonly Section[];
  readonly maps: readonly PlacedMap[];
  readonly data: readonly PlacedData[];
  readonly functions: readonly ObjectFunction[];
}

/** What an instruction refers to. */
export type Reference =
  | { readonly kind: "map"; readonly name: string }
  /** A byte of a data section. */
  | { readonly kind: "data"; readonly name: string; readonly offset: number }
  /** A function of the object, which is called. */
  | { readonly kind: "call"; readonly function: ObjectFunction }
  /** A function of the object, whose address is taken. */
  | { readonly kind: "callback"; readonly function: ObjectFunction }
  /** A function of the kernel. */
  | { readonly kind: "kfunc"; readonly name: string; readonly isWeak: boolean }
  /** The address of something in the kernel. */
  | { readonly kind: "ksym"; readonly name: string; readonly isWeak: boolean };

/** What an instruction of a function refers to; undefined where it refers to nothing. */
export function referenceOf(
  parts: Parts,
  within: ObjectFunction,
  instruction: Instruction,
  slot: number,
): Reference | undefined {
  const relocation = within.relocations.get(slot);
  const isCall = instruction.opcode === CALL;
  if (isCall && instruction.src === CALLEE.LOCAL) return callOf(parts, within, instruction, slot, relocation);
  if (relocation === undefined) return undefined;
  const { symbol } = relocation;
  if (isCall) {
    if (symbol.section !== 0) throw lost(within, slot, `calls ${describe(symbol)}`);
    return { kind: "kfunc", name: symbol.name, isWeak: symbol.bind === WEAK };
  }
  if (instruction.opcode !== LD_IMM64 || instruction.imm64 === undefined) {
    throw lost(within, slot, `has a relocation, and neither calls nor loads 64 bits`);
  }
  if (symbol.section === 0) return externOf(parts, symbol);
  return addressOf(parts, within, instruction, slot, symbol);
}

function callOf(
  parts: Parts,
  within: ObjectFunction,
  { imm }: Instruction,
  slot: number,
  relocation: ElfRelocation | undefined,
): Reference {
  if (relocation === undefined) {
    const target = within.start + slot + 1 + imm;
    return { kind: "call", function: startingAt(parts, within, slot, within.section.index, target) };
  }
  const { symbol } = relocation;
  if (symbol.section === 0) return { kind: "kfunc", name: symbol.name, isWeak: symbol.bind === WEAK };
  const target = symbol.value / SLOT_BYTES + imm + 1;
  return { kind: "call", function: startingAt(parts, within, slot, symbol.section, target) };
}

function addressOf(
  parts: Parts,
  within: ObjectFunction,
  { imm }: Instruction,
  slot: number,
  symbol: ElfSymbol,
): Reference {
  const offset = symbol.value + imm;
  const section = parts.sections[symbol.section];
  if (section !== undefined && (section.flags & EXECUTABLE) !== 0) {
    const target = startingAt(parts, within, slot, symbol.section, offset / SLOT_BYTES);
    return { kind: "callback", function: target };
  }
  const map = parts.maps.find((map) => map.section === symbol.section && map.offset === offset);
  if (map !== undefined) return { kind: "map", name: map.definition.name };
  const data = parts.data.find((data) => data.section === symbol.section)?.data;
  if (data === undefined)
    throw lost(within, slot, `refers to ${describe(symbol)} of section ${section?.name}`);
  // One behind the end is what C allows.
  if (offset < 0 || offset > data.size)
    throw lost(within, slot, `refers to byte ${offset} of section ${data.name}`);
  return { kind: "data", name: data.name, offset };
}

/** A variable that the loader sets, or a symbol of the kernel. */
function externOf(parts: Parts, { name, bind }: ElfSymbol): Reference {
  const kconfig = parts.data.find(({ data }) => data.name === KCONFIG)?.data;
  const variable = kconfig?.variables.find((variable) => variable.name === name);
  if (variable !== undefined) return { kind: "data", name: KCONFIG, offset: variable.offset };
  return { kind: "ksym", name, isWeak: bind === WEAK };
}

function startingAt(
  parts: Parts,
  within: ObjectFunction,
  slot: number,
  section: number,
  target: number,
): ObjectFunction {
  const found = functionAt(parts.functions, section, target);
  if (found === undefined || found.start !== target) {
    throw lost(
      within,
      slot,
      `refers to instruction ${target} of section ${parts.sections[section]?.name}, where no function begins`,
    );
  }
  return found;
}

const describe = ({ name }: ElfSymbol) => (name === "" ? "something without a name" : name);

function lost({ name }: ObjectFunction, slot: number, what: string): ObjectError {
  return new ObjectError(`${name}: insn ${slot} ${what}`);
}
