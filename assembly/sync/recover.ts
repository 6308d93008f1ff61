// Dead threads. A slot whose thread is gone is declared dead: by `reap`, or by whoever waits for it and has a proof (`isGone`). From then
// on whoever meets one of its locks, or clears up, recovers it: takes back or finishes what its journal says, and releases its locks.
// That takes nothing but stores, so that a thread may do it in the middle of an operation of its own. What the slot owned (blocks,
// references to maps) is then released by `clearUp`, which holds no lock, and takes locks, but waits for none: what it cannot have at
// once it leaves to the next call. Why all of this ends: docs/concurrency.md, "Threads that end".
//
// The state of a slot names who is recovering it: when that thread dies, too, the slot goes back to DEAD, and somebody else does
// it again from the start, which is harmless (sync/undo.ts). Who waits for a slot follows that name.
import { EBUSY, EINVAL, ENOENT } from "../errno";
import { dropReferencesOf, isSweepDue, sweepTables } from "../maps/registry";
import { HOST_CPUS, HOST_LOGS } from "../regions";
import { LOG_ENTRIES } from "./journal";
import { isHeldBy, releaseOf, unlock } from "./lock_word";
import { releaseOwned } from "./owned";
import { closeSectionOf } from "./section";
import {
  DEAD, DEPTH, ERRNO, FREE, HAZARD, IN_HASTE, KIND, LIVE, LOG, LOG_BYTES, LOG_ROOM, MAY_WAIT, RECOVERED, RECOVERED_BY, SEQUENCE, SLOT,
  SLOT_FLAGS, SYSTEM_THREAD, VALUE_LOCK, VALUE_LOCKS, WHO, isGone, mine, ownCpu, setMine, slotOf,
} from "./slot";
import { undo } from "./undo";

/** The words of a slot that a new owner finds at 0. SEQUENCE goes on, so that nobody takes the new owner for the old one. */
const FIRST_WORD: u32 = 16;
const SLOT_BYTES: u32 = 512;

@inline function recoveredBy(cpu: u32): u32 {
  return RECOVERED_BY | (cpu << WHO);
}

/** Recovers a dead slot, unless somebody else was faster. */
function recover(cpu: u32): void {
  const slot = slotOf(cpu);
  const claim = recoveredBy(ownCpu());
  if (atomic.cmpxchg<u32>(slot, DEAD, claim) != DEAD) return;
  undo(slot);
  releaseOf(slot, cpu);
  const values = load<u32>(slot, VALUE_LOCKS);
  for (let i: u32 = 0; i < values; i++) {
    const entry = slot + VALUE_LOCK + (<usize>i << 3);
    const word = <usize>load<u32>(entry);
    if (isHeldBy(atomic.load<u32>(word), cpu)) unlock(word, load<u32>(entry, 4));
  }
  store<u32>(slot, 0, VALUE_LOCKS);
  atomic.store<u32>(slot, 0, HAZARD);
  store<u32>(slot, 0, DEPTH);
  closeSectionOf(cpu);
  store<u32>(slot, (load<u32>(slot, SEQUENCE) | 1) + 1, SEQUENCE);
  // Those that it was recovering are dead still.
  const cpus = load<u32>(HOST_CPUS);
  for (let other: u32 = 0; other < cpus; other++) atomic.cmpxchg<u32>(slotOf(other), recoveredBy(cpu), DEAD);
  atomic.store<u32>(slot, RECOVERED);
}

/**
 * For whoever waits for a slot to let go of something: recovers it if its thread is gone, or else the one that had begun to recover it,
 * if that is gone, and so on: they claim each other in the order of their deaths, so there is no circle. False when there is nothing to do.
 */
export function relieve(cpu: u32): bool {
  const cpus = load<u32>(HOST_CPUS);
  for (let hops: u32 = 0; hops < cpus && cpu != ownCpu(); hops++) {
    const slot = slotOf(cpu);
    const state = atomic.load<u32>(slot);
    const kind = state & KIND;
    if (kind == RECOVERED_BY) {
      cpu = state >> WHO;
      continue;
    }
    if (kind == LIVE) {
      // Asking may take a while: Node has a mutex there, and its holder may not be running.
      if (mine(SLOT_FLAGS) & IN_HASTE || !isGone(cpu)) return false;
      // The state has the name of the thread that was asked about: nobody who has taken the slot since is declared dead.
      if (atomic.cmpxchg<u32>(slot, state, DEAD) != state) return false;
    } else if (kind != DEAD) return false;
    recover(cpu);
    return true;
  }
  return false;
}

/** Releases what a recovered slot owned, and frees it. False when a lock could not be had. */
function finish(cpu: u32): bool {
  const slot = slotOf(cpu);
  if (atomic.cmpxchg<u32>(slot, RECOVERED, recoveredBy(ownCpu())) != RECOVERED) return true;
  const all = dropReferencesOf(cpu) && releaseOwned(slot);
  if (all) {
    store<u32>(slot, 0, LOG_BYTES);
    store<u32>(slot, 0, SYSTEM_THREAD);
  }
  // What is left is for the next one to try.
  atomic.store<u32>(slot, all ? FREE : RECOVERED);
  return all;
}

/** Clears up behind all threads that were declared dead, and waits for nobody: whether something is left to do. */
export function clearUp(): bool {
  setMine(SLOT_FLAGS, mine(SLOT_FLAGS) | IN_HASTE);
  const cpus = load<u32>(HOST_CPUS);
  let left = false;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    if (cpu == ownCpu()) continue;
    // A slot may go back to DEAD when the one that was recovering it is recovered: so, each of them until there is nothing to do.
    while (relieve(cpu)) {}
    if (!finish(cpu)) left = true;
    const kind = atomic.load<u32>(slotOf(cpu)) & KIND;
    if (kind != FREE && kind != LIVE) left = true;
  }
  if (isSweepDue()) sweepTables();
  setMine(SLOT_FLAGS, mine(SLOT_FLAGS) & ~IN_HASTE);
  return left || isSweepDue();
}

/**
 * Declares the thread of a slot dead and clears up behind it, without waiting: 0 when all is done, EBUSY when something is left for
 * `clearUp`, ENOENT for a slot not in use, EINVAL for one's own.
 */
export function reap(cpu: u32): u32 {
  if (cpu >= load<u32>(HOST_CPUS)) return ENOENT;
  if (cpu == ownCpu()) return EINVAL;
  const slot = slotOf(cpu);
  const state = atomic.load<u32>(slot);
  if (state == FREE) return ENOENT;
  if ((state & KIND) == LIVE) atomic.cmpxchg<u32>(slot, state, DEAD);
  return clearUp() ? EBUSY : 0;
}

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
  setMine(SYSTEM_THREAD, 0);
  atomic.store<u32>(SLOT, FREE);
  return 0;
}
