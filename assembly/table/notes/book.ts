// The book of a table that evicts (`lru_hash`) or whose entries expire (`ttl`): what is noted beside the table. Nothing of it is journaled
// but the counts: marks and ghosts are hints, and any value of them is sound.
//
//   header: BOOK u32 address of the book, 0 without one
//   book, 64 bytes, then of a table that evicts a record of 20 bytes for each bucket
//      0 u32 NOW: the clock of the marks, which counts inserts    4 u32 inserts between two ticks, 0 in a small table (marks.ts)
//      8 f64 ms in a unit of expiry      16 f64 ttl of the map in ms, 0 none
//     24 u32 where a value has its expiry, 0 nowhere     28 u32 twice the bytes of a value that users see, and 1 if `get` renews it     (expiry.ts)
//     32 words of who evicts and sweeps, in the shared build a set of them in the line of each CPU (table/limit/credits.ts)
//        0 u32 inserts since the last tick      4 u32 hand: the bucket at which the next eviction looks
//        8 u32 entries evicted     12 u32 buckets looked at for that    16 u32 entries that expired and were swept
//       20 u32 bucket that is swept next        24 u32 bucket of the victim just chosen    28 u32 address of a buffer, 0 none (events.ts)
//   record of a bucket: u8 mark[slots] | ghosts from byte max(slots, 8) to 19    (marks.ts)
//
// An overflow block of a table that evicts ends with the marks of its slots: 8 bytes, or 16 where a block has more slots.
import { SHARED } from "../../build";
import { zeroBytes } from "../../memory/bytes";
import { HOST_CPUS } from "../../regions";
import { ownCpu } from "../../sync/slot";
import { tableAllocate, tableRelease } from "../layout/account";
import { BOOK, BUCKETS, EVICTS, FLAGS, LINES, MAX_ENTRIES, NOTED, OVERFLOW_BYTES, TIMED, field, setField } from "../layout/header";

export const NOW: usize = 0;
export const PER_TICK: usize = 4;
export const UNIT: usize = 8;
export const TTL: usize = 16;
export const EXPIRY_AT: usize = 24;
export const SEEN: usize = 28;
const WORDS: usize = 32;
const LINE_WORDS: usize = 16;

export const SINCE_TICK: usize = 0;
export const HAND: usize = 4;
export const EVICTED: usize = 8;
export const LOOKED: usize = 12;
export const EXPIRED: usize = 16;
export const SWEEP_AT: usize = 20;
export const VICTIM_IN: usize = 24;
export const LISTENER: usize = 28;

const BOOK_BYTES: u32 = 64;
/** Of a bucket: up to 11 marks, and 9 to 12 ghosts. With 6 for 10 slots a load whose ranking drifts had 0.9 points less. */
const RECORD_BYTES: u32 = 20;
/** Of an overflow block: 16 marks, or 8. */
const LONG_BYTES: u32 = 16;
const SHORT_BYTES: u32 = 8;

/** Tables of up to so many entries keep them in the exact order of their use. */
export const MOST_SMALL: u32 = 31;
const TICK_SHIFT: u32 = 3;
const LINE_SHIFT: u32 = 6;

@inline export function isNoted(table: usize): bool {
  return (field(table, FLAGS) & NOTED) != 0;
}

@inline export function evicts(table: usize): bool {
  return (field(table, FLAGS) & EVICTS) != 0;
}

@inline export function isTimed(table: usize): bool {
  return (field(table, FLAGS) & TIMED) != 0;
}

@inline export function bookOf(table: usize): usize {
  return <usize>field(table, BOOK);
}

/** Where the marks of a bucket are. */
@inline export function recordOf(table: usize, bucket: u32): usize {
  return bookOf(table) + BOOK_BYTES + <usize>bucket * RECORD_BYTES;
}

/** Where those of an overflow block are. */
@inline export function recordOfBlock<B>(table: usize, block: usize): usize {
  return block + field(table, OVERFLOW_BYTES) - (changetype<B>(0).holdsValues() ? SHORT_BYTES : LONG_BYTES);
}

/** Where the mark of a slot is. */
@inline export function markOf<B>(table: usize, bucket: u32, block: usize, slot: u32, first: bool): usize {
  return (first ? recordOf(table, bucket) : recordOfBlock<B>(table, block)) + slot;
}

/** The marks of a block, in a vector. */
@inline export function marksOf<B>(table: usize, bucket: u32, block: usize, first: bool): v128 {
  if (first) return v128.load(recordOf(table, bucket));
  const record = recordOfBlock<B>(table, block);
  return changetype<B>(0).holdsValues() ? v128.load64_zero(record) : v128.load(record);
}

@inline function words(table: usize): usize {
  if (SHARED) return <usize>field(table, LINES) + (<usize>ownCpu() << LINE_SHIFT) + LINE_WORDS;
  return bookOf(table) + WORDS;
}

/** The sum of a word over all CPUs. */
export function sumOf(table: usize, offset: usize): u32 {
  if (!SHARED) return word(table, offset);
  const cpus = load<u32>(HOST_CPUS);
  let sum: u32 = 0;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) sum += load<u32>(<usize>field(table, LINES) + (<usize>cpu << LINE_SHIFT) + LINE_WORDS + offset);
  return sum;
}

@inline export function word(table: usize, offset: usize): u32 {
  return load<u32>(words(table) + offset);
}

@inline export function setWord(table: usize, offset: usize, value: u32): void {
  store<u32>(words(table) + offset, value);
}

@inline export function count(table: usize, offset: usize, by: u32): void {
  const at = words(table) + offset;
  store<u32>(at, load<u32>(at) + by);
}

/** Bytes of the book of a table with so many buckets. */
export function bookBytes(table: usize, buckets: u32): u32 {
  return BOOK_BYTES + (evicts(table) ? buckets * RECORD_BYTES : 0);
}

/** Inserts between two ticks of a table with such a limit. */
export function perTickFor(most: u32): u32 {
  return most <= MOST_SMALL ? 0 : most >> TICK_SHIFT;
}

/** Gives a table that has its buckets a book, with nothing noted. False without memory. */
export function openBook(table: usize): bool {
  const bytes = bookBytes(table, field(table, BUCKETS));
  const book = tableAllocate(table, bytes);
  if (!book) return false;
  zeroBytes(book, bytes);
  store<u32>(book, perTickFor(field(table, MAX_ENTRIES)), PER_TICK);
  setField(table, BOOK, <u32>book);
  if (SHARED) spreadHands(table);
  return true;
}

/** Each CPU begins somewhere else, so that what one has swept is not what the next one sweeps. */
function spreadHands(table: usize): void {
  const cpus = load<u32>(HOST_CPUS);
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    const first = <u32>((<u64>field(table, BUCKETS) * cpu) / cpus);
    const line = <usize>field(table, LINES) + (<usize>cpu << LINE_SHIFT) + LINE_WORDS;
    store<u32>(line, first, HAND);
    store<u32>(line, first, SWEEP_AT);
  }
}

export function closeBook(table: usize): void {
  const book = bookOf(table);
  if (!book) return;
  tableRelease(table, book, bookBytes(table, field(table, BUCKETS)));
  setField(table, BOOK, 0);
}

/** Forgets marks and ghosts: no entry is left. */
export function clearBook(table: usize): void {
  if (evicts(table)) zeroBytes(recordOf(table, 0), field(table, BUCKETS) * RECORD_BYTES);
}
