// Threads that come and go: setting up a slot, and leaving it. JavaScript takes the slot (src/core/memory/shared_memory.ts).
import { EBUSY } from "../errno";
import { releaseOwned } from "../memory/owned";
import { HOST_LOGS } from "../regions";
import {
  DEPTH, ERRNO, FREE, LOG, LOG_BYTES, LOG_ENTRIES, LOG_ROOM, MAY_WAIT, SLOT, SLOT_BYTES, SLOT_FLAGS, SYSTEM_THREAD, mine, ownCpu, setMine,
} from "../sync/slot";
import { dropReferencesOf } from "./references";

/** The words of a slot that a new owner finds at 0. SEQUENCE goes on, so that nobody takes the new owner for the old one. */
const FIRST_WORD: u32 = 16;

/** Sets up the slot that this thread has taken. */
export function attach(mayWait: u32, systemThread: u32): void {
  for (let word = FIRST_WORD; word < SLOT_BYTES; word += 4) store<u32>(SLOT + word, 0);
  setMine(SLOT_FLAGS, mayWait ? MAY_WAIT : 0);
  setMine(LOG, load<u32>(HOST_LOGS) + ((ownCpu() * LOG_ENTRIES) << 3));
  setMine(LOG_ROOM, LOG_ENTRIES);
  setMine(SYSTEM_THREAD, systemThread);
}

/** Leaves the memory: 0, or EBUSY inside a section. */
export function detach(): u32 {
  if (mine(DEPTH)) return EBUSY;
  if (!dropReferencesOf(ownCpu()) || !releaseOwned(SLOT)) return mine(ERRNO);
  setMine(LOG_BYTES, 0);
  setMine(LOG_ROOM, 0);
  setMine(SYSTEM_THREAD, 0);
  atomic.store<u32>(SLOT, FREE);
  return 0;
}
