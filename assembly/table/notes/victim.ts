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
import { HAND, LOOKED, NOW, VICTIM_IN, bookOf, count, markOf, marksOf, setWord, word } from "./book";
import { CLASS_SHIFT, OLD, STAMP, isExact } from "./marks";

const MOST_BEYOND: u32 = 4;
const AT_HAND: u32 = 2;
/** Buckets that are looked at when there was no entry in the first ones. */
const MOST_FURTHER: u32 = 8;
/** Bits of a score that tell its slot: 15 - slot, so that of equal scores the first slot has the most. */
const SLOT_BITS: u32 = 4;
const LAST_SLOT: u32 = 15;
/** A block is a multiple of 64, so a slot fits into its address. */
export const SLOT_OF: usize = 63;

/** The age of each of 16 marks. */
@inline function agesOf(marks: v128, now: u32): v128 {
  return v128.and(i8x16.sub(i8x16.splat(<i8>now), marks), i8x16.splat(<i8>STAMP));
}

/** The highest score of some slots of a record, and its slot; 0 when there are none. All at once: entry by entry it took four times as long. */
@inline function bestOf(marks: v128, slots: u32, now: u32): u32 {
  const age = i8x16.add(agesOf(marks, now), i8x16.splat(1));
  const weight = i8x16.swizzle(i8x16(8, 4, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), i8x16.shr_u(marks, CLASS_SHIFT));
  let low = v128.or(i16x8.shl(i16x8.extmul_low_i8x16_u(age, weight), SLOT_BITS), i16x8(15, 14, 13, 12, 11, 10, 9, 8));
  let high = v128.or(i16x8.shl(i16x8.extmul_high_i8x16_u(age, weight), SLOT_BITS), i16x8(7, 6, 5, 4, 3, 2, 1, 0));
  const bits = i16x8(1, 2, 4, 8, 16, 32, 64, 128);
  low = v128.and(low, i16x8.eq(v128.and(i16x8.splat(<i16>slots), bits), bits));
  high = v128.and(high, i16x8.eq(v128.and(i16x8.splat(<i16>(slots >> 8)), bits), bits));
  let most = i16x8.max_u(low, high);
  most = i16x8.max_u(most, i8x16.shuffle(most, most, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  most = i16x8.max_u(most, i8x16.shuffle(most, most, 4, 5, 6, 7, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3));
  return max(<u32>i16x8.extract_lane_u(most, 0), <u32>i16x8.extract_lane_u(most, 1));
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

/** What a search has found so far, in registers of the caller: AssemblyScript returns one number. score << 32 | block | slot */
@inline function scoreOf(best: u64): u32 {
  return <u32>(best >> 32);
}

/** Looks at the entries of a bucket and its chain. The best of them and of those before. */
@inline function look<B>(table: usize, index: u32, best: u64): u64 {
  return lookAt<B>(table, index, bucketAddress<B>(table, index), best, false);
}

function lookAt<B>(table: usize, index: u32, bucket: usize, best: u64, locked: bool): u64 {
  const now = load<u32>(bookOf(table), NOW);
  const exact = isExact(table);
  const before = scoreOf(best);
  let block = bucket;
  let left: u32 = 0;
  while (true) {
    const first = block == bucket;
    const slots = changetype<B>(block).occupied(table, first);
    const marks = marksOf<B>(table, index, block, first);
    const found = bestOf(marks, slots, now);
    if (found >> SLOT_BITS > scoreOf(best)) {
      best = (<u64>(found >> SLOT_BITS) << 32) | (block + (LAST_SLOT - (found & LAST_SLOT)));
    }
    if (!exact && (!SHARED || first || locked)) holdBack(markOf<B>(table, index, block, 0, first), marks, slots, now);
    block = changetype<B>(block).link(first);
    if (!block) break;
    left = further(left);
  }
  if (scoreOf(best) > before) setWord(table, VICTIM_IN, index);
  count(table, LOOKED, 1);
  return best;
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
  const buckets = field(table, BUCKETS);
  if (isExact(table)) {
    let best: u64 = 0;
    for (let index: u32 = 0; index < buckets; index++) best = look<B>(table, index, best);
    return <usize>best;
  }
  const bucket = bucketAddress<B>(table, own);
  let best = lookAt<B>(table, own, bucket, 0, true);
  if (isLong<B>(table, bucket)) return <usize>best;
  let hand = word(table, HAND);
  if (hand >= buckets) hand = 0; // damaged
  for (let looked: u32 = 0; looked < AT_HAND || (!best && looked < MOST_FURTHER); looked++) {
    best = look<B>(table, hand, best);
    hand = hand + 1 < buckets ? hand + 1 : 0;
  }
  setWord(table, HAND, hand);
  return <usize>best;
}

/** That of a bucket alone: where there is no memory for another entry. */
export function chooseOwn<B>(table: usize, own: u32): usize {
  return <usize>lookAt<B>(table, own, bucketAddress<B>(table, own), 0, true);
}
