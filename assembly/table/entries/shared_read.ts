// Reading in the shared build, without a lock: look at the version of the bucket, read, look at it again (Lamport's sequence
// check; linux/seqlock.h; "optimistic lock coupling": Leis et al. 2016). What was read in between counts only if the bucket was not
// locked and nothing has changed; otherwise it is done again, and after READ_TRIES times under the lock, so that a reader cannot
// starve.
//
// Until the second look, whatever was read may be anything:
//   a bucket's address, computed from N and the directory   lies in memory (which never shrinks), perhaps no longer a bucket's: then
//                                                           RETIRED in the header has counted up before the memory became something else
//   the bucket is another than N of a moment ago says       a key that is found counts; that it is absent counts only if the bucket's
//                                                           width says that the key belongs there. A merge leaves nothing behind
//   the address of an overflow block                        the version is looked at before it is followed, and it must lie in memory
//   the address of an element                               must lie in memory; what is found there is dropped
//   the length of a text in an element                      must fit its room, and the memory; the same
// No order of loads is left to chance. The first look is an atomic load, which nothing behind it is done before. Before the second
// one stands a fence (`attempt`), or its address depends on what was read (`peekWord`; hiddenZero in sync/word.ts).
import { follow, mostNodes } from "../../damage";
import { copyBytes } from "../../memory/bytes";
import { announce, retract } from "../../sync/hazard";
import { commit } from "../../sync/journal";
import { lockErrno } from "../../sync/lock";
import { LOCKED } from "../../sync/lock_word";
import { ERRNO, SLOT, WORD, fence, mine, setMine } from "../../sync/slot";
import { STEPPING, STEP_CHECK, STEP_COPY, STEP_INDEX, STEP_READ, step } from "../../sync/step";
import { WIDTH_BITS, hiddenZero, isReadable } from "../../sync/word";
import { BlockKeys, KEYS_OVERFLOW_BYTES, KEYS_OVERFLOW_SLOTS, KEYS_SLOTS } from "../layout/block_keys";
import { belongs, bucketAddress, bucketWidth, indexIn } from "../layout/buckets";
import { FLAGS, GROWABLE, OVERFLOW_BYTES, RETIRED, VALUE_SIZE, field } from "../layout/header";
import { findIn } from "./entries";
import { copyValueOut } from "../layout/lanes";
import { addList, addScalar, addTo } from "./scalar";
import { noteUse } from "./shared_noted";
import { isTimed } from "../notes/book";
import { hasExpired } from "../notes/expiry";
import { lockBucketOf } from "./lock_bucket";

const READ_TRIES: u32 = 64;

/** Results of reading without a lock, beside the address of a value. */
const ABSENT: usize = 0;
const UNSURE: usize = 1;

/** The value of a key in a bucket whose version was read: its address, ABSENT, or UNSURE. */
@inline function search<B, K>(table: usize, bucket: usize, version: u32, key: K, hash: u32): usize {
  const found = changetype<B>(bucket).find<K>(table, key, hash, true);
  if (found) return changetype<B>(bucket).valueAt(table, <u32>ctz(found), true);
  const block = changetype<B>(bucket).link(true);
  return block ? searchChain<B, K>(table, bucket, block, version, key, hash) : ABSENT;
}

function searchChain<B, K>(table: usize, bucket: usize, block: usize, version: u32, key: K, hash: u32): usize {
  const lock = changetype<B>(bucket).lock();
  let left = mostNodes();
  while (block) {
    left = follow(left);
    if (atomic.load<u32>(lock) != version || !isReadable(block, field(table, OVERFLOW_BYTES))) return UNSURE;
    if (STEPPING) step(STEP_COPY);
    const found = changetype<B>(block).find<K>(table, key, hash, false);
    if (found) return changetype<B>(block).valueAt(table, <u32>ctz(found), false);
    block = changetype<B>(block).link(false);
  }
  return ABSENT;
}

/** What `peekWord` answers when it is not sure, and for a key that is absent. Both are values that a map may hold: then it is not sure. */
export const NOT_SURE: u64 = 0x7ff8badcab1ebabe;
export const NOT_THERE: u64 = 0x7ff8badcab1ebabf;

/**
 * The value of a key in the layout "keys", whose values are one word: one try, straight to the second look. Whatever is not the common
 * case is NOT_SURE: a key behind a chain, a bucket that is locked or has changed.
 *
 * Why NOT_THERE is never wrong: keys, slots, link and width were read while the bucket was unlocked and unchanged, in memory that was a
 * bucket all the time (RETIRED). So at the second look there was no such key in it and no chain behind it, and by its width it was the
 * bucket of this hash, whatever N said.
 */
@inline export function peekWord(table: usize, key: u32, hash: u32): u64 {
  const zero = hiddenZero();
  const head = atomic.load<u64>(table);
  const index = indexIn(<u32>head, hash);
  const bucket = changetype<BlockKeys>(bucketAddress<BlockKeys>(table, index));
  if (STEPPING) step(STEP_INDEX);
  const version = atomic.load<u32>(bucket.lock());
  if (STEPPING) step(STEP_READ);
  const slots = bucket.find<u32>(table, key, hash, true);
  const link = bucket.linkWord();
  if (version & LOCKED) return NOT_SURE;
  if (STEPPING) step(STEP_COPY);
  // Before the branch: behind it slots is known to be 0, and the second look would not depend on what it was made of.
  const none = (slots | link) & zero;
  if (!slots) {
    if (STEPPING) step(STEP_CHECK);
    const moved = (load<u32>(bucket.lock() + none) ^ version) | (load<u32>(table + none, RETIRED) ^ <u32>(head >> 32));
    const own = belongs(hash, index, link & WIDTH_BITS) || !(field(table, FLAGS) & GROWABLE);
    return moved | (link & ~WIDTH_BITS) || !own ? NOT_SURE : NOT_THERE;
  }
  const word = load<u64>(bucket.valueAt(table, <u32>ctz(slots), true));
  if (STEPPING) step(STEP_CHECK);
  const seen = <u32>word & zero; // the word's address depends on the keys, so this depends on all that was read
  const changed = (load<u32>(bucket.lock() + seen) ^ version) | (load<u32>(table + seen, RETIRED) ^ <u32>(head >> 32));
  return changed || word == NOT_THERE ? NOT_SURE : word;
}

/** `fetch` in the layout "keys". */
@inline function fetchWord(table: usize, key: u32, hash: u32, target: usize, bytes: u32): u32 {
  const word = peekWord(table, key, hash);
  if (word - NOT_SURE > 1) return copyWord(target, word, bytes);
  if (word == NOT_THERE) return 0;
  return fetchWordSlowly(table, key, hash, target, bytes);
}

export function fetchWordSlowly(table: usize, key: u32, hash: u32, target: usize, bytes: u32): u32 {
  const zero = hiddenZero();
  for (let tries = READ_TRIES; tries; tries--) {
    const head = atomic.load<u64>(table);
    const index = indexIn(<u32>head, hash);
    const bucket = changetype<BlockKeys>(bucketAddress<BlockKeys>(table, index));
    const lock = bucket.lock();
    const version = atomic.load<u32>(lock);
    if (STEPPING) step(STEP_READ);
    const slots = bucket.find<u32>(table, key, hash, true);
    const link = bucket.linkWord();
    const word = load<u64>(bucket.valueAt(table, <u32>ctz(slots | LAST), true));
    if (STEPPING) step(STEP_CHECK);
    const seen = (slots | link | <u32>word) & zero;
    if ((load<u32>(lock + seen) ^ version) | (version & LOCKED)) continue;
    if (load<u32>(table + seen, RETIRED) != <u32>(head >> 32)) continue;
    if (slots) return copyWord(target, word, bytes);
    if (link & ~WIDTH_BITS) {
      const found = fetchChained(table, lock, version, <usize>link & ~WIDTH_BITS, key, target, bytes);
      if (found == UNSURE_WORD) continue;
      if (found) return found;
    }
    if (belongs(hash, index, link & WIDTH_BITS) || !(field(table, FLAGS) & GROWABLE)) return 0;
  }
  return fetchPart<BlockKeys, u32>(table, key, hash, 0, bytes, target);
}

@inline function copyWord(target: usize, word: u64, bytes: u32): u32 {
  if (bytes == 8) store<u64>(target, word);
  else {
    store<u64>(SLOT + WORD, word);
    copyBytes(target, SLOT + WORD, bytes);
  }
  return 1;
}

/** The same in the chain of a bucket, from `block` on: 1, 0, or UNSURE_WORD. */
function fetchChained(table: usize, lock: usize, version: u32, block: usize, key: u32, target: usize, bytes: u32): u32 {
  const zero = hiddenZero();
  const retired = load<u32>(table, RETIRED);
  let left = mostNodes();
  while (block) {
    left = follow(left);
    if (!isReadable(block, KEYS_OVERFLOW_BYTES)) return UNSURE_WORD;
    if (STEPPING) step(STEP_COPY);
    const at = changetype<BlockKeys>(block);
    const slots = at.find<u32>(table, key, 0, false);
    const word = load<u64>(at.valueAt(table, <u32>ctz(slots | LAST_CHAINED), false));
    block = at.link(false);
    const seen = (slots | <u32>block | <u32>word) & zero;
    if (load<u32>(lock + seen) != version || load<u32>(table + seen, RETIRED) != retired) return UNSURE_WORD;
    if (slots) return copyWord(target, word, bytes);
  }
  return 0;
}

/** Makes ctz of an empty set of slots the last slot. */
const LAST: u32 = 1 << (KEYS_SLOTS - 1);
const LAST_CHAINED: u32 = 1 << (KEYS_OVERFLOW_SLOTS - 1);
/** Neither found nor absent: to be tried again. */
const UNSURE_WORD: u32 = 2;

/** What to do with the value of a key. */
const COPY_OUT: u32 = 0;
const COPY_ALL: u32 = 1;
const ADDRESS: u32 = 2;
const COPY_IN: u32 = 3;
const ADD: u32 = 4;
/** Instead of a kind of integer: add a list to fields, `bytes` of them. */
export const LIST: u32 = 32;
/** Instead of a kind of integer: add a delta to a field of `bytes`, as `addTo` does. */
export const DELTA: u32 = 33;

/**
 * Reads, or with COPY_IN writes, `bytes` of the value of a key from `offset` on, or with COPY_ALL reads all of it; ADDRESS only finds it. Writing is for one's own
 * slot of a per-CPU value (sync/hazard.ts); ADD + kind adds to an integer there, and leaves the sum in `memory`, ADD + LIST a list of
 * `addList`, ADD + DELTA one of `addTo`. The address of the value, ABSENT, or UNSURE after READ_TRIES tries. What has expired is absent, but for
 * COPY_ALL: the copy tells.
 */
@inline function attempt<B, K>(
  table: usize, key: K, hash: u32, action: u32, offset: u32, bytes: u32, memory: usize,
): usize {
  for (let tries = READ_TRIES; tries; tries--) {
    const head = atomic.load<u64>(table);
    const index = indexIn(<u32>head, hash);
    const bucket = bucketAddress<B>(table, index);
    if (STEPPING) step(STEP_INDEX);
    const lock = changetype<B>(bucket).lock();
    const version = atomic.load<u32>(lock);
    if (version & LOCKED) continue;
    if (STEPPING) step(STEP_READ);
    const value = search<B, K>(table, bucket, version, key, hash);
    if (value == UNSURE) continue;
    const expired = value && action != COPY_ALL && isTimed(table) && hasExpired(table, value);
    if (STEPPING) step(STEP_COPY);
    if (value && action == COPY_OUT) copyBytes(memory, value + offset, bytes);
    if (value && action == COPY_ALL) copyValueOut(table, memory, value);
    const width = bucketWidth<B>(bucket);
    if (value && action >= COPY_IN) announce(lock);
    else fence();
    if (STEPPING) step(STEP_CHECK);
    const same =
      load<u32>(lock) == version && load<u32>(table, RETIRED) == <u32>(head >> 32) &&
      (value || belongs(hash, index, width) || !(field(table, FLAGS) & GROWABLE));
    if (value && action >= COPY_IN) {
      if (STEPPING) step(STEP_COPY);
      if (same && !expired) writeOwn(value + offset, memory, bytes, action);
      retract();
    }
    if (same) return expired ? ABSENT : value;
  }
  return UNSURE;
}

@inline function writeOwn(target: usize, source: usize, bytes: u32, action: u32): void {
  if (action == COPY_IN) copyWords(target, source, bytes);
  else if (action == ADD + DELTA) addTo(target, bytes, source);
  else if (action == ADD + LIST) setMine(ERRNO, addList(target, source, bytes));
  else setMine(ERRNO, addScalar(target, action - ADD, load<u64>(source), source));
}

/** Copies into a slot of a per-CPU value, words of 8 bytes as a whole. */
function copyWords(target: usize, source: usize, bytes: u32): void {
  while (bytes >= 8) {
    store<u64>(target, load<u64>(source));
    target += 8;
    source += 8;
    bytes -= 8;
  }
  if (bytes) copyBytes(target, source, bytes);
}

/** `findIn`, but what has expired is absent. The bucket is locked. */
export function findLive<B, K>(table: usize, bucket: usize, key: K, hash: u32): usize {
  const value = findIn<B, K>(table, bucket, key, hash);
  return value && isTimed(table) && hasExpired(table, value) ? 0 : value;
}

/** Copies the value of a key, though it has expired: 1, 0 when it is absent, or an errno. */
@inline export function fetch<B, K>(table: usize, key: K, hash: u32, target: usize): u32 {
  if (changetype<B>(0).isWord()) return fetchWord(table, <u32>key, hash, target, field(table, VALUE_SIZE));
  const value = attempt<B, K>(table, key, hash, COPY_ALL, 0, 0, target);
  if (value == UNSURE) return fetchLocked<B, K>(table, key, hash, target);
  return <u32>(value != ABSENT);
}

function fetchLocked<B, K>(table: usize, key: K, hash: u32, target: usize): u32 {
  const bucket = lockBucketOf<B>(table, hash);
  if (!bucket) return lockErrno();
  const value = findIn<B, K>(table, bucket, key, hash);
  if (value) copyValueOut(table, target, value);
  commit();
  return <u32>(value != 0);
}

/** Copies a part of the value of a key: 1, 0 when it is absent, or an errno. In lanes, a part of one slot. */
@inline export function fetchPart<B, K>(
  table: usize, key: K, hash: u32, offset: u32, bytes: u32, target: usize,
): u32 {
  const value = attempt<B, K>(table, key, hash, COPY_OUT, offset, bytes, target);
  if (value == UNSURE) return fetchPartLocked<B, K>(table, key, hash, offset, bytes, target);
  return <u32>(value != ABSENT);
}

function fetchPartLocked<B, K>(table: usize, key: K, hash: u32, offset: u32, bytes: u32, target: usize): u32 {
  const bucket = lockBucketOf<B>(table, hash);
  if (!bucket) return lockErrno();
  const value = findLive<B, K>(table, bucket, key, hash);
  if (value) copyBytes(target, value + offset, bytes);
  commit();
  return <u32>(value != 0);
}

/** The address of the live value of a key, 0 when it is absent, or an errno. */
@inline export function addressOf<B, K>(table: usize, key: K, hash: u32): usize {
  const value = attempt<B, K>(table, key, hash, ADDRESS, 0, 0, 0);
  if (value != UNSURE) return value;
  const bucket = lockBucketOf<B>(table, hash);
  if (!bucket) return lockErrno();
  const found = findLive<B, K>(table, bucket, key, hash);
  commit();
  return found;
}

/** Writes a part of one's own slot of a per-CPU value, or with a kind of integer adds to it: 1, 0 when the key is absent, or an errno. */
export function writePart<B, K>(
  table: usize, key: K, hash: u32, offset: u32, bytes: u32, source: usize, kind: u32,
): u32 {
  const action = kind ? ADD + kind : COPY_IN;
  noteUse<B, K>(table, key, hash);
  const value = attempt<B, K>(table, key, hash, action, offset, bytes, source);
  if (value != UNSURE) return <u32>(value != ABSENT);
  const bucket = lockBucketOf<B>(table, hash);
  if (!bucket) return lockErrno();
  const found = findLive<B, K>(table, bucket, key, hash);
  if (found) writeOwn(found + offset, source, bytes, action); // no journal: nobody else writes here, and each word as a whole
  const errno = mine(ERRNO);
  setMine(ERRNO, 0);
  commit();
  setMine(ERRNO, errno);
  return <u32>(found != 0);
}
