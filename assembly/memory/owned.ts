// Blocks that belong to a slot: the buffers of a thread's JavaScript side. They go with the slot, also when its thread was killed.
//
//   block: 0 u32 next of the slot | 4 u32 previous, or 0 | 8 u32 bytes, with these | 12 u32 whether it is a journal | 64 what the caller sees
import { HOST_CPUS } from "../regions";
import { beginWrite, commit, rollback, write32 } from "../sync/journal";
import { LOG, LOG_BYTES, LOG_ROOM, OWNED, SLOT, mine, setMine, slotOf } from "../sync/slot";
import { allocate, allocationSize, release } from "./arena";

export const HEAD: u32 = 64;
export const PREVIOUS: usize = 4;
export const BYTES: usize = 8;
export const IS_JOURNAL: usize = 12;

/** A block of the calling thread, aligned to 64; 0 when there is none. */
export function allocateOwned(bytes: u32, isJournal: u32 = 0): usize {
  if (!bytes || bytes > 0xffffffff - HEAD) return 0;
  beginWrite();
  const block = allocate(bytes + HEAD);
  if (!block) {
    rollback();
    return 0;
  }
  const next = <usize>mine(OWNED);
  store<u32>(block, <u32>next);
  store<u32>(block, 0, PREVIOUS);
  store<u32>(block, bytes + HEAD, BYTES);
  store<u32>(block, isJournal, IS_JOURNAL);
  if (next) write32(next + PREVIOUS, <u32>block);
  write32(SLOT + OWNED, <u32>block);
  return commit() ? block + HEAD : 0;
}

/** Gives back what `allocateOwned` returned. */
export function releaseOwnedBlock(address: usize): void {
  beginWrite();
  unlinkOwned(SLOT, address - HEAD);
  commit();
}

function unlinkOwned(slot: usize, block: usize): void {
  const next = <usize>load<u32>(block);
  const previous = <usize>load<u32>(block, PREVIOUS);
  if (next) write32(next + PREVIOUS, <u32>previous);
  write32(previous ? previous : slot + OWNED, <u32>next);
  release(block, load<u32>(block, BYTES));
}

/** Gives back all blocks of a slot. False when a lock could not be had. */
export function releaseOwned(slot: usize): bool {
  while (load<u32>(slot, OWNED)) {
    beginWrite();
    unlinkOwned(slot, <usize>load<u32>(slot, OWNED));
    if (!commit()) return false;
  }
  return true;
}

/** Bytes of the larger journals of all slots: they stay until their threads leave, and belong to no map. */
export function journalBytes(): u32 {
  const cpus = load<u32>(HOST_CPUS);
  let bytes: u32 = 0;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) bytes += load<u32>(slotOf(cpu), LOG_BYTES);
  return bytes;
}

/** Makes room in the journal for an operation that has not begun. False without memory. */
export function ensureLog(entries: u32): bool {
  if (entries <= mine(LOG_ROOM)) return true;
  const room = max(entries, mine(LOG_ROOM) << 1);
  const block = allocateOwned(room << 3, 1);
  if (!block) return false;
  setMine(LOG, <u32>block);
  setMine(LOG_ROOM, room);
  setMine(LOG_BYTES, mine(LOG_BYTES) + allocationSize((room << 3) + HEAD));
  return true;
}

/** Entries that an operation needs beside those for a value. */
export const LOG_SPARE: u32 = 1024;
