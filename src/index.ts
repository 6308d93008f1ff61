/**
 * The Linux kernel's BPF maps for JavaScript: {@link createMap} for one map, {@link createHost} for several in one memory; with
 * `shared: true` other threads get at them by {@link attachHost}.
 *
 * @module
 */
export * from "./codec/index.ts";
export * from "./constants.ts";
export type { HostThreads } from "./core/core_host.ts";
export type { WatchableWorker } from "./core/deaths.ts";
export type { CpuSlot, SlotState } from "./core/memory/shared_memory.ts";
export type { HostViews } from "./core/memory/views.ts";
export type { HostHandle } from "./core/seat.ts";
export type { MapLayout, MapStats } from "./core/tables/stats.ts";
export { useWasm } from "./core/wasm/wasm.ts";
export type { WasmMemory, WasmModule } from "./core/wasm/wasm_types.ts";
export {
  type BpfCommand,
  BpfError,
  DamagedError,
  ERRNO,
  type ErrnoCode,
  LockTimeoutError,
  NoFreeSlotError,
  NotIsolatedError,
  type Operation,
} from "./errors.ts";
export type { Host, HostMemory, HostOptions, MapMemory } from "./host/host.ts";
export { attachHost, createHost, createMap } from "./hosts.ts";
export * from "./kv/index.ts";
export type { DeltaArray } from "./maps/add_many.ts";
export type { ArrayMap } from "./maps/array.ts";
export type { AnyView, ArrayPiece, ArrayView, ViewsByName, ViewType } from "./maps/array_view.ts";
export type { Batch, BatchOptions } from "./maps/batch.ts";
export type { BpfMap } from "./maps/bpf_map.ts";
export type { AddArguments, AddOptions, Count, CountField } from "./maps/counter.ts";
export type { CountingMap } from "./maps/counting_map.ts";
export type { MapOf, MapTypes } from "./maps/create.ts";
export type { EntryMap } from "./maps/entry_map.ts";
export type { HashMap } from "./maps/hash_map.ts";
export type { ValueIterator } from "./maps/iterator_base.ts";
export type { KeyArray, TypedArray, ValueArray } from "./maps/key_array.ts";
export type { LockableMap } from "./maps/lockable_map.ts";
export type { LocalSlot } from "./maps/percpu.ts";
export type { PercpuArrayMap } from "./maps/percpu_array.ts";
export type { PercpuHashMap } from "./maps/percpu_hash.ts";
export type { SkAction } from "./maps/redirect.ts";
export type { SockHash } from "./maps/sock_hash.ts";
export type { SockMap } from "./maps/sock_map.ts";
export type { SocketMap } from "./maps/socket_map.ts";
export type { SocketRefusals } from "./maps/socket_refusals.ts";
export type { OpenSockHashSpec, OpenSockMapSpec, SockHashSpec, SockMapSpec } from "./maps/socket_spec.ts";
export type {
  AnyMapType,
  HashType,
  LowWater,
  MapInfo,
  MapSpec,
  MapType,
  OpenSpec,
  SocketMapType,
} from "./maps/spec.ts";
export type { HostJson } from "./print/host.ts";
export type { MapJson } from "./print/map.ts";
export type { StoreJson } from "./print/store.ts";
export type { Codecs } from "./programs/block.ts";
export type { ProcessBudget } from "./programs/budget.ts";
export { CounterExpression } from "./programs/counters.ts";
export type { ProcessCursor } from "./programs/cursor.ts";
export type { Entry, PercpuEntry, ReadonlyEntry, ReadonlyPercpuEntry } from "./programs/entry.ts";
export { BooleanExpression, NumberExpression, type Operand } from "./programs/expression.ts";
export type { IteratorOptions, MapIterator } from "./programs/iterator.ts";
export type { NodePart } from "./programs/operands.ts";
export { ArrayExpression, type ExpressionOf } from "./programs/places.ts";
export type { Dumper, Filter, ProcessOptions, ProcessResult } from "./programs/process.ts";
export {
  type CounterCodecs,
  Program,
  type ProgramBody,
  type ProgramEntry,
  type ProgramOf,
  type ProgramOptions,
  type ProgramTools,
  program,
  type Values,
} from "./programs/program.ts";
export { Effect, Rules } from "./programs/rules.ts";
export { BytesExpression, type RunExpression, TextExpression } from "./programs/runs.ts";
export type { Part } from "./programs/scope.ts";
export type { Seq } from "./programs/seq.ts";
