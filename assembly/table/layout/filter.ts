// The filter of absent keys (docs/core.md): a word of 32 bits for each bucket of the layout "keys", in an array of its own, so that most
// keys that are not there are answered without the two cache lines of their bucket. Plain build, tables with the flag FILTERED.
//
// Each key of a bucket sets two bits of its word, chosen by the upper ten bits of its hash. A bit that is missing would hide a key: so
// bits are set before an entry is placed, and nothing takes them away but what looks at all keys of the bucket. A bit too many costs a
// look at the bucket. Deletes leave such bits behind; the next insert or merge that finds too many writes the word anew.
//
//   header:    216 u32 directory    224 u32 room of it, in segments
//   directory: u32[ ], entry j = address of segment j minus 4 * its first bucket; segment j has the words of the buckets from j << 14 on
// A segment is 64 KiB, but that of a table of up to 8,192 buckets: that one has room for a power of two of words, from 16 on, and doubles by
// being copied, at most 32 KiB.
import { SHARED } from "../../build";
import { COUNTING, countCopied } from "../../counting";
import { further } from "../../damage";
import { zeroBytes } from "../../memory/bytes";
import { tableAllocate, tableRelease } from "./account";
import { BlockKeys, filterBits } from "./block_keys";
import { bucketAddress, bucketIndex } from "./buckets";
import { BUCKETS, FILTER, FILTERED, FLAGS, field } from "./header";
import { dropDirectory, reserveDirectory } from "./segments";

const SHIFT: u32 = 14;
const WORDS: u32 = 1 << SHIFT;
/** Words of the smallest segment: a granule. */
const FEWEST: u32 = 16;

/** Whether tables of a layout can have a filter: no code for it where they cannot. */
@inline export function mayBeFiltered<B>(): bool {
  return !SHARED && changetype<B>(0).isWord();
}

@inline export function isFiltered<B>(table: usize): bool {
  return mayBeFiltered<B>() && (field(table, FLAGS) & FILTERED) != 0;
}

@inline function wordAt(table: usize, bucket: u32): usize {
  return <usize>load<u32>(<usize>field(table, FILTER) + (<usize>(bucket >> SHIFT) << 2)) + (<usize>bucket << 2);
}

/** False when no key of the bucket has this hash. */
@inline export function mayHold(table: usize, bucket: u32, hash: u32): bool {
  const word = load<u32>(wordAt(table, bucket));
  return ((word >> (hash >> 27)) & (word >> (hash >> 22)) & 1) != 0; // by the lower five bits of a number, in wasm
}

/** The bits of all keys of a bucket. */
function bitsIn(table: usize, bucket: usize): u32 {
  let bits: u32 = 0;
  let left: u32 = 0;
  let block = bucket;
  while (true) {
    const first = block == bucket;
    let rest = changetype<BlockKeys>(block).occupied(table, first);
    while (rest) {
      bits |= filterBits(changetype<BlockKeys>(block).hashAt(table, <u32>ctz(rest), first));
      rest &= rest - 1;
    }
    block = changetype<BlockKeys>(block).link(first);
    if (!block) return bits;
    left = further(left);
  }
}

/** Whether a word has more bits than so many keys are likely to set: then deletes have left some behind. */
@inline function isStale(word: u32, keys: u32): bool {
  return <u32>popcnt(word) > keys + (keys >> 1) + 4;
}

/** `admit` for who knows the bucket and that the key will be in a slot of it, whose set is `used`. False for a stale word: then nothing is done. */
@inline export function admitSimply(table: usize, index: u32, hash: u32, used: u32): bool {
  const at = wordAt(table, index);
  const word = load<u32>(at) | filterBits(hash);
  if (isStale(word, <u32>popcnt(used) + 1)) return false;
  store<u32>(at, word);
  return true;
}

/** Lets a key pass that is about to be inserted. */
export function admit(table: usize, hash: u32): void {
  const index = bucketIndex(table, hash);
  const bucket = bucketAddress<BlockKeys>(table, index);
  if (admitSimply(table, index, hash, changetype<BlockKeys>(bucket).occupied(table, true))) return;
  store<u32>(wordAt(table, index), bitsIn(table, bucket) | filterBits(hash));
}

/**
 * The part of a split that looks at the entries of a bucket: `distribute`, and the words of both. The chain is still there, and
 * splitChain will go over it.
 */
export function divideFiltered(table: usize, low: u32, high: u32, bit: u32): u32 {
  const bucket = changetype<BlockKeys>(bucketAddress<BlockKeys>(table, low));
  const lowWord = wordAt(table, low);
  const highWord = wordAt(table, high);
  const moved = bucket.divide(table, bit, bucketAddress<BlockKeys>(table, high), true, lowWord, highWord);
  let left: u32 = 0;
  let block = bucket.link(true);
  while (block) {
    let rest = changetype<BlockKeys>(block).occupied(table, false);
    while (rest) {
      const hash = changetype<BlockKeys>(block).hashAt(table, <u32>ctz(rest), false);
      const at = hash & bit ? highWord : lowWord;
      store<u32>(at, load<u32>(at) | filterBits(hash));
      rest &= rest - 1;
    }
    block = changetype<BlockKeys>(block).link(false);
    if (block) left = further(left);
  }
  return moved;
}

/** After a merge: the keys of bucket `high` are in bucket `low`. */
export function mergeFilter(table: usize, low: u32, high: u32): void {
  const at = wordAt(table, low);
  const bucket = bucketAddress<BlockKeys>(table, low);
  const word = load<u32>(at) | load<u32>(wordAt(table, high));
  const keys = <u32>popcnt(changetype<BlockKeys>(bucket).occupied(table, true));
  store<u32>(at, isStale(word, keys) ? bitsIn(table, bucket) : word);
}

/** Words that a segment of a table with so many buckets has room for. */
export function filterRoom(segment: u32, buckets: u32): u32 {
  if (segment || buckets > WORDS >> 1) return WORDS;
  return buckets > FEWEST ? 2 << (31 - clz(buckets - 1)) : FEWEST;
}

@inline export function filterSegments(buckets: u32): u32 {
  return ((buckets - 1) >> SHIFT) + 1;
}

@inline function entryAt(table: usize, segment: u32): usize {
  return <usize>field(table, FILTER) + (<usize>segment << 2);
}

export function filterSegment(table: usize, segment: u32): usize {
  return <usize>(load<u32>(entryAt(table, segment)) + (segment << SHIFT << 2));
}

/** Allocates a segment for so many words. */
function addSegment(table: usize, segment: u32, words: u32): bool {
  const address = tableAllocate(table, words << 2);
  if (!address) return false;
  store<u32>(entryAt(table, segment), <u32>address - (segment << SHIFT << 2));
  return true;
}

function dropSegments(table: usize, from: u32, to: u32): void {
  const buckets = field(table, BUCKETS);
  for (let segment = from; segment < to; segment++) {
    const address = filterSegment(table, segment);
    store<u32>(entryAt(table, segment), 0);
    tableRelease(table, address, filterRoom(segment, buckets) << 2);
  }
}

/** Gives a table that has its buckets a filter that lets nothing pass. False without memory: then it has none. */
export function openFilter(table: usize): bool {
  const buckets = field(table, BUCKETS);
  const segments = filterSegments(buckets);
  if (!reserveDirectory(table, table + FILTER, segments)) return false;
  for (let segment: u32 = 0; segment < segments; segment++) {
    if (addSegment(table, segment, filterRoom(segment, buckets))) continue;
    dropSegments(table, 0, segment);
    dropDirectory(table, table + FILTER);
    return false;
  }
  clearFilter(table);
  return true;
}

/** Lets nothing pass. */
export function clearFilter(table: usize): void {
  const buckets = field(table, BUCKETS);
  const segments = filterSegments(buckets);
  for (let segment: u32 = 0; segment < segments; segment++) {
    zeroBytes(filterSegment(table, segment), filterRoom(segment, buckets) << 2);
  }
}

export function closeFilter(table: usize): void {
  if (!field(table, FILTER)) return;
  dropSegments(table, 0, filterSegments(field(table, BUCKETS)));
  dropDirectory(table, table + FILTER);
}

/** Makes room for the word of one bucket more, which is undefined. False without memory: then nothing has changed. */
@inline export function growFilter(table: usize, buckets: u32): bool {
  return buckets & (buckets < WORDS ? buckets - 1 : WORDS - 1) ? true : extend(table, buckets);
}

function extend(table: usize, buckets: u32): bool {
  if (buckets < FEWEST) return true;
  if (buckets >= WORDS) {
    const segment = buckets >> SHIFT;
    return reserveDirectory(table, table + FILTER, segment + 1) && addSegment(table, segment, WORDS);
  }
  const old = filterSegment(table, 0);
  if (!addSegment(table, 0, buckets << 1)) return false;
  if (COUNTING) countCopied(buckets << 2);
  memory.copy(filterSegment(table, 0), old, buckets << 2);
  tableRelease(table, old, buckets << 2);
  return true;
}

/** Frees what a table that now has one bucket less, `buckets`, does not need any more. */
@inline export function shrinkFilter(table: usize, buckets: u32): void {
  if (!(buckets & (buckets < WORDS ? buckets - 1 : WORDS - 1))) cut(table, buckets);
}

function cut(table: usize, buckets: u32): void {
  if (buckets < FEWEST) return;
  if (buckets < WORDS) {
    tableRelease(table, filterSegment(table, 0) + (buckets << 2), buckets << 2);
    return;
  }
  const segment = buckets >> SHIFT;
  const address = filterSegment(table, segment);
  store<u32>(entryAt(table, segment), 0);
  tableRelease(table, address, WORDS << 2);
}

/** Takes the filter back to that of a table with one bucket and no entry. To be called while BUCKETS is what it was. */
export function resetFilter(table: usize): void {
  const buckets = field(table, BUCKETS);
  dropSegments(table, 1, filterSegments(buckets));
  const room = filterRoom(0, buckets);
  const first = filterSegment(table, 0);
  if (room > FEWEST) tableRelease(table, first + (FEWEST << 2), (room - FEWEST) << 2);
  store<u32>(first, 0);
}
