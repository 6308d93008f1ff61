// A run of a program over a table: where it is, what it found, and the entries that it has unlinked.
//
// Entries are visited in one of two orders. In memory order (LINEAR), which the prefetcher of a processor follows, when one thread is
// to visit all of them in one section: bucket by bucket, or with entries out of line element by element, in runs of 64; neither moves
// before the section ends. Otherwise in the order of scans (table/scan/scan.ts), by a position that any resize leaves true, and from
// which a later run may go on. What is said of buckets below is also true of runs of elements.
//
//   0 cursor of table/scan/cursor.ts: u32 position | u32 state | u32 sink | 16 plan: 32 times u32 bucket, u32 position behind it
// 272 u32 flags            276 u32 next bucket or element in memory order
// 280 u32 entries visited  284 u32 entries unlinked
// 288 victims, entries unlinked and not freed yet: u32 list of u32 key, u32 value (addresses) | 292 u32 room | 296 u32 count
// 300 u32 block + slot of the entry that stopped the run, or 0     304 u32 buckets of the plan that are done
// 308 u32 outcome of the last call        312 u32 rows or victims that there should be room for
// 316 the shared build: u32 position behind the locked bucket | u32 buckets left for this call | u32 buckets touched ahead
// 328 u32 visited, u32 unlinked, u32 victims before the locked bucket
// 340 rows: u32 address | 344 u32 room | 348 u32 rows of the entries of the last bucket, up to the one that stopped the run
// 352 u32 where a run in memory order ends | 356 u32 keeps early loads alive | 360 32 times u32 bucket, to unlink entries of
//
// The record lies in host memory, not in the table: a filter may start runs of its own.
import { STATE } from "../table/scan/cursor";

export const POSITION: usize = 0;
export { STATE };
export const PLAN: usize = 16;
export const PLANNED: u32 = 8;
export const BEHIND: usize = 4;

export const FLAGS: usize = 272;
export const NEXT: usize = 276;
export const VISITED: usize = 280;
export const UNLINKED: usize = 284;
export const VICTIMS: usize = 288;
export const VICTIM_ROOM: usize = 292;
export const VICTIM_COUNT: usize = 296;
export const STOPPED_AT: usize = 300;
export const BUCKETS_DONE: usize = 304;
export const OUTCOME: usize = 308;
export const NEEDED: usize = 312;
export const LOCKED_BEHIND: usize = 316;
export const LEFT: usize = 320;
export const TOUCHED_AHEAD: usize = 324;
export const BEFORE_VISITED: usize = 328;
export const BEFORE_UNLINKED: usize = 332;
export const BEFORE_VICTIMS: usize = 336;

export const ROWS: usize = 340;
export const ROW_ROOM: usize = 344;
export const STOPPED_ROWS: usize = 348;
export const LIMIT: usize = 352;
export const SINK: usize = 356;
export const STAGE: usize = 360;
export const STAGED: u32 = 32;

/** Bytes of a record. */
export const RUN_BYTES: u32 = 488;
/** Bytes of a row: the addresses of a key and of its value. */
export const ROW_BYTES: u32 = 8;

/** In FLAGS. */
export const LINEAR: u32 = 1;
export const KEEPS_VICTIMS: u32 = 2;
export const RESUMABLE: u32 = 4;

/**
 * In OUTCOME: all was done that was asked for; there is no room for a bucket's rows or victims, NEEDED in all; a compiled program
 * cannot take the next bucket as a whole (the position is inside of it, since a merge has made it wider; or it has more entries than
 * there are rows); a lock could not be had.
 */
export const DONE: u32 = 0;
export const NO_ROOM: u32 = 1;
export const BY_ENTRY: u32 = 2;
export const NO_LOCK: u32 = 3;

@inline export function word(run: usize, offset: usize): u32 {
  return load<u32>(run + offset);
}

@inline export function setWord(run: usize, offset: usize, value: u32): void {
  store<u32>(run + offset, value);
}

/** Writes a row. Where the next one goes. */
@inline export function writeRow(row: usize, key: usize, value: usize): usize {
  store<u32>(row, <u32>key);
  store<u32>(row, <u32>value, 4);
  return row + ROW_BYTES;
}

/** Notes an entry that is about to be unlinked. There is room. */
@inline export function noteVictim(run: usize, key: usize, value: usize): void {
  if (!(word(run, FLAGS) & KEEPS_VICTIMS)) return;
  const count = word(run, VICTIM_COUNT);
  assert(count < word(run, VICTIM_ROOM));
  writeRow(<usize>word(run, VICTIMS) + <usize>count * ROW_BYTES, key, value);
  setWord(run, VICTIM_COUNT, count + 1);
}

/** How many more victims there is room for. */
@inline export function victimRoom(run: usize): u32 {
  return word(run, FLAGS) & KEEPS_VICTIMS ? word(run, VICTIM_ROOM) - word(run, VICTIM_COUNT) : 0xffffffff;
}
