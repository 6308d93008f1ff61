/**
 * The Linux kernel's BPF maps for JavaScript.
 *
 * @module
 */
export * from "./codec/index.ts";
export * from "./constants.ts";
export { BpfError, ERRNO, type ErrnoCode } from "./errors.ts";
export {
  createHost,
  createMap,
  type Host,
  type HostMemory,
  type HostOptions,
  type MapMemory,
} from "./host/host.ts";
export { useWasm } from "./host/wasm.ts";
export type { Batch, BatchOptions } from "./maps/batch.ts";
export type { BpfMap } from "./maps/bpf_map.ts";
export type { HashMap } from "./maps/hash_map.ts";
export type { KeyArray, ValueArray } from "./maps/lookup_many.ts";
export type { MapInfo, MapSpec, MapType } from "./maps/spec.ts";
export type { MapLayout, MapStats } from "./maps/stats.ts";
