// Layout "refs": a bucket of one cache line holds tags and addresses; the entries themselves are elements (elements.ts).
//
// bucket and overflow block, 64 bytes, 10 slots
//    0 u16 tag[10]: 0 free, otherwise bits 16..31 of the hash, which is never below 2^16 here (`tagged`)
//   20 u32 link to the next overflow block, or 0; in the shared build its low 6 bits hold the width of a bucket
//   24 u32 element[10], addresses (of elements in groups plus their places: lanes.ts); in the shared build 9, and in the place of the last one the lock word
//
// 16 bits of tag are also the hash bits that splits beyond 65,536 buckets go by, so such a split touches no element.
// Nobody holds addresses into these blocks, so slots may move and be used again while a section is open; elements may not.
//
// E is the kind of elements: of one size (one_size.ts) or texts (texts.ts). It answers to
//   isOneArray()     whether they are one segmented array, whose words are those of the table
//   isThere          whether there is memory of an element, for readers without a lock
//   matches, keyAt, hashOf, order, copyKey      the key, of what refers to an element
//   valueAt, copyValue                          the value
//   newEntry, note, log, free                   the memory
import { SHARED } from "../../build";
import { COUNTING, countCopied, countProbe, countTagFalseHit } from "../../counting";
import { follow, insist, mostNodes } from "../../damage";
import { logWord, write16, write32 } from "../../sync/journal";
import { GONE_WIDTH, WIDTH_BITS } from "../../sync/word";
import { absorbOneByOne, distributeOneByOne } from "./distribute";
import { KEY_SIZE, field } from "./header";
import { OneSize } from "./one_size";
import { Texts } from "./texts";

export const LINK: usize = 20;
export const ADDRESSES: usize = 24;
export const LOCK: usize = 60;
const TAG_SHIFT: u32 = 16;

export const REFS_BUCKET_BYTES: u32 = 64;
export const REFS_SLOTS: u32 = SHARED ? 9 : 10;
const ALL: u32 = (1 << REFS_SLOTS) - 1;
/** What an overflow block has more in a table that evicts: the marks of its slots at its end (table/notes/book.ts). */
const MARKS_BYTES: u32 = 64;

export function refsOverflowBytes(evicts: bool): u32 {
  return evicts ? REFS_BUCKET_BYTES + MARKS_BYTES : REFS_BUCKET_BYTES;
}

@unmanaged export class BlockOf<E> {
  @inline private at(): usize {
    return changetype<usize>(this);
  }

  @inline private withTag(tag: u32): u32 {
    const wanted = i16x8.splat(<i16>tag);
    const a = i16x8.eq(v128.load(this.at()), wanted);
    const b = i16x8.eq(v128.load(this.at(), 16), wanted);
    return <u32>i8x16.bitmask(i8x16.narrow_i16x8_s(a, b)) & ALL;
  }

  @inline holdsValues(): bool {
    return false;
  }

  /** Whether the entries are elements that lie in one array of the table. */
  @inline isOneArray(): bool {
    return changetype<E>(0).isOneArray();
  }

  @inline bucketBytes(table: usize): u32 {
    return REFS_BUCKET_BYTES;
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
    store<u64>(this.at(), 0, 16);
  }

  @inline occupied(table: usize, first: bool): u32 {
    return ~this.withTag(0) & ALL;
  }

  @inline vacant(table: usize, first: bool, pinned: bool): u32 {
    return this.withTag(0);
  }

  /** A tag that may not be set: the tenth, where there are nine slots. 0 in a sound block. */
  @inline stray(table: usize, first: bool): u32 {
    return SHARED ? <u32>load<u16>(this.at() + (<usize>REFS_SLOTS << 1)) : 0;
  }

  @inline find<K>(table: usize, key: K, hash: u32, first: bool): u32 {
    if (COUNTING) countProbe(first);
    const size = field(table, KEY_SIZE);
    let candidates = this.withTag(hash >> TAG_SHIFT);
    while (candidates) {
      const slot = <u32>ctz(candidates);
      const entry = this.entryAt(slot);
      // Without the lock, a word that is no address any more: there is no memory of the stride there, or what is found is dropped.
      if (SHARED && !changetype<E>(0).isThere(table, entry)) return 0;
      if (changetype<E>(0).matches<K>(table, entry, key, hash, size)) return 1 << slot;
      if (COUNTING) countTagFalseHit();
      candidates &= candidates - 1;
    }
    return 0;
  }

  @inline put<K>(table: usize, slot: u32, key: K, hash: u32, entry: usize, first: bool): void {
    changetype<E>(0).note(entry, hash);
    store<u32>(this.at() + ADDRESSES + (<usize>slot << 2), <u32>entry);
    write16(this.at() + (<usize>slot << 1), hash >> TAG_SHIFT);
  }

  @inline drop(table: usize, slot: u32, first: bool, pinned: bool): void {
    write16(this.at() + (<usize>slot << 1), 0);
  }

  /** Frees slots, whose elements die: what `drop` and `freeEntry` do to each. Plain build. */
  @inline bury(table: usize, slots: u32, first: bool): void {
    while (slots) {
      const slot = <u32>ctz(slots);
      slots &= slots - 1;
      store<u16>(this.at() + (<usize>slot << 1), 0);
      changetype<E>(0).free<BlockOf<E>>(table, this.entryAt(slot));
    }
  }

  @inline keyAt(table: usize, slot: u32, first: bool): usize {
    return changetype<E>(0).keyAt(table, this.entryAt(slot));
  }

  @inline valueAt(table: usize, slot: u32, first: bool): usize {
    return changetype<E>(0).valueAt(table, this.entryAt(slot));
  }

  @inline hashAt(table: usize, slot: u32, first: bool): u32 {
    return changetype<E>(0).hashOf(table, this.entryAt(slot));
  }

  /** The byte of the hash that a ghost of the entry is known by (table/notes/marks.ts). */
  @inline ghostAt(table: usize, slot: u32, first: bool): u32 {
    return <u32>load<u16>(this.at() + (<usize>slot << 1)) >> 8;
  }

  /** The hash of an element. */
  @inline elementHash(table: usize, entry: usize): u32 {
    return changetype<E>(0).hashOf(table, entry);
  }

  /** The order of two keys in memory. */
  @inline order(a: usize, b: usize, size: u32): i32 {
    return changetype<E>(0).order(a, b, size);
  }

  @inline distribute(table: usize, bit: u32, target: usize): u32 {
    return distributeOneByOne<BlockOf<E>>(table, this.at(), bit, target);
  }

  @inline absorb(table: usize, bucket: usize): u32 {
    return absorbOneByOne<BlockOf<E>>(table, this.at(), bucket);
  }

  @inline side(table: usize, slot: u32, bit: u32, first: bool): bool {
    if (bit >= 1 << TAG_SHIFT) return (<u32>load<u16>(this.at() + (<usize>slot << 1)) & (bit >> TAG_SHIFT)) != 0;
    return (this.hashAt(table, slot, first) & bit) != 0;
  }

  @inline move(table: usize, slot: u32, first: bool, target: usize, to: u32, targetFirst: bool): void {
    if (COUNTING) countCopied(6);
    write32(target + ADDRESSES + (<usize>to << 2), <u32>this.entryAt(slot));
    write16(target + (<usize>to << 1), load<u16>(this.at() + (<usize>slot << 1)));
  }

  /** Notes an entry whose slot and element this operation frees, and may use again. */
  @inline logEntry(table: usize, slot: u32, first: bool): void {
    logWord(this.at() + ADDRESSES + (<usize>slot << 2));
    changetype<E>(0).log(table, this.entryAt(slot));
  }

  @inline copyKey(table: usize, slot: u32, first: bool, target: usize): void {
    if (SHARED && !changetype<E>(0).isThere(table, this.entryAt(slot))) return;
    changetype<E>(0).copyKey(table, this.entryAt(slot), target);
  }

  @inline copyValue(table: usize, slot: u32, first: bool, target: usize): void {
    if (SHARED && !changetype<E>(0).isThere(table, this.entryAt(slot))) return;
    changetype<E>(0).copyValue(table, target, this.valueAt(table, slot, first));
  }

  @inline newEntry<K>(table: usize, key: K): usize {
    return changetype<E>(0).newEntry<BlockOf<E>, K>(table, key);
  }

  @inline entryAt(slot: u32): usize {
    return <usize>load<u32>(this.at() + ADDRESSES + (<usize>slot << 2));
  }

  @inline freeEntry(table: usize, entry: usize): void {
    changetype<E>(0).free<BlockOf<E>>(table, entry);
  }

  /** The first element whose tag fits a hash, 0 when there is none: what a batch touches ahead. */
  @inline candidate(hash: u32): u32 {
    const slots = this.withTag(hash >> TAG_SHIFT);
    return slots ? <u32>this.entryAt(<u32>ctz(slots)) : 0;
  }

  /** Block and slot (block address plus slot) of this chain that hold an element, which is in it. */
  @inline blockOf(element: usize): usize {
    let block = changetype<usize>(this);
    let left = mostNodes();
    while (true) {
      left = follow(left);
      let slots = changetype<BlockOf<E>>(block).occupied(0, true);
      while (slots) {
        const slot = <u32>ctz(slots);
        if (changetype<BlockOf<E>>(block).entryAt(slot) == element) return block + slot;
        slots &= slots - 1;
      }
      block = changetype<BlockOf<E>>(block).link(true);
      insist(block != 0);
    }
  }

  /** Lets a slot hold another address: that of its element after a move. */
  @inline repoint(slot: u32, element: usize): void {
    store<u32>(this.at() + ADDRESSES + (<usize>slot << 2), <u32>element);
  }
}

export type BlockRefs = BlockOf<OneSize>;
export type BlockTexts = BlockOf<Texts>;
