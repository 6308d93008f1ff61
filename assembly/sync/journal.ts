// The journal of a slot: an undo log, so that a thread may die between any two stores. An operation takes its locks, writes the
// old value of every shared word before the new one, and ends with one store, the commit point, before it lets go of any lock
// (strict two-phase locking with undo logging: Bernstein, Hadzilacos, Goodman 1987, chapter 6). So whoever finds a dead thread's
// locks finds there, too, how to take back what it had begun; nobody else has seen any of it.
//
//   entry: 0 u32 address | 4 u32 the word that was there
//          address | 1 : a word of credits (table/limit/credits.ts), in front of an entry CREDIT | number taken
//   entries in it = COMMITTED: the operation is done but for the word to publish
//
// What makes other threads go to new memory (the number of buckets, the entry of a directory) must not be seen before the commit
// point, or they would stand in memory that an undo takes away. That word is published after it, and recovery does it again.
//
// Words that nobody can reach yet need no journal: new blocks, free slots of a bucket (the word that says which slots are used
// is journaled), entries of a directory for buckets from N on.
import { SHARED } from "../build";
import { releaseFirst, release as releaseLocks, releaseToFirst } from "./lock";
import {
  AHEAD, ERRNO, FRESH, HAZARD, HELD, IN_GRACE, IN_HASTE, LOG, LOG_COUNT, LOG_ENTRIES, LOG_ROOM, PUBLISH_AT, PUBLISH_VALUE, SEQUENCE,
  SLOT, SLOT_FLAGS, mine, setMine,
} from "./slot";
import { STEPPING, STEP_COMMIT, STEP_PUBLISH, STEP_STORE, step } from "./step";
import { COMMITTED, CREDIT, undo } from "./undo";

/** Entries that taking or freeing a block of the arena may need. */
const BLOCK_ENTRIES: u32 = 400;

/** Starts an operation that takes locks. `commit` or `rollback` ends it. */
@inline export function beginWrite(): void {
  setMine(SEQUENCE, mine(SEQUENCE) | 1);
  setMine(ERRNO, 0);
}

function push(address: usize, value: u32): void {
  const count = mine(LOG_COUNT);
  if (count >= mine(LOG_ROOM)) unreachable(); // who began the operation has made room for all of it
  const entry = <usize>mine(LOG) + (<usize>count << 3);
  store<u32>(entry, <u32>address);
  store<u32>(entry, value, 4);
  setMine(LOG_COUNT, count + 1);
}

/** Whether the journal has room for freeing a block, which may join with its buddies all the way up (memory/arena.ts). */
@inline export function hasLogRoom(): bool {
  return mine(LOG_ROOM) - mine(LOG_COUNT) >= BLOCK_ENTRIES;
}

/** Entries that the journal has room for. */
@inline export function logLeft(): u32 {
  return mine(LOG_ROOM) - mine(LOG_COUNT);
}

/** Whether at least half of the journal that every slot has is left: for work that may as well be done later. */
@inline export function hasLogToSpare(): bool {
  return mine(LOG_ROOM) - mine(LOG_COUNT) >= LOG_ENTRIES >> 1;
}

/** Notes the aligned word at an address, which is about to be written. */
@inline export function logWord(at: usize): void {
  push(at, load<u32>(at));
  if (STEPPING) step(STEP_STORE);
}

/** Notes 8 bytes at a multiple of 4. */
@inline export function logLong(at: usize): void {
  const count = mine(LOG_COUNT);
  if (count + 2 > mine(LOG_ROOM)) unreachable();
  const entry = <usize>mine(LOG) + (<usize>count << 3);
  store<u32>(entry, <u32>at);
  store<u32>(entry, load<u32>(at), 4);
  store<u32>(entry, <u32>at + 4, 8);
  store<u32>(entry, load<u32>(at, 4), 12);
  setMine(LOG_COUNT, count + 2);
  if (STEPPING) step(STEP_STORE);
}

/** Notes the aligned words that a range of bytes touches. */
export function logBytes(at: usize, bytes: u32): void {
  const end = at + bytes;
  const first = at & ~3;
  const count = mine(LOG_COUNT);
  const words = <u32>(end + 3 - first) >> 2;
  if (words > mine(LOG_ROOM) - count) unreachable();
  let entry = <usize>mine(LOG) + (<usize>count << 3);
  for (let word = first; word < end; word += 4) {
    store<u32>(entry, <u32>word);
    store<u32>(entry, load<u32>(word), 4);
    entry += 8;
  }
  setMine(LOG_COUNT, count + words); // once: a count that every word waits for costs more than the rest
  if (STEPPING) step(STEP_STORE);
}

/** Notes that credits are about to be taken from a word, or given to it (negative). */
export function logCredit(at: usize, word: u32, taken: i32): void {
  const count = mine(LOG_COUNT);
  if (count + 2 > mine(LOG_ROOM)) unreachable();
  const entry = <usize>mine(LOG) + (<usize>count << 3);
  store<u32>(entry, <u32>at | 1);
  store<u32>(entry, word, 4);
  store<u32>(entry, <u32>CREDIT, 8);
  store<i32>(entry, taken, 12);
  setMine(LOG_COUNT, count + 2);
}

/** Takes the last `logCredit` back. */
export function unlogCredit(): void {
  setMine(LOG_COUNT, mine(LOG_COUNT) - 2);
}

@inline export function write32(at: usize, value: u32): void {
  if (SHARED) logWord(at);
  store<u32>(at, value);
}

@inline export function write16(at: usize, value: u32): void {
  if (SHARED) logWord(at & ~3);
  store<u16>(at, <u16>value);
}

@inline export function write8(at: usize, value: u32): void {
  if (SHARED) logWord(at & ~3);
  store<u8>(at, <u8>value);
}

/** Stores a word after the commit point of this operation; one for each operation. */
export function publish(at: usize, value: u32): void {
  setMine(PUBLISH_VALUE, value);
  setMine(PUBLISH_AT, <u32>at);
}

/** Makes the operation fail at its end: a lock inside it could not be had. */
export function failWith(errno: u32): void {
  setMine(ERRNO, errno);
}

/** Ends an operation: all that it did holds. False when it failed inside, and is undone. */
@inline export function commit(): bool {
  if (mine(ERRNO)) {
    rollback();
    return false;
  }
  if (STEPPING) step(STEP_COMMIT);
  if (mine(PUBLISH_AT)) publishWord();
  setMine(LOG_COUNT, 0);
  if (mine(HELD) == 1) releaseFirst();
  else releaseLocks();
  setMine(SEQUENCE, mine(SEQUENCE) + 1);
  return true;
}

/**
 * The same, and goes on with another operation under the first of its locks. False when it failed: nothing is held then, and no
 * operation is open.
 */
export function commitAndGoOn(): bool {
  if (mine(ERRNO)) {
    rollback();
    return false;
  }
  if (STEPPING) step(STEP_COMMIT);
  if (mine(PUBLISH_AT)) publishWord();
  setMine(LOG_COUNT, 0);
  releaseToFirst();
  setMine(SEQUENCE, mine(SEQUENCE) + 2); // odd, and another: who waits for writers of before waits no longer
  return true;
}

function publishWord(): void {
  setMine(LOG_COUNT, COMMITTED);
  if (STEPPING) step(STEP_PUBLISH);
  atomic.store<u32>(<usize>mine(PUBLISH_AT), mine(PUBLISH_VALUE));
  setMine(PUBLISH_AT, 0);
}

/** Ends an operation: nothing that it did holds. */
export function rollback(): void {
  undo(SLOT);
  releaseLocks();
  setMine(SEQUENCE, mine(SEQUENCE) + 1);
}

/** After a trap in the middle of a call: what it had begun is taken back, and nobody waits for it. */
export function abandon(): void {
  setMine(HAZARD, 0);
  setMine(IN_GRACE, 0);
  setMine(AHEAD, 0);
  setMine(SLOT_FLAGS, mine(SLOT_FLAGS) & ~IN_HASTE);
  if (mine(SEQUENCE) & 1) rollback();
}

/** Says that no new entry was obtained, by a call that obtains none. */
@inline export function notFresh(): void {
  setMine(FRESH, 0);
}

/** Kinds of entries that were obtained as new ones, in FRESH: one that nobody else has seen; one that had expired, of which all is in the journal. */
export const NEW: u32 = 1;
export const REVIVED: u32 = 2;

/** Whether the entry just obtained counts as new. */
@inline export function isFresh(): bool {
  return mine(FRESH) != 0;
}

/** Whether it is one that nobody else has seen. */
@inline export function isNew(): bool {
  return mine(FRESH) == NEW;
}
