// Dead threads. A slot whose thread is gone is declared dead: by `reap`, or by whoever waits for it and has a proof (`isGone`). From then
// on whoever meets one of its locks, or clears up, recovers it: takes back or finishes what its journal says, and releases its locks.
// That takes nothing but stores, so that a thread may do it in the middle of an operation of its own. What the slot owned (blocks,
// references to maps) is released later (host/reap.ts). Why all of this ends: docs/concurrency.md, "Threads that end".
//
// The state of a slot names who is recovering it: when that thread dies, too, the slot goes back to DEAD, and somebody else does
// it again from the start, which is harmless (sync/undo.ts). Who waits for a slot follows that name.
import { HOST_CPUS } from "../regions";
import { isHeldBy, releaseOf, unlock } from "./lock_word";
import { closeSectionOf } from "./section";
import {
  DEAD, DEPTH, HAZARD, IN_HASTE, KIND, LIVE, RECOVERED, RECOVERED_BY, SEQUENCE, SLOT_FLAGS, VALUE_LOCK, VALUE_LOCKS, WHO, isGone, mine,
  ownCpu, slotOf,
} from "./slot";
import { undo } from "./undo";

@inline export function recoveredBy(cpu: u32): u32 {
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
