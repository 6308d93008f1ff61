// What a lock word says, and letting go of one: all that recovering a dead thread needs, and a part of taking a lock (lock.ts).
//
//   free:   bit 0 = 0, bits 1..31 version: one more with every time it was held
//   held:   bit 0 = 1, bit 1 somebody waits, bits 2..8 the CPU slot of the owner
//
// The version before stands in the owner's list of locks (slot.ts). Releasing swaps the word, so it learns whether somebody waits in
// the same instruction: no wake-up is lost.
import { HELD, LOCKS } from "./slot";
import { STEPPING, STEP_UNLOCK, step } from "./step";

export const LOCKED: u32 = 1;
export const WAITERS: u32 = 2;
export const OWNER: u32 = 2;
export const OWNER_MASK: u32 = 127;
const NEXT_VERSION: u32 = 2;

@inline export function heldWord(cpu: u32): u32 {
  return LOCKED | (cpu << OWNER);
}

@inline export function ownerOf(word: u32): u32 {
  return (word >> OWNER) & OWNER_MASK;
}

/** Whether a word says that a slot holds it. */
@inline export function isHeldBy(word: u32, cpu: u32): bool {
  return (word & ~WAITERS) == heldWord(cpu);
}

@inline export function unlock(word: usize, version: u32): void {
  if (STEPPING) step(STEP_UNLOCK);
  if (atomic.xchg<u32>(word, version + NEXT_VERSION) & WAITERS) atomic.notify(word, -1);
}

/** Releases the locks of a dead slot whose journal has been dealt with. */
export function releaseOf(slot: usize, cpu: u32): void {
  const held = load<u32>(slot, HELD);
  for (let i: u32 = 0; i < held; i++) {
    const entry = slot + LOCKS + (<usize>i << 3);
    const word = <usize>load<u32>(entry);
    if (isHeldBy(atomic.load<u32>(word), cpu)) unlock(word, load<u32>(entry, 4));
  }
  store<u32>(slot, 0, HELD);
}
