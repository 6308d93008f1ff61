/**
 * The functions of an object: what its sections of code are cut into.
 *
 * @module
 */
import { decode, type Instruction } from "../isa/decode.ts";
import { SLOT_BYTES } from "../isa/opcodes.ts";
import type { BtfExt } from "./btf_ext.ts";
import { type Elf, type ElfRelocation, EXECUTABLE, FUNCTION, LOCAL, PROGBITS, type Section } from "./elf.ts";
import { ObjectError } from "./object_error.ts";

export interface ObjectFunction {
  readonly name: string;
  readonly section: Section;
  /** Its first slot in the section. */
  readonly start: number;
  readonly code: readonly (Instruction | undefined)[];
  /** By slot of the function. */
  readonly relocations: ReadonlyMap<number, ElfRelocation>;
  /** Whether it is one that others may call from outside: a program, if it is in a section of programs. */
  readonly isGlobal: boolean;
  /** Its type in BTF. */
  readonly type: number | undefined;
}

/** All functions of an object, section by section. */
export function functionsOf(elf: Elf, ext: BtfExt | undefined): ObjectFunction[] {
  return elf.sections
    .filter(({ type, flags, size }) => type === PROGBITS && (flags & EXECUTABLE) !== 0 && size > 0)
    .flatMap((section) => functionsIn(elf, section, ext));
}

function functionsIn(elf: Elf, section: Section, ext: BtfExt | undefined): ObjectFunction[] {
  if (section.size % SLOT_BYTES !== 0) {
    throw new ObjectError(
      `section ${section.name} has ${section.size} bytes, which are no whole instructions`,
    );
  }
  const codeOf = (start: number, end: number) =>
    decode(section.bytes.subarray(start * SLOT_BYTES, end * SLOT_BYTES));
  const relocations = new Map<number, ElfRelocation>();
  for (const relocation of elf.relocationsOf(section)) {
    relocations.set(slotOf(section, relocation.offset), relocation);
  }
  const types = new Map(ext?.functions.get(section.name)?.map(({ offset, type }) => [offset, type]));
  const symbols = elf.symbols
    .filter((symbol) => symbol.section === section.index && symbol.type === FUNCTION)
    .sort((a, b) => a.value - b.value);
  // Old compilers wrote none: the section is the program.
  if (symbols.length === 0) {
    const code = codeOf(0, section.size / SLOT_BYTES);
    return [{ name: section.name, section, start: 0, code, relocations, isGlobal: true, type: types.get(0) }];
  }
  return symbols.map(({ name, value, size, bind }, i) => {
    const start = slotOf(section, value);
    const end = slotOf(section, size > 0 ? value + size : (symbols[i + 1]?.value ?? section.size));
    return {
      name,
      section,
      start,
      code: codeOf(start, end),
      relocations: within(relocations, start, end),
      isGlobal: bind !== LOCAL,
      type: types.get(value),
    };
  });
}

/** The slot at an offset of a section; it may be the end. */
function slotOf({ name, size }: Section, offset: number): number {
  if (offset % SLOT_BYTES !== 0 || offset > size) {
    throw new ObjectError(`section ${name} has no instruction at ${offset}`);
  }
  return offset / SLOT_BYTES;
}

function within(relocations: ReadonlyMap<number, ElfRelocation>, start: number, end: number) {
  const own = new Map<number, ElfRelocation>();
  for (const [slot, relocation] of relocations)
    if (slot >= start && slot < end) own.set(slot - start, relocation);
  return own;
}

/** The function that has a slot of a section. */
export function functionAt(
  functions: readonly ObjectFunction[],
  section: number,
  slot: number,
): ObjectFunction | undefined {
  return functions.find(
    (candidate) =>
      candidate.section.index === section &&
      slot >= candidate.start &&
      slot < candidate.start + candidate.code.length,
  );
}
