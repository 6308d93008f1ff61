// Checks what belongs to no table in the shared build: that no CPU slot is in the middle of anything, and whose the memory is.
// While no thread is in a call, that is: a slot that died has been recovered before.
import { PINS, PIN_LENGTH, PIN_PATH } from "../host/pins";
import { DYING, NEXT, TABLES } from "../host/registry";
import { allocationSize, bytesInUse } from "../memory/arena";
import { BYTES as OWNED_BYTES, HEAD, IS_JOURNAL, PREVIOUS as OWNED_PREVIOUS } from "../memory/owned";
import { ARENA_LOCK, HOST_CPUS, REGISTRY, SECTION_MASK } from "../regions";
import { LOCKED } from "../sync/lock_word";
import { DEPTH, HAZARD, HELD, LOG_BYTES, LOG_COUNT, ORPHAN, OWNED, PUBLISH_AT, slotOf } from "../sync/slot";
import { BYTES, HEADER_BYTES, field } from "../table/layout/header";
import { isInUse } from "./arena";
import { BELONGINGS, IDLE_SLOTS, OPEN_SECTIONS, OWNED_BLOCKS, UNLOCKED, broken } from "./invariants";

/** What a list adds up to when it leaves the memory in use. */
const ASTRAY: u32 = 0xffffffff;

/** Whether a lock word says that somebody holds it. */
export function verifyLock(word: usize, out: usize): u32 {
  return load<u32>(word) & LOCKED ? broken(out, UNLOCKED, <u32>word, load<u32>(word), 0, 0) : 0;
}

export function verifySlots(out: usize): u32 {
  const problem = verifyLock(ARENA_LOCK, out) || verifyLock(REGISTRY, out) || verifySections(out);
  if (problem) return problem;
  let owned: u32 = 0;
  let orphans: u32 = 0;
  const cpus = load<u32>(HOST_CPUS);
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    const slot = slotOf(cpu);
    const entries = load<u32>(slot, LOG_COUNT);
    if (entries | load<u32>(slot, HELD) | load<u32>(slot, PUBLISH_AT) | load<u32>(slot, HAZARD)) {
      return broken(out, IDLE_SLOTS, cpu, entries, load<u32>(slot, HELD), load<u32>(slot, PUBLISH_AT));
    }
    const bytes = ownedBytes(slot);
    if (bytes == ASTRAY) return broken(out, OWNED_BLOCKS, cpu, load<u32>(slot, OWNED), 0, 0);
    const journals = journalBytesOf(slot);
    if (journals != load<u32>(slot, LOG_BYTES)) return broken(out, OWNED_BLOCKS, cpu, 0, journals, load<u32>(slot, LOG_BYTES));
    owned += bytes;
    const orphan = <usize>load<u32>(slot, ORPHAN);
    if (orphan && isInUse(orphan, HEADER_BYTES)) orphans += field(orphan, BYTES);
  }
  const tables = tableBytes(TABLES) + tableBytes(DYING) + orphans;
  const pins = pinBytes();
  return owned + tables + pins == bytesInUse() ? 0 : broken(out, BELONGINGS, bytesInUse(), tables, owned, pins);
}

/** Times that a bit of the set is looked at: a thread may be about to leave its section. */
const LOOKS: u32 = 10_000;

/** Checks that whoever is in the set of open sections is in one. */
function verifySections(out: usize): u32 {
  const cpus = load<u32>(HOST_CPUS);
  let bits = atomic.load<u64>(SECTION_MASK);
  while (bits) {
    const cpu = <u32>ctz(bits);
    const bit = bits & -bits;
    bits &= bits - 1;
    let looks = LOOKS;
    while (atomic.load<u64>(SECTION_MASK) & bit && (cpu >= cpus || !atomic.load<u32>(slotOf(cpu), DEPTH))) {
      if (!looks--) {
        const set = atomic.load<u64>(SECTION_MASK);
        return broken(out, OPEN_SECTIONS, cpu, <u32>(set >> 32), <u32>set, 0);
      }
    }
  }
  return 0;
}

/** Bytes of the blocks that a slot owns. */
function ownedBytes(slot: usize): u32 {
  let bytes: u32 = 0;
  let previous: usize = 0;
  let block = <usize>load<u32>(slot, OWNED);
  while (block) {
    // As in a free list of the arena, that each names the one before it rules out a circle.
    if (!isInUse(block, HEAD) || load<u32>(block, OWNED_PREVIOUS) != <u32>previous) return ASTRAY;
    if (!isInUse(block, load<u32>(block, OWNED_BYTES))) return ASTRAY;
    bytes += allocationSize(load<u32>(block, OWNED_BYTES));
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
    if (load<u32>(block, IS_JOURNAL)) bytes += allocationSize(load<u32>(block, OWNED_BYTES));
    block = <usize>load<u32>(block);
  }
  return bytes;
}

/** Bytes of the tables of a list; as far as it goes over memory in use. */
function tableBytes(list: usize): u32 {
  const most = bytesInUse() / HEADER_BYTES;
  let bytes: u32 = 0;
  let table = <usize>load<u32>(list);
  for (let tables: u32 = 0; tables <= most && isInUse(table, HEADER_BYTES); tables++) {
    bytes += field(table, BYTES);
    table = <usize>load<u32>(table + NEXT);
  }
  return bytes;
}

function pinBytes(): u32 {
  const most = bytesInUse() / HEAD;
  let bytes: u32 = 0;
  let pin = <usize>load<u32>(PINS);
  for (let pins: u32 = 0; pins <= most && isInUse(pin, HEAD); pins++) {
    bytes += allocationSize(<u32>PIN_PATH + load<u32>(pin, PIN_LENGTH));
    pin = <usize>load<u32>(pin);
  }
  return bytes;
}
