/**
 * The Linux kernel's BPF maps for JavaScript: {@link createMap} for one map, {@link createHost} for several in one memory; with
 * `shared: true` other threads get at them by {@link attachHost}.
 *
 * @module
 */
export * from "./codec/index.ts";
export * from "./constants.ts";
export {
  BpfError,
  ERRNO,
  type ErrnoCode,
  LockTimeoutError,
  NoFreeSlotError,
  NotIsolatedError,
} from "./errors.ts";
export type { Host, HostMemory, HostOptions, MapMemory } from "./host/host.ts";
export type { HostHandle } from "./host/seat.ts";
export type { CpuSlot, SlotState } from "./host/shared_memory.ts";
export type { WatchableWorker } from "./host/threads.ts";
export { useWasm } from "./host/wasm.ts";
export { attachHost, createHost, createMap } from "./hosts.ts";
export * from "./kv/index.ts";
export type { DeltaArray } from "./maps/add_many.ts";
export type { ArrayMap } from "./maps/array.ts";
export type { ArrayView, ViewType } from "./maps/array_view.ts";
export type { Batch, BatchOptions } from "./maps/batch.ts";
export type { BpfMap } from "./maps/bpf_map.ts";
export type { AddOptions, AnyCounts, Count, CountField, Counts } from "./maps/counter.ts";
export type { CountingMap } from "./maps/counting_map.ts";
export type { MapOf, MapTypes } from "./maps/create.ts";
export type { EntryMap } from "./maps/entry_map.ts";
export type { HashMap } from "./maps/hash_map.ts";
export type { KeyArray, ValueArray } from "./maps/key_array.ts";
export type { LocalSlot } from "./maps/percpu.ts";
export type { PercpuArrayMap } from "./maps/percpu_array.ts";
export type { PercpuHashMap } from "./maps/percpu_hash.ts";
export type { HashType, MapInfo, MapSpec, MapType, OpenSpec } from "./maps/spec.ts";
export type { MapLayout, MapStats } from "./maps/stats.ts";
