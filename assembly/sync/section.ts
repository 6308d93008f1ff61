// Sections: the read side of RCU for one host. While at least one section is open, no entry moves and nothing that an
// address may point at is used again (Linux Documentation/RCU/whatisRCU.rst: a reader's references stay valid until it leaves).
// Layouts keep that promise by postponing splits and merges and by leaving deleted slots and elements unused until then.
//
// In the shared build a slot in a section has its bit in SECTION_MASK. Setting it is a read-modify-write, and so is taking a
// lock: a writer that has locked a bucket and then reads the mask either sees the bit, or the section was opened behind its back
// and its lookups wait for that lock (Dekker's argument). So what a writer may do to a bucket is decided under the bucket's lock.
import { EDEADLK, ETIMEDOUT } from "../errno";
import { HOST_CPUS, HOST_TIMEOUT, SECTION_DEBT, SECTION_DEPTH, SECTION_MASK } from "../regions";
import { relieve } from "./recover";
import { SHARED } from "../build";
import { STEPPING, STEP_BLOCKED, step } from "./step";
import {
  BLOCKED_BY, DEPTH, FENCE, IN_GRACE, MAY_WAIT, SECTION_SEQUENCE, SLOT, SLOT_FLAGS, mine, now, ownCpu, setMine, slotOf,
} from "./slot";

/** How long synchronize sleeps between two looks at a section. */
const NAP: i64 = 100_000; // ns
/** How long a thread waits before it opens a section while chains are long. */
const DEBT_NAP: i64 = 300_000; // ns

@inline export function inSection(): bool {
  if (SHARED) return atomic.load<u64>(SECTION_MASK) != 0;
  return load<u32>(SECTION_DEPTH) != 0;
}

@inline function bitOf(cpu: u32): u64 {
  return (<u64>1) << <u64>cpu;
}

export function enterSection(): void {
  if (SHARED) {
    const depth = mine(DEPTH);
    setMine(DEPTH, depth + 1);
    if (depth) return;
    if (load<u32>(SECTION_DEBT)) napBeforeSection();
    setMine(SECTION_SEQUENCE, mine(SECTION_SEQUENCE) + 1);
    atomic.or<u64>(SECTION_MASK, bitOf(ownCpu()));
    return;
  }
  store<u32>(SECTION_DEPTH, load<u32>(SECTION_DEPTH) + 1);
}

export function leaveSection(): void {
  if (SHARED) {
    const depth = mine(DEPTH);
    if (!depth) return;
    setMine(DEPTH, depth - 1);
    if (depth == 1) closeSectionOf(ownCpu());
    return;
  }
  const depth = load<u32>(SECTION_DEPTH);
  if (depth) store<u32>(SECTION_DEPTH, depth - 1);
}

/**
 * Sections of several threads that always overlap would keep every deleted slot from being used again, and chains growing. So who
 * sees a chain that has become long asks the next threads that want to open one for a short nap.
 */
export function holdSectionsBack(): void {
  atomic.store<u32>(SECTION_DEBT, 1);
}

function napBeforeSection(): void {
  if (mine(SLOT_FLAGS) & MAY_WAIT) atomic.wait<i32>(SLOT + FENCE, 0, DEBT_NAP);
  atomic.store<u32>(SECTION_DEBT, 0);
}

/** Takes a slot out of the set, whether it is in there or not. */
export function closeSectionOf(cpu: u32): void {
  atomic.and<u64>(SECTION_MASK, ~bitOf(cpu));
}

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
 * (src/programs/process.ts looks whether an entry is still there before it shows it).
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
