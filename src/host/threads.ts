/**
 * What hosts have for more than one thread: attaching, the CPU slots, and clearing up behind threads that are gone.
 *
 * @module
 */
import { checkInteger } from "../arguments/integer.ts";
import { describe } from "../arguments/mismatch.ts";
import { CoreHost } from "../core/core_host.ts";
import type { Deaths, WatchableWorker } from "../core/deaths.ts";
import { sharedCore } from "../core/memory/shared_core.ts";
import { type CpuSlot, declareDead, readSlots } from "../core/memory/shared_memory.ts";
import type { HostHandle, Seat } from "../core/seat.ts";
import { bpfError, ERRNO, type Operation } from "../errors.ts";

/** ms until a host tries again what it could not clear up behind dead threads, and the longest, for each time takes twice as long. */
const RETRY_MS = 1;
const MOST_RETRY_MS = 64;

export abstract class HostThreads extends CoreHost {
  readonly #handle: HostHandle | undefined;
  readonly #deaths: Deaths | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;

  /** @internal */
  constructor(seat: Seat) {
    super(seat);
    const { memory, module, deaths } = seat;
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

  #refuseUnshared(operation: Operation): never {
    throw bpfError(ERRNO.EINVAL, operation, "the host", "is not shared", "create it with shared: true");
  }
}
