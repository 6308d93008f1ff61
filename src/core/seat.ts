/**
 * Where a host sits: a linear memory with an instance of the core on it, and in shared memory a CPU slot of its own.
 *
 * @module
 */

import { describe } from "../arguments/mismatch.ts";
import { bpfError, ERRNO, NotIsolatedError } from "../errors.ts";
import { HOST_CPUS, HOST_IS_SEEDED, HOST_SEED, HOST_TIMEOUT } from "../generated/abi.js";
import { Clock, type ClockSource } from "./clock.ts";
import { Deaths } from "./deaths.ts";
import type { CoreParts } from "./memory/core_memory.ts";
import type { ScratchMemory } from "./memory/scratch.ts";
import { drawHostSecrets } from "./memory/secrets.ts";
import {
  checkMemory,
  markMemory,
  mayWait,
  returnSlot,
  slotAddress,
  takeSlot,
} from "./memory/shared_memory.ts";
import { PAGE_BYTES } from "./memory/views.ts";
import { type AttachOptions, type ResolvedOptions, resolveAttachOptions } from "./options.ts";
import { PlainRegistry } from "./tables/plain_registry.ts";
import type { Registry } from "./tables/registry.ts";
import { SharedRegistry } from "./tables/shared_registry.ts";
import type { CoreExports } from "./wasm/exports.ts";
import { guarded } from "./wasm/guard.ts";
import { instantiateCore, instantiateSharedCore, isSharedCore, sharedModule } from "./wasm/wasm.ts";
import type { WasmMemory, WasmModule } from "./wasm/wasm_types.ts";

/**
 * What another thread needs to attach to a shared host: it goes there by `postMessage` or `workerData`. Made by
 * {@link Host.share}.
 */
export interface HostHandle {
  readonly memory: WasmMemory;
  readonly module: WasmModule;
}

export interface Seat extends CoreParts {
  /** Of a host that was given one. */
  readonly seed: number | undefined;
  /** The tables of such a memory: a program with plain hosts alone has nothing of shared ones in its bundle. */
  readonly Tables: new (
    host: ScratchMemory,
    seed: number | undefined,
  ) => Registry;
  /** The core, where other threads may take a seat, too. */
  readonly module: WasmModule | undefined;
  /** Which of those threads are gone, there. */
  readonly deaths: Deaths | undefined;
  readonly clock: Clock;
}

/** Pages that are there from the start cost nothing until they are touched; of shared memory all are. */
function newMemory({ maxMemory, initialMemory, shared }: ResolvedOptions): WebAssembly.Memory {
  const [initial, maximum] = [initialMemory / PAGE_BYTES, maxMemory / PAGE_BYTES];
  try {
    return new WebAssembly.Memory({ initial, maximum, shared });
  } catch (error) {
    // Engines reserve the address space of the maximum at once, and some refuse 4 GiB.
    if (!(error instanceof RangeError)) throw error;
    const cause = `cannot reserve maxMemory = ${maxMemory} bytes of address space`;
    throw bpfError(ERRNO.ENOMEM, "createHost", "the host", cause, "ask for less");
  }
}

function initHost(memory: WasmMemory, core: CoreExports, { maxMemory, seed }: ResolvedOptions): void {
  const errno = core.initHost(maxMemory, seed ?? 0);
  if (errno === 0) {
    if (seed === undefined) drawHostSecrets(memory, core);
    return;
  }
  const cause = `cannot start in maxMemory = ${maxMemory} bytes`;
  throw bpfError(errno, "createHost", "the host", cause, "ask for more");
}

/** A memory for one thread. */
export function plainSeat(options: ResolvedOptions): Seat {
  const memory = newMemory(options);
  const bare = instantiateCore(memory);
  const trapped = { afterTrap() {} };
  const core = guarded(bare, trapped);
  initHost(memory, core, options);
  const { cpus, seed, maxMemory } = options;
  const limit = maxMemory;
  const parts = { memory, core, bare, trapped, cpus, cpu: 0, limit, shared: false };
  const clock = new Clock(options.clock);
  return { ...parts, seed, Tables: PlainRegistry, module: undefined, deaths: undefined, clock };
}

/** Throws where memory cannot be shared. */
function checkIsolation(operation: string): void {
  const { crossOriginIsolated } = globalThis as { readonly crossOriginIsolated?: boolean };
  // Only browsers have the first one.
  if (crossOriginIsolated === false || typeof SharedArrayBuffer === "undefined") {
    throw new NotIsolatedError(operation);
  }
}

function sitDown(
  memory: WasmMemory,
  module: WasmModule,
  source: ClockSource | undefined,
  setUp: (core: CoreExports) => void,
): Seat {
  const words = new Int32Array(memory.buffer);
  const cpu = takeSlot(words);
  try {
    const deaths = new Deaths(words);
    const bare = instantiateSharedCore(module, memory, slotAddress(cpu), (other) => deaths.isGone(other));
    const trapped = { afterTrap() {} };
    const core = guarded(bare, trapped);
    setUp(core);
    core.attach(mayWait() ? 1 : 0, deaths.systemThread);
    const cpus = words[HOST_CPUS >>> 2];
    const seed = words[HOST_IS_SEEDED >>> 2] === 1 ? words[HOST_SEED >>> 2] >>> 0 : undefined;
    const limit = memory.buffer.byteLength;
    return {
      memory,
      core,
      bare,
      trapped,
      cpus,
      cpu,
      limit,
      shared: true,
      seed,
      Tables: SharedRegistry,
      module,
      deaths,
      clock: new Clock(source),
    };
  } catch (error) {
    returnSlot(words, cpu);
    throw error;
  }
}

/** The first seat in a new shared memory. */
export function sharedSeat(options: ResolvedOptions): Seat {
  checkIsolation("createHost");
  const memory = newMemory(options);
  const words = new Uint32Array(memory.buffer);
  words[HOST_CPUS >>> 2] = options.cpus;
  words[HOST_TIMEOUT >>> 2] = options.lockTimeout;
  if (options.seed !== undefined) {
    words[HOST_SEED >>> 2] = options.seed;
    words[HOST_IS_SEEDED >>> 2] = 1;
  }
  const seat = sitDown(memory, sharedModule(), options.clock, (core) => initHost(memory, core, options));
  markMemory(new Int32Array(memory.buffer));
  return seat;
}

/** A further seat in a shared memory. */
export function attachedSeat(handle: HostHandle, options: AttachOptions): Seat {
  const { clock } = resolveAttachOptions(options);
  checkIsolation("attachHost");
  if (
    !(handle?.memory instanceof WebAssembly.Memory) ||
    !(handle.module instanceof WebAssembly.Module) ||
    !(handle.memory.buffer instanceof SharedArrayBuffer)
  ) {
    throw new TypeError(`attachHost: expected what share() of a host gave, got ${describe(handle)}`);
  }
  checkMemory(new Int32Array(handle.memory.buffer));
  if (!isSharedCore(handle.module)) {
    throw new TypeError("attachHost: the module is not the core that share() of a host gave");
  }
  return sitDown(handle.memory, handle.module, clock, () => {});
}
