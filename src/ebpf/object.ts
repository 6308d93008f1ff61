/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Objects of clang: their maps, their global variables, their programs.
 *
 * @module
 */
import { checkKnown } from "../arguments/known.ts";
import { describe } from "../arguments/mismatch.ts";
import { bpfError, ERRNO } from "../errors.ts";
import type { Host } from "../host/host.ts";
import type { Line, LinkedProgram } from "./elf/link.ts";
import { type ObjectFile, type ObjectProgram, parseObject } from "./elf/object_file.ts";
import type { BoundMap } from "./helpers/bound_map.ts";
import type { LoadOptions, ProgramSource } from "./load.ts";
import type { ProgramMap } from "./load_program.ts";
import { Machine } from "./machine.ts";
import { ObjectData } from "./object_data.ts";
import { checkMaps, type MapChange, makeDataMap, makeMap } from "./object_maps.ts";
import { BpfProgram, checkLoadOptions, LOAD_OPTIONS, type ProgramType } from "./program.ts";
import type { Reference, SourceLine } from "./verify/program.ts";

/** How an object is loaded. */
export interface ObjectOptions extends LoadOptions {
  /** Maps by name: one that is there, in the place of the object's, or what to change about its definition before it is made. */
  readonly maps?: Readonly<Record<string, ProgramMap | MapChange>> | undefined;
  /** Global variables by name, constants among them: what they hold before the programs are verified. */
  readonly data?: Readonly<Record<string, unknown>> | undefined;
  /** Which programs are loaded. Default: all whose section does not begin with "?". */
  readonly programs?: readonly string[] | undefined;
}

/** The types of programs that there are, by the names of the kernel. */
const TYPES: Readonly<Record<string, ProgramType>> = {
  xdp: "xdp",
  sched_cls: "tc",
  sched_act: "tc",
  socket_filter: "socket_filter",
  cgroup_skb: "cgroup_skb",
};

/** The variables of `.kconfig` that there are: Linux 6.18. */
const KERNEL_VERSION = "LINUX_KERNEL_VERSION";
const VERSION = (6 << 16) | (18 << 8);

/** An object that is loaded, with everything in it. Made by {@link loadObject}. */
export class BpfObject {
  /** The object's maps, by name; keys and values as its types in BTF say. They are closed with the object. */
  readonly maps: Readonly<Record<string, ProgramMap>>;
  /** The global variables, to read and to write. */
  readonly data: Record<string, unknown>;
  readonly programs: Readonly<Record<string, BpfProgram>>;
  /** What `char _license[]` says; "" without. */
  readonly license: string;
  readonly #machine: Machine;

  /** @internal Use {@link loadObject}. */
  constructor(machine: Machine, file: ObjectFile, options: ObjectOptions) {
    const { host } = machine;
    this.#machine = machine;
    this.license = file.license;
    const named = makeMaps(machine, file, options.maps ?? {});
    const sections = makeData(machine, file);
    const data = new ObjectData(host);
    for (const section of file.data) data.add(section, sections.get(section.name)!, file.btf);
    if (data.names.includes(KERNEL_VERSION)) data.set(KERNEL_VERSION, VERSION);
    for (const [name, value] of Object.entries(options.data ?? {})) data.set(name, value);
    for (const section of file.data) {
      if (section.isReadOnly) freeze(host, sections.get(section.name)!);
    }
    data.seal();
    this.maps = Object.fromEntries(
      [...named, ...sections].map(([name, { map }]) => [name, map as ProgramMap]),
    );
    this.data = data.asProperties();
    const programs = chosen(file, options.programs).map((program) => {
      const source = sourceOf(program, named, sections);
      return [program.name, new BpfProgram(machine, source, options, false)] as const;
    });
    this.programs = Object.fromEntries(programs);
  }

  /** What the programs print by bpf_printk goes to the listener, line by line, and no longer to one before it. */
  onTrace(listener: (line: string) => void): void {
    if (typeof listener !== "function") {
      throw new TypeError(`onTrace: expected a function, got ${describe(listener)}`);
    }
    this.#machine.listener = listener;
  }

  /** Closes programs and maps, and gives the memory back. Maps that were given to the object stay open. Calling it again does nothing. */
  close(): void {
    for (const program of Object.values(this.programs)) program.close();
    this.#machine.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  get [Symbol.toStringTag](): string {
    return "BpfObject";
  }
}

/**
 * Loads an object that clang has compiled: makes its maps, fills its variables, and verifies its programs.
 *
 * @param elf the file, as `clang -target bpf -O2 -g -c` writes it
 * @throws Error for a file that is no BPF object; {@link VerifierError} for a program that could do what it may not; BpfError EOPNOTSUPP for
 *   types of maps and programs that hosts do not have; TypeError or RangeError for options of the wrong form
 */
export function loadObject(host: Host, elf: Uint8Array, options: ObjectOptions = {}): BpfObject {
  host.check("program");
  if (!(elf instanceof Uint8Array)) {
    throw new TypeError(`loadObject: expected a file as a Uint8Array, got ${describe(elf)}`);
  }
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`loadObject: expected options, got ${describe(options)}`);
  }
  checkKnown("loadObject", options, ["maps", "data", "programs", ...LOAD_OPTIONS]);
  checkLoadOptions("loadObject", options);
  const file = parseObject(elf);
  checkMaps(
    options.maps,
    file.maps.map(({ name }) => name),
  );
  const machine = new Machine(host);
  try {
    return new BpfObject(machine, file, options);
  } catch (error) {
    machine.close();
    throw error;
  }
}

function makeMaps(machine: Machine, file: ObjectFile, given: NonNullable<ObjectOptions["maps"]>) {
  const maps = new Map<string, BoundMap>();
  for (const definition of file.maps) {
    const { name } = definition;
    maps.set(name, machine.add(makeMap(machine.host, definition, file.btf, given[name])));
  }
  return maps;
}

function makeData(machine: Machine, file: ObjectFile) {
  const maps = new Map<string, BoundMap>();
  for (const section of file.data) maps.set(section.name, machine.add(makeDataMap(machine.host, section)));
  return maps;
}

/** Constants become part of what the verifier knows. */
function freeze(host: Host, bound: BoundMap): void {
  const address = host.core.arrayElement(bound.table.handle, 0) >>> 0;
  bound.frozen = Uint8Array.from(host.u8.subarray(address, address + bound.valueSize));
  bound.map.freeze();
}

function chosen(file: ObjectFile, names: readonly string[] | undefined): ObjectProgram[] {
  if (names === undefined) return file.programs.filter(({ autoload }) => autoload);
  return [...names].map((name) => {
    const program = file.programs.find((candidate) => candidate.name === name);
    if (program !== undefined) return program;
    const known = file.programs.map((candidate) => candidate.name).join(", ");
    throw new TypeError(`loadObject: programs: the object has no program ${describe(name)}: it has ${known}`);
  });
}

function typeOf({ name, type, section }: ObjectProgram): ProgramType {
  const known = TYPES[type ?? ""];
  if (known !== undefined) return known;
  const subject = `program ${JSON.stringify(name)}`;
  const cause =
    type === undefined
      ? `is in section ${section}, which says no type of program`
      : `is of type ${type}, which cannot be run here`;
  throw bpfError(ERRNO.EOPNOTSUPP, "program", subject, cause, "load the others by naming them as programs");
}

function sourceOf(
  program: ObjectProgram,
  maps: ReadonlyMap<string, BoundMap>,
  sections: ReadonlyMap<string, BoundMap>,
): ProgramSource {
  const type = typeOf(program);
  const linked = program.link();
  return {
    name: program.name,
    type,
    contextSize: 0,
    code: linked.code,
    references: referencesOf(program.name, linked, maps, sections),
    functions: linked.functions.map(({ name, start }) => ({ name, entry: start })),
    lineOf: lineFinder(linked.lines),
  };
}

function referencesOf(
  program: string,
  linked: LinkedProgram,
  maps: ReadonlyMap<string, BoundMap>,
  sections: ReadonlyMap<string, BoundMap>,
): Map<number, Reference> {
  const references = new Map<number, Reference>();
  for (const { slot, kind, name, offset, isWeak } of linked.relocations) {
    if (kind === "map") references.set(slot, { kind, map: maps.get(name)! });
    else if (kind === "data") references.set(slot, { kind, map: sections.get(name)!, offset });
    else if (kind === "callback") references.set(slot, { kind, entry: offset });
    else if (!isWeak) {
      const cause = `needs ${name} of the kernel, which is not here`;
      throw bpfError(ERRNO.EOPNOTSUPP, "program", `program ${JSON.stringify(program)}`, cause);
    }
  }
  return references;
}

/** The line of a slot: the last one that begins at it or before it. */
function lineFinder(lines: readonly Line[]): (slot: number) => SourceLine | undefined {
  return (slot) => {
    let [low, high] = [0, lines.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (lines[middle].slot <= slot) low = middle + 1;
      else high = middle;
    }
    return lines[low - 1];
  };
}
