// Waiting for sections to end: the grace period of RCU (synchronize_rcu in the kernel). Shared build only. Apart from section.ts, since
// who waits for a section may have to recover its thread, and recovering closes sections.
import { EDEADLK, ETIMEDOUT } from "../errno";
import { HOST_CPUS, HOST_TIMEOUT, SECTION_MASK } from "../regions";
import { relieve } from "./recover";
import { bitOf } from "./section";
import {
  BLOCKED_BY, DEPTH, FENCE, IN_GRACE, MAY_WAIT, SECTION_SEQUENCE, SLOT, SLOT_FLAGS, mine, now, ownCpu, setMine, slotOf,
} from "./slot";
import { STEPPING, STEP_BLOCKED, step } from "./step";

/** How long synchronize sleeps between two looks at a section. */
const NAP: i64 = 100_000; // ns

/** Waits for every section that is open now (synchronize_rcu): 0, ETIMEDOUT, or EDEADLK inside one of one's own. */
export function synchronizeSections(): u32 {
  if (mine(DEPTH)) return EDEADLK;
  return waitForSections(atomic.load<u64>(SECTION_MASK));
}

/**
 * The same for a program that stays in a section of its own, so that what it has unlinked stays as it is: waits for the sections of
 * all other threads. EDEADLK inside a further one, whose caller may hold addresses, too.
 *
 * Two programs may do so at once. Neither waits for the other: who waits here follows no address that it got before
 * (src/runs/process.ts looks whether an entry is still there before it shows it).
 */
export function synchronizeOthers(): u32 {
  if (mine(DEPTH) != 1) return EDEADLK;
  atomic.store<u32>(SLOT + IN_GRACE, 1);
  const errno = waitForSections(atomic.load<u64>(SECTION_MASK) & ~bitOf(ownCpu()));
  atomic.store<u32>(SLOT + IN_GRACE, 0);
  return errno;
}

@inline function isOpen(slot: usize, cpu: u32, sequence: u32): bool {
  if (!(atomic.load<u64>(SECTION_MASK) & bitOf(cpu)) || atomic.load<u32>(slot, SECTION_SEQUENCE) != sequence) return false;
  return !atomic.load<u32>(slot, IN_GRACE);
}

/** Waits until each of these slots has ended the section it is in: 0 or ETIMEDOUT. */
function waitForSections(open: u64): u32 {
  const cpus = load<u32>(HOST_CPUS);
  const deadline = now() + <f64>load<u32>(HOST_TIMEOUT);
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    if (!(open & bitOf(cpu))) continue;
    const slot = slotOf(cpu);
    const sequence = atomic.load<u32>(slot, SECTION_SEQUENCE);
    while (isOpen(slot, cpu, sequence)) {
      if (relieve(cpu)) continue;
      if (now() > deadline) {
        setMine(BLOCKED_BY, cpu + 1);
        return ETIMEDOUT;
      } else if (STEPPING) step(STEP_BLOCKED);
      else if (mine(SLOT_FLAGS) & MAY_WAIT) atomic.wait<i32>(SLOT + FENCE, 0, NAP);
    }
  }
  return 0;
}
