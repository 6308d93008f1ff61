/**
 * Makes the maps of an object: those that it defines, and those that hold its global variables.
 *
 * @module
 */
import { describe } from "../arguments/mismatch.ts";
import { bytes } from "../codec/bytes.ts";
import { type Codec, isCodec } from "../codec/codec.ts";
import { u32, u64 } from "../codec/scalars.ts";
import { BPF_F_RDONLY_PROG } from "../constants.ts";
import type { MapType } from "../core/tables/map_types.ts";
import { isArray } from "../core/tables/registry.ts";
import { bpfError, ERRNO } from "../errors.ts";
import type { Host } from "../host/host.ts";
import { mapType } from "../uapi/abi/types.ts";
import type { Btf } from "./elf/btf.ts";
import { codecOf } from "./elf/codecs.ts";
import type { DataSection } from "./elf/data_sections.ts";
import type { MapDefinition } from "./elf/map_definitions.ts";
import { type AnyMap, BoundMap, bindMap } from "./helpers/bound_map.ts";
import type { ProgramMap } from "./load_program.ts";

/** What an object's map is made as, in the place of what its definition says. */
export interface MapChange {
  readonly maxEntries?: number | undefined;
  readonly type?: MapType | undefined;
}

/** `bpf_map_type` of include/uapi/linux/bpf.h by its numbers. */
const TYPE_NAMES = `
  unspec hash array prog_array perf_event_array percpu_hash percpu_array stack_trace cgroup_array lru_hash lru_percpu_hash lpm_trie
  array_of_maps hash_of_maps devmap sockmap cpumap xskmap sockhash cgroup_storage reuseport_sockarray percpu_cgroup_storage queue stack
  sk_storage devmap_hash struct_ops ringbuf inode_storage task_storage bloom_filter user_ringbuf cgrp_storage arena insn_array rhash
`
  .trim()
  .split(/\s+/);

/** The path of a map that is pinned by its name: where libbpf has it. */
const pinPath = (name: string) => `/sys/fs/bpf/${name}`;

/** Characters of a map's name, BPF_OBJ_NAME_LEN - 1. */
const MOST_NAME = 15;

/** @param given a map of the host to use, or what to change about the definition */
export function makeMap(
  host: Host,
  definition: MapDefinition,
  btf: Btf | undefined,
  given: ProgramMap | MapChange | undefined,
): BoundMap {
  const { name } = definition;
  const subject = `map ${JSON.stringify(name)}`;
  if (given !== undefined && "host" in given) return bindGiven(host, definition, given as ProgramMap);
  const change = (given ?? {}) as MapChange;
  const type = change.type ?? mapType(definition.type);
  if (type === undefined) {
    const known = TYPE_NAMES[definition.type] ?? `number ${definition.type}`;
    throw bpfError(ERRNO.EOPNOTSUPP, "program", subject, `is of type ${known}, which hosts do not have`);
  }
  const { key, value } = codecsOf(definition, type, btf);
  const maxEntries = change.maxEntries ?? definition.maxEntries;
  const spec = { type, name: name.slice(0, MOST_NAME), key, value, maxEntries, flags: definition.flags };
  if (definition.pinned && isPinned(host, name)) {
    return new BoundMap(host, host.open(pinPath(name), { type, key, value }) as unknown as AnyMap);
  }
  const { mapExtra } = definition;
  const map = host.createMap(mapExtra === 0 ? spec : { ...spec, mapExtra });
  if (definition.pinned) host.pin(pinPath(name), map);
  return new BoundMap(host, map as unknown as AnyMap);
}

function isPinned(host: Host, name: string): boolean {
  const table = host.registry.pinned(pinPath(name));
  if (table !== undefined) host.registry.drop(table);
  return table !== undefined;
}

function bindGiven(host: Host, definition: MapDefinition, given: ProgramMap): BoundMap {
  const { name, keySize, valueSize } = definition;
  const bound = bindMap(host, `loadObject: maps: ${name}`, given);
  if (bound.keySize === keySize && bound.valueSize === valueSize) return bound;
  bound.map.close();
  throw new RangeError(
    `loadObject: maps: ${name}: expected keys of ${keySize} bytes and values of ${valueSize}, got ${bound.keySize} and ${bound.valueSize}`,
  );
}

/** Codecs of the types in BTF. Of definitions without types: numbers of 4 and of 8 bytes, and bytes. */
function codecsOf(definition: MapDefinition, type: MapType, btf: Btf | undefined) {
  const { keyType, valueType, keySize, valueSize } = definition;
  const codec = (id: number | undefined, size: number): Codec<unknown> =>
    btf !== undefined && id !== undefined ? codecOf(btf, id) : untyped(size);
  return { key: isArray(type) ? u32 : codec(keyType, keySize), value: codec(valueType, valueSize) };
}

function untyped(size: number): Codec<unknown> {
  return size === 4 ? u32 : size === 8 ? u64 : bytes(size);
}

/** The map of a data section: an array with one value, which holds what the file has. */
export function makeDataMap(host: Host, { name, size, isReadOnly, bytes: initial }: DataSection): BoundMap {
  const flags = isReadOnly ? BPF_F_RDONLY_PROG : 0;
  const value = bytes(size);
  const map = host.createMap({
    type: "array",
    name: name.slice(0, MOST_NAME),
    key: u32,
    value,
    maxEntries: 1,
    flags,
  });
  if (initial.length > 0) map.set(0, initial);
  return new BoundMap(host, map as unknown as AnyMap);
}

/** Checks what a caller gives for the maps of an object. */
export function checkMaps(given: unknown, names: readonly string[]): void {
  if (given === undefined) return;
  if (typeof given !== "object" || given === null) {
    throw new TypeError(`loadObject: maps: expected maps by name, got ${describe(given)}`);
  }
  for (const [name, map] of Object.entries(given)) {
    if (!names.includes(name)) {
      throw new TypeError(
        `loadObject: maps: the object has no map ${JSON.stringify(name)}: it has ${names.join(", ")}`,
      );
    }
    if (typeof map !== "object" || map === null || isCodec(map)) {
      throw new TypeError(
        `loadObject: maps: ${name}: expected a map or { maxEntries, type }, got ${describe(map)}`,
      );
    }
  }
}
