// What iterators go by: the entries of a table in the order of memory, some at a time, as a column of their keys and one of the
// addresses of their values. Of a plain host: elsewhere other threads write meanwhile.
//
// An iterator keeps N0, the number of buckets when it began, and goes over the parts j = 0 .. N0 - 1. Part j is the keys that bucket j
// has when there are N0 buckets. Every key is in one part for ever, whatever splits or merges, so each entry that stays comes once.
//
// While there are N0 buckets, part j is bucket j, with its chain. Otherwise it is looked up: the hashes of part j, read with the bits
// reversed, are an interval (layout/buckets.ts). It holds one bucket or more after splits, and lies within one after merges. That also
// serves for a bucket with more entries than there is room for: its entries leave in the order of scans, and the state has the last one.
//
//   state: 0 u32 N0, 0 before the first call    4 u32 part    8 u32 place in it    12 u32 reversed hash to go on from
//          16 u32 keeps early loads alive      24 key
//   place: WHOLE_PART  nothing of it has come yet
//          AT          go on at the reversed hash
//          AFTER       the same, but of the entries at that hash itself only those with a key above `key`
import { COUNTING, countCopied } from "../../counting";
import { follow, mostNodes } from "../../damage";
import { reverseBits } from "../../hash/hash";
import { bucketAddress, bucketIndex, bucketMask, insistOnBuckets, widthIn } from "../layout/buckets";
import { BUCKETS, KEY_SIZE, field } from "../layout/header";
import { countEntries } from "../layout/overflow";
import { WHOLE } from "./cursor";
import { leastIn } from "./in_order";

export const START: usize = 0;
export const NEXT: usize = 4;
const PLACE: usize = 8;
const POSITION: usize = 12;
const SINK: usize = 16;
const KEY: usize = 24;
/** Bytes of a state before the key. */
export const STATE_BYTES: u32 = <u32>KEY;

const WHOLE_PART: u32 = 0;
const AT: u32 = 1;
const AFTER: u32 = 2;

/** Buckets ahead whose chains, or elements, are touched. */
const AHEAD: u32 = 4;
const LINE: u32 = 64;

/** Touches a bucket and what it leads to, so that cache misses overlap with the work on the buckets before it. */
@inline function touch<B>(table: usize, bucket: usize): u32 {
  let sum = load<u32>(changetype<B>(bucket).link(true)); // without a chain, the word at 0
  const bytes = changetype<B>(0).bucketBytes(table);
  for (let line: u32 = LINE; line < bytes; line += LINE) sum += load<u32>(bucket + line);
  if (!changetype<B>(0).holdsValues()) {
    let used = changetype<B>(bucket).occupied(table, true);
    while (used) {
      sum += load<u32>(changetype<B>(bucket).entryAt(<u32>ctz(used)));
      used &= used - 1;
    }
  }
  return sum;
}

/** Writes down a key: those of 4 and 8 bytes without the call of `copyBytes`. */
@inline function writeKey<B>(table: usize, block: usize, slot: u32, first: bool, keySize: u32, target: usize): void {
  if (changetype<B>(0).isWord() || (keySize != 4 && keySize != 8)) {
    changetype<B>(block).copyKey(table, slot, first, target);
    return;
  }
  if (COUNTING) countCopied(keySize);
  const key = changetype<B>(block).keyAt(table, slot, first);
  if (keySize == 8) store<u64>(target, load<u64>(key));
  else store<u32>(target, load<u32>(key));
}

/** Writes down the entries of a block. How many. */
@inline function writeBlock<B>(table: usize, block: usize, first: bool, keySize: u32, addresses: usize, keys: usize): u32 {
  let used = changetype<B>(block).occupied(table, first);
  const entries = <u32>popcnt(used);
  while (used) {
    const slot = <u32>ctz(used);
    used &= used - 1;
    writeKey<B>(table, block, slot, first, keySize, keys);
    store<u32>(addresses, <u32>changetype<B>(block).valueAt(table, slot, first));
    keys += keySize;
    addresses += 4;
  }
  return entries;
}

function writeChain<B>(table: usize, block: usize, keySize: u32, addresses: usize, keys: usize): void {
  let left = mostNodes();
  while (block) {
    left = follow(left);
    const entries = writeBlock<B>(table, block, false, keySize, addresses, keys);
    keys += <usize>entries * keySize;
    addresses += <usize>entries << 2;
    block = changetype<B>(block).link(false);
  }
}

/** Writes down the entries of a bucket whose reversed hash is in an interval. How many. */
function writeWithin<B>(table: usize, bucket: usize, from: u64, to: u64, addresses: usize, keys: usize): u32 {
  const keySize = field(table, KEY_SIZE);
  let done: u32 = 0;
  let block = bucket;
  let left = mostNodes();
  do {
    left = follow(left);
    const first = block == bucket;
    let used = changetype<B>(block).occupied(table, first);
    while (used) {
      const slot = <u32>ctz(used);
      used &= used - 1;
      const order = <u64>reverseBits(changetype<B>(block).hashAt(table, slot, first));
      if (order < from || order >= to) continue;
      changetype<B>(block).copyKey(table, slot, first, keys);
      store<u32>(addresses + (<usize>done << 2), <u32>changetype<B>(block).valueAt(table, slot, first));
      keys += keySize;
      done++;
    }
    block = changetype<B>(block).link(first);
  } while (block);
  return done;
}

/** The same in ascending order, from a place within the bucket on and as many as there is room for; the state has the last one. */
function writeInOrder<B>(
  table: usize, bucket: usize, state: usize, from: u64, to: u64, addresses: usize, keys: usize, room: u32,
): u32 {
  const keySize = field(table, KEY_SIZE);
  let position = <u32>from;
  let done: u32 = 0;
  while (done < room) {
    const found = leastIn<B>(table, bucket, position, load<u32>(state, PLACE) == AFTER ? state + KEY : 0);
    if (!found) break;
    const block = found & ~63;
    const slot = <u32>found & 63;
    const first = block == bucket;
    position = reverseBits(changetype<B>(block).hashAt(table, slot, first));
    if (<u64>position >= to) break;
    changetype<B>(block).copyKey(table, slot, first, keys);
    store<u32>(addresses + (<usize>done << 2), <u32>changetype<B>(block).valueAt(table, slot, first));
    changetype<B>(block).copyKey(table, slot, first, state + KEY);
    store<u32>(state, AFTER, PLACE);
    store<u32>(state, position, POSITION);
    keys += keySize;
    done++;
  }
  return done;
}

/** Writes down what is left of a part, behind `done` entries that are in the columns already. How many there are then. */
function writePart<B>(table: usize, state: usize, addresses: usize, keys: usize, done: u32, room: u32): u32 {
  const keySize = field(table, KEY_SIZE);
  const part = load<u32>(state, NEXT);
  const start = <u64>reverseBits(part);
  const end = start + (WHOLE >> (<u64>widthIn(load<u32>(state, START), part)));
  let place = load<u32>(state, PLACE);
  let position = place == WHOLE_PART ? start : <u64>load<u32>(state, POSITION);
  while (position < end) {
    const index = bucketIndex(table, reverseBits(<u32>position));
    const bucket = bucketAddress<B>(table, index);
    const span = WHOLE >> (<u64>popcnt(bucketMask(table, index)));
    const behind = (position & ~(span - 1)) + span;
    const keysAt = keys + <usize>done * keySize;
    const addressesAt = addresses + (<usize>done << 2);
    if (place != AFTER && countEntries<B>(table, bucket) <= room - done) {
      done += writeWithin<B>(table, bucket, position, end, addressesAt, keysAt);
    } else {
      // With columns of its own it may fit. If not, the entries leave in order.
      if (!done) done = writeInOrder<B>(table, bucket, state, position, end, addressesAt, keysAt, room);
      else {
        store<u32>(state, AT, PLACE);
        store<u32>(state, <u32>position, POSITION);
        return done;
      }
      if (done == room) return done;
    }
    place = AT;
    store<u32>(state, AT, PLACE);
    position = behind;
  }
  store<u32>(state, WHOLE_PART, PLACE);
  store<u32>(state, part + 1, NEXT);
  return done;
}

/** The parts that are buckets now, from the next one on, as long as they have room. How many entries there are in the columns then. */
function writeBuckets<B>(table: usize, state: usize, addresses: usize, keys: usize, done: u32, room: u32): u32 {
  const keySize = field(table, KEY_SIZE);
  const parts = load<u32>(state, START);
  let part = load<u32>(state, NEXT);
  let sum: u32 = 0;
  for (; part < parts; part++) {
    const bucket = bucketAddress<B>(table, part);
    if (part + AHEAD < parts) sum += touch<B>(table, bucketAddress<B>(table, part + AHEAD));
    const chained = changetype<B>(bucket).link(true);
    const entries = chained ? countEntries<B>(table, bucket) : <u32>popcnt(changetype<B>(bucket).occupied(table, true));
    if (entries > room - done) break;
    const keysAt = keys + <usize>done * keySize;
    const addressesAt = addresses + (<usize>done << 2);
    const first = writeBlock<B>(table, bucket, true, keySize, addressesAt, keysAt);
    if (chained) writeChain<B>(table, chained, keySize, addressesAt + (<usize>first << 2), keysAt + <usize>first * keySize);
    done += entries;
  }
  store<u32>(state, part, NEXT);
  store<u32>(state, sum, SINK);
  return done;
}

/**
 * Writes down the next entries, at most `room`: keys packed at `keys`, addresses of values at `addresses`. How many; 0 at the end. Good
 * as long as VERSION stays.
 */
export function writeColumns<B>(table: usize, state: usize, addresses: usize, keys: usize, room: u32): u32 {
  insistOnBuckets(table);
  if (!load<u32>(state, START)) store<u32>(state, field(table, BUCKETS), START);
  const parts = load<u32>(state, START);
  let done: u32 = 0;
  while (load<u32>(state, NEXT) < parts) {
    if (load<u32>(state, PLACE) == WHOLE_PART && field(table, BUCKETS) == parts) {
      done = writeBuckets<B>(table, state, addresses, keys, done, room);
      if (done || load<u32>(state, NEXT) == parts) break;
    }
    const part = load<u32>(state, NEXT);
    done = writePart<B>(table, state, addresses, keys, done, room);
    if (load<u32>(state, NEXT) == part) break;
  }
  return done;
}
