// Counters of the work that the core does, for bench/counters. The constant COUNTED exists in the target "counted" of
// asconfig.json only: every other build is byte for byte what it would be without these calls.
// They start at 0 with a fresh memory, and JavaScript reads them there.
//
//   u64 each, from COUNTERS on (regions.ts):
//    0 probes           blocks compared against a key
//    8 overflow visits  blocks behind the first of a bucket that a search for a key or a walk over a bucket goes to
//   16 tag false hits   keys compared in vain because the tag was that of another key
//   24 bytes copied     keys and values in and out, moved entries, words staged for a batch
import { COUNTERS } from "./regions";

/** Whether this build counts. Calls stand behind `if (COUNTING)`: inlining an empty function would change the code around it. */
export const COUNTING: bool = isDefined(COUNTED);

export const PROBES: usize = COUNTERS;
export const OVERFLOW_VISITS: usize = COUNTERS + 8;
export const TAG_FALSE_HITS: usize = COUNTERS + 16;
export const BYTES_COPIED: usize = COUNTERS + 24;

@inline function add(counter: usize, amount: u32): void {
  store<u64>(counter, load<u64>(counter) + amount);
}

/** A block is compared against a key. */
@inline export function countProbe(first: bool): void {
  add(PROBES, 1);
  countVisit(first);
}

/** A block of a bucket is looked at. */
@inline export function countVisit(first: bool): void {
  if (!first) add(OVERFLOW_VISITS, 1);
}

@inline export function countTagFalseHit(): void {
  add(TAG_FALSE_HITS, 1);
}

@inline export function countCopied(bytes: u32): void {
  add(BYTES_COPIED, bytes);
}
