/**
 * The kernel's numbers of map types and the library's words for them.
 *
 * @module
 */
import { isSocketMap } from "../host/tables.ts";
import type { AnyMapType } from "../maps/spec.ts";
import {
  BPF_MAP_TYPE_ARRAY,
  BPF_MAP_TYPE_HASH,
  BPF_MAP_TYPE_PERCPU_ARRAY,
  BPF_MAP_TYPE_PERCPU_HASH,
  BPF_MAP_TYPE_RHASH,
  BPF_MAP_TYPE_SOCKHASH,
  BPF_MAP_TYPE_SOCKMAP,
} from "./constants.ts";

const NUMBERS: Readonly<Record<AnyMapType, number>> = {
  hash: BPF_MAP_TYPE_HASH,
  array: BPF_MAP_TYPE_ARRAY,
  percpu_hash: BPF_MAP_TYPE_PERCPU_HASH,
  percpu_array: BPF_MAP_TYPE_PERCPU_ARRAY,
  rhash: BPF_MAP_TYPE_RHASH,
  sockmap: BPF_MAP_TYPE_SOCKMAP,
  sockhash: BPF_MAP_TYPE_SOCKHASH,
};
const TYPES = new Map(Object.entries(NUMBERS).map(([type, number]) => [number, type as AnyMapType]));

/**
 * The type of a number of the kernel's; undefined when MAP_CREATE makes no such maps. Those of sockets are among them: their values
 * are objects, of which no file descriptor of a host could be one.
 */
export function mapType(number: number): AnyMapType | undefined {
  const type = TYPES.get(number);
  return type === undefined || isSocketMap(type) ? undefined : type;
}

export function mapTypeNumber(type: AnyMapType): number {
  return NUMBERS[type];
}
