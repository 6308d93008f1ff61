// Dead threads. A slot whose thread is gone is declared dead (`reap`); from then on whoever meets one of its locks, or the reaper,
// recovers it: takes back or finishes what its journal says, and releases its locks. That takes nothing but stores, so that a
// thread may do it in the middle of an operation of its own. What the slot owned (blocks, references to maps) is then released by
// the reaper, which holds no lock.
//
// The state of a slot names who is recovering it: when that thread dies, too, the slot goes back to DEAD, and somebody else does
// it again from the start, which is harmless (sync/undo.ts).
import { EBUSY, EINVAL, ENOENT, ETIMEDOUT } from "../memory/errno";
import { HOST_CPUS, HOST_LOGS, HOST_TIMEOUT } from "../memory/regions";
import { dropReferencesOf } from "../maps/registry";
import { LOG_ENTRIES } from "./journal";
import { isHeldBy, releaseOf, unlock } from "./lock";
import { releaseOwned } from "./owned";
import { closeSectionOf } from "./section";
import {
  BLOCKED_BY, DEAD, DEPTH, ERRNO, FENCE, FREE, HAZARD, LIVE, LOG, LOG_BYTES, LOG_ROOM, MAY_WAIT, RECOVERED, RECOVERED_BY, SEQUENCE, SLOT,
  SLOT_FLAGS, THREAD, VALUE_LOCK, VALUE_LOCKS, mine, now, ownCpu, setMine, slotOf,
} from "./slot";
import { undo } from "./undo";

const BY: u32 = 8;
/** The words of a slot that a new owner finds at 0. SEQUENCE goes on, so that nobody takes the new owner for the old one. */
const FIRST_WORD: u32 = 16;
const SLOT_BYTES: u32 = 512;
const NAP: i64 = 1_000_000; // ns

@inline function recoveredBy(cpu: u32): u32 {
  return RECOVERED_BY | (cpu << BY);
}

/** Recovers a dead slot, unless somebody else was faster. */
export function recover(cpu: u32): void {
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

/** Releases what a recovered slot owned, and frees it. False when a lock could not be had. */
function finish(cpu: u32): bool {
  const slot = slotOf(cpu);
  if (atomic.cmpxchg<u32>(slot, RECOVERED, recoveredBy(ownCpu())) != RECOVERED) return true;
  const all = dropReferencesOf(cpu) && releaseOwned(slot);
  if (all) store<u32>(slot, 0, LOG_BYTES);
  // What is left is for the next one to try.
  atomic.store<u32>(slot, all ? FREE : RECOVERED);
  return all;
}

/** Declares the thread of a slot dead and clears up behind it: 0, ENOENT for a slot not in use, EINVAL for one's own, ETIMEDOUT. */
export function reap(cpu: u32): u32 {
  if (cpu >= load<u32>(HOST_CPUS)) return ENOENT;
  if (cpu == ownCpu()) return EINVAL;
  const slot = slotOf(cpu);
  if (atomic.load<u32>(slot) == FREE) return ENOENT;
  atomic.cmpxchg<u32>(slot, LIVE, DEAD);
  const deadline = now() + <f64>load<u32>(HOST_TIMEOUT);
  while (true) {
    const state = atomic.load<u32>(slot);
    if (state == FREE) break;
    if (state == DEAD) recover(cpu);
    else if (state == RECOVERED) {
      if (!finish(cpu)) return mine(ERRNO);
    } else if (now() > deadline) {
      setMine(BLOCKED_BY, (state >> BY) + 1);
      return ETIMEDOUT;
    } else if (mine(SLOT_FLAGS) & MAY_WAIT) atomic.wait<i32>(SLOT + FENCE, 0, NAP);
  }
  // It may have died while it was recovering others.
  const cpus = load<u32>(HOST_CPUS);
  for (let other: u32 = 0; other < cpus; other++) {
    if (atomic.load<u32>(slotOf(other)) == DEAD) recover(other);
    if (atomic.load<u32>(slotOf(other)) == RECOVERED) finish(other);
  }
  return 0;
}

/** Sets up the slot that this thread has taken. */
export function attach(mayWait: u32, thread: u32): void {
  for (let word = FIRST_WORD; word < SLOT_BYTES; word += 4) store<u32>(SLOT + word, 0);
  setMine(SLOT_FLAGS, mayWait ? MAY_WAIT : 0);
  setMine(THREAD, thread);
  setMine(LOG, load<u32>(HOST_LOGS) + ((ownCpu() * LOG_ENTRIES) << 3));
  setMine(LOG_ROOM, LOG_ENTRIES);
}

/** Leaves the memory: 0, or EBUSY inside a section. */
export function detach(): u32 {
  if (mine(DEPTH)) return EBUSY;
  if (!dropReferencesOf(ownCpu()) || !releaseOwned(SLOT)) return mine(ERRNO);
  setMine(LOG_BYTES, 0);
  atomic.store<u32>(SLOT, FREE);
  return 0;
}
