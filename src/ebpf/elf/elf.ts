/**
 * ELF files as compilers write them for BPF: 64-bit, little-endian, relocatable. Sections, symbols and relocations, without a meaning.
 *
 * ```
 * header, 64 bytes:   0 magic | 4 class, order | 18 u16 machine | 40 u64 sections at | 58 u16 bytes of each, number, that of the names
 * section, 64 bytes:  0 u32 name | u32 type | u64 flags | 24 u64 offset | u64 size | 40 u32 link | u32 info
 * symbol, 24 bytes:   0 u32 name | u8 type (low half), bind | 6 u16 section | u64 value | u64 size
 * relocation, 16:     0 u64 offset | u32 type | u32 symbol
 * ```
 *
 * @module
 */
import { ObjectError } from "./object_error.ts";
import { Reader } from "./reader.ts";

export interface Section {
  readonly index: number;
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly size: number;
  /** Empty for a section that is all zeros. */
  readonly bytes: Uint8Array;
  readonly link: number;
  readonly info: number;
}

export interface ElfSymbol {
  readonly name: string;
  readonly type: number;
  readonly bind: number;
  /** Index of its section; 0 for one that is not defined here. */
  readonly section: number;
  readonly value: number;
  readonly size: number;
}

export interface ElfRelocation {
  /** Bytes from the start of the section. */
  readonly offset: number;
  readonly symbol: ElfSymbol;
}

const MACHINE_BPF = 247;
const HEADER_BYTES = 64;
const SYMBOL_BYTES = 24;
const RELOCATION_BYTES = 16;

/** Types of sections, SHT_... */
const SYMBOLS = 2;
const RELOCATIONS_WITH_ADDENDS = 4;
const ZEROS = 8;
const RELOCATIONS = 9;
export const PROGBITS = 1;
/** Flags of sections, SHF_... */
export const ALLOCATED = 2;
export const EXECUTABLE = 4;
/** Types of symbols, STT_... */
export const UNTYPED = 0;
export const DATA = 1;
export const FUNCTION = 2;
export const SECTION = 3;
/** Binds of symbols, STB_... */
export const LOCAL = 0;
export const WEAK = 2;
/** Instead of a number that does not fit into 16 bits, SHN_XINDEX. */
const EXTENDED = 0xffff;

export class Elf {
  readonly sections: readonly Section[];
  readonly symbols: readonly ElfSymbol[];
  readonly #relocations = new Map<number, ElfRelocation[]>();

  /** @throws ObjectError */
  constructor(bytes: Uint8Array) {
    const file = new Reader(bytes, "the file");
    checkHeader(file);
    this.sections = readSections(file);
    this.symbols = this.#readSymbols();
    for (const section of this.sections) {
      if (section.type === RELOCATIONS) this.#relocations.set(section.info, this.#readRelocations(section));
      else if (section.type === RELOCATIONS_WITH_ADDENDS && this.#isCode(section.info)) {
        throw new ObjectError(`section ${section.name}: relocations with addends are not those of BPF`);
      }
    }
  }

  /** The first section of a name. */
  section(name: string): Section | undefined {
    return this.sections.find((section) => section.name === name);
  }

  relocationsOf({ index }: Section): readonly ElfRelocation[] {
    return this.#relocations.get(index) ?? [];
  }

  #isCode(index: number): boolean {
    return ((this.sections[index]?.flags ?? 0) & EXECUTABLE) !== 0;
  }

  #readSymbols(): ElfSymbol[] {
    const table = this.sections.find(({ type }) => type === SYMBOLS);
    if (table === undefined) return [];
    const symbols = new Reader(table.bytes, "the symbol table");
    const names = this.sections[table.link];
    if (names === undefined) throw new ObjectError("the symbol table has no names");
    const texts = new Reader(names.bytes, `section ${names.name}`);
    const count = Math.floor(symbols.length / SYMBOL_BYTES);
    return Array.from({ length: count }, (_, i) => {
      const at = i * SYMBOL_BYTES;
      const info = symbols.u8(at + 4);
      return {
        name: texts.text(symbols.u32(at)),
        type: info & 15,
        bind: info >> 4,
        section: symbols.u16(at + 6),
        value: symbols.size(at + 8),
        size: symbols.size(at + 16),
      };
    });
  }

  #readRelocations({ name, bytes }: Section): ElfRelocation[] {
    const records = new Reader(bytes, `section ${name}`);
    const count = Math.floor(records.length / RELOCATION_BYTES);
    return Array.from({ length: count }, (_, i) => {
      const at = i * RELOCATION_BYTES;
      const symbol = this.symbols[records.u32(at + 12)];
      if (symbol === undefined) throw new ObjectError(`section ${name}: relocation ${i} has no symbol`);
      return { offset: records.size(at), symbol };
    });
  }
}

function checkHeader(file: Reader): void {
  const { bytes } = file;
  if (
    file.length < HEADER_BYTES ||
    bytes[0] !== 0x7f ||
    bytes[1] !== 0x45 ||
    bytes[2] !== 0x4c ||
    bytes[3] !== 0x46
  ) {
    throw new ObjectError("this is no ELF file");
  }
  if (file.u8(4) !== 2) throw new ObjectError("the ELF file is not 64-bit");
  if (file.u8(5) !== 1)
    throw new ObjectError("big-endian objects are not supported: compile with -target bpfel");
  const machine = file.u16(18);
  if (machine !== MACHINE_BPF) {
    throw new ObjectError(
      `the ELF file is for machine ${machine}, not for BPF: compile with clang -target bpf`,
    );
  }
}

function readSections(file: Reader): Section[] {
  const table = file.size(40);
  const stride = file.u16(58);
  if (stride < HEADER_BYTES) throw new ObjectError(`section headers of ${stride} bytes are too short`);
  // What does not fit into the header is in the first section.
  const count = file.u16(60) || file.size(table + 32);
  const namesIndex = file.u16(62) === EXTENDED ? file.u32(table + 40) : file.u16(62);
  if (table + count * stride > file.length)
    throw new ObjectError("the section headers are outside of the file");
  const part = (i: number) => {
    const at = table + i * stride;
    const type = file.u32(at + 4);
    const [offset, size] = [file.size(at + 24), file.size(at + 32)];
    const bytes = type === ZEROS ? new Uint8Array(0) : file.part(offset, size, `section ${i}`);
    const [nameAt, flags] = [file.u32(at), file.u32(at + 8)];
    return { nameAt, type, flags, size, bytes, link: file.u32(at + 40), info: file.u32(at + 44) };
  };
  const parts = Array.from({ length: count }, (_, i) => part(i));
  if (parts[namesIndex] === undefined) throw new ObjectError("the sections have no names");
  const names = new Reader(parts[namesIndex].bytes, "the names of the sections");
  return parts.map(({ nameAt, ...section }, index) => ({ index, name: names.text(nameAt), ...section }));
}
