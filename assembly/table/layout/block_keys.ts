// Layout "keys": 4-byte keys and values of up to 8 bytes inside the bucket, keys compared all at once by SIMD, no tags.
//
// bucket, 128 bytes, 10 slots                       overflow block, 64 bytes, 4 slots
//    0 u32 key[10]                                     0 u32 key[4]
//   40 u32 link to the first overflow block, or 0     16 u32 link to the next one, or 0
//   44 u32 slots: bits 0..9 used, 16..25 dead         20 u32 slots: bits 0..3 used, 16..19 dead
//   48 8-byte cells of the values [10]                24 8-byte cells of the values [4]
//                                                     56 u8 marks [4], of a table that evicts (table/notes/book.ts)
//
// The shared build has 9 slots, which makes room for the lock word (sync/lock_word.ts), and notes its width beside the link:
//    0 u32 key[9] | 36 u32 link and, in its low 6 bits, width | 40 u32 slots | 44 u32 lock | 48 cells [9]
//
// A dead slot was deleted inside a section: its bytes stay until no section is open. So that closing a section costs nothing,
// the mark is not taken back then; it is only obeyed while a section is open.
//
// The classes block_keys, block_tags and block_refs answer to the same calls; table/entries/entries.ts lists them.
import { SHARED } from "../../build";
import { COUNTING, countCopied, countProbe } from "../../counting";
import { hash4, hash4With } from "../../hash/hash";
import { compareBytes, copyBytes } from "../../memory/bytes";
import { logBytes, logWord, write32 } from "../../sync/journal";
import { inSection } from "../../sync/section";
import { GONE_WIDTH, WIDTH_BITS } from "../../sync/word";
import { COUNT, MARK, SEEDS, VALUE_SIZE, VERSION, field, setField } from "./header";

export const LINK: usize = SHARED ? 36 : 40;
export const USED: usize = SHARED ? 40 : 44;
export const LOCK: usize = 44;
export const CELLS: usize = 48;
export const OVERFLOW_LINK: usize = 16;
export const OVERFLOW_USED: usize = 20;
export const OVERFLOW_CELLS: usize = 24;
export const CELL: u32 = 8;

export const KEYS_BUCKET_BYTES: u32 = 128;
export const KEYS_SLOTS: u32 = SHARED ? 9 : 10;
export const KEYS_OVERFLOW_BYTES: u32 = 64;
export const KEYS_OVERFLOW_SLOTS: u32 = 4;
export const ALL: u32 = (1 << KEYS_SLOTS) - 1;
const OVERFLOW_ALL: u32 = (1 << KEYS_OVERFLOW_SLOTS) - 1;
const DEAD: u32 = 16;

/** The bits that a key sets in the filter of absent keys. The index of a bucket is made of the lower bits of the hash. */
@inline export function filterBits(hash: u32): u32 {
  return (1 << (hash >> 27)) | (1 << ((hash >> 22) & 31));
}

@unmanaged export class BlockKeys {
  @inline private at(): usize {
    return changetype<usize>(this);
  }

  @inline private used(first: bool): usize {
    return this.at() + (first ? USED : OVERFLOW_USED);
  }

  @inline holdsValues(): bool {
    return true;
  }

  @inline isOneArray(): bool {
    return false;
  }

  /** The order of two keys in memory. */
  @inline order(a: usize, b: usize, size: u32): i32 {
    return compareBytes(a, b, size);
  }

  @inline bucketBytes(table: usize): u32 {
    return KEYS_BUCKET_BYTES;
  }

  /** Whether a key is a word of 4 bytes, and a value one aligned word of 8, which an atomic load reads as a whole. */
  @inline isWord(): bool {
    return true;
  }

  /** Address of the lock word of a bucket. */
  @inline lock(): usize {
    return this.at() + LOCK;
  }

  /** The word with link and width. */
  @inline linkWord(): u32 {
    return load<u32>(this.at() + LINK);
  }

  /** Where a bucket has its width: beside its link (buckets.ts). */
  @inline widthOffset(): usize {
    return LINK;
  }

  /** Takes all entries and the chain away, after a merge has moved them: whoever comes late must find nothing here. */
  @inline vacate(): void {
    write32(this.at() + USED, 0);
    write32(this.at() + LINK, GONE_WIDTH);
  }

  @inline link(first: bool): usize {
    if (SHARED) return load<u32>(this.at() + (first ? LINK : OVERFLOW_LINK)) & ~WIDTH_BITS;
    return load<u32>(this.at() + (first ? LINK : OVERFLOW_LINK));
  }

  @inline setLink(first: bool, block: usize): void {
    const word = this.at() + (first ? LINK : OVERFLOW_LINK);
    if (SHARED) write32(word, <u32>block | (load<u32>(word) & WIDTH_BITS));
    else store<u32>(word, <u32>block);
  }

  @inline reset(first: bool): void {
    store<u32>(this.at() + (first ? LINK : OVERFLOW_LINK), 0);
    store<u32>(this.used(first), 0);
  }

  @inline occupied(table: usize, first: bool): u32 {
    return load<u32>(this.used(first)) & (first ? ALL : OVERFLOW_ALL);
  }

  @inline vacant(table: usize, first: bool, pinned: bool): u32 {
    const word = load<u32>(this.used(first));
    return ~(pinned ? word | (word >> DEAD) : word) & (first ? ALL : OVERFLOW_ALL);
  }

  /** Bits of the slots word that may not be set: slots both used and dead, and what is no slot. 0 in a sound block. */
  @inline stray(table: usize, first: bool): u32 {
    const word = load<u32>(this.used(first));
    const all = first ? ALL : OVERFLOW_ALL;
    return (word & (word >> DEAD)) | (word & ~(all | (all << DEAD)));
  }

  @inline find<K>(table: usize, key: K, hash: u32, first: bool): u32 {
    if (COUNTING) countProbe(first);
    const at = this.at();
    const wanted = i32x4.splat(<i32>key);
    const a = i32x4.eq(v128.load(at), wanted);
    let equal: u32;
    if (first) {
      const b = i32x4.eq(v128.load(at, 16), wanted);
      const c = i32x4.eq(v128.load(at, 32), wanted);
      equal = <u32>i8x16.bitmask(i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, c)));
    } else {
      equal = <u32>i32x4.bitmask(a);
    }
    return equal & load<u32>(this.used(first)); // marks of dead slots have no bit in common with it
  }

  @inline put<K>(table: usize, slot: u32, key: K, hash: u32, entry: usize, first: bool): void {
    if (COUNTING) countCopied(4);
    store<u32>(this.at() + (<usize>slot << 2), <u32>key);
    this.mark(slot, first);
  }

  @inline private mark(slot: u32, first: bool): void {
    const word = this.used(first);
    write32(word, (load<u32>(word) & ~(1 << (slot + DEAD))) | (1 << slot));
  }

  /**
   * The common insert of an absent key by itself: the table need not be looked at further, and the bucket has a free slot and no
   * chain. Where the value belongs, 0 when there is more to do. Plain build. `mark` is LEAN_MARK for who has let the key pass the
   * filter of absent keys.
   */
  @inline insertHere(table: usize, key: u32, mark: usize = MARK): usize {
    const entries = field(table, COUNT);
    const used = load<u32>(this.at(), USED) & ALL;
    if (entries >= field(table, mark) || used == ALL || load<u32>(this.at(), LINK) | <u32>inSection()) return 0;
    if (COUNTING) countCopied(4);
    const slot = <usize>ctz(~used);
    store<u32>(this.at() + (slot << 2), key);
    store<u32>(this.at(), used | (used + 1), USED); // marks of dead slots mean nothing outside of sections
    setField(table, COUNT, entries + 1);
    setField(table, VERSION, field(table, VERSION) + 1);
    return this.at() + CELLS + (slot << 3);
  }

  @inline drop(table: usize, slot: u32, first: bool, pinned: bool): void {
    const word = this.used(first);
    const bit: u32 = 1 << slot;
    const marks = load<u32>(word) ^ bit;
    write32(word, select<u32>(marks | (bit << DEAD), marks, pinned));
  }

  /** Marks slots dead at once: what `drop` does to each inside a section. Plain build. */
  @inline bury(table: usize, slots: u32, first: bool): void {
    const word = this.used(first);
    store<u32>(word, (load<u32>(word) & ~slots) | (slots << DEAD));
  }

  @inline keyAt(table: usize, slot: u32, first: bool): usize {
    return this.at() + (<usize>slot << 2);
  }

  @inline valueAt(table: usize, slot: u32, first: bool): usize {
    return this.at() + (first ? CELLS : OVERFLOW_CELLS) + slot * CELL;
  }

  @inline hashAt(table: usize, slot: u32, first: bool): u32 {
    return hash4(table + SEEDS, load<u32>(this.keyAt(table, slot, first)));
  }

  /** The byte of the hash that a ghost of the entry is known by (table/notes/marks.ts). */
  @inline ghostAt(table: usize, slot: u32, first: bool): u32 {
    return this.hashAt(table, slot, first) >> 24;
  }

  /**
   * Moves the entries with a bit of their hash set from this bucket to an empty one, to slots 0, 1 ... How many.
   * No branch on the bit, which nothing can predict: every entry is written, and only the slot counts on.
   */
  @inline distribute(table: usize, bit: u32, target: usize): u32 {
    return this.divide(table, bit, target, false, 0, 0);
  }

  /** The same; with `filtered` it writes the words of the filter for both (filter.ts) to two addresses. */
  @inline divide(table: usize, bit: u32, target: usize, filtered: bool, lowWord: usize, highWord: usize): u32 {
    const s0 = load<u64>(table + SEEDS);
    const s1 = load<u64>(table + SEEDS, 8);
    const s2 = load<u64>(table + SEEDS, 16);
    const high = changetype<BlockKeys>(target);
    let rest = this.occupied(table, true);
    let stay = rest;
    let moved: u32 = 0;
    let lowBits: u32 = 0;
    let highBits: u32 = 0;
    while (rest) {
      const slot = <u32>ctz(rest);
      const key = load<u32>(this.at() + (<usize>slot << 2));
      const hash = hash4With(key, s0, s1, s2);
      const moves = <u32>((hash & bit) != 0);
      if (filtered) {
        const bits = filterBits(hash);
        lowBits |= bits & (moves - 1);
        highBits |= bits & (0 - moves);
      }
      store<u32>(target + (<usize>moved << 2), key);
      store<u64>(target + (<usize>moved << 3), load<u64>(this.at() + (<usize>slot << 3), CELLS), CELLS);
      stay ^= moves << slot;
      moved += moves;
      rest &= rest - 1;
    }
    write32(this.used(true), stay);
    store<u32>(high.used(true), (1 << moved) - 1);
    if (filtered) {
      store<u32>(lowWord, lowBits);
      store<u32>(highWord, highBits);
    }
    if (COUNTING) countCopied(moved * 12);
    return moved;
  }

  /** Moves entries of another bucket to free slots of this one. Those of its slots that were left. */
  @inline absorb(table: usize, bucket: usize): u32 {
    const from = changetype<BlockKeys>(bucket);
    let rest = from.occupied(table, true);
    let used = this.occupied(table, true); // no slot became free in this operation, so what is in free ones needs no journal
    while (rest && used != ALL) {
      const slot = <u32>ctz(rest);
      const to = <u32>ctz(~used);
      rest &= rest - 1;
      used |= used + 1;
      store<u32>(this.at() + (<usize>to << 2), load<u32>(bucket + (<usize>slot << 2)));
      store<u64>(this.at() + (<usize>to << 3), load<u64>(bucket + (<usize>slot << 3), CELLS), CELLS);
    }
    if (SHARED) write32(this.used(true), used);
    else store<u32>(this.used(true), used);
    if (COUNTING) countCopied((popcnt(from.occupied(table, true)) - popcnt(rest)) * (4 + CELL));
    return rest;
  }

  /** The bit of an entry's hash that a split goes by. */
  @inline side(table: usize, slot: u32, bit: u32, first: bool): bool {
    return (this.hashAt(table, slot, first) & bit) != 0;
  }

  /** Copies an entry into a free slot of another block. The slot may have become free in this operation, hence the journal. */
  @inline move(table: usize, slot: u32, first: bool, target: usize, to: u32, targetFirst: bool): void {
    if (COUNTING) countCopied(4 + CELL);
    const block = changetype<BlockKeys>(target);
    if (SHARED) {
      logWord(block.keyAt(table, to, targetFirst));
      logBytes(block.valueAt(table, to, targetFirst), CELL);
    }
    store<u32>(block.keyAt(table, to, targetFirst), load<u32>(this.keyAt(table, slot, first)));
    store<u64>(block.valueAt(table, to, targetFirst), load<u64>(this.valueAt(table, slot, first)));
    block.mark(to, targetFirst);
  }

  /** Notes an entry whose slot this operation frees, and may use again. */
  @inline logEntry(table: usize, slot: u32, first: bool): void {
    logWord(this.keyAt(table, slot, first));
    logBytes(this.valueAt(table, slot, first), CELL);
  }

  @inline copyKey(table: usize, slot: u32, first: bool, target: usize): void {
    if (COUNTING) countCopied(4);
    store<u32>(target, load<u32>(this.keyAt(table, slot, first)));
  }

  @inline copyValue(table: usize, slot: u32, first: bool, target: usize): void {
    const size = field(table, VALUE_SIZE);
    if (COUNTING && size == 8) countCopied(8);
    const value = this.valueAt(table, slot, first);
    if (size == 8) store<u64>(target, load<u64>(value));
    else copyBytes(target, value, size);
  }

  @inline newEntry<K>(table: usize, key: K): usize {
    return 1;
  }

  @inline entryAt(slot: u32): usize {
    return 1;
  }

  @inline freeEntry(table: usize, entry: usize): void {}
}
