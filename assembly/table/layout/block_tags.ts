// Layout "tags": small entries inside the bucket, found by 8-bit tags of their hashes, keys and values in columns of their own.
//
// bucket (up to 256 bytes, at most 11 slots) and overflow block (1 slot at least), the same shape:
//    0 u8 tag[11]: 0 free, 1 dead, otherwise the top byte of the hash, at least 2
//   12 u32 link to the next overflow block, or 0; in the shared build its low 6 bits hold the width of a bucket
//   16 in the shared build the lock word of a bucket, and 4 bytes of nothing
//   16 or 24 keys[slots], then from the offset VALUES or OVERFLOW_VALUES (a multiple of 8) values[slots]
//
// Columns need no padding: a C type's size is a multiple of its alignment. A dead slot was deleted inside a section; the mark
// counts as free again as soon as no section is open (see block_keys.ts).
import { SHARED } from "../../build";
import { COUNTING, countProbe, countTagFalseHit } from "../../counting";
import { hashBytes } from "../../hash/hash";
import { keyEquals, keyStride, storeKey } from "../../hash/key";
import { compareBytes, copyBytes } from "../../memory/bytes";
import { logBytes, write32, write8 } from "../../sync/journal";
import { GONE_WIDTH, WIDTH_BITS } from "../../sync/word";
import { absorbOneByOne, distributeOneByOne } from "./distribute";
import { BUCKET_BYTES, KEY_SIZE, OVERFLOW_MASK, OVERFLOW_VALUES, SEEDS, SLOT_MASK, VALUES, VALUE_SIZE, field } from "./header";

export const LINK: usize = 12;
export const LOCK: usize = 16;
const DEAD_TAG: u32 = 1;
export const LEAST_TAG: u32 = 2;

export const TAGS_KEYS: u32 = SHARED ? 24 : 16;
const MOST_SLOTS: u32 = 11;
/** Bytes of the largest bucket, and of key and value together in the largest entry. */
export const TAGS_BUCKET_MOST: u32 = 256;
export const TAGS_ENTRY_MOST: u32 = 32;
const LINE: u32 = 64;

/** Bytes that a block needs for so many slots. Reads of a key's tail go up to 7 bytes beyond it. */
function bytesFor(slots: u32, keySize: u32, valueSize: u32): u32 {
  const slack: u32 = keySize == 4 || !(keySize & 7) ? 0 : 8;
  return ((TAGS_KEYS + slots * keySize + 7) & ~7) + slots * valueSize + slack;
}

/** Slots that a block of so many bytes has, for entries of up to TAGS_ENTRY_MOST bytes. */
export function tagSlots(block: u32, keySize: u32, valueSize: u32): u32 {
  let slots = MOST_SLOTS;
  while (slots && bytesFor(slots, keySize, valueSize) > block) slots--;
  return slots;
}

/** Marks at the end of an overflow block of a table that evicts (table/notes/book.ts). */
const MARKS: u32 = 8;

/** Bytes of an overflow block: as few lines as hold one slot. */
export function tagOverflowBytes(keySize: u32, valueSize: u32, evicts: bool): u32 {
  return (bytesFor(1, keySize, valueSize) + (evicts ? MARKS : 0) + (LINE - 1)) & ~(LINE - 1);
}

/** Slots of an overflow block. */
export function tagOverflowSlots(block: u32, keySize: u32, valueSize: u32, evicts: bool): u32 {
  return evicts ? min(tagSlots(block - MARKS, keySize, valueSize), MARKS) : tagSlots(block, keySize, valueSize);
}

@unmanaged export class BlockTags {
  @inline private at(): usize {
    return changetype<usize>(this);
  }

  @inline private all(table: usize, first: bool): u32 {
    return field(table, first ? SLOT_MASK : OVERFLOW_MASK);
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
    return field(table, BUCKET_BYTES);
  }

  /** Whether a key is a word of 4 bytes, and a value one aligned word of 8, which an atomic load reads as a whole. */
  @inline isWord(): bool {
    return false;
  }

  /** Address of the lock word of a bucket. */
  @inline lock(): usize {
    return this.at() + LOCK;
  }

  /** Where a bucket has its width: beside its link (buckets.ts). */
  @inline widthOffset(): usize {
    return LINK;
  }

  /** Takes all entries and the chain away, after a merge has moved them: whoever comes late must find nothing here. */
  @inline vacate(): void {
    for (let word: usize = 0; word < LINK; word += 4) write32(this.at() + word, 0);
    write32(this.at() + LINK, GONE_WIDTH);
  }

  @inline link(first: bool): usize {
    if (SHARED) return load<u32>(this.at() + LINK) & ~WIDTH_BITS;
    return load<u32>(this.at() + LINK);
  }

  @inline setLink(first: bool, block: usize): void {
    if (SHARED) write32(this.at() + LINK, <u32>block | (load<u32>(this.at() + LINK) & WIDTH_BITS));
    else store<u32>(this.at() + LINK, <u32>block);
  }

  @inline reset(first: bool): void {
    v128.store(this.at(), i32x4.splat(0));
  }

  @inline occupied(table: usize, first: bool): u32 {
    return ~(<u32>i8x16.bitmask(i8x16.lt_u(v128.load(this.at()), i8x16.splat(<i8>LEAST_TAG)))) & this.all(table, first);
  }

  @inline vacant(table: usize, first: bool, pinned: bool): u32 {
    const least = pinned ? DEAD_TAG : LEAST_TAG;
    return <u32>i8x16.bitmask(i8x16.lt_u(v128.load(this.at()), i8x16.splat(<i8>least))) & this.all(table, first);
  }

  /** Tags that may not be set: those behind the last slot. 0 in a sound block. */
  @inline stray(table: usize, first: bool): u32 {
    const marked = ~(<u32>i8x16.bitmask(i8x16.eq(v128.load(this.at()), i8x16.splat(0))));
    return marked & ((1 << <u32>LINK) - 1) & ~this.all(table, first);
  }

  @inline find<K>(table: usize, key: K, hash: u32, first: bool): u32 {
    if (COUNTING) countProbe(first);
    const at = this.at();
    const size = field(table, KEY_SIZE);
    let candidates =
      <u32>i8x16.bitmask(i8x16.eq(v128.load(this.at()), i8x16.splat(<i8>max(hash >> 24, LEAST_TAG)))) & this.all(table, first);
    while (candidates) {
      const slot = <u32>ctz(candidates);
      if (keyEquals<K>(at + TAGS_KEYS + slot * keyStride<K>(size), key, size)) return 1 << slot;
      if (COUNTING) countTagFalseHit();
      candidates &= candidates - 1;
    }
    return 0;
  }

  @inline put<K>(table: usize, slot: u32, key: K, hash: u32, entry: usize, first: bool): void {
    storeKey<K>(this.keyAt(table, slot, first), key, field(table, KEY_SIZE));
    write8(this.at() + slot, max(hash >> 24, LEAST_TAG));
  }

  @inline drop(table: usize, slot: u32, first: bool, pinned: bool): void {
    write8(this.at() + slot, pinned ? DEAD_TAG : 0);
  }

  /** Marks slots dead: what `drop` does to each inside a section. Plain build. */
  @inline bury(table: usize, slots: u32, first: bool): void {
    while (slots) {
      store<u8>(this.at() + <usize>ctz(slots), <u8>DEAD_TAG);
      slots &= slots - 1;
    }
  }

  @inline keyAt(table: usize, slot: u32, first: bool): usize {
    return this.at() + TAGS_KEYS + slot * field(table, KEY_SIZE);
  }

  @inline valueAt(table: usize, slot: u32, first: bool): usize {
    return this.at() + field(table, first ? VALUES : OVERFLOW_VALUES) + slot * field(table, VALUE_SIZE);
  }

  @inline hashAt(table: usize, slot: u32, first: bool): u32 {
    return hashBytes(table + SEEDS, this.keyAt(table, slot, first), field(table, KEY_SIZE));
  }

  /** The byte of the hash that a ghost of the entry is known by (table/notes/marks.ts). */
  @inline ghostAt(table: usize, slot: u32, first: bool): u32 {
    return load<u8>(this.at() + slot);
  }

  @inline distribute(table: usize, bit: u32, target: usize): u32 {
    return distributeOneByOne<BlockTags>(table, this.at(), bit, target);
  }

  @inline absorb(table: usize, bucket: usize): u32 {
    return absorbOneByOne<BlockTags>(table, this.at(), bucket);
  }

  @inline side(table: usize, slot: u32, bit: u32, first: bool): bool {
    return (this.hashAt(table, slot, first) & bit) != 0;
  }

  @inline move(table: usize, slot: u32, first: bool, target: usize, to: u32, targetFirst: bool): void {
    const block = changetype<BlockTags>(target);
    if (SHARED) {
      logBytes(block.keyAt(table, to, targetFirst), field(table, KEY_SIZE));
      logBytes(block.valueAt(table, to, targetFirst), field(table, VALUE_SIZE));
    }
    copyBytes(block.keyAt(table, to, targetFirst), this.keyAt(table, slot, first), field(table, KEY_SIZE));
    copyBytes(block.valueAt(table, to, targetFirst), this.valueAt(table, slot, first), field(table, VALUE_SIZE));
    write8(target + to, load<u8>(this.at() + slot));
  }

  /** Notes an entry whose slot this operation frees, and may use again. */
  @inline logEntry(table: usize, slot: u32, first: bool): void {
    logBytes(this.keyAt(table, slot, first), field(table, KEY_SIZE));
    logBytes(this.valueAt(table, slot, first), field(table, VALUE_SIZE));
  }

  @inline copyKey(table: usize, slot: u32, first: bool, target: usize): void {
    copyBytes(target, this.keyAt(table, slot, first), field(table, KEY_SIZE));
  }

  @inline copyValue(table: usize, slot: u32, first: bool, target: usize): void {
    copyBytes(target, this.valueAt(table, slot, first), field(table, VALUE_SIZE));
  }

  @inline newEntry<K>(table: usize, key: K): usize {
    return 1;
  }

  @inline entryAt(slot: u32): usize {
    return 1;
  }

  @inline freeEntry(table: usize, entry: usize): void {}
}
