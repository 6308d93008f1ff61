/**
 * What hosts have for more than one thread: sections and their end, and on shared hosts the CPU slots.
 *
 * @module
 */

import { checkNoPromise, checkPlainFunction } from "../arguments/functions.ts";
import { checkInteger } from "../arguments/integer.ts";
import { describe } from "../arguments/mismatch.ts";
import { bpfError, ERRNO, type Operation } from "../errors.ts";
import { hide } from "../print/hidden.ts";
import type { Deaths, WatchableWorker } from "./deaths.ts";
import { lockTimeout, sharedCore } from "./memory/shared_core.ts";
import { type CpuSlot, declareDead, readSlots } from "./memory/shared_memory.ts";
import { HostViews } from "./memory/views.ts";
import type { HostHandle, Seat } from "./seat.ts";
import type { Tables } from "./tables/tables.ts";
import type { CoreExports } from "./wasm/exports.ts";

/** ms until a host tries again what it could not clear up behind dead threads, and the longest, for each time takes twice as long. */
const RETRY_MS = 1;
const MOST_RETRY_MS = 64;

export abstract class HostThreads extends HostViews {
  /** Slots of per-CPU values; of a shared host, how many threads may be attached. */
  declare readonly cpus: number;
  /** The CPU slot of this host: which of the per-CPU values is its own. 0 on a host that is not shared. */
  declare readonly cpu: number;
  /** Whether other threads may attach to the memory. */
  declare readonly shared: boolean;
  /** @internal Throws a DamagedError instead of a trap. */
  declare readonly core: CoreExports;
  /** @internal The same for who catches traps by itself (guard.ts). */
  declare readonly bare: CoreExports;
  /** @internal */
  abstract readonly tables: Tables;
  /** @internal */
  declare closed: boolean;
  readonly #handle: HostHandle | undefined;
  readonly #deaths: Deaths | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;

  /** @internal */
  constructor({ memory, module, core, bare, trapped, cpus, cpu, deaths }: Seat) {
    super(memory);
    hide<HostThreads>(this, { core, bare, shared: module !== undefined, cpu, cpus, closed: false });
    // The memory may have grown before the trap.
    trapped.afterTrap = () => this.refreshDetached();
    this.#handle = module === undefined ? undefined : { memory, module };
    this.#deaths = deaths;
  }

  /** Closes what the host has open and gives its part of the memory back. */
  abstract close(): void;

  /**
   * What other threads attach with: pass it to a worker by `postMessage` or `workerData`, and to {@link attachHost} there.
   *
   * @throws BpfError EINVAL when the host was created without `shared: true`
   * @example
   * ```ts
   * import { attachHost, createHost, u32 } from "bpfmap";
   *
   * const host = createHost({ shared: true, cpus: 2, maxMemory: 16 * 1024 * 1024 });
   * const hits = host.createMap({ type: "hash", key: u32, value: u32, maxEntries: 100 });
   * host.pin("/hits", hits);
   * // In a worker, this would be workerData:
   * const attached = attachHost(host.share());
   * attached.open("/hits", { key: u32, value: u32 }).add(80, 1);
   * console.log(attached.cpu, hits.get(80)); // 1 1
   * ```
   */
  share(): HostHandle {
    this.check("share");
    if (this.#handle === undefined) this.#refuseUnshared("share");
    return this.#handle;
  }

  /**
   * Leaves a shared memory: closes the maps, batches and descriptors of this host and frees its CPU slot. Maps stay as long as
   * another thread has them open, or a pin is left. The same as {@link close}.
   *
   * @throws BpfError EBUSY inside a section; EINVAL when the host is not shared
   */
  detach(): void {
    this.check("detach");
    if (!this.shared) this.#refuseUnshared("detach");
    this.close();
  }

  /**
   * Runs `fn`; nothing that an address of {@link HashMap.lookup} points at moves or is reused until it returns (an RCU read
   * side). Sections nest. An rhash postpones its resize meanwhile.
   *
   * @returns what `fn` returns
   * @throws TypeError when `fn` is async, a generator, or returns a promise: it would go on after the section's end.
   * @example
   * ```ts
   * import { createHost, u32 } from "bpfmap";
   *
   * const host = createHost();
   * const map = host.createMap({ type: "rhash", key: u32, value: u32, maxEntries: 1000 });
   * map.set(1, 5);
   * host.section(() => {
   *   const address = map.lookup(1);
   *   for (let key = 2; key < 100; key++) map.set(key, 0);
   *   host.u32[address >>> 2]++;
   * });
   * console.log(map.get(1)); // 6
   * ```
   */
  section<T>(fn: () => T): T {
    this.check("section");
    checkPlainFunction("section", fn);
    this.core.enterSection();
    this.tables.sections++;
    let result: T;
    try {
      result = fn();
    } finally {
      this.core.leaveSection();
      this.tables.leaveSection();
    }
    checkNoPromise("section", result);
    return result;
  }

  /**
   * Waits until every section that is open now, in any thread, has ended (`synchronize_rcu`): what was deleted before is out of
   * everybody's sight then.
   *
   * @throws BpfError EDEADLK inside a section of this host; {@link LockTimeoutError} when one does not end in time.
   * @example
   * ```ts
   * import { BpfError, createHost } from "bpfmap";
   *
   * const host = createHost();
   * host.synchronize();
   * try {
   *   host.section(() => host.synchronize());
   * } catch (error) {
   *   if (!(error instanceof BpfError)) throw error;
   *   console.log(error.code); // EDEADLK
   * }
   * ```
   */
  synchronize(): void {
    this.check("synchronize");
    const inside = this.tables.sections > 0;
    const errno = inside ? ERRNO.EDEADLK : this.shared ? sharedCore(this).synchronize() : 0;
    if (errno === ERRNO.EDEADLK) {
      const cause = "is in a section of this thread, which would wait for its own end";
      throw bpfError(errno, "synchronize", "the host", cause, "call it outside");
    }
    if (errno !== 0) throw lockTimeout(this, "synchronize", "a section");
  }

  /**
   * The CPU slots and who uses them.
   *
   * @example
   * ```ts
   * import { attachHost, createHost } from "bpfmap";
   *
   * const host = createHost({ shared: true, cpus: 3, maxMemory: 16 * 1024 * 1024 });
   * attachHost(host.share());
   * console.log(host.slots().map(({ state, self }) => [state, self]));
   * // [ [ 'live', true ], [ 'live', false ], [ 'free', false ] ]
   * ```
   */
  slots(): CpuSlot[] {
    this.check("slots");
    if (this.shared) return readSlots(this.i32, this.cpu);
    return Array.from({ length: this.cpus }, (_, cpu) => {
      const state = cpu === this.cpu ? "live" : "free";
      return { cpu, state, thread: undefined, self: cpu === this.cpu };
    });
  }

  /**
   * Says that the thread of a CPU slot is gone, and clears up behind it: what it was writing is undone, or done to its end, and its
   * locks and sections are ended. Its memory and its references to maps are released, and the slot is free, now, or as soon as the
   * locks for that can be had: `reap` does not wait for another thread, and tries again by a timer.
   *
   * **The thread must be gone.** One that goes on after this would write into memory that is no longer its own. In Node,
   * {@link watch} calls this when a worker has ended. A page calls it itself, after `worker.terminate()`.
   *
   * @returns false when nobody uses the slot
   * @throws RangeError for a number that is no slot; BpfError EINVAL for the slot of this host itself.
   * @example
   * ```ts
   * import { attachHost, createHost } from "bpfmap";
   *
   * const host = createHost({ shared: true, cpus: 2, maxMemory: 16 * 1024 * 1024 });
   * attachHost(host.share()); // and never heard of again
   * console.log(host.reap(1), host.reap(1)); // true false
   * ```
   */
  reap(cpu: number): boolean {
    this.check("reap");
    if (!this.shared) this.#refuseUnshared("reap");
    checkInteger("reap: cpu", cpu, 0, this.cpus - 1);
    const errno = sharedCore(this).reap(cpu);
    if (errno === ERRNO.EINVAL) {
      const cause = `uses CPU ${cpu} itself`;
      throw bpfError(errno, "reap", "the host", cause, "detach() it");
    }
    if (errno === ERRNO.EBUSY) this.#retryIn(RETRY_MS);
    return errno !== ERRNO.ENOENT;
  }

  /**
   * Does what {@link reap} does when a worker of `node:worker_threads` has ended, for every slot that its thread leaves behind,
   * however it ended; also when a call of this thread waits for a lock of the worker meanwhile. Call it right after starting the
   * worker.
   *
   * @returns the worker
   * @throws TypeError for what is no such worker, or has ended already.
   * @example
   * const worker = host.watch(new Worker("./worker.js", { workerData: host.share() }));
   */
  watch<W extends WatchableWorker>(worker: W): W {
    this.check("watch");
    if (!this.shared) this.#refuseUnshared("watch");
    if (typeof worker?.threadId !== "number" || worker.threadId < 0 || typeof worker.once !== "function") {
      throw new TypeError(
        `watch: expected a running worker of node:worker_threads, got ${describe(worker)}; in a page call reap() with the ` +
          "cpu of the worker's host after terminate()",
      );
    }
    // It is -1 when the worker has ended.
    const { threadId } = worker;
    this.#deaths?.watch(worker);
    worker.once("exit", () => {
      this.#deaths?.forget(threadId);
      if (this.closed) return;
      declareDead(this.i32, threadId, this.cpu);
      this.#clearUp(RETRY_MS);
    });
    return worker;
  }

  /** Clears up behind dead threads, now and as often as it takes, each time without waiting. */
  #clearUp(wait: number): void {
    try {
      if (sharedCore(this).clearUp() !== 0) this.#retryIn(wait);
    } catch {
      // Memory that is damaged: the next call that meets the damage says so to its caller. An event has none.
    }
  }

  #retryIn(wait: number): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      if (!this.closed) this.#clearUp(Math.min(2 * wait, MOST_RETRY_MS));
    }, wait);
    // A process that has nothing else to do need not wait for it. Browsers have a number here.
    (this.#retry as { unref?(): void }).unref?.();
  }

  /** @internal Throws EBADF when the host is closed. */
  check(operation: Operation): void {
    if (this.closed) throw bpfError(ERRNO.EBADF, operation, "the host", "is closed");
  }

  #refuseUnshared(operation: Operation): never {
    throw bpfError(ERRNO.EINVAL, operation, "the host", "is not shared", "create it with shared: true");
  }
}
