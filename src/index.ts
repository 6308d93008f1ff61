/**
 * The Linux kernel's BPF maps for JavaScript: {@link createMap} for one map, {@link createHost} for several in one memory; with
 * `shared: true` other threads get at them by {@link attachHost}.
 *
 * @module
 */
export * from "./codec/index.ts";
export * from "./constants.ts";
export type { CoreHost, HostMemory, MapMemory } from "./core/core_host.ts";
export type { WatchableWorker } from "./core/deaths.ts";
export type { CoreMemory } from "./core/memory/core_memory.ts";
export type { CpuSlot, SlotState } from "./core/memory/shared_memory.ts";
export type { HostViews } from "./core/memory/views.ts";
export type { AttachOptions, HostOptions } from "./core/options.ts";
export type { HostHandle } from "./core/seat.ts";
export type {
  AnyMapType,
  Eviction,
  EvictionHook,
  EvictionReason,
  EvictionType,
  HashType,
  LowWater,
  MapInfo,
  MapType,
  SocketMapType,
} from "./core/tables/map_types.ts";
export type { MapLayout, MapStats } from "./core/tables/stats.ts";
export { useWasm } from "./core/wasm/wasm.ts";
export type { WasmMemory, WasmModule } from "./core/wasm/wasm_types.ts";
export type { Entry, PercpuEntry, ReadonlyEntry, ReadonlyPercpuEntry } from "./entries/entry.ts";
export type { IteratorOptions, MapIterator } from "./entries/iterator.ts";
export type { Seq } from "./entries/seq.ts";
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
export type { Host } from "./host/host.ts";
export type { HostJson } from "./host/print_host.ts";
export type { HostThreads } from "./host/threads.ts";
export { attachHost, createHost, createMap, defaultHost } from "./hosts.ts";
export * from "./kv/index.ts";
export type { StoreJson } from "./kv/store/print_store.ts";
export type { ArrayMap } from "./maps/array/array_map.ts";
export type { PercpuArrayMap } from "./maps/array/percpu_array.ts";
export type { ViewableMap } from "./maps/array/viewable_map.ts";
export type { BatchMap } from "./maps/base/batch_map.ts";
export type { BpfMap } from "./maps/base/bpf_map.ts";
export type { CountingMap } from "./maps/base/counting_map.ts";
export type { EntryMap } from "./maps/base/entry_map.ts";
export type { FieldMap } from "./maps/base/field_map.ts";
export type { InPlaceMap } from "./maps/base/in_place_map.ts";
export type { KeyedMap } from "./maps/base/keyed_map.ts";
export type { LockableMap } from "./maps/base/lockable_map.ts";
export type { TimedMap } from "./maps/base/timed_map.ts";
export type { DeletableMap } from "./maps/hash/deletable_map.ts";
export type { HashMap } from "./maps/hash/hash_map.ts";
export type { PercpuHashMap } from "./maps/hash/percpu_hash.ts";
export type { MapOf, MapTypes } from "./maps/map_of.ts";
export type { SockHash } from "./maps/sockets/sock_hash.ts";
export type { SockMap } from "./maps/sockets/sock_map.ts";
export type { SocketMap } from "./maps/sockets/socket_map.ts";
export type {
  OpenSockHashSpec,
  OpenSockMapSpec,
  SockHashSpec,
  SockMapSpec,
} from "./maps/sockets/socket_spec.ts";
export type { MapSpec, OpenSpec, SizedMapSpec } from "./maps/spec.ts";
export type { AnyView, ArrayPiece, ArrayView, ViewsByName, ViewType } from "./ops/array_view.ts";
export type { DeltaArray } from "./ops/batch/add_many.ts";
export type { Batch } from "./ops/batch/batch.ts";
export type { BatchOptions } from "./ops/batch/batch_size.ts";
export type { KeyArray, TypedArray, ValueArray } from "./ops/batch/key_array.ts";
export type { AddArguments, AddOptions, Count, CountField, FieldDeltas } from "./ops/calls/counter.ts";
export type { Field } from "./ops/calls/field.ts";
export type { SetOptions } from "./ops/calls/ttl.ts";
export type { MapHandle } from "./ops/handle.ts";
export type { ValueIterator } from "./ops/iterator_base.ts";
export type { LocalSlot } from "./ops/percpu.ts";
export type { MapJson } from "./ops/print_map.ts";
export type { SkAction } from "./ops/sockets/redirect.ts";
export type { MapTimer, MapWorkqueue } from "./ops/timers/map_timers.ts";
export { CounterExpression } from "./programs/expressions/counters.ts";
export { BooleanExpression, NumberExpression, type Operand } from "./programs/expressions/expression.ts";
export type { NodePart } from "./programs/expressions/operands.ts";
export { ArrayExpression, type ExpressionOf } from "./programs/expressions/places.ts";
export { Effect, Rules } from "./programs/expressions/rules.ts";
export type { Part } from "./programs/expressions/scope.ts";
export { BytesExpression, type RunExpression, TextExpression } from "./programs/expressions/text.ts";
export type { Codecs } from "./programs/memory.ts";
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
export type { ProcessBudget } from "./runs/budget.ts";
export type { ProcessCursor } from "./runs/cursor.ts";
export type { Dumper, Filter, ProcessOptions, ProcessResult } from "./runs/process_types.ts";
