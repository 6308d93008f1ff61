/**
 * What stands at fixed addresses of a shared memory, and the taking of a CPU slot in it. The other side of it is
 * assembly/memory/regions.ts and assembly/sync/slot.ts.
 *
 * @module
 */
import { noFreeSlotError } from "../errors.ts";

/** Words of the host. */
export const HOST_CPUS = 416;
export const HOST_TIMEOUT = 420;
export const HOST_SEED = 424;
/** 1 when the host was given its seed; otherwise the secrets of its hashes are drawn. */
export const HOST_IS_SEEDED = 432;
/** Word of the registry with the first table that waits for sections to end (assembly/maps/registry.ts). */
export const DYING_TABLES = 528;

const SLOTS = 16384;
const SLOT_BYTES = 512;

/** Words of a slot. */
const STATE = 0;
const THREAD = 8;
export const SLOT_SEQUENCE = 12;
export const COPY_BUFFER = 28;
const BLOCKED_BY = 60;
export const SLOT_ERRNO = 136;

const FREE = 0;
const LIVE = 1;
const DEAD = 2;
const RECOVERED = 4;

/** CPU slots that a memory has room for. */
export const MOST_CPUS = 64;

/** Whether a slot is free, used by a thread, or left behind by one that is gone. */
export type SlotState = "free" | "live" | "dead" | "recovering" | "recovered";

/** One CPU slot in {@link Host.slots}. */
export interface CpuSlot {
  readonly cpu: number;
  /** `dead`: declared so by `reap`; `recovering`, `recovered`: `reap` has not got to its end. */
  readonly state: SlotState;
  /** `threadId` of the `node:worker_threads` worker that uses it; undefined in browsers, and for a free slot. */
  readonly thread: number | undefined;
  /** It is the slot of the host that was asked. */
  readonly self: boolean;
}

export function slotAddress(cpu: number): number {
  return SLOTS + cpu * SLOT_BYTES;
}

interface ThreadProcess {
  readonly process?: { getBuiltinModule?(id: string): { threadId: number } | undefined };
}

/** `threadId` of node:worker_threads; undefined where there are none. */
function threadId(): number | undefined {
  return (globalThis as ThreadProcess).process?.getBuiltinModule?.("node:worker_threads")?.threadId;
}

/** What a slot has for the calling thread: its id plus one, or 0 when it has none. */
export function threadWord(): number {
  return (threadId() ?? -1) + 1;
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

/** Takes a free slot for the calling thread. Throws when there is none. */
export function takeSlot(words: Int32Array): number {
  const cpus = words[HOST_CPUS >>> 2];
  for (let cpu = 0; cpu < cpus; cpu++) {
    const slot = slotAddress(cpu) >>> 2;
    if (Atomics.compareExchange(words, slot + (STATE >>> 2), FREE, LIVE) !== FREE) continue;
    // Before anything that takes long: who looks for the slots of a terminated thread finds them by this.
    words[slot + (THREAD >>> 2)] = threadWord();
    return cpu;
  }
  throw noFreeSlotError(cpus);
}

/** Gives back a slot that was taken and not used yet. */
export function returnSlot(words: Int32Array, cpu: number): void {
  Atomics.store(words, (slotAddress(cpu) + STATE) >>> 2, FREE);
}

/** Which CPU the last call of a slot's thread has waited for in vain. */
export function blockedBy(words: Uint32Array, slot: number): number {
  return words[(slot + BLOCKED_BY) >>> 2] - 1;
}

function stateOf(word: number): SlotState {
  switch (word & 0xff) {
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
    const slot = slotAddress(cpu) >>> 2;
    const state = stateOf(Atomics.load(words, slot + (STATE >>> 2)));
    const thread = words[slot + (THREAD >>> 2)];
    return {
      cpu,
      state,
      thread: state === "free" || thread === 0 ? undefined : thread - 1,
      self: cpu === own,
    };
  });
}
