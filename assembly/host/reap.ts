// Clearing up behind dead threads. What a dead thread had begun is taken back by stores alone (sync/recover.ts). What its slot owned
// (blocks, references to maps) is released here, with no lock held. That takes locks, but waits for none: what it cannot have at once
// it leaves to the next call.
import { EBUSY, EINVAL, ENOENT } from "../errno";
import { releaseOwned } from "../memory/owned";
import { HOST_CPUS } from "../regions";
import { recoveredBy, relieve } from "../sync/recover";
import {
  DEAD, FREE, IN_HASTE, KIND, LIVE, LOG_BYTES, LOG_ROOM, RECOVERED, SLOT_FLAGS, SYSTEM_THREAD, mine, ownCpu, setMine, slotOf,
} from "../sync/slot";
import { dropReferencesOf } from "./references";
import { isSweepDue, sweepTables } from "./registry";

/** Releases what a recovered slot owned, and frees it. False when a lock could not be had. */
function finish(cpu: u32): bool {
  const slot = slotOf(cpu);
  if (atomic.cmpxchg<u32>(slot, RECOVERED, recoveredBy(ownCpu())) != RECOVERED) return true;
  const all = dropReferencesOf(cpu) && releaseOwned(slot);
  if (all) {
    store<u32>(slot, 0, LOG_BYTES);
    store<u32>(slot, 0, LOG_ROOM);
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
