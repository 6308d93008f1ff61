import { checkInteger } from "../arguments/integer.ts";
import { checkKnown } from "../arguments/known.ts";
import { describe } from "../arguments/mismatch.ts";
import { MOST_CPUS } from "../generated/abi.js";
import { builtinModule } from "../node.ts";
import { type ClockSource, checkClock } from "./clock.ts";
import { PAGE_BYTES } from "./memory/views.ts";

/** Options of {@link createHost}. */
export interface HostOptions {
  /**
   * u32 from which the secrets of all hashes of the host are expanded: the same seed and the same calls give the same layout and
   * order. For tests and for results that can be repeated only: who sees some thirty keys in their order finds it by trying all.
   * Default: no seed; 192 bits for each map and 4096 for the host are drawn from the system, so that nobody can choose keys that collide.
   */
  seed?: number | undefined;
  /**
   * Bytes, hard limit of the linear memory; rounded down to 64 KiB pages. Default 4 GiB - 64 KiB, or 1 GiB when shared: that
   * much address space is reserved at once, and pages of it are used when something is written to them.
   */
  maxMemory?: number | undefined;
  /**
   * Bytes of memory that the host has from the start, rounded up to 64 KiB pages; up to `maxMemory`. Default 0: memory is taken as it
   * is needed, which may stop an insert for a millisecond each time. A page of it is used when something is written to it. Not for
   * shared hosts, which have all of their memory from the start.
   */
  initialMemory?: number | undefined;
  /**
   * Slots of per-CPU values, and of a shared host how many threads may be attached at a time, up to 64. Default: as many as the
   * machine runs at once.
   */
  cpus?: number | undefined;
  /** Whether other threads may attach to the memory, with {@link Host.share} and `attachHost`. Default false. */
  shared?: boolean | undefined;
  /** Of shared hosts: ms after which a call that waits for a lock throws a `LockTimeoutError`. Default 5000. */
  lockTimeout?: number | undefined;
  /**
   * What time it is, in ms from any origin: for tests, and for results that can be repeated. Nothing happens by itself then: what is due
   * is done by {@link Host.tick}. Default: the time of the system, and what is due is done when it is. Each thread of a shared host has
   * the clock that it was given.
   */
  clock?: (() => number) | undefined;
}

/** {@link HostOptions} checked and with all defaults filled in. */
export interface ResolvedOptions {
  /** What the secrets of the hashes are expanded from; undefined: they are drawn. */
  readonly seed: number | undefined;
  readonly maxMemory: number;
  readonly initialMemory: number;
  readonly cpus: number;
  readonly shared: boolean;
  /** ms */
  readonly lockTimeout: number;
  readonly clock: ClockSource | undefined;
}

/** Options of {@link attachHost}. */
export interface AttachOptions {
  /** As {@link HostOptions.clock}. */
  clock?: (() => number) | undefined;
}

/** The last page of 4 GiB stays unused, so that the end of every block is a number of 32 bits. */
const MEMORY_MAX = 2 ** 32 - PAGE_BYTES;

/** Pages of shared memory are all there from the start, and some systems charge for them when they are. */
const SHARED_MEMORY_DEFAULT = 2 ** 30;

/** Possible CPUs are a u32 index in the kernel; nothing runs more threads than this. */
const CPUS_MAX = 4096;

const LOCK_TIMEOUT_DEFAULT = 5000;

interface Machine {
  readonly navigator?: { readonly hardwareConcurrency?: number };
}

/** Threads the machine runs at once. Node 20 has no `navigator`. */
function availableParallelism(): number {
  const { navigator } = globalThis as Machine;
  if (navigator?.hardwareConcurrency !== undefined) return navigator.hardwareConcurrency;
  return builtinModule<{ availableParallelism(): number }>("node:os")?.availableParallelism() ?? 1;
}

/** All of {@link HostOptions}. */
const HOST_OPTIONS = ["seed", "maxMemory", "initialMemory", "cpus", "shared", "lockTimeout", "clock"];

export function resolveOptions(options: HostOptions): ResolvedOptions {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`createHost: expected an object of options, got ${describe(options)}`);
  }
  checkKnown("createHost", options, HOST_OPTIONS);
  const { seed, maxMemory, initialMemory, cpus, shared = false, lockTimeout, clock } = options;
  if (typeof shared !== "boolean") {
    throw new TypeError(`createHost: shared: expected a boolean, got ${describe(shared)}`);
  }
  if (lockTimeout !== undefined && !shared) {
    throw new TypeError(
      "createHost: lockTimeout: a host that is not shared has no locks; pass shared: true with it",
    );
  }
  if (initialMemory !== undefined && shared) {
    throw new TypeError(
      "createHost: initialMemory: a shared host has all of its memory from the start; pass maxMemory alone",
    );
  }
  const most = shared ? MOST_CPUS : CPUS_MAX;
  const limit = memoryBytes(maxMemory, shared);
  return {
    seed: seed === undefined ? undefined : checkInteger("createHost: seed", seed, 0, 2 ** 32 - 1),
    maxMemory: limit,
    initialMemory: shared ? limit : firstBytes(initialMemory, limit),
    cpus:
      cpus === undefined
        ? Math.min(most, availableParallelism())
        : checkInteger("createHost: cpus", cpus, 1, most),
    shared,
    lockTimeout:
      lockTimeout === undefined
        ? LOCK_TIMEOUT_DEFAULT
        : checkInteger("createHost: lockTimeout", lockTimeout, 1, 2 ** 31 - 1),
    clock: checkClock("createHost", clock),
  };
}

export function resolveAttachOptions(options: AttachOptions): { readonly clock: ClockSource | undefined } {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`attachHost: expected an object of options, got ${describe(options)}`);
  }
  checkKnown("attachHost", options, ["clock"]);
  return { clock: checkClock("attachHost", options.clock) };
}

/** What is there from the start, in whole pages. The core wants one. */
function firstBytes(initialMemory: unknown, limit: number): number {
  if (initialMemory === undefined) return PAGE_BYTES;
  const bytes = checkInteger("createHost: initialMemory", initialMemory, 0, limit);
  return Math.max(PAGE_BYTES, Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES);
}

/** The limit of the memory in whole pages. */
function memoryBytes(maxMemory: unknown, shared: boolean): number {
  if (maxMemory === undefined) return shared ? SHARED_MEMORY_DEFAULT : MEMORY_MAX;
  const bytes = checkInteger("createHost: maxMemory", maxMemory, PAGE_BYTES, 2 ** 32);
  return Math.min(MEMORY_MAX, Math.floor(bytes / PAGE_BYTES) * PAGE_BYTES);
}
