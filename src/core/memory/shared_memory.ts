/**
 * What stands at fixed addresses of a shared memory, and the taking of a CPU slot in it. The other side of it is
 * assembly/regions.ts and assembly/sync/slot.ts.
 *
 * @module
 */
import { builtinModule } from "../../builtin_module.ts";
import { bpfError, ERRNO, noFreeSlotError } from "../../errors.ts";
import { PAGE_BYTES } from "./views.ts";

/** Words of the host. */
export const HOST_CPUS = 416;
export const HOST_TIMEOUT = 420;
export const HOST_SEED = 424;
/** 1 when the host was given its seed; otherwise the secrets of its hashes are drawn. */
export const HOST_IS_SEEDED = 432;
/** Word of the registry with the first table that waits for sections to end (assembly/host/registry.ts). */
export const DYING_TABLES = 528;

const SLOTS = 16384;
const SLOT_BYTES = 512;

/** Words of a slot. */
const STATE = 0;
const SYSTEM_THREAD = 8;
export const SLOT_SEQUENCE = 12;
export const COPY_BUFFER = 28;
const BLOCKED_BY = 60;
export const SLOT_ERRNO = 136;

/** States: which in the low bits, above them of a live slot the id of its thread plus one, or 0. */
const FREE = 0;
const LIVE = 1;
const DEAD = 2;
const RECOVERED = 4;
const KIND = 7;
const WHO = 3;

/** Two words that say that a memory is a host's whose first thread has set it up, and what stands where in it. */
const MARK = 592;
const MARK_WORDS = [0x4d465042, 0x54534f48]; // "BPFMHOST"
const VERSION = 600;
/** To be raised with every change of what threads find in the memory. */
const LAYOUT_VERSION = 2;

/** How often a thread that attaches looks again for a slot, while some are being freed. */
const RETRY_MS = 1;

/** CPU slots that a memory has room for. */
export const MOST_CPUS = 64;

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
  return LIVE | (((thread ?? -1) + 1) << WHO);
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

const stateIndex = (cpu: number) => (slotAddress(cpu) + STATE) >>> 2;

/** Says that the memory is set up. */
export function markMemory(words: Int32Array): void {
  words[VERSION >>> 2] = LAYOUT_VERSION;
  MARK_WORDS.forEach((word, i) => {
    Atomics.store(words, (MARK >>> 2) + i, word);
  });
}

/** Throws for a memory that is no host's, or one of another version of this package. */
export function checkMemory(words: Int32Array): void {
  const isMarked = MARK_WORDS.every((word, i) => words[(MARK >>> 2) + i] === word);
  const cpus = words[HOST_CPUS >>> 2];
  if (words.byteLength < PAGE_BYTES || !isMarked || !(cpus >= 1 && cpus <= MOST_CPUS)) {
    throw new TypeError("attachHost: the memory is not that of a shared host; pass what share() of one gave");
  }
  const version = words[VERSION >>> 2];
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
      const state = Atomics.compareExchange(words, stateIndex(cpu), FREE, live);
      if (state === FREE) return cpu;
      if ((state & KIND) !== LIVE) clearing = cpu + 1;
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
  words[(slotAddress(cpu) + SYSTEM_THREAD) >>> 2] = 0;
  Atomics.store(words, stateIndex(cpu), FREE);
}

/** The id of the thread that uses a slot; undefined in browsers, and for a slot that nobody uses. */
export function slotThread(words: Int32Array, cpu: number): number | undefined {
  const state = Atomics.load(words, stateIndex(cpu));
  return (state & KIND) === LIVE && state !== LIVE ? (state >>> WHO) - 1 : undefined;
}

/** What the system calls that thread (deaths.ts); 0 for unknown. */
export function systemThreadOf(words: Int32Array, cpu: number): number {
  return Atomics.load(words, (slotAddress(cpu) + SYSTEM_THREAD) >>> 2);
}

/** Declares a thread dead in all of its slots but `own`. */
export function declareDead(words: Int32Array, thread: number, own: number): void {
  const cpus = words[HOST_CPUS >>> 2];
  const live = liveWord(thread);
  for (let cpu = 0; cpu < cpus; cpu++) {
    if (cpu !== own) Atomics.compareExchange(words, stateIndex(cpu), live, DEAD);
  }
}

/** Which CPU the last call of a slot's thread has waited for in vain. */
export function blockedBy(words: Uint32Array, slot: number): number {
  return words[(slot + BLOCKED_BY) >>> 2] - 1;
}

function stateOf(word: number): SlotState {
  switch (word & KIND) {
    case FREE:
      return "free";
    case LIVE:
      return "live";
    case DEAD:
      return "dead";
    case RECOVERED:
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
