/**
 * The kernel's numbers of map types and the library's words for them.
 *
 * @module
 */
import type { MapType } from "../../core/tables/map_types.ts";
import type { TableType } from "../../core/tables/table.ts";
import {
  BPF_MAP_TYPE_ARRAY,
  BPF_MAP_TYPE_HASH,
  BPF_MAP_TYPE_LRU_HASH,
  BPF_MAP_TYPE_LRU_PERCPU_HASH,
  BPF_MAP_TYPE_PERCPU_ARRAY,
  BPF_MAP_TYPE_PERCPU_HASH,
  BPF_MAP_TYPE_RHASH,
} from "./constants.ts";

const NUMBERS: Readonly<Record<MapType, number>> = {
  hash: BPF_MAP_TYPE_HASH,
  array: BPF_MAP_TYPE_ARRAY,
  percpu_hash: BPF_MAP_TYPE_PERCPU_HASH,
  percpu_array: BPF_MAP_TYPE_PERCPU_ARRAY,
  lru_hash: BPF_MAP_TYPE_LRU_HASH,
  lru_percpu_hash: BPF_MAP_TYPE_LRU_PERCPU_HASH,
  rhash: BPF_MAP_TYPE_RHASH,
};
const TYPES = new Map(Object.entries(NUMBERS).map(([type, number]) => [number, type as MapType]));

/** The type of a number of the kernel's; undefined when a host has no such maps. */
export function mapType(number: number): MapType | undefined {
  return TYPES.get(number);
}

export function mapTypeNumber(type: TableType): number {
  return NUMBERS[type as MapType]; // descriptors are of maps
}
