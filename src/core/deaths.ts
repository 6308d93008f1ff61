/**
 * What proves that another thread has ended. Its `exit` event does, but that comes through the event loop, which stands still while a
 * call waits for a lock of the dead thread. So the core asks here meanwhile (`isGone` in assembly/sync/slot.ts). Two things answer at once:
 *
 * - Node tells the parent of a worker when it takes the worker's environment apart, behind its last JavaScript: the idle time in
 *   `worker.performance.eventLoopUtilization()` is -1 from then on (node_worker.cc of Node: Worker::Run sets `stopped_` under the mutex that
 *   Worker::LoopIdleTime takes). `terminate()` proves nothing: the thread goes on until it looks.
 * - Linux tells every thread of the process: a thread that has ended is not in /proc/self/task.
 *
 * False says nothing. Where neither answers (browsers; a worker's siblings outside of Linux) the `exit` event or `reap` has to come.
 *
 * @module
 */

import { MOST_CPUS } from "../generated/abi.js";
import { builtinModule } from "../node.ts";
import { slotThread, systemThreadOf } from "./memory/shared_memory.ts";

/** What {@link HostThreads.watch} needs of a worker of node:worker_threads. */
export interface WatchableWorker {
  readonly threadId: number;
  readonly performance?: { eventLoopUtilization?(): { readonly idle: number } };
  once(event: "exit" | "online", listener: () => void): unknown;
}

interface FileSystem {
  readlinkSync(path: string): string;
  statSync(path: string, options: { readonly throwIfNoEntry: false }): unknown;
}

interface SystemProcess {
  readonly platform?: string;
}

const TASKS = "/proc/self/task/";
/** A thread that waits for another asks about it at most so often, in ms: looking into /proc takes some microseconds. */
const PAUSE_MS = 1;

function fileSystem(): FileSystem | undefined {
  const { process, Deno } = globalThis as { readonly process?: SystemProcess; readonly Deno?: unknown };
  // Deno would ask its user for leave to read files.
  if (process?.platform !== "linux" || Deno !== undefined) return undefined;
  return builtinModule<FileSystem>("node:fs");
}

/** The calling thread's number in /proc/self/task, 0 when there is none. */
function systemThread(): number {
  try {
    const [, number] = fileSystem()?.readlinkSync("/proc/thread-self").split("/task/") ?? [];
    return Number(number ?? 0);
  } catch {
    return 0;
  }
}

/** Of one thread, about all that have a slot in a memory. */
export class Deaths {
  /** The calling thread's number in /proc/self/task, 0 when there is none. */
  readonly systemThread = systemThread();
  readonly #words: Int32Array;
  /** The workers that this thread watches, by their ids. */
  readonly #workers = new Map<number, WatchableWorker>();
  readonly #asked = new Float64Array(MOST_CPUS);

  constructor(words: Int32Array) {
    this.#words = words;
  }

  watch(worker: WatchableWorker): void {
    this.#workers.set(worker.threadId, worker);
    // Node answers about a dead worker only who has asked while it was running.
    worker.once("online", () => worker.performance?.eventLoopUtilization?.());
  }

  forget(threadId: number): void {
    this.#workers.delete(threadId);
  }

  /** Whether the thread of a slot is known to have ended. The core calls this in the middle of operations. */
  isGone(cpu: number): boolean {
    const time = performance.now();
    if (time - this.#asked[cpu] < PAUSE_MS) return false;
    this.#asked[cpu] = time;
    try {
      // In this order: the slot's words name one thread, or the core drops the answer (`relieve` in assembly/sync/recover.ts).
      const worker = this.#workers.get(slotThread(this.#words, cpu) ?? -1);
      return worker?.performance?.eventLoopUtilization?.().idle === -1 || this.#hasLeft(cpu);
    } catch {
      return false;
    }
  }

  #hasLeft(cpu: number): boolean {
    const thread = systemThreadOf(this.#words, cpu);
    if (thread === 0 || this.systemThread === 0) return false;
    const isTask = (task: number) =>
      fileSystem()?.statSync(`${TASKS}${task}`, { throwIfNoEntry: false }) !== undefined;
    // That this thread is there says that the list still is.
    return !isTask(thread) && isTask(this.systemThread);
  }
}
