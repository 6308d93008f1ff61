// Which entry an insert into a full table evicts: of the key's own bucket and the one at a hand that goes round, the one with the
// highest score, (age + 1) << (3 - class). Of equal ones the first, in this order and from slot 0 on. Of a small table all buckets are looked at.
//
// The own bucket has to be among them: what flows in must flow out there, or buckets run away (docs/core.md, "Eviction"). A bucket with MOST_BEYOND
// entries beyond its slots evicts from itself alone, so that no chain gets longer than that in a full table.
//
// Other buckets of the shared build are read without their locks: the choice is a guess, and who evicts looks again under the lock.
import { SHARED } from "../../build";
import { further } from "../../damage";
import { bucketAddress } from "../layout/buckets";
import { BUCKETS, SLOTS, field } from "../layout/header";
import { HAND, LOOKED, NOW, VICTIM_IN, bookOf, count, markOf, marksOf, recordOf, setWord, word } from "./book";
import { CLASS_SHIFT, OLD, STAMP, isExact } from "./marks";

const MOST_BEYOND: u32 = 4;
/** Buckets that are looked at when there was no entry in the first ones. */
const MOST_FURTHER: u32 = 8;
/** Of a class, the bits in a mark; the score is doubled where the low one is not set, and times four where the high one is not. */
const LOW_CLASS: u32 = 1 << CLASS_SHIFT;
const HIGH_CLASS: u32 = 2 << CLASS_SHIFT;
/** A block is a multiple of 64, so a slot fits into its address. */
export const SLOT_OF: usize = 63;

/** The age of each of 16 marks. */
@inline function agesOf(marks: v128, now: u32): v128 {
  return v128.and(i8x16.sub(i8x16.splat(<i8>now), marks), i8x16.splat(<i8>STAMP));
}

/** The bytes of a vector that stand for the slots of a set: all ones. */
@inline function lanesOf(slots: u32): v128 {
  const set = i32x4.splat(<i32>slots);
  const bytes = i8x16.shuffle(set, set, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
  const bits = i8x16(1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128);
  return i8x16.eq(v128.and(bytes, bits), bits);
}

/** The scores of some slots of a record, 255 in the place of 256; 0 of the others. All at once: entry by entry it took four times as long. */
@inline function scoresOf(marks: v128, slots: u32, now: u32): v128 {
  const low = i8x16.splat(<i8>LOW_CLASS);
  const high = i8x16.splat(<i8>HIGH_CLASS);
  let score = i8x16.add(agesOf(marks, now), i8x16.splat(1));
  score = i8x16.add(score, v128.andnot(score, i8x16.eq(v128.and(marks, low), low)));
  const twice = i8x16.add_sat_u(score, score);
  score = v128.bitselect(score, i8x16.add_sat_u(twice, twice), i8x16.eq(v128.and(marks, high), high));
  return v128.and(score, lanesOf(slots));
}

/** The most of them. */
@inline function topOf(scores: v128): u32 {
  scores = i8x16.max_u(scores, i8x16.shuffle(scores, scores, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  scores = i8x16.max_u(scores, i8x16.shuffle(scores, scores, 4, 5, 6, 7, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3));
  scores = i8x16.max_u(scores, i8x16.shuffle(scores, scores, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1));
  return max(<u32>i8x16.extract_lane_u(scores, 0), <u32>i8x16.extract_lane_u(scores, 1));
}

/** The slots that have a score. */
@inline function slotsWith(scores: v128, score: u32): u32 {
  return <u32>i8x16.bitmask(i8x16.eq(scores, i8x16.splat(<i8>score)));
}

/**
 * Keeps old stamps from looking new when NOW comes round to them: NOW counts on by 8 at least before the next look. Of an overflow block only
 * under the lock of its bucket: the insert that has made the block may be undone, and its memory be something else.
 */
@inline function holdBack(record: usize, marks: v128, slots: u32, now: u32): void {
  const isOld = i8x16.gt_u(agesOf(marks, now), i8x16.splat(<i8>OLD));
  const old = <u32>i8x16.bitmask(isOld) & slots;
  if (old) holdBackSlots(record, old, now);
}

function holdBackSlots(record: usize, slots: u32, now: u32): void {
  while (slots) {
    const at = record + <usize>ctz(slots);
    store<u8>(at, <u8>((<u32>load<u8>(at) & ~STAMP) | ((now - OLD) & STAMP)));
    slots &= slots - 1;
  }
}

// What a search has found so far, since AssemblyScript returns one number: score << 32 | block plus slot.

/** Looks at a block: the best of it and of those before. */
@inline function lookAt<B>(table: usize, index: u32, block: usize, first: bool, isOwn: bool, best: u64): u64 {
  const now = load<u32>(bookOf(table), NOW);
  const slots = changetype<B>(block).occupied(table, first);
  const marks = marksOf<B>(table, index, block, first);
  const scores = scoresOf(marks, slots, now);
  const top = topOf(scores);
  if (!isExact(table) && (!SHARED || first || isOwn)) holdBack(markOf<B>(table, index, block, 0, first), marks, slots, now);
  if (top <= <u32>(best >> 32)) return best;
  return (<u64>top << 32) | (<u64>block + <u64>ctz(slotsWith(scores, top)));
}

/** Looks at a chain from its first block on. */
function lookAtChain<B>(table: usize, index: u32, block: usize, isOwn: bool, best: u64): u64 {
  let left: u32 = 0;
  const before = best;
  while (block) {
    best = lookAt<B>(table, index, block, false, isOwn, best);
    block = changetype<B>(block).link(false);
    left = further(left);
  }
  if (best != before) setWord(table, VICTIM_IN, index);
  return best;
}

/** Looks at a bucket with its chain. */
function look<B>(table: usize, index: u32, isOwn: bool, best: u64): u64 {
  const bucket = bucketAddress<B>(table, index);
  const found = lookAt<B>(table, index, bucket, true, isOwn, best);
  count(table, LOOKED, 1);
  if (found != best) setWord(table, VICTIM_IN, index);
  return lookAtChain<B>(table, index, changetype<B>(bucket).link(true), isOwn, found);
}

/** Whether a bucket is so full that it has to evict from itself. */
function isLong<B>(table: usize, bucket: usize): bool {
  let block = changetype<B>(bucket).link(true);
  if (!block) return false;
  let entries = <u32>popcnt(changetype<B>(bucket).occupied(table, true));
  let left: u32 = 0;
  while (block) {
    entries += <u32>popcnt(changetype<B>(block).occupied(table, false));
    block = changetype<B>(block).link(false);
    left = further(left);
  }
  return entries >= field(table, SLOTS) + MOST_BEYOND;
}

/** The block of the victim plus its slot, its bucket in the word VICTIM_IN; 0 when there is no entry. */
export function chooseVictim<B>(table: usize, own: u32): usize {
  if (isExact(table)) {
    const buckets = field(table, BUCKETS);
    let best: u64 = 0;
    for (let index: u32 = 0; index < buckets; index++) best = look<B>(table, index, true, best);
    return <usize><u32>best;
  }
  const bucket = bucketAddress<B>(table, own);
  if (isLong<B>(table, bucket)) return chooseOwn<B>(table, own);
  const victim = chooseOfTwo<B>(table, own, bucket);
  return victim ? victim : chooseFurther<B>(table);
}

@inline function after(table: usize, bucket: u32): u32 {
  return bucket + 1 < field(table, BUCKETS) ? bucket + 1 : 0;
}

/**
 * Of the own bucket and the one at the hand. With two at the hand an eviction took a third longer, and loads with scans had 0.5 points more hits.
 */
@inline function chooseOfTwo<B>(table: usize, own: u32, bucket: usize): usize {
  const now = load<u32>(bookOf(table), NOW);
  const hand = word(table, HAND) < field(table, BUCKETS) ? word(table, HAND) : 0; // or it is damaged
  const other = bucketAddress<B>(table, hand);
  const slots = changetype<B>(other).occupied(table, true);
  const marks = v128.load(recordOf(table, hand));
  const ownScores = scoresOf(v128.load(recordOf(table, own)), changetype<B>(bucket).occupied(table, true), now);
  const scores = scoresOf(marks, slots, now);
  const top = topOf(i8x16.max_u(ownScores, scores));
  // Old stamps of the own bucket wait for the hand, which goes round more than once in a tick.
  holdBack(recordOf(table, hand), marks, slots, now);
  setWord(table, HAND, after(table, hand));
  count(table, LOOKED, 2);
  // The first slot in this order: 16 bits for each bucket.
  const at = <u32>ctz(slotsWith(ownScores, top) | (slotsWith(scores, top) << 16));
  const isOwn = at < 16;
  setWord(table, VICTIM_IN, select<u32>(own, hand, isOwn));
  const best = (<u64>top << 32) | <u64>(top ? select<usize>(bucket, other, isOwn) + (at & 15) : 0);
  const ownChain = changetype<B>(bucket).link(true);
  const chain = changetype<B>(other).link(true);
  return ownChain | chain ? chooseOfChains<B>(table, own, ownChain, hand, chain, best) : <usize><u32>best;
}

/** Whether there is a better one in the chains of these. */
function chooseOfChains<B>(table: usize, own: u32, ownChain: usize, hand: u32, chain: usize, best: u64): usize {
  if (ownChain) best = lookAtChain<B>(table, own, ownChain, true, best);
  if (chain) best = lookAtChain<B>(table, hand, chain, false, best);
  return <usize><u32>best;
}

/** Where these are empty: of the next at the hand. */
function chooseFurther<B>(table: usize): usize {
  let best: u64 = 0;
  for (let looked: u32 = 0; !best && looked < MOST_FURTHER; looked++) {
    const hand = word(table, HAND);
    best = look<B>(table, hand, false, best);
    setWord(table, HAND, after(table, hand));
  }
  return <usize><u32>best;
}

/** That of a bucket alone: where it is long, or there is no memory for another entry. */
export function chooseOwn<B>(table: usize, own: u32): usize {
  return <usize><u32>look<B>(table, own, true, 0);
}
