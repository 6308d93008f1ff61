// Sections: the read side of RCU for one host. While at least one section is open, no entry moves and nothing that an
// address may point at is used again (Linux Documentation/RCU/whatisRCU.rst: a reader's references stay valid until it leaves).
// Layouts keep that promise by postponing splits and merges and by leaving deleted slots and elements unused until then. Waiting for
// sections to end is in grace.ts.
//
// In the shared build a slot in a section has its bit in SECTION_MASK. Setting it is a read-modify-write, and so is taking a
// lock: a writer that has locked a bucket and then reads the mask either sees the bit, or the section was opened behind its back
// and its lookups wait for that lock (Dekker's argument). So what a writer may do to a bucket is decided under the bucket's lock.
import { SHARED } from "../build";
import { SECTION_DEBT, SECTION_DEPTH, SECTION_MASK } from "../regions";
import { DEPTH, FENCE, MAY_WAIT, SECTION_SEQUENCE, SLOT, SLOT_FLAGS, mine, ownCpu, setMine } from "./slot";

/** How long a thread waits before it opens a section while chains are long. */
const DEBT_NAP: i64 = 300_000; // ns

@inline export function inSection(): bool {
  if (SHARED) return atomic.load<u64>(SECTION_MASK) != 0;
  return load<u32>(SECTION_DEPTH) != 0;
}

@inline export function bitOf(cpu: u32): u64 {
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
