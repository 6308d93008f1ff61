/**
 * Errors of the library: {@link BpfError} for what the kernel answers with an errno, and the one place where messages are
 * built.
 *
 * @module
 */
import {
  E2BIG,
  EBUSY,
  EDEADLK,
  EEXIST,
  EINVAL,
  ENOENT,
  ENOMEM,
  ENOSPC,
  EPERM,
  ERANGE,
  ESTALE,
  ETIMEDOUT,
} from "./generated/abi.js";

/** Linux errno numbers by name. ENOTSUPP is kernel-internal (524, not EOPNOTSUPP 95) but really reaches user space. */
export const ERRNO = {
  EPERM,
  ENOENT,
  E2BIG,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM,
  EACCES: 13,
  EFAULT: 14,
  EBUSY,
  EEXIST,
  EINVAL,
  ENOSPC,
  ERANGE,
  EDEADLK,
  EBADFD: 77,
  EOPNOTSUPP: 95,
  ETIMEDOUT,
  ESTALE,
  EUCLEAN: 117,
  ENOTSUPP: 524,
} as const;

/** Name of an errno, as in {@link BpfError.code}. ELOOP is for programs of `bpfmap/ebpf` alone. */
export type ErrnoCode = Extract<keyof typeof ERRNO, string> | "ELOOP";

const CODES = new Map<number, string>(Object.entries(ERRNO).map(([code, errno]) => [errno, code]));

/**
 * Which `bpf()` command stands behind each operation of the API; undefined where the kernel has none. Operations that are made of
 * others name the command they would be made of.
 */
const COMMANDS = {
  createHost: undefined,
  share: undefined,
  attachHost: undefined,
  detach: undefined,
  reap: undefined,
  slots: undefined,
  watch: undefined,
  verify: undefined,
  tick: undefined,
  sweep: undefined,
  warmUp: undefined,
  createMap: "map_create",
  get: "map_lookup_elem",
  has: "map_lookup_elem",
  lookup: "map_lookup_elem",
  peek: "map_lookup_elem",
  remainingTtl: "map_lookup_elem",
  set: "map_update_elem",
  update: "map_update_elem",
  getOrInsert: "map_update_elem",
  getOrInsertComputed: "map_update_elem",
  delete: "map_delete_elem",
  locked: "map_update_elem",
  add: "map_update_elem",
  addFields: "map_update_elem",
  field: undefined,
  "field.get": "map_lookup_elem",
  "field.set": "map_update_elem",
  "field.add": "map_update_elem",
  "local.get": "map_lookup_elem",
  "local.lookup": "map_lookup_elem",
  "local.set": "map_update_elem",
  "local.update": "map_update_elem",
  timer: undefined,
  "timer.start": undefined,
  "timer.cancel": undefined,
  workqueue: undefined,
  "workqueue.start": undefined,
  clear: "map_delete_batch",
  lookupAndDelete: "map_lookup_and_delete_elem",
  nextKey: "map_get_next_key",
  forEach: "map_get_next_key",
  keys: "map_get_next_key",
  values: "map_get_next_key",
  entries: "map_get_next_key",
  size: "obj_get_info_by_fd",
  info: "obj_get_info_by_fd",
  memoryUsage: "obj_get_info_by_fd",
  stats: "obj_get_info_by_fd",
  freeze: "map_freeze",
  grow: undefined,
  createBatch: "map_lookup_batch",
  batches: "map_lookup_batch",
  lookupBatch: "map_lookup_batch",
  lookupMany: "map_lookup_batch",
  found: "map_lookup_batch",
  lookupAndDeleteBatch: "map_lookup_and_delete_batch",
  drain: "map_lookup_and_delete_batch",
  updateBatch: "map_update_batch",
  addMany: "map_update_batch",
  deleteBatch: "map_delete_batch",
  "batch.keys": "map_lookup_batch",
  "batch.values": "map_lookup_batch",
  "batch.key": "map_lookup_batch",
  "batch.value": "map_lookup_batch",
  "batch.set": "map_update_batch",
  "batch.rewind": "map_lookup_batch",
  process: "map_lookup_and_delete_batch",
  view: undefined,
  entry: "map_lookup_elem",
  iterator: "iter_create",
  "iterator.read": undefined,
  "seq.write": undefined,
  views: undefined,
  pin: "obj_pin",
  open: "obj_get",
  unpin: undefined,
  createKvStore: undefined,
  openKvStore: undefined,
  "kv.put": undefined,
  "kv.get": undefined,
  "kv.copy": undefined,
  "kv.view": undefined,
  "kv.has": undefined,
  "kv.delete": undefined,
  "kv.set": undefined,
  "kv.pair": undefined,
  "kv.read": undefined,
  "kv.bind": undefined,
  "kv.plan": undefined,
  "kv.rollout": undefined,
  "plan.undo": undefined,
  "plan.seal": undefined,
  onEvict: undefined,
  section: undefined,
  synchronize: undefined,
  close: undefined,
  redirect: undefined,
  program: "prog_load",
} as const;

/** Name of an operation of the public API, as it appears in messages. */
export type Operation = Extract<keyof typeof COMMANDS, string>;

/** A command of `bpf()`, in lower case and without its prefix, as in {@link BpfError.syscall}. */
export type BpfCommand = NonNullable<(typeof COMMANDS)[Operation]>;

/** The name of an errno. Every errno of the core has one. */
function codeOf(errno: number): ErrnoCode {
  return (CODES.get(errno) ?? `E${errno}`) as ErrnoCode;
}

/**
 * A call that the kernel would have answered with an errno. The message names the operation, the map, the likely cause and,
 * where there is one, the remedy. The map is unchanged, but for the entries that `count` counts.
 *
 * @example
 * ```ts
 * import { BpfError, createMap, u32 } from "bpfmap";
 *
 * const map = createMap({ type: "hash", name: "flows", key: u32, value: u32, maxEntries: 1 });
 * map.set(1, 10);
 * try {
 *   map.set(2, 20);
 * } catch (error) {
 *   if (!(error instanceof BpfError)) throw error;
 *   console.log(error.code, error.errno, error.syscall); // E2BIG 7 map_update_elem
 *   console.log(error.operation, error.map); // set flows
 *   console.log(error.message);
 *   // set: map "flows" is full at maxEntries = 1 (E2BIG); delete entries or create it larger
 * }
 * ```
 */
export class BpfError extends Error {
  /** Linux errno, positive. */
  readonly errno: number;
  /** Name of the errno, for instance `"E2BIG"`. */
  readonly code: ErrnoCode;
  /** What was called, as the message begins: `"set"`, `"kv.put"`. */
  readonly operation: Operation;
  /** The name of the map; undefined when it has none, and for what is no map. */
  readonly map: string | undefined;
  /** The `bpf()` command that does this in the kernel, for instance `"map_update_elem"`; undefined where there is none. */
  readonly syscall: BpfCommand | undefined;
  /** Batch operations: how many entries were done before the error. */
  declare readonly count?: number;

  constructor(errno: number, operation: Operation, message: string, map?: string, count?: number) {
    super(message);
    this.name = "BpfError";
    this.errno = errno;
    this.code = codeOf(errno);
    this.operation = operation;
    this.map = map;
    this.syscall = COMMANDS[operation];
    if (count !== undefined) Object.defineProperty(this, "count", { value: count, enumerable: true });
  }
}

/**
 * A lock was not free in time: ETIMEDOUT. Nothing waits for ever: a call that meets a lock gives up after the host's
 * `lockTimeout`, and has changed nothing but the entries that `count` counts. Mostly the thread that holds the lock has been
 * terminated, and nobody has told its host: {@link Host.reap} does, and {@link Host.watch} does it by itself.
 *
 * @example
 * ```ts
 * import { attachHost, createHost, LockTimeoutError, u32 } from "bpfmap";
 *
 * const host = createHost({ shared: true, cpus: 2, maxMemory: 16 * 1024 * 1024, lockTimeout: 20 });
 * const other = attachHost(host.share());
 * other.section(() => {
 *   try {
 *     host.synchronize();
 *   } catch (error) {
 *     if (!(error instanceof LockTimeoutError)) throw error;
 *     console.log(error.code, error.owner); // ETIMEDOUT 1
 *   }
 * });
 * ```
 */
export class LockTimeoutError extends BpfError {
  /** CPU slot of the thread that was waited for. */
  readonly owner: number;

  constructor(operation: Operation, message: string, owner: number, map?: string, count?: number) {
    super(ERRNO.ETIMEDOUT, operation, message, map, count);
    this.name = "LockTimeoutError";
    this.owner = owner;
  }
}

/**
 * The memory of a host is not what the library wrote: EUCLEAN, "structure needs cleaning", as file systems of the kernel say. A bit has
 * turned over, or somebody else wrote there. What the maps of the host hold can no longer be trusted; {@link Host.verify} says what is
 * broken. Close the host, and fill another one.
 *
 * @example
 * ```ts
 * import { createHost, DamagedError, u32 } from "bpfmap";
 *
 * const host = createHost({ seed: 1 });
 * const map = host.createMap({ type: "rhash", name: "m", key: u32, value: u32, maxEntries: 100 });
 * map.set(1, 1);
 * host.u8.fill(0xff, 65536); // what nobody may do
 * try {
 *   map.get(1);
 * } catch (error) {
 *   if (!(error instanceof DamagedError)) throw error;
 *   console.log(error.code, error.errno); // EUCLEAN 117
 * }
 * ```
 */
export class DamagedError extends BpfError {
  /** The trap of the core; not there where JavaScript noticed. */
  declare readonly cause?: unknown;

  constructor(operation: Operation, message: string, map?: string, cause?: unknown) {
    super(ERRNO.EUCLEAN, operation, message, map);
    this.name = "DamagedError";
    if (cause !== undefined) Object.defineProperty(this, "cause", { value: cause });
  }
}

/**
 * Every CPU slot of a shared host is taken: ENOSPC. A host has as many as its `cpus`, one for each thread that attaches.
 *
 * @example
 * ```ts
 * import { attachHost, createHost, NoFreeSlotError } from "bpfmap";
 *
 * const host = createHost({ shared: true, cpus: 1, maxMemory: 16 * 1024 * 1024 });
 * try {
 *   attachHost(host.share());
 * } catch (error) {
 *   if (!(error instanceof NoFreeSlotError)) throw error;
 *   console.log(error.code, error.slots); // ENOSPC 1
 * }
 * ```
 */
export class NoFreeSlotError extends BpfError {
  /** How many slots the host has. */
  readonly slots: number;

  constructor(message: string, slots: number) {
    super(ERRNO.ENOSPC, "attachHost", message);
    this.name = "NoFreeSlotError";
    this.slots = slots;
  }
}

/**
 * Memory cannot be shared here: browsers allow it only to pages that are cross-origin isolated, that is, served with the two
 * headers that the message names. `globalThis.crossOriginIsolated` tells.
 */
export class NotIsolatedError extends Error {
  constructor(operation: string) {
    super(
      `${operation}: this page may not share memory between threads: it is not cross-origin isolated. Serve it, and the ` +
        "scripts of its workers, with the headers Cross-Origin-Opener-Policy: same-origin and " +
        "Cross-Origin-Embedder-Policy: require-corp",
    );
    this.name = "NotIsolatedError";
  }
}

/**
 * Builds every {@link BpfError}: `set: map "flows" is full at maxEntries = 128 (E2BIG); delete entries or create it larger`.
 *
 * @param subject what failed, `map "flows"` or `the host`
 * @param cause a predicate of the subject, `is full at maxEntries = 128`
 * @param remedy what to do about it; left out when the cause says it
 * @param count entries done before the error
 */
export function bpfError(
  errno: number,
  operation: Operation,
  subject: string,
  cause: string,
  remedy?: string,
  count?: number,
): BpfError {
  const end = remedy === undefined ? "" : `; ${remedy}`;
  const message = `${operation}: ${subject} ${cause} (${codeOf(errno)})${end}`;
  return new BpfError(errno, operation, message, mapNameIn(subject), count);
}

/**
 * Builds every {@link LockTimeoutError}.
 *
 * @param timeout how long was waited, in ms
 */
export function lockTimeoutError(
  operation: Operation,
  subject: string,
  owner: number,
  timeout: number,
  count?: number,
): LockTimeoutError {
  const message =
    `${operation}: ${subject} is locked by CPU ${owner}, for more than ${timeout} ms (ETIMEDOUT); ` +
    `if its thread is gone, reap(${owner}) on the host`;
  return new LockTimeoutError(operation, message, owner, mapNameIn(subject), count);
}

/**
 * Builds every {@link DamagedError}.
 *
 * @param trap what came out of the core, if it did
 */
export function damagedError(operation: Operation, subject: string, trap?: unknown): DamagedError {
  const message =
    `${operation}: ${subject} cannot go on: the memory is damaged (EUCLEAN); verify() on the host says where, ` +
    "close it and fill another one";
  return new DamagedError(operation, message, mapNameIn(subject), trap);
}

/** Builds every {@link NoFreeSlotError}. */
export function noFreeSlotError(slots: number): NoFreeSlotError {
  const message =
    `attachHost: all ${slots} slots of the host are taken (ENOSPC); detach() hosts that are no longer used, reap() those of ` +
    "threads that are gone, or create it with more `cpus`";
  return new NoFreeSlotError(message, slots);
}

/** How messages call a map: by its name, or by type and id when it has none. */
export function mapSubject(name: string, type: string, id: number): string {
  return name === "" ? `${type} map #${id}` : `map ${JSON.stringify(name)}`;
}

/** The name of the map that a subject tells of, in the words of {@link mapSubject}. */
function mapNameIn(subject: string): string | undefined {
  const quoted = /\bmap ("(?:[^"\\]|\\.)*")/.exec(subject)?.[1];
  return quoted === undefined ? undefined : (JSON.parse(quoted) as string);
}
