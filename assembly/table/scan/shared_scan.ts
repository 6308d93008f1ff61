// Scans in the shared build: the same order and the same cursor as in scan.ts. A bucket that is met at its start and fits is copied
// without a lock and counts if its version stands (table/entries/shared_read.ts); where entries are removed, or a bucket must be cut, it is
// locked, and each bucket is an operation of its own. Between two buckets anything may happen: positions do not care.
import { follow, insist, mostNodes } from "../../damage";
import { ENOENT, ENOMEM } from "../../errno";
import { reverseBits } from "../../hash/hash";
import { LOG_SPARE, ensureLog } from "../../memory/owned";
import { ZEROS, ZEROS_BYTES } from "../../regions";
import { commit, failWith, rollback } from "../../sync/journal";
import { lockErrno } from "../../sync/lock";
import { LOCKED } from "../../sync/lock_word";
import { ERRNO, LOG_ROOM, VISITED, fence, mine, setMine } from "../../sync/slot";
import { STEPPING, STEP_CHECK, STEP_COPY, STEP_READ, step } from "../../sync/step";
import { isReadable } from "../../sync/word";
import { dropSlot } from "../entries/drop";
import { lockBucketOf } from "../entries/lock_bucket";
import { clearSpinLocks } from "../entries/spin_lock";
import { bucketAddress, bucketWidth, indexIn, insistOnBuckets, widthIn } from "../layout/buckets";
import { BUCKETS, FLAGS, GROWABLE, KEY_SIZE, OVERFLOW_BYTES, RETIRED, VALUE_SIZE, field } from "../layout/header";
import { countEntries, tidyChain } from "../layout/overflow";
import { clearBook, isNoted } from "../notes/book";
import { pinned } from "../resize/resize";
import { shrinkEmpty, shrinkLocked } from "../resize/shared_resize";
import { AFTER_KEY, AT, END, MOST_PLANNED, STATE, WHOLE, plan } from "./cursor";
import { NOT, emitBlock, emitBucket, emptyBucket } from "./emit";
import { emitInOrder, leastIn } from "./in_order";

/** Times that a bucket is tried without its lock. */
const TRIES: u32 = 8;
/** Entries that one operation removes at most, and journal entries for each and the one that may move into its place. */
const MOST_REMOVED: u32 = 64;
const REMOVE_ENTRIES: u32 = 28;

@inline export function spanOf(width: u32): u64 {
  return WHOLE >> (<u64>width);
}

/** The position behind the bucket just visited. */
@inline export function behind(position: u64): u64 {
  const span = spanOf(mine(VISITED));
  insist(span != 0); // a header that was written over has no buckets, and no position would be behind
  return (position & ~(span - 1)) + span;
}

/** Whether a bucket is the one that N and the hash say: its width does. The buckets of a fixed table never change. */
@inline function isAsExpected<B>(table: usize, bucket: usize, buckets: u32, index: u32): bool {
  return bucketWidth<B>(bucket) == widthIn(buckets, index) || !(field(table, FLAGS) & GROWABLE);
}

/** Copies a whole bucket without its lock, if it starts at the position and has at most `room` entries. How many, or NOT. */
function emitFree<B>(table: usize, position: u64, keys: usize, values: usize, room: u32): u32 {
  for (let tries = TRIES; tries; tries--) {
    const head = atomic.load<u64>(table);
    const buckets = <u32>head;
    const index = indexIn(buckets, reverseBits(<u32>position));
    const width = widthIn(buckets, index);
    if (position & (spanOf(width) - 1)) return NOT;
    const bucket = bucketAddress<B>(table, index);
    const lock = changetype<B>(bucket).lock();
    const version = atomic.load<u32>(lock);
    if (version & LOCKED || !isAsExpected<B>(table, bucket, buckets, index)) continue;
    if (STEPPING) step(STEP_READ);
    const entries = emitBlocks<B>(table, bucket, version, keys, values, room);
    fence();
    if (STEPPING) step(STEP_CHECK);
    if (load<u32>(lock) != version || load<u32>(table, RETIRED) != <u32>(head >> 32)) continue;
    setMine(VISITED, width);
    return entries;
  }
  return NOT;
}

function emitBlocks<B>(table: usize, bucket: usize, version: u32, keys: usize, values: usize, room: u32): u32 {
  const keySize = field(table, KEY_SIZE);
  const valueSize = field(table, VALUE_SIZE);
  let done: u32 = 0;
  let block = bucket;
  let left = mostNodes();
  while (block) {
    left = follow(left);
    const first = block == bucket;
    if (STEPPING) step(STEP_COPY);
    if (!first) {
      if (atomic.load<u32>(changetype<B>(bucket).lock()) != version || !isReadable(block, field(table, OVERFLOW_BYTES))) return NOT;
    }
    const entries = emitBlock<B>(table, block, first, keys, values, room - done);
    if (entries == NOT) return NOT;
    done += entries;
    keys += <usize>entries * keySize;
    if (values) values += <usize>entries * valueSize;
    block = changetype<B>(block).link(first);
  }
  return done;
}

/** Whether the bucket at a position has no memory yet (a hash without preallocation): then it is empty, and nothing to lock. */
export function isUntouchedAt<B>(table: usize, position: u64): bool {
  const buckets = atomic.load<u32>(table, BUCKETS);
  const index = indexIn(buckets, reverseBits(<u32>position));
  const bucket = bucketAddress<B>(table, index);
  setMine(VISITED, widthIn(buckets, index));
  return bucket >= ZEROS && bucket < ZEROS + ZEROS_BYTES;
}

/** Locks the bucket at a position, with room in the journal for removing so many of its entries. 0 when that fails. */
export function lockAt<B>(table: usize, position: u64, removed: u32): usize {
  while (true) {
    const bucket = lockBucketOf<B>(table, reverseBits(<u32>position));
    if (!bucket) return 0;
    const buckets = atomic.load<u32>(table, BUCKETS);
    setMine(VISITED, widthIn(buckets, indexIn(buckets, reverseBits(<u32>position))));
    const needed = min(removed, countEntries<B>(table, bucket)) * REMOVE_ENTRIES + LOG_SPARE;
    if (needed <= mine(LOG_ROOM)) return bucket;
    rollback();
    if (!ensureLog(needed)) {
      failWith(ENOMEM);
      return 0;
    }
  }
}

/** Copies, or removes, the next entries of one bucket under its lock. How many; 0 with ERRNO set when that failed. */
function emitLocked<B>(table: usize, cursor: usize, keys: usize, values: usize, room: u32, removing: bool): u32 {
  const position = <u64>load<u32>(cursor);
  const state = load<u32>(cursor, STATE);
  const bucket = lockAt<B>(table, position, removing ? MOST_REMOVED : 0);
  if (!bucket) return 0;
  const entries = countEntries<B>(table, bucket);
  let done: u32;
  if (state == AT && !(position & (spanOf(mine(VISITED)) - 1)) && entries <= min(room, MOST_REMOVED)) {
    emitBucket<B>(table, bucket, keys, values);
    if (removing && entries) emptyBucket<B>(table, bucket, entries);
    done = entries;
  } else {
    done = emitInOrder<B>(table, bucket, cursor, position, state, keys, values, min(room, MOST_REMOVED), removing);
  }
  if (commit()) return done;
  store<u32>(cursor, <u32>position);
  store<u32>(cursor, state, STATE);
  return 0;
}

/** `scan` of table/scan/scan.ts. When a lock could not be had it ends early, with ERRNO of the slot set. */
export function scanShared<B>(table: usize, cursor: usize, keys: usize, values: usize, room: u32, removing: bool): u32 {
  const keySize = field(table, KEY_SIZE);
  const valueSize = field(table, VALUE_SIZE);
  let position = <u64>load<u32>(cursor);
  let state = load<u32>(cursor, STATE);
  let done: u32 = 0;
  let planned: u32 = 0;
  setMine(ERRNO, 0);
  insistOnBuckets(table);
  while (state != END && done < room) {
    let entries: u32 = NOT;
    // Touched ahead, pages apart as they are; what has changed by the time of their turn does not matter.
    if (state == AT && !planned) planned = max(<u32>1, plan<B>(table, cursor, position, min(MOST_PLANNED, 2 + ((room - done) >> 2))));
    planned -= <u32>(planned != 0);
    if (state == AT && !removing) entries = emitFree<B>(table, position, keys, values, room - done);
    if (entries == NOT) {
      if (isUntouchedAt<B>(table, position)) {
        entries = 0;
        state = AT; // a cursor inside a bucket that holds nothing: of damaged memory, and it must go on all the same
      } else {
        store<u32>(cursor, <u32>position);
        store<u32>(cursor, state, STATE);
        entries = emitLocked<B>(table, cursor, keys, values, room - done, removing);
        if (mine(ERRNO)) break;
        state = load<u32>(cursor, STATE);
        position = <u64>load<u32>(cursor);
        if (removing && entries) shrinkLocked<B>(table, entries);
      }
    }
    done += entries;
    keys += <usize>entries * keySize;
    if (values) {
      clearSpinLocks(table, values, entries);
      values += <usize>entries * valueSize;
    }
    if (state == AFTER_KEY) continue; // there may be more in this bucket
    position = behind(position);
    if (position == WHOLE) state = END;
  }
  store<u32>(cursor, <u32>position);
  store<u32>(cursor, state, STATE);
  // A drain in hash order leaves most buckets standing, since its merges would pile up the entries that are left (table/resize/resize.ts).
  if (removing && state == END) shrinkEmpty<B>(table);
  return done;
}

/** `nextKey` of table/scan/scan.ts: 0, ENOENT, or the errno of a lock. */
export function nextKeyShared<B>(table: usize, start: u32, after: usize, target: usize): u32 {
  let position = <u64>start;
  insistOnBuckets(table);
  while (position < WHOLE) {
    if (!isUntouchedAt<B>(table, position)) {
      const bucket = lockAt<B>(table, position, 0);
      if (!bucket) return lockErrno();
      const found = leastIn<B>(table, bucket, <u32>position, after);
      if (found) changetype<B>(found & ~63).copyKey(table, <u32>found & 63, (found & ~63) == bucket, target);
      commit();
      if (found) return 0;
    }
    position = behind(position);
    after = 0;
  }
  return ENOENT;
}

/**
 * Removes entries of a chain that is longer than one operation may empty, whole blocks from its head: nothing moves up into the bucket.
 */
function shorten<B>(table: usize, bucket: usize): void {
  let removed: u32 = 0;
  let block = changetype<B>(bucket).link(true);
  let left = mostNodes();
  while (block && removed < MOST_REMOVED >> 1) {
    left = follow(left);
    let used = changetype<B>(block).occupied(table, false);
    removed += <u32>popcnt(used);
    while (used) {
      dropSlot<B>(table, block, <u32>ctz(used), false);
      used &= used - 1;
    }
    block = changetype<B>(block).link(false);
  }
  if (!pinned<B>()) tidyChain<B>(table, bucket);
}

/** Removes every entry that is there from start to end. 0 or an errno. */
export function clearShared<B>(table: usize): u32 {
  let position: u64 = 0;
  insistOnBuckets(table);
  while (position < WHOLE) {
    if (!isUntouchedAt<B>(table, position)) {
      const bucket = lockAt<B>(table, position, MOST_REMOVED);
      if (!bucket) return lockErrno();
      const entries = countEntries<B>(table, bucket);
      if (entries > MOST_REMOVED) shorten<B>(table, bucket);
      else if (entries) emptyBucket<B>(table, bucket, entries);
      if (!commit()) return mine(ERRNO);
      if (entries > MOST_REMOVED) continue;
    }
    position = behind(position);
  }
  if (isNoted(table)) clearBook(table);
  shrinkLocked<B>(table, 1);
  shrinkEmpty<B>(table);
  return 0;
}
