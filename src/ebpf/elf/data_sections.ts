/**
 * Global variables: the sections that hold them. Each becomes a map with one value.
 *
 * @module
 */
import type { Btf } from "./btf.ts";
import { ALLOCATED, DATA, type Elf } from "./elf.ts";

/** A global variable. */
export interface Variable {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  /** Its type in BTF; undefined for one that has none there, as static ones without a use. */
  readonly type: number | undefined;
}

export interface DataSection {
  /** Of the section: ".rodata". */
  readonly name: string;
  readonly size: number;
  /** What it holds in the beginning; empty when that is all zeros. */
  readonly bytes: Uint8Array;
  /** Whether programs may only read it. */
  readonly isReadOnly: boolean;
  readonly variables: readonly Variable[];
}

/** A data section, and its number in the file. That of variables that the loader sets is in no file. */
export interface PlacedData {
  readonly data: DataSection;
  readonly section: number | undefined;
}

/** Names of sections of data. `.kconfig` is made by the loader. */
const NAMES = /^\.(data|bss|rodata)(\.|$)/;
export const KCONFIG = ".kconfig";

/** All data sections of an object that have a byte. */
export function dataSectionsOf(elf: Elf, btf: Btf | undefined): PlacedData[] {
  const inFile = elf.sections.filter(
    ({ name, size, flags }) => NAMES.test(name) && size > 0 && (flags & ALLOCATED) !== 0,
  );
  const placed: PlacedData[] = inFile.map(({ index, name, size, bytes }) => {
    const types = variableTypes(btf, name);
    const variables = elf.symbols
      .filter((symbol) => symbol.section === index && symbol.type === DATA)
      .map(({ name, value, size }) => ({ name, offset: value, size, type: types.get(name) }))
      .sort((a, b) => a.offset - b.offset);
    const isReadOnly = name.startsWith(".rodata");
    return { data: { name, size, bytes, isReadOnly, variables }, section: index };
  });
  const kconfig = btf === undefined ? undefined : kconfigOf(btf);
  return kconfig === undefined ? placed : [...placed, { data: kconfig, section: undefined }];
}

/** The types of the variables of a section by their names. */
function variableTypes(btf: Btf | undefined, section: string): Map<string, number> {
  const types = new Map<string, number>();
  for (const variable of btf?.section(section)?.variables ?? []) {
    const type = btf!.type(variable.type);
    if (type.kind === "var") types.set(type.name, type.type);
  }
  return types;
}

/** `extern int LINUX_KERNEL_VERSION __kconfig`: one after the other, each at a multiple of 8. */
function kconfigOf(btf: Btf): DataSection | undefined {
  const types = variableTypes(btf, KCONFIG);
  if (types.size === 0) return undefined;
  const variables: Variable[] = [];
  let offset = 0;
  for (const [name, type] of types) {
    const size = btf.sizeOf(type);
    variables.push({ name, offset, size, type });
    offset += Math.ceil(size / 8) * 8;
  }
  return { name: KCONFIG, size: offset, bytes: new Uint8Array(0), isReadOnly: true, variables };
}
