// Marks: how recently, and how often, an entry was used. Ghosts: what was evicted a short while ago. With both, a cache keeps what comes
// again, without a list, a queue or a lock (docs/core.md, "Eviction").
//
//   mark of an entry: bits 0..4 stamp, NOW when it was used last | bits 5..6 class, how often it was seen again in a later tick
//   ghost: the top byte of the hash of an entry that was evicted from this bucket, at least 2; 0 none. The newest comes first.
//
// NOW ticks once in an eighth of `maxEntries` inserts, so a hit writes its mark at most that often, and hits alone write nothing more.
// A new entry has class 0, or 2 when its ghost is there. With `eviction: "recency"` every entry has class 3, and there are no ghosts.
//
// A small table (MOST_SMALL) ticks with every change of a mark, and counts its stamps anew before they run out. So they are an exact order.
//
// Readers of the shared build write marks without a lock: a byte that holds nothing but a mark, in memory that stays a record of this
// table until it is destroyed. A mark that comes late belongs to another entry by then, and makes it look used: no harm is done.
import { further } from "../../damage";
import { bucketAddress } from "../layout/buckets";
import { BUCKETS, FLAGS, RECENCY, SLOTS, field } from "../layout/header";
import { NOW, PER_TICK, SINCE_TICK, bookOf, count, markOf, recordOf, setWord, word } from "./book";

export const STAMP: u32 = 31;
export const CLASS_SHIFT: u32 = 5;
const MOST_CLASS: u32 = 3;
const GHOST_CLASS: u32 = 2;
/** Age from which on a stamp is kept from meeting NOW again, which it would look new at. */
export const OLD: u32 = 24;

/** The least tag of a ghost. */
export const LEAST_GHOST: u32 = 2;

/** Whether the stamps of a table are an exact order. */
@inline export function isExact(table: usize): bool {
  return !load<u32>(bookOf(table), PER_TICK);
}

/** The slots of a bucket whose stamp is not NOW, of who goes through `remark` if the entry in one of them is used. */
@inline export function staleOf(table: usize, bucket: u32): u32 {
  const stamps = v128.and(v128.load(recordOf(table, bucket)), i8x16.splat(<i8>STAMP));
  return <u32>i8x16.bitmask(i8x16.ne(stamps, i8x16.splat(<i8>(load<u32>(bookOf(table), NOW) & STAMP))));
}

/** Notes that an entry was used. */
@inline export function touch<B>(table: usize, mark: usize): void {
  if ((load<u8>(mark) ^ load<u8>(bookOf(table), NOW)) & STAMP) remark<B>(table, mark);
}

/** The same, of a stamp that is not NOW. */
export function remark<B>(table: usize, at: usize): void {
  if (isExact(table)) tickExactly<B>(table);
  const mark = <u32>load<u8>(at);
  const seen = min((mark >> CLASS_SHIFT) + 1, MOST_CLASS);
  store<u8>(at, <u8>((seen << CLASS_SHIFT) | (load<u32>(bookOf(table), NOW) & STAMP)));
}

/** A tick of a small table. When its stamps have run out, they become 0, 1, 2 ... in the order that they are in. */
function tickExactly<B>(table: usize): void {
  const book = bookOf(table);
  const now = load<u32>(book, NOW);
  if (now < STAMP) {
    store<u32>(book, now + 1, NOW);
    return;
  }
  const taken = stampsOf<B>(table, 0, 0);
  stampsOf<B>(table, taken, 1);
  store<u32>(book, popcnt(taken), NOW);
}

/** The set of stamps in use; with `anew`, each becomes the number of those of `taken` below it. */
function stampsOf<B>(table: usize, taken: u32, anew: u32): u32 {
  const buckets = field(table, BUCKETS);
  let stamps: u32 = 0;
  let left: u32 = 0;
  for (let index: u32 = 0; index < buckets; index++) {
    const bucket = bucketAddress<B>(table, index);
    let block = bucket;
    while (block) {
      const first = block == bucket;
      let rest = changetype<B>(block).occupied(table, first);
      while (rest) {
        const at = markOf<B>(table, index, block, <u32>ctz(rest), first);
        const mark = <u32>load<u8>(at);
        stamps |= 1 << (mark & STAMP);
        if (anew) store<u8>(at, <u8>((mark & ~STAMP) | popcnt(taken & ((1 << (mark & STAMP)) - 1))));
        rest &= rest - 1;
      }
      left = further(left);
      block = changetype<B>(block).link(first);
    }
  }
  return stamps;
}

/** The byte of a record at which its ghosts begin. */
@inline function ghostsFrom(table: usize): u32 {
  return max(field(table, SLOTS), 8);
}

/** Takes a ghost out of a record: whether it was there. */
@inline function takeGhost(table: usize, record: usize, tag: u32): bool {
  const from = ghostsFrom(table);
  // The last 16 bytes of the record: all ghosts, and marks before them.
  const equal = <u32>i8x16.bitmask(i8x16.eq(v128.load(record, 4), i8x16.splat(<i8>tag))) >> (from - 4);
  if (!equal) return false;
  store<u8>(record + from + <u32>ctz(equal), 0);
  return true;
}

/** Notes that an entry was evicted from a bucket. The oldest ghost goes. */
@inline export function addGhost(table: usize, bucket: u32, tag: u32): void {
  if (field(table, FLAGS) & RECENCY) return;
  const record = recordOf(table, bucket);
  // Bytes 8 to 11 begin with the marks of slots beyond the eighth.
  const low = load<u32>(record, 8);
  const shift = (ghostsFrom(table) - 8) << 3;
  const marks = low & ((1 << shift) - 1);
  store<u64>(record, (load<u64>(record, 12) << 8) | <u64>(low >> 24), 12);
  store<u32>(record, marks | ((((low >> shift) << 8) | tag) << shift), 8);
}

/** Gives a new entry of a bucket its mark, and counts it. */
@inline export function markNew<B>(table: usize, bucket: u32, mark: usize, hash: u32): void {
  if (isExact(table)) tickExactly<B>(table);
  const book = bookOf(table);
  const isGhost = takeGhost(table, recordOf(table, bucket), max(hash >> 24, LEAST_GHOST));
  const seen = field(table, FLAGS) & RECENCY ? MOST_CLASS : isGhost ? GHOST_CLASS : 0;
  store<u8>(mark, <u8>((seen << CLASS_SHIFT) | (load<u32>(book, NOW) & STAMP)));
  const perTick = load<u32>(book, PER_TICK);
  if (!perTick) return;
  const since = word(table, SINCE_TICK) + 1;
  setWord(table, SINCE_TICK, since < perTick ? since : 0);
  if (since >= perTick) store<u32>(book, load<u32>(book, NOW) + 1, NOW);
}
