// Splits and merges in the shared build. One at a time in a table (its resize lock, which nobody waits for: who does not get it
// leaves the work to later writes), each an operation of its own that locks the two buckets it is about. N is the word that makes
// other threads go to the new bucket, or no longer to the last one, and it is published last, after the commit point: until then
// nobody has seen any of it, and a thread that dies leaves the table as it was. Where several are due, as behind the keys of a batch, the
// resize lock goes from one operation to the next.
//
// A thread with an old N comes to a bucket that has fewer entries than it thinks, or is gone: the bucket's width tells it.
import { zeroBytes } from "../../memory/bytes";
import { ensureLog, LOG_SPARE } from "../../memory/owned";
import { beginWrite, commit, commitAndGoOn, publish, rollback } from "../../sync/journal";
import { acquire, acquireOnce, tryAcquire } from "../../sync/lock";
import { mine, LOG_ROOM } from "../../sync/slot";
import { bucketAddress, maskOf, setBucketWidth, widthIn } from "../layout/buckets";
import { trimElements } from "../layout/elements";
import { trimPools } from "../layout/texts";
import {
  BUCKETS, BUCKET_BYTES, BUCKET_SEGMENTS, GROW_ABOVE, LIVE_ELEMENTS, OWES, POOL_LOCK, RESIZE_LOCK, RETIRED_SEGMENTS, SHRINK_BELOW, countMerges, countSplits,
  field, isGrowable,
} from "../layout/header";
import { countBlocks, countEntries } from "../layout/overflow";
import { firstOf, growTo, recordsOf, replaceDirectory, segmentAddress, segmentOf } from "../layout/segments";
import { entriesOf, estimatedEntries } from "../limit/credits";
import { isTooMuch, join, makeRoom, splitChain } from "./chains";
import { MOST_MERGES, pinned, setLimitsFor } from "./resize";
import { reclaimSegments, retireSegment } from "./retire";

/** Journal entries that moving an entry may need. */
const MOVE_ENTRIES: u32 = 16;
/** And hanging an overflow block on a bucket. */
const BLOCK_ENTRIES: u32 = 4;
/** Merges of one call on a table without entries, whose buckets are empty. */
const EMPTY_MERGES: u32 = 64;

/** Blocks of a chain whose entries fit into the journal that every slot has: 11 slots each, MOVE_ENTRIES for each of them. */
const SHORT_CHAIN: u32 = 3;

const DONE: u32 = 0;
const AGAIN: u32 = 1;
const LET_GO: u32 = 2;
const STOP: u32 = 3;

@inline function isCrowded(table: usize): bool {
  return estimatedEntries(table) > field(table, GROW_ABOVE);
}

@inline function isSparse(table: usize): bool {
  return estimatedEntries(table) < field(table, SHRINK_BELOW);
}

function stop(): u32 {
  rollback();
  return STOP;
}

/** Splits until the table has room for its entries, `most` times at most, under one resize lock; with no lock held. */
export function growLocked<B>(table: usize, most: u32): void {
  let held = false;
  for (let splits: u32 = 0; splits < most && isCrowded(table); ) {
    if (!held && !beginResize(table)) return;
    const result = splitNext<B>(table);
    if (result == STOP) return;
    if (result == DONE) splits++;
    held = result != LET_GO;
  }
  if (held) rollback(); // nothing was written since
}

/** Begins an operation with the resize lock; false when another thread has it. */
function beginResize(table: usize): bool {
  beginWrite();
  if (tryAcquire(table + RESIZE_LOCK)) return true;
  rollback();
  return false;
}

/** Whether the journal that every slot has from the start is long enough for a split of a bucket: it has a short chain. */
@inline function isShort<B>(bucket: usize): bool {
  let block = changetype<B>(bucket).link(true);
  for (let blocks: u32 = 0; block && blocks < SHORT_CHAIN; blocks++) block = changetype<B>(block).link(false);
  return !block;
}

/**
 * One split, or a larger directory, in an operation that has begun with the resize lock: DONE or AGAIN, and another one has begun so; LET_GO,
 * and nothing is held, but it may be tried again; or STOP, and nothing is held.
 */
function splitNext<B>(table: usize): u32 {
  const array = table + BUCKET_SEGMENTS;
  const shift = load<u32>(array, 4);
  const stride = field(table, BUCKET_BYTES);
  const buckets = field(table, BUCKETS);
  if (!isCrowded(table)) return stop(); // another thread was faster
  const segment = segmentOf(buckets, shift);
  if (segment >= load<u32>(array, 8)) {
    if (!replaceDirectory(table, array, load<u32>(array, 8) << 1, true)) return stop();
    return commitAndGoOn() ? AGAIN : STOP;
  }
  const bit = (maskOf(buckets) >> 1) + 1;
  const low = bucketAddress<B>(table, buckets - bit);
  if (!acquire(changetype<B>(low).lock()) || pinned<B>()) return stop();
  if (!isShort<B>(low)) {
    const needed = countEntries<B>(table, low) * MOVE_ENTRIES + countBlocks<B>(low) * BLOCK_ENTRIES + LOG_SPARE;
    if (needed > mine(LOG_ROOM)) {
      rollback();
      return ensureLog(needed) ? LET_GO : STOP;
    }
  }
  // Overflow blocks are freed on the way, and the pool's lock comes before the arena's.
  if (changetype<B>(low).link(true) && !acquireOnce(table + POOL_LOCK)) return stop();
  if (!growTo(table, array, buckets, stride)) return stop();
  const isNew = firstOf(segment, shift) == buckets;
  if (isNew) zeroBytes(segmentAddress(array, segment, stride), recordsOf(segment, shift) * stride);
  const high = bucketAddress<B>(table, buckets);
  // Others go there as soon as N is published, and find it locked until this is over. Before, only threads with an N of long ago
  // come by; they let go at once. In a new segment nobody does: nobody has its address.
  const lock = changetype<B>(high).lock();
  if (!(isNew ? tryAcquire(lock) : acquire(lock))) return stop();
  const width = widthIn(buckets + 1, buckets);
  const overflow = changetype<B>(low).link(true);
  changetype<B>(high).reset(true);
  setBucketWidth<B>(high, width);
  setBucketWidth<B>(low, width);
  let moved = <i32>changetype<B>(low).distribute(table, bit, high);
  if (overflow) {
    changetype<B>(low).setLink(true, 0);
    moved += splitChain<B>(table, low, high, overflow, bit);
  }
  setLimitsFor(table, buckets + 1);
  countSplits(table, 1, moved);
  publish(table + BUCKETS, buckets + 1);
  return commitAndGoOn() ? DONE : STOP;
}

/** Merges as long as there are too many buckets, within the bound of `removed` deletes; with no lock held. */
export function shrinkLocked<B>(table: usize, removed: u32): void {
  if (changetype<B>(0).isOneArray()) trimElements(table, table);
  else if (!changetype<B>(0).holdsValues() && !field(table, LIVE_ELEMENTS)) trimPools(table);
  if (!isSparse(table)) {
    if (field(table, OWES)) store<u32>(table, 0, OWES);
    return;
  }
  mergeSome<B>(table, MOST_MERGES * removed + (entriesOf(table) ? 0 : EMPTY_MERGES));
  // A hint, no more: inserts merge, too, as long as it stands.
  store<u32>(table, isSparse(table) ? 1 : 0, OWES);
}

/** Merges a table without entries down to one bucket. */
export function shrinkEmpty<B>(table: usize): void {
  if (isGrowable(table) && !entriesOf(table)) mergeSome<B>(table, field(table, BUCKETS) - 1);
}

/** Merges as long as there are too many buckets, `most` times at most, under one resize lock. */
function mergeSome<B>(table: usize, most: u32): void {
  let held = false;
  for (let merges: u32 = 0; merges < most && isSparse(table); merges++) {
    if (!held) {
      if (field(table, RETIRED_SEGMENTS)) reclaimSegments(table);
      if (!beginResize(table)) return;
    }
    const result = mergeNext<B>(table);
    if (result == STOP) return;
    held = result == DONE;
    if (!held) reclaimSegments(table);
  }
  if (held) rollback(); // nothing was written since
}

/** One merge, as `splitNext`; LET_GO where a segment was left, which only who holds no lock may free. */
function mergeNext<B>(table: usize): u32 {
  const buckets = field(table, BUCKETS);
  if (buckets == 1 || !isSparse(table)) return stop();
  const last = buckets - 1;
  const mask = maskOf(last);
  const low = bucketAddress<B>(table, last - ((mask >> 1) + 1));
  const high = bucketAddress<B>(table, last);
  if (!acquire(changetype<B>(low).lock()) || !acquire(changetype<B>(high).lock())) return stop();
  if (pinned<B>() || isTooMuch<B>(table, low, high)) return stop();
  if (!makeRoom<B>(table, low, high)) return stop();
  const moved = join<B>(table, low, high);
  setBucketWidth<B>(low, widthIn(last, last - ((mask >> 1) + 1)));
  changetype<B>(high).vacate();
  const array = table + BUCKET_SEGMENTS;
  const shift = load<u32>(array, 4);
  const segment = segmentOf(last, shift);
  const stride = field(table, BUCKET_BYTES);
  const isFirst = firstOf(segment, shift) == last;
  if (isFirst && !retireSegment(table, segmentAddress(array, segment, stride), recordsOf(segment, shift) * stride)) return stop();
  setLimitsFor(table, last);
  countMerges(table, 1, moved);
  publish(table + BUCKETS, last);
  if (isFirst) return commit() ? LET_GO : STOP;
  return commitAndGoOn() ? DONE : STOP;
}
