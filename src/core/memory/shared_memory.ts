/**
 * What stands at fixed addresses of a shared memory (assembly/regions.ts), and the taking of a CPU slot in it
 * (assembly/sync/slot.ts).
 *
 * @module
 */

import { bpfError, ERRNO, noFreeSlotError } from "../../errors.ts";
import {
  HOST_CPUS,
  HOST_MARK,
  HOST_TIMEOUT,
  HOST_VERSION,
  LAYOUT_VERSION,
  MOST_CPUS,
  SLOT_BLOCKED_BY,
  SLOT_BYTES,
  SLOT_DEAD,
  SLOT_FREE,
  SLOT_KIND,
  SLOT_LIVE,
  SLOT_LOG_ROOM,
  SLOT_RECOVERED,
  SLOT_STATE,
  SLOT_SYSTEM_THREAD,
  SLOT_WHO,
  SLOTS,
} from "../../generated/abi.js";
import { builtinModule } from "../../node.ts";
import { PAGE_BYTES } from "./views.ts";

const MARK_WORDS = [0x4d465042, 0x54534f48]; // "BPFMHOST"

/** How often a thread that attaches looks again for a slot, while some are being freed. */
const RETRY_MS = 1;

/** Whether a slot is free, used by a thread, or left behind by one that is gone. */
export type SlotState = "free" | "live" | "dead" | "recovering" | "recovered";

/** One CPU slot in {@link Host.slots}. */
export interface CpuSlot {
  readonly cpu: number;
  /** `dead`: its thread is gone; `recovering`, `recovered`: what it left behind is being cleared up. */
  readonly state: SlotState;
  /** `threadId` of the `node:worker_threads` worker that uses it; undefined in browsers, and unless it is live. */
  readonly thread: number | undefined;
  /** It is the slot of the host that was asked. */
  readonly self: boolean;
}

export function slotAddress(cpu: number): number {
  return SLOTS + cpu * SLOT_BYTES;
}

function workerThreads() {
  return builtinModule<{ readonly threadId: number; readonly isMainThread: boolean }>("node:worker_threads");
}

/** `threadId` of node:worker_threads; undefined where there are none. */
function threadId(): number | undefined {
  return workerThreads()?.threadId;
}

/** Whether the calling thread may sleep and is not the main thread. */
function isWorker(): boolean {
  return mayWait() && workerThreads()?.isMainThread !== true;
}

/** The state of a slot that the calling thread uses. */
function liveWord(thread: number | undefined): number {
  return SLOT_LIVE | (((thread ?? -1) + 1) << SLOT_WHO);
}

/** Whether this thread may sleep on a word: all but the main threads of pages may. */
export function mayWait(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0);
    return true;
  } catch {
    return false;
  }
}

const stateIndex = (cpu: number) => (slotAddress(cpu) + SLOT_STATE) >>> 2;

/** Says that the memory is set up. */
export function markMemory(words: Int32Array): void {
  words[HOST_VERSION >>> 2] = LAYOUT_VERSION;
  MARK_WORDS.forEach((word, i) => {
    Atomics.store(words, (HOST_MARK >>> 2) + i, word);
  });
}

/** Throws for a memory that is no host's, or one of another version of this package. */
export function checkMemory(words: Int32Array): void {
  const isMarked = MARK_WORDS.every((word, i) => words[(HOST_MARK >>> 2) + i] === word);
  const cpus = words[HOST_CPUS >>> 2];
  if (words.byteLength < PAGE_BYTES || !isMarked || !(cpus >= 1 && cpus <= MOST_CPUS)) {
    throw new TypeError("attachHost: the memory is not that of a shared host; pass what share() of one gave");
  }
  const version = words[HOST_VERSION >>> 2];
  if (version === LAYOUT_VERSION) return;
  const cause = `has a memory of layout ${version}, and this version of bpfmap knows layout ${LAYOUT_VERSION}`;
  throw bpfError(
    ERRNO.EINVAL,
    "attachHost",
    "the host",
    cause,
    "use the same version of bpfmap in all threads",
  );
}

/** Takes a free slot for the calling thread. Throws when there is none. */
export function takeSlot(words: Int32Array): number {
  const cpus = words[HOST_CPUS >>> 2];
  // In one step, so that who looks for the slots of a terminated thread finds all of them.
  const live = liveWord(threadId());
  const deadline = performance.now() + words[HOST_TIMEOUT >>> 2];
  do {
    let clearing = 0;
    for (let cpu = 0; cpu < cpus; cpu++) {
      const state = Atomics.compareExchange(words, stateIndex(cpu), SLOT_FREE, live);
      if (state === SLOT_FREE) return cpu;
      if ((state & SLOT_KIND) !== SLOT_LIVE) clearing = cpu + 1;
    }
    // Slots of dead threads are about to be free: a pool is terminated and the next one started. The main thread, which may be the one
    // that frees them, does not wait.
    if (clearing === 0 || !isWorker()) break;
    Atomics.wait(words, stateIndex(clearing - 1), Atomics.load(words, stateIndex(clearing - 1)), RETRY_MS);
  } while (performance.now() < deadline);
  throw noFreeSlotError(cpus);
}

/** Gives back a slot that was taken and not used yet. */
export function returnSlot(words: Int32Array, cpu: number): void {
  words[(slotAddress(cpu) + SLOT_LOG_ROOM) >>> 2] = 0;
  words[(slotAddress(cpu) + SLOT_SYSTEM_THREAD) >>> 2] = 0;
  Atomics.store(words, stateIndex(cpu), SLOT_FREE);
}

/** The id of the thread that uses a slot; undefined in browsers, and for a slot that nobody uses. */
export function slotThread(words: Int32Array, cpu: number): number | undefined {
  const state = Atomics.load(words, stateIndex(cpu));
  return (state & SLOT_KIND) === SLOT_LIVE && state !== SLOT_LIVE ? (state >>> SLOT_WHO) - 1 : undefined;
}

/** What the system calls that thread (deaths.ts); 0 for unknown. */
export function systemThreadOf(words: Int32Array, cpu: number): number {
  return Atomics.load(words, (slotAddress(cpu) + SLOT_SYSTEM_THREAD) >>> 2);
}

/** Declares a thread dead in all of its slots but `own`. */
export function declareDead(words: Int32Array, thread: number, own: number): void {
  const cpus = words[HOST_CPUS >>> 2];
  const live = liveWord(thread);
  for (let cpu = 0; cpu < cpus; cpu++) {
    if (cpu !== own) Atomics.compareExchange(words, stateIndex(cpu), live, SLOT_DEAD);
  }
}

/** Which CPU the last call of a slot's thread has waited for in vain. */
export function blockedBy(words: Uint32Array, slot: number): number {
  return words[(slot + SLOT_BLOCKED_BY) >>> 2] - 1;
}

function stateOf(word: number): SlotState {
  switch (word & SLOT_KIND) {
    case SLOT_FREE:
      return "free";
    case SLOT_LIVE:
      return "live";
    case SLOT_DEAD:
      return "dead";
    case SLOT_RECOVERED:
      return "recovered";
    default:
      return "recovering";
  }
}

/** @param own the CPU of the one who asks */
export function readSlots(words: Int32Array, own: number): CpuSlot[] {
  return Array.from({ length: words[HOST_CPUS >>> 2] }, (_, cpu) => {
    const state = stateOf(Atomics.load(words, stateIndex(cpu)));
    return { cpu, state, thread: slotThread(words, cpu), self: cpu === own };
  });
}
