/**
 * Maps as an object defines them. A map of `.maps` is a variable whose type describes it: a struct of pointers, which are all zeros.
 *
 * ```c
 * struct {
 *   __uint(type, BPF_MAP_TYPE_HASH);   // int (*type)[1]: the number is the length of an array
 *   __type(key, __u32);                // typeof(__u32) *key
 *   __array(values, struct inner);     // struct inner *values[]: of maps in maps
 * } flows SEC(".maps");
 * ```
 *
 * @module
 */
import type { Btf } from "./btf.ts";
import type { StructType } from "./btf_types.ts";
import { DATA, type Elf, type ElfSymbol, LOCAL, type Section, UNTYPED } from "./elf.ts";
import { ObjectError } from "./object_error.ts";
import { Reader } from "./reader.ts";

export interface MapDefinition {
  readonly name: string;
  /** The kernel's number, BPF_MAP_TYPE_... */
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly mapExtra: number;
  readonly numaNode: number;
  /** Whether it is to be pinned by its name: LIBBPF_PIN_BY_NAME, and what other loaders have beside it. */
  readonly pinned: boolean;
  /** Types of BTF, where the object has them. */
  readonly keyType?: number;
  readonly valueType?: number;
  /** What the maps in this one are like. */
  readonly inner?: MapDefinition;
  /** What the object puts into a map of maps or of programs, by index. */
  readonly values: readonly { readonly index: number; readonly name: string }[];
}

/** A map, and where it is in its section. */
export interface PlacedMap {
  readonly definition: MapDefinition;
  readonly section: number;
  readonly offset: number;
}

type Draft = { -readonly [K in keyof MapDefinition]: MapDefinition[K] };

function draft(name: string): Draft {
  const sizes = { type: 0, keySize: 0, valueSize: 0, maxEntries: 0 };
  return { name, ...sizes, flags: 0, mapExtra: 0, numaNode: 0, pinned: false, values: [] };
}

/** All maps of an object. */
export function mapsOf(elf: Elf, btf: Btf | undefined): PlacedMap[] {
  const described = elf.section(".maps");
  const legacy = elf.sections.filter(({ name }) => name === "maps" || name.startsWith("maps/"));
  return [
    ...(described === undefined ? [] : describedMaps(elf, described, btf)),
    ...legacy.flatMap((section) => legacyMaps(elf, section)),
  ];
}

function describedMaps(elf: Elf, section: Section, btf: Btf | undefined): PlacedMap[] {
  const types = btf?.section(".maps");
  if (btf === undefined || types === undefined) {
    throw new ObjectError("section .maps has no types: compile with -g");
  }
  const byName = new Map(
    types.variables.map((variable) => {
      const type = btf.type(variable.type);
      return type.kind === "var" ? [type.name, type.type] : ["", 0];
    }),
  );
  const symbols = elf.symbols
    .filter((symbol) => symbol.section === section.index && symbol.type === DATA)
    .sort((a, b) => a.value - b.value);
  return symbols.map((symbol) => {
    const type = byName.get(symbol.name);
    if (type === undefined) throw new ObjectError(`map "${symbol.name}" has no type in BTF`);
    const { definition, valuesAt } = describedMap(btf, type, symbol.name);
    definition.values = initialValues(elf, section, symbol, valuesAt);
    return { definition, section: section.index, offset: symbol.value };
  });
}

/** What is in the array `values` of a map: its relocations. */
function initialValues(elf: Elf, section: Section, symbol: ElfSymbol, valuesAt: number | undefined) {
  const own = elf
    .relocationsOf(section)
    .filter(({ offset }) => offset >= symbol.value && offset < symbol.value + symbol.size);
  return own.map(({ offset, symbol: { name } }) => {
    const at = offset - symbol.value - (valuesAt ?? 0);
    if (valuesAt === undefined || at < 0 || at % 8 !== 0) {
      throw new ObjectError(
        `map "${symbol.name}" has a value at ${offset - symbol.value}, where there is none`,
      );
    }
    return { index: at / 8, name };
  });
}

function describedMap(btf: Btf, id: number, name: string): { definition: Draft; valuesAt?: number } {
  const definition = draft(name);
  const type = btf.resolved(id);
  if (type.kind !== "struct") throw new ObjectError(`map "${name}" is not described by a struct`);
  let valuesAt: number | undefined;
  for (const member of type.members) {
    if (member.name === "values") {
      valuesAt = member.bitOffset / 8;
      describeValues(btf, member.type, definition);
    } else describeField(btf, member.name, member.type, definition);
  }
  return valuesAt === undefined ? { definition } : { definition, valuesAt };
}

const NUMBERS = {
  type: "type",
  max_entries: "maxEntries",
  map_flags: "flags",
  key_size: "keySize",
  value_size: "valueSize",
  map_extra: "mapExtra",
  numa_node: "numaNode",
} as const;

function describeField(btf: Btf, field: string, type: number, definition: Draft): void {
  const { name } = definition;
  if (field === "key" || field === "value") {
    const id = pointedAt(btf, type, name, field);
    const size = btf.sizeOf(id);
    const [known, sizeField] =
      field === "key" ? (["keyType", "keySize"] as const) : (["valueType", "valueSize"] as const);
    if (definition[sizeField] !== 0 && definition[sizeField] !== size) {
      throw new ObjectError(
        `map "${name}": ${field}_size is ${definition[sizeField]}, its type has ${size} bytes`,
      );
    }
    definition[known] = id;
    definition[sizeField] = size;
    return;
  }
  const number = numberOf(btf, type, name, field);
  if (field === "pinning") definition.pinned = number !== 0;
  else if (field in NUMBERS) {
    const known = NUMBERS[field as keyof typeof NUMBERS];
    const typed =
      (known === "keySize" && definition.keyType) || (known === "valueSize" && definition.valueType);
    if (typed && definition[known] !== number) {
      throw new ObjectError(`map "${name}": ${field} is ${number}, its type has ${definition[known]} bytes`);
    }
    definition[known] = number;
  } else throw new ObjectError(`map "${name}": the field ${field} is not known`);
}

/** The number of a field: `__uint` makes a pointer to an array of it, `__ulong` an enumeration with one value. */
function numberOf(btf: Btf, id: number, map: string, field: string): number {
  const type = btf.resolved(id);
  if (type.kind === "enum" || type.kind === "enum64") return Number(type.values[0]?.value ?? 0n);
  const array = btf.resolved(pointedAt(btf, id, map, field));
  if (array.kind !== "array") throw new ObjectError(`map "${map}": the field ${field} has no number`);
  return array.count;
}

function pointedAt(btf: Btf, id: number, map: string, field: string): number {
  const type = btf.resolved(id);
  if (type.kind !== "ptr") throw new ObjectError(`map "${map}": the field ${field} is no pointer`);
  return type.type;
}

/** `values` is an array of pointers: to maps that are described as this one is, or to programs. */
function describeValues(btf: Btf, id: number, definition: Draft): void {
  const { name } = definition;
  const array = btf.resolved(id);
  if (array.kind !== "array") throw new ObjectError(`map "${name}": the field values is no array`);
  const value = pointedAt(btf, array.type, name, "values");
  definition.valueSize = 4;
  definition.keySize ||= 4;
  const type: StructType | { kind: string } = btf.resolved(value);
  if (type.kind !== "struct") return;
  if ((type as StructType).members.some((member) => member.name === "values")) {
    throw new ObjectError(`map "${name}": maps in maps in maps are not known`);
  }
  definition.inner = describedMap(btf, value, `${name}.inner`).definition;
}

/** Bytes of `struct bpf_map_def`: five words. Loaders of their own have put more behind them. */
const LEGACY_BYTES = 20;

/** Maps of old objects: the symbols of a section `maps`. */
function legacyMaps(elf: Elf, section: Section): PlacedMap[] {
  const words = new Reader(section.bytes, `section ${section.name}`);
  const symbols = elf.symbols
    .filter(
      ({ section: index, type, bind, name }) =>
        index === section.index && (type === DATA || (type === UNTYPED && bind !== LOCAL)) && name !== "",
    )
    .sort((a, b) => a.value - b.value);
  return symbols.map(({ name, value }) => {
    if (value + LEGACY_BYTES > words.length)
      throw new ObjectError(`map "${name}" is outside of section ${section.name}`);
    const [type, keySize, valueSize, maxEntries, flags] = [0, 4, 8, 12, 16].map((at) =>
      words.u32(value + at),
    );
    const definition = { ...draft(name), type, keySize, valueSize, maxEntries, flags };
    return { definition, section: section.index, offset: value };
  });
}
