/**
 * How maps print, and what they are compared by.
 *
 * @module
 */
import type { AnyMapType } from "../core/tables/map_types.ts";
import { type Inspect, printEntries, printList } from "../print/inspect.ts";
import { EntryIterator } from "./entry_iterator.ts";
import { subjectOf } from "./failure.ts";
import type { MapHandle, Scannable } from "./handle.ts";

type AnyMap = MapHandle<unknown, unknown>;

const KINDS: Readonly<Record<AnyMapType, string>> = {
  hash: "HashMap",
  rhash: "HashMap",
  lru_hash: "HashMap",
  percpu_hash: "PercpuHashMap",
  lru_percpu_hash: "PercpuHashMap",
  array: "ArrayMap",
  percpu_array: "PercpuArrayMap",
  sockmap: "SockMap",
  sockhash: "SockHash",
};

/** What objects of the type are called: `HashMap`. */
export function kindOf(map: AnyMap): string {
  return KINDS[map.type];
}

function titleOf(map: AnyMap, size: string): string {
  return `${kindOf(map)}${size}${map.name === "" ? "" : ` ${JSON.stringify(map.name)}`}`;
}

/** `HashMap(2) "flows" { 1 => 5, 2 => 7 }`; of a map that is closed, too. */
export function inspectMap(
  map: AnyMap,
  depth: number | undefined,
  options: object,
  inspect: Inspect | undefined,
): string {
  if (map.closed) return `${titleOf(map, "")} (closed)`;
  if (map.reading === 0) return `${titleOf(map, "")} (write-only)`;
  if (depth !== undefined && depth < 0) return `[${titleOf(map, "")}]`;
  const { size } = map as AnyMap & { readonly size: number };
  // Fetched one by one, for which every map has room: printing allocates no host memory, and a full host prints, too.
  const scannable = map as AnyMap & Scannable<unknown, unknown>;
  const entries = new EntryIterator<unknown, unknown, [unknown, unknown]>(scannable, "entries", "entries", 1);
  // An object of a sockmap may be anything: it prints as [Socket].
  const depthOfValues = map.table.sockets === undefined ? undefined : -1;
  const printed = printEntries(entries, options, inspect, depthOfValues);
  return printList(titleOf(map, `(${size})`), printed, size - printed.length);
}

/** What `JSON.stringify(map)` gives: what the map is, and not the entries, which may be millions. */
export interface MapJson {
  readonly type: AnyMapType;
  readonly name: string;
  readonly maxEntries: number;
  /** Entries; undefined of a map that is closed. */
  readonly size: number | undefined;
}

export function jsonOfMap(map: AnyMap): MapJson {
  const { type, name } = map;
  const size = map.closed ? undefined : (map as AnyMap & { readonly size: number }).size;
  return { type, name, maxEntries: map.table.maxEntries, size };
}

/** The entries, for testers of equality; of a handle that cannot be read, which map it is. */
export function contentsOfMap(this: AnyMap): unknown {
  if (this.reading === 0) return subjectOf(this);
  return new Map(this as AnyMap & Iterable<[unknown, unknown]>);
}
