/**
 * A BPF object as clang writes it: maps, global variables, and programs that are linked and wait for the addresses of both.
 *
 * @module
 */
import { Btf } from "./btf.ts";
import { BtfExt } from "./btf_ext.ts";
import { type DataSection, dataSectionsOf } from "./data_sections.ts";
import { Elf } from "./elf.ts";
import { functionsOf, type ObjectFunction } from "./functions.ts";
import { type LinkedProgram, link } from "./link.ts";
import { type MapDefinition, mapsOf } from "./map_definitions.ts";
import type { Parts } from "./relocate.ts";
import { type ProgramType, sectionMeaning } from "./sections.ts";

/** A program of an object. */
export interface ObjectProgram {
  readonly name: string;
  /** The name of its section, as it is there. */
  readonly section: string;
  /** What the section's name says; undefined where it says nothing. */
  readonly type: ProgramType | undefined;
  /** What the section's name has behind the type: the target of an iterator. */
  readonly attach: string;
  /** False for a program that is loaded only when somebody asks for it. */
  readonly autoload: boolean;
  /** Links it with the functions that it needs. Throws an ObjectError when it refers to what there is not. */
  link(): LinkedProgram;
}

export interface ObjectFile {
  readonly maps: readonly MapDefinition[];
  readonly data: readonly DataSection[];
  readonly programs: readonly ObjectProgram[];
  /** Static functions and global ones of `.text`: what programs call, filters and callbacks. */
  readonly functions: readonly ObjectProgram[];
  /** "" when it has none. */
  readonly license: string;
  readonly btf: Btf | undefined;
}

/** Where functions are that are no programs. */
const TEXT = ".text";

/**
 * Reads an object. Nothing is made of it yet.
 *
 * @throws ObjectError for a file that is no BPF object or is damaged
 */
export function parseObject(bytes: Uint8Array): ObjectFile {
  const elf = new Elf(bytes);
  const types = elf.section(".BTF");
  const btf = types === undefined ? undefined : new Btf(types.bytes);
  const more = elf.section(".BTF.ext");
  const ext = more === undefined || btf === undefined ? undefined : new BtfExt(more.bytes, btf);
  const functions = functionsOf(elf, ext);
  const parts: Parts = {
    sections: elf.sections,
    maps: mapsOf(elf, btf),
    data: dataSectionsOf(elf, btf),
    functions,
  };
  const program = (main: ObjectFunction): ObjectProgram => {
    const { name } = main.section;
    return { name: main.name, section: name, ...sectionMeaning(name), link: () => link(parts, main, ext) };
  };
  const inSections = functions.filter(({ section, isGlobal }) => section.name !== TEXT && isGlobal);
  // An object without sections of programs is one of functions: whoever loads it says what they are.
  const isProgram = (function_: ObjectFunction) =>
    inSections.length > 0 ? inSections.includes(function_) : function_.isGlobal;
  return {
    maps: parts.maps.map(({ definition }) => definition),
    data: parts.data.map(({ data }) => data),
    programs: functions.filter(isProgram).map(program),
    functions: functions.filter((function_) => !isProgram(function_)).map(program),
    license: licenseOf(elf),
    btf,
  };
}

function licenseOf(elf: Elf): string {
  const bytes = elf.section("license")?.bytes ?? new Uint8Array(0);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}
