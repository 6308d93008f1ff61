import type { AnyMapType, Eviction, Expiry, LowWater } from "./map_types.ts";

/** What a table has of a sockmap or sockhash (ops/sockets/sockets.ts). */
export interface TableSockets {
  /** Lets all objects go. */
  release(): void;
}

/** What this thread has started in the timer and workqueue fields of a table (ops/timers/). */
export interface TableTimers {
  /** Lets all go. */
  release(): void;
}

/** The low-water hooks that the handles of this thread have on a table (ops/low_water.ts). A handle is an object here. */
export interface TableHooks {
  /** How many free slots the mark leaves. */
  readonly free: number;
  add(hooked: { readonly map: object; readonly hook: LowWater<never> }): void;
  /** False when none is left. */
  remove(map: object): boolean;
  /** Calls the hook of the handle that the operation was called on or, when it has none, that of the one opened first. */
  call(caller: object | undefined): void;
}

/** Who is told of entries that this thread evicts or sweeps (ops/eviction_hooks.ts). */
export interface TableListener {
  /** Keys that one call of the core may write: what goes for them has room in its buffer. */
  readonly group: number;
  /** Tells the hooks what has gone since the last time. */
  deliver(): void;
}

/** What a table of the core may be: a map, or a KV store. */
export type TableType = AnyMapType | "kv";

/** What there is to know of a table of the core. */
export interface TableInfo {
  /** Counts up from 1 per host. */
  readonly id: number;
  readonly type: TableType;
  /** `""` when the map was created without a name. */
  readonly name: string;
  /** Bytes. */
  readonly keySize: number;
  /** Bytes of one value as the type declares it. */
  readonly valueSize: number;
  /** Bytes of one value as it is stored and as user space sees it: `valueSize`, or for per-CPU maps all slots together. */
  readonly valueBytes: number;
  /** BPF_F_* flags of the map, without those that belong to one handle (RDONLY, WRONLY). */
  readonly flags: number;
  readonly mapExtra: number;
  /** Where the `bpf_spin_lock` of the value layout is, in bytes; undefined without one. */
  readonly lockOffset: number | undefined;
  /** Where its `bpf_timer` and its `bpf_wq` are. */
  readonly timerOffset: number | undefined;
  readonly workqueueOffset: number | undefined;
  /** Whether it has a filter of absent keys: of plain hosts. */
  readonly absentFilter?: boolean | undefined;
  /** Of types that evict: which entry goes. */
  readonly eviction?: Eviction | undefined;
  /** When entries expire; undefined of a map without. */
  readonly expiry?: Expiry | undefined;
  /** Bytes of one value in the table: `valueBytes`, and behind them, of a map whose entries expire, when that is. */
  readonly storedBytes: number;
  /** Whether keys are texts that take only the bytes that they have. Then `keySize` is their room. */
  readonly texts: boolean;
  /** What the core calls it. */
  readonly handle: number;
  /** Limit of the entry count; `grow` raises it. */
  maxEntries: number;
}

/** A table that something refers to, as all handles and pins of a map share it. */
export interface Table extends TableInfo {
  /** Open handles, file descriptors and pins. The table is destroyed when the last one goes. */
  references: number;
  /** The objects of a sockmap or sockhash. They are let go with the last reference of this thread. */
  sockets?: TableSockets;
  /** Timers and work that wait. They are cancelled with the last reference of this thread. */
  timers?: TableTimers;
  /** Arrays: the indices below it are in the first block, and written without asking the core; see {@link noteDirect}. */
  direct: number;
  /** The low-water hooks of this thread's handles. */
  lowWater: TableHooks | undefined;
  /** Their `onEvict` hooks. */
  listener?: TableListener | undefined;
}
