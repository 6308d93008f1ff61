// Which entry an insert into a full table evicts: of the key's own bucket and the two at a hand that goes round, the one with the
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
const AT_HAND: u32 = 2;
/** Buckets that are looked at when there was no entry in the first ones. */
const MOST_FURTHER: u32 = 8;
/** What a search compares: score << 6 | rank of the bucket << 4 | 15 - slot. So of equal scores the bucket of the higher rank has the most. */
const SLOT_BITS: u32 = 4;
const SCORE_SHIFT: u32 = 6;
const LAST_SLOT: u32 = 15;
const OWN: u32 = 2;
const FIRST_AT_HAND: u32 = 1;
/** A block is a multiple of 64, so a slot fits into its address. */
export const SLOT_OF: usize = 63;

/** The age of each of 16 marks. */
@inline function agesOf(marks: v128, now: u32): v128 {
  return v128.and(i8x16.sub(i8x16.splat(<i8>now), marks), i8x16.splat(<i8>STAMP));
}

/** What there is to compare of some slots of a record, 0 of the others. All at once: entry by entry it took four times as long. */
@inline function scoresOf(marks: v128, slots: u32, now: u32, rank: u32): v128 {
  const age = i8x16.add(agesOf(marks, now), i8x16.splat(1));
  const weight = i8x16.swizzle(i8x16(8, 4, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), i8x16.shr_u(marks, CLASS_SHIFT));
  const tail = v128.or(i16x8(7, 6, 5, 4, 3, 2, 1, 0), i16x8.splat(<i16>(rank << SLOT_BITS)));
  const bits = i16x8(1, 2, 4, 8, 16, 32, 64, 128);
  let low = v128.or(i16x8.shl(i16x8.extmul_low_i8x16_u(age, weight), SCORE_SHIFT), v128.or(tail, i16x8.splat(8)));
  let high = v128.or(i16x8.shl(i16x8.extmul_high_i8x16_u(age, weight), SCORE_SHIFT), tail);
  low = v128.and(low, i16x8.eq(v128.and(i16x8.splat(<i16>slots), bits), bits));
  high = v128.and(high, i16x8.eq(v128.and(i16x8.splat(<i16>(slots >> 8)), bits), bits));
  return i16x8.max_u(low, high);
}

/** The most of them. */
@inline function topOf(scores: v128): u32 {
  scores = i16x8.max_u(scores, i8x16.shuffle(scores, scores, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  scores = i16x8.max_u(scores, i8x16.shuffle(scores, scores, 4, 5, 6, 7, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3));
  return max(<u32>i16x8.extract_lane_u(scores, 0), <u32>i16x8.extract_lane_u(scores, 1));
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

// What a search has found so far, since AssemblyScript returns one number: what was compared << 32 | block.

@inline function victimIn(best: u64): usize {
  return best ? <usize>best + (LAST_SLOT - (<u32>(best >> 32) & LAST_SLOT)) : 0;
}

/** Looks at a block. The best of it and of those before. */
@inline function lookAt<B>(table: usize, index: u32, block: usize, first: bool, rank: u32, best: u64): u64 {
  const now = load<u32>(bookOf(table), NOW);
  const slots = changetype<B>(block).occupied(table, first);
  const marks = marksOf<B>(table, index, block, first);
  const top = topOf(scoresOf(marks, slots, now, rank));
  if (!isExact(table) && (!SHARED || first || rank == OWN)) holdBack(markOf<B>(table, index, block, 0, first), marks, slots, now);
  return top >> SLOT_BITS > <u32>(best >> 32) >> SLOT_BITS ? (<u64>top << 32) | block : best;
}

/** Looks at the chain of a bucket. */
function lookAtChain<B>(table: usize, index: u32, bucket: usize, rank: u32, best: u64): u64 {
  let block = changetype<B>(bucket).link(true);
  let left: u32 = 0;
  while (block) {
    best = lookAt<B>(table, index, block, false, rank, best);
    block = changetype<B>(block).link(false);
    left = further(left);
  }
  return best;
}

/** Looks at a bucket with its chain. Of equal scores those before are better. */
function look<B>(table: usize, index: u32, rank: u32, best: u64): u64 {
  const bucket = bucketAddress<B>(table, index);
  const found = lookAtChain<B>(table, index, bucket, rank, lookAt<B>(table, index, bucket, true, rank, 0));
  count(table, LOOKED, 1);
  if (found >> 32 >> SCORE_SHIFT <= best >> 32 >> SCORE_SHIFT) return best;
  setWord(table, VICTIM_IN, index);
  return found;
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
    for (let index: u32 = 0; index < buckets; index++) best = look<B>(table, index, OWN, best);
    return victimIn(best);
  }
  const bucket = bucketAddress<B>(table, own);
  if (isLong<B>(table, bucket)) return chooseOwn<B>(table, own);
  const victim = chooseOfThree<B>(table, own, bucket);
  return victim ? victim : chooseFurther<B>(table);
}

@inline function after(table: usize, bucket: u32): u32 {
  return bucket + 1 < field(table, BUCKETS) ? bucket + 1 : 0;
}

/** Of the own bucket and the two at the hand: their scores are compared in one vector. */
function chooseOfThree<B>(table: usize, own: u32, bucket: usize): usize {
  const now = load<u32>(bookOf(table), NOW);
  const hand = word(table, HAND) < field(table, BUCKETS) ? word(table, HAND) : 0; // or it is damaged
  const next = after(table, hand);
  const a = bucketAddress<B>(table, hand);
  const b = bucketAddress<B>(table, next);
  const slotsA = changetype<B>(a).occupied(table, true);
  const slotsB = changetype<B>(b).occupied(table, true);
  const marksA = v128.load(recordOf(table, hand));
  const marksB = v128.load(recordOf(table, next));
  const ownScores = scoresOf(v128.load(recordOf(table, own)), changetype<B>(bucket).occupied(table, true), now, OWN);
  const scores = i16x8.max_u(scoresOf(marksA, slotsA, now, FIRST_AT_HAND), scoresOf(marksB, slotsB, now, 0));
  let top = topOf(i16x8.max_u(ownScores, scores));
  // Old stamps of the own bucket wait for the hand, which goes round more than once in a tick.
  holdBack(recordOf(table, hand), marksA, slotsA, now);
  holdBack(recordOf(table, next), marksB, slotsB, now);
  setWord(table, HAND, after(table, next));
  count(table, LOOKED, 1 + AT_HAND);
  let block = blockOf(top, bucket, a, b);
  if (changetype<B>(bucket).link(true) | changetype<B>(a).link(true) | changetype<B>(b).link(true)) {
    let best = (<u64>top << 32) | block;
    best = lookAtChain<B>(table, own, bucket, OWN, best);
    best = lookAtChain<B>(table, hand, a, FIRST_AT_HAND, best);
    best = lookAtChain<B>(table, next, b, 0, best);
    top = <u32>(best >> 32);
    block = <usize>best;
  }
  setWord(table, VICTIM_IN, <u32>blockOf(top, own, hand, next));
  return top ? block + (LAST_SLOT - (top & LAST_SLOT)) : 0;
}

/** Of three, that of the bucket whose rank is in what was compared. */
@inline function blockOf(top: u32, own: usize, first: usize, second: usize): usize {
  const rank = (top >> SLOT_BITS) & 3;
  return select<usize>(own, select<usize>(first, second, rank == FIRST_AT_HAND), rank == OWN);
}

/** Where these are empty: of the next at the hand. */
function chooseFurther<B>(table: usize): usize {
  let best: u64 = 0;
  for (let looked: u32 = 0; !best && looked < MOST_FURTHER; looked++) {
    const hand = word(table, HAND);
    best = look<B>(table, hand, 0, best);
    setWord(table, HAND, after(table, hand));
  }
  return victimIn(best);
}

/** That of a bucket alone: where it is long, or there is no memory for another entry. */
export function chooseOwn<B>(table: usize, own: u32): usize {
  return victimIn(look<B>(table, own, OWN, 0));
}
