// Writing one's own slot of a per-CPU value without a lock. Nobody else writes the slot, but somebody may delete the entry: a
// drain would then copy the value out before or after the write, and count it or lose it by chance. So the writer announces the
// bucket whose entry it is about to write (a hazard pointer: Michael 2004), and whoever locks a bucket of a per-CPU map waits for
// the announcements of it to go. Announcing is a read-modify-write, and so is locking: either the writer sees the lock, or the
// one who locks sees the announcement.
import { ETIMEDOUT } from "../errno";
import { HOST_CPUS, HOST_TIMEOUT } from "../regions";
import { failWith } from "./journal";
import { relieve } from "./recover";
import { BLOCKED_BY, FENCE, HAZARD, MAY_WAIT, SLOT, SLOT_FLAGS, mine, now, ownCpu, setMine, slotOf } from "./slot";
import { STEPPING, STEP_BLOCKED, STEP_HAZARD, step } from "./step";

const SPINS: u32 = 1000;
const NAP: i64 = 50_000; // ns

/** Announces that this thread is about to write into a bucket. It must check behind it that the bucket's lock is free. */
@inline export function announce(lock: usize): void {
  atomic.xchg<u32>(SLOT + HAZARD, <u32>lock);
  if (STEPPING) step(STEP_HAZARD);
}

/** The write is done. */
@inline export function retract(): void {
  atomic.store<u32>(SLOT + HAZARD, 0);
}

/** Whether nobody was about to write into a bucket that this thread has locked. */
export function isUnannounced(lock: usize): bool {
  const cpus = load<u32>(HOST_CPUS);
  for (let cpu: u32 = 0; cpu < cpus; cpu++) if (atomic.load<u32>(slotOf(cpu), HAZARD) == <u32>lock) return false;
  return true;
}

/** Waits for those who were about to write into a bucket that this thread has locked. False when it gave up. */
export function awaitHazards(lock: usize): bool {
  const cpus = load<u32>(HOST_CPUS);
  const own = ownCpu();
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    if (cpu == own) continue;
    const slot = slotOf(cpu);
    let deadline: f64 = 0;
    let spins: u32 = 0;
    while (atomic.load<u32>(slot, HAZARD) == <u32>lock) {
      if (++spins < SPINS) continue;
      spins = 0;
      if (relieve(cpu)) continue;
      const time = now();
      if (!deadline) deadline = time + <f64>load<u32>(HOST_TIMEOUT);
      else if (time > deadline) {
        setMine(BLOCKED_BY, cpu + 1);
        failWith(ETIMEDOUT);
        return false;
      }
      if (STEPPING) step(STEP_BLOCKED);
      else if (mine(SLOT_FLAGS) & MAY_WAIT) atomic.wait<i32>(SLOT + FENCE, 0, NAP);
    }
  }
  return true;
}
