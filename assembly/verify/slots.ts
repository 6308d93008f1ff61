// Checks what belongs to no table in the shared build: that no CPU slot is in the middle of anything, and that its words fit each other.
// While no thread is in a call, that is: a slot that died has been recovered before.
import { MOST, allocationSize, logsStart } from "../memory/arena";
import { BYTES, HEAD, IS_JOURNAL, PREVIOUS } from "../memory/owned";
import { ARENA_LOCK, HOST_CPUS, HOST_LOGS, MOST_CPUS, REGISTRY, SECTION_MASK } from "../regions";
import { LOCKED, isHeldBy } from "../sync/lock_word";
import { bitOf } from "../sync/section";
import {
  AHEAD, DEAD, DEPTH, FENCE, FREE, HAZARD, HELD, IN_GRACE, IN_HASTE, KIND, LIVE, LOG, LOG_BYTES, LOG_COUNT, LOG_ENTRIES, LOG_ROOM, MAY_WAIT,
  MOST_VALUE_LOCKS, OWNED, PUBLISH_AT, RECOVERED, RECOVERED_BY, SEQUENCE, SLOT_FLAGS, VALUE_LOCK, VALUE_LOCKS, WHO, ZERO, slotOf,
} from "../sync/slot";
import { inHeap, isInUse } from "./arena";
import { verifyBelongings } from "./belongings";
import {
  CPU_COUNT, IDLE_SLOTS, JOURNALS, OPEN_SECTIONS, OWNED_BLOCKS, SLOT_STATES, SPIN_LOCKS, UNLOCKED, broken,
} from "./invariants";

/** What the blocks of a slot add up to when the list leaves the memory in use. */
const ASTRAY: u32 = 0xffffffff;

/** Whether a lock word says that somebody holds it. */
export function verifyLock(word: usize, out: usize): u32 {
  return load<u32>(word) & LOCKED ? broken(out, UNLOCKED, <u32>word, load<u32>(word), 0, 0) : 0;
}

export function verifySlots(out: usize): u32 {
  const cpus = load<u32>(HOST_CPUS);
  const problem = verifyLock(ARENA_LOCK, out) || verifyLock(REGISTRY, out) || verifySections(out);
  if (problem) return problem;
  let owned: u32 = 0;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    const slot = slotOf(cpu);
    const problem = verifyIdle(cpu, slot, out) || verifyOwned(cpu, slot, out) || verifyState(cpu, slot, out) || verifySpinLocks(cpu, slot, out);
    if (problem) return problem;
    owned += ownedBytes(slot);
  }
  return verifyBelongings(owned, out);
}

/** The number of slots and where their journals are. Where the heap starts follows from both. */
export function verifyCpus(out: usize): u32 {
  const cpus = load<u32>(HOST_CPUS);
  const logs = load<u32>(HOST_LOGS);
  const expected = logsStart(load<u32>(MOST));
  return !cpus || cpus > MOST_CPUS || logs != expected ? broken(out, CPU_COUNT, cpus, MOST_CPUS, logs, expected) : 0;
}

/** Checks a word of a slot that no bits but `bits` may be set in. */
@inline function verifyWord(cpu: u32, slot: usize, offset: usize, bits: u32, out: usize): u32 {
  const word = load<u32>(slot + offset);
  return word & ~bits ? broken(out, IDLE_SLOTS, cpu, <u32>offset, word, bits) : 0;
}

function verifyIdle(cpu: u32, slot: usize, out: usize): u32 {
  return (
    verifyWord(cpu, slot, LOG_COUNT, 0, out) ||
    verifyWord(cpu, slot, HELD, 0, out) ||
    verifyWord(cpu, slot, PUBLISH_AT, 0, out) ||
    verifyWord(cpu, slot, HAZARD, 0, out) ||
    verifyWord(cpu, slot, FENCE, 0, out) ||
    verifyWord(cpu, slot, ZERO, 0, out) ||
    verifyWord(cpu, slot, SEQUENCE, ~(<u32>1), out) ||
    ((atomic.load<u32>(slot) & KIND) == LIVE ? verifyLive(cpu, slot, out) : 0)
  );
}

/** The words that nobody clears behind a thread that is gone: who takes the slot next does. */
function verifyLive(cpu: u32, slot: usize, out: usize): u32 {
  return verifyWord(cpu, slot, IN_GRACE, 0, out) || verifyWord(cpu, slot, AHEAD, 0, out) || verifyWord(cpu, slot, SLOT_FLAGS, MAY_WAIT, out);
}

/** Whether a word is one of the states that a slot can have. */
function isState(state: u32): bool {
  const kind = state & KIND;
  if (kind == RECOVERED_BY) return state >> WHO < load<u32>(HOST_CPUS);
  return kind == LIVE || state == FREE || state == DEAD || state == RECOVERED;
}

/** Checks the state of a slot, and that it has a journal exactly when somebody uses it. */
function verifyState(cpu: u32, slot: usize, out: usize): u32 {
  const state = atomic.load<u32>(slot);
  const room = load<u32>(slot, LOG_ROOM);
  if (!isState(state) || (state == FREE) != !room) return broken(out, SLOT_STATES, cpu, state, room, 0);
  if (!room) return 0;
  const log = <usize>load<u32>(slot, LOG);
  const isFirst = log == <usize>load<u32>(HOST_LOGS) + ((cpu * LOG_ENTRIES) << 3) && room == LOG_ENTRIES;
  return isFirst || isJournalOf(slot, log, room) ? 0 : broken(out, JOURNALS, cpu, <u32>log, room, 0);
}

/** Times that a bit of the set is looked at: a thread may be about to enter or to leave its section. */
const LOOKS: u32 = 10_000;

/** Checks that whoever is in the set of open sections is in one, and the other way round. */
function verifySections(out: usize): u32 {
  for (let cpu: u32 = 0; cpu < MOST_CPUS; cpu++) {
    const depth = slotOf(cpu) + DEPTH;
    const cpus = load<u32>(HOST_CPUS);
    let looks = LOOKS;
    while (((atomic.load<u64>(SECTION_MASK) & bitOf(cpu)) != 0) != (cpu < cpus && atomic.load<u32>(depth) != 0)) {
      if (!looks--) {
        const set = atomic.load<u64>(SECTION_MASK);
        return broken(out, OPEN_SECTIONS, cpu, <u32>(set >> 32), <u32>set, cpu < cpus ? atomic.load<u32>(depth) : 0);
      }
    }
  }
  return 0;
}

/** Checks that a slot has the spin locks of values that it notes. */
function verifySpinLocks(cpu: u32, slot: usize, out: usize): u32 {
  const count = load<u32>(slot, VALUE_LOCKS);
  if (count > MOST_VALUE_LOCKS) return broken(out, SPIN_LOCKS, cpu, count, 0, 0);
  for (let i: u32 = 0; i < count; i++) {
    const word = <usize>load<u32>(slot + VALUE_LOCK + (<usize>i << 3));
    if (word & 3 || !inHeap(word, 4) || !isHeldBy(atomic.load<u32>(word), cpu)) return broken(out, SPIN_LOCKS, cpu, count, <u32>word, 0);
  }
  return 0;
}

function verifyOwned(cpu: u32, slot: usize, out: usize): u32 {
  if (ownedBytes(slot) == ASTRAY) return broken(out, OWNED_BLOCKS, cpu, load<u32>(slot, OWNED), 0, 0);
  const journals = journalBytesOf(slot);
  const counted = load<u32>(slot, LOG_BYTES);
  return journals == counted ? 0 : broken(out, OWNED_BLOCKS, cpu, 0, journals, counted);
}

/** Bytes of the blocks that a slot owns. */
function ownedBytes(slot: usize): u32 {
  let bytes: u32 = 0;
  let previous: usize = 0;
  let block = <usize>load<u32>(slot, OWNED);
  while (block) {
    // As in a free list of the arena, that each names the one before it rules out a circle.
    if (!isInUse(block, HEAD) || load<u32>(block, PREVIOUS) != <u32>previous) return ASTRAY;
    const size = load<u32>(block, BYTES);
    if (size <= HEAD || load<u32>(block, IS_JOURNAL) > 1 || !isInUse(block, size)) return ASTRAY;
    bytes += allocationSize(size);
    previous = block;
    block = <usize>load<u32>(block);
  }
  return bytes;
}

/** Bytes of the journals among the blocks that a slot owns, which `ownedBytes` has checked. */
function journalBytesOf(slot: usize): u32 {
  let bytes: u32 = 0;
  let block = <usize>load<u32>(slot, OWNED);
  while (block) {
    if (load<u32>(block, IS_JOURNAL)) bytes += allocationSize(load<u32>(block, BYTES));
    block = <usize>load<u32>(block);
  }
  return bytes;
}

/** Whether a journal of so many entries is one of the blocks that a slot owns. */
function isJournalOf(slot: usize, log: usize, room: u32): bool {
  let block = <usize>load<u32>(slot, OWNED);
  while (block) {
    if (block + HEAD == log) return load<u32>(block, IS_JOURNAL) != 0 && load<u32>(block, BYTES) == (room << 3) + HEAD;
    block = <usize>load<u32>(block);
  }
  return false;
}
