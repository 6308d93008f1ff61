// CPU slots: what a thread has in the shared memory. Its core instance imports the address of its slot as an immutable global,
// so no call has to say who makes it, and no instance holds state.
//
//   0 u32 state            4 u32 flags: MAY_WAIT, IN_HASTE    8 u32 thread of the system, or 0   12 u32 sequence: odd while it writes
//  16 u32 section depth   20 u32 section sequence          24 u32 hazard            28 u32 copy buffer (table/entries/shared_read.ts)
//  32 u32 journal         36 u32 its room in entries, 0 in a free slot      40 u32 entries in it     44 u32 locks held
//  48 u32 word to publish 52 u32 its value                 56 u32 first owned block 60 u32 who holds the lock given up on, + 1
//  64 locks: u32 address of the word, u32 its version before [8]
// 132 u32 table being made or destroyed (host/registry.ts)
// 136 u32 errno of a call that gave up   140 u32 whether the entry just obtained is new   144 u32 target of fences
// 148 u32 spin locks of values held      152 u32 address, u32 version before [4]
// 184 u32 bytes of larger journals       188 u32 zero, for ever           192 .. 215 words that calls use on their way:
// 192 8 bytes of a value (WORD) | 200 width of the bucket visited | 204 keeps touching loads alive | 208 8 bytes of a sum
// 216 u32 tables that the thread has a low-water hook of    220 u32 table whose mark it may pass, u32 at which limit (table/limit/low_water.ts)
// 228 u32 whether it waits, in a section of its own, for those of others       (sync/grace.ts)
// 232 u32 keys of a batch that it still has to write to                         (table/limit/credits.ts)
//
// Only the owner writes its slot, but for `state`, and until somebody recovers it.
//
// State: bits 0..2 which | bits 3..31 of LIVE the thread id of Node + 1, or 0; of RECOVERED_BY the slot that recovers it. Who takes a
// slot says who it is in the same compare-and-swap, so nobody can die between the two (src/core/memory/shared_memory.ts). The word at 8 is
// the only one that proves a death (src/core/deaths.ts): it is 0 from before the slot is free until its next owner is set up.
import { SLOTS } from "../regions";

/** Address of the calling thread's slot. */
@external("env", "slot") export declare const SLOT: usize;
/** Milliseconds of a clock that never goes back. */
@external("env", "now") export declare function now(): f64;
/** Whether the thread of a slot is known to have ended, however it did. False says nothing. */
@external("env", "isGone") export declare function isGone(cpu: u32): bool;

const SLOT_SHIFT: u32 = 9;
export const SLOT_BYTES: u32 = 1 << SLOT_SHIFT;

export const STATE: usize = 0;
export const SLOT_FLAGS: usize = 4;
export const SYSTEM_THREAD: usize = 8;
export const SEQUENCE: usize = 12;
export const DEPTH: usize = 16;
export const SECTION_SEQUENCE: usize = 20;
export const HAZARD: usize = 24;
export const COPY: usize = 28;
export const LOG: usize = 32;
export const LOG_ROOM: usize = 36;
export const LOG_COUNT: usize = 40;
export const HELD: usize = 44;
export const PUBLISH_AT: usize = 48;
export const PUBLISH_VALUE: usize = 52;
export const OWNED: usize = 56;
export const BLOCKED_BY: usize = 60;
export const LOCKS: usize = 64;
export const ORPHAN: usize = 132;
export const ERRNO: usize = 136;
export const FRESH: usize = 140;
export const FENCE: usize = 144;
export const VALUE_LOCKS: usize = 148;
export const VALUE_LOCK: usize = 152;
export const LOG_BYTES: usize = 184;
export const ZERO: usize = 188;
export const WORD: usize = 192;
export const VISITED: usize = 200;
export const TOUCHED: usize = 204;
export const SUM: usize = 208;
export const HOOKS: usize = 216;
export const PASS: usize = 220;
export const IN_GRACE: usize = 228;
export const AHEAD: usize = 232;
export const MOST_VALUE_LOCKS: u32 = 4;
/** Entries of a journal as a slot has it from the start; memory/owned.ts makes a larger one where an operation needs it. */
export const LOG_ENTRIES: u32 = 4096;

/** States. Outside of the core, attaching takes a slot from FREE to LIVE (src/core/memory/shared_memory.ts). */
export const FREE: u32 = 0;
export const LIVE: u32 = 1;
export const DEAD: u32 = 2; // its thread is gone; whoever comes first recovers it
export const RECOVERED_BY: u32 = 3; // a slot is recovering it
export const RECOVERED: u32 = 4; // its journal is empty and its locks are free; what it owned is not released yet
export const KIND: u32 = 7;
export const WHO: u32 = 3;

/** Flags: the thread may sleep; it is clearing up behind others, and does not wait for a lock. */
export const MAY_WAIT: u32 = 1;
export const IN_HASTE: u32 = 2;

@inline export function mine(offset: usize): u32 {
  return load<u32>(SLOT + offset);
}

@inline export function setMine(offset: usize, value: u32): void {
  store<u32>(SLOT + offset, value);
}

@inline export function slotOf(cpu: u32): usize {
  return SLOTS + (<usize>cpu << SLOT_SHIFT);
}

@inline export function ownCpu(): u32 {
  return <u32>(SLOT - SLOTS) >> SLOT_SHIFT;
}

/**
 * Keeps loads before it from being done after loads behind it, on ARM; x86 does so anyway. An atomic read-modify-write on a word of this thread's own stands
 * in for atomic.fence, which AssemblyScript 0.28.20 cannot emit.
 */
@inline export function fence(): void {
  atomic.add<u32>(SLOT + FENCE, 0);
}
