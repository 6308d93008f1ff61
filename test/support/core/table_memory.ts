/** Finds its way through the structures of the only map of a host, and changes them: what tests of verify damage. */
import { LAYOUT_ARRAY, LAYOUT_REFS, WIDTH_BITS } from "../../../src/generated/abi.js";
import type { CheckedHost } from "../checked_host.ts";
import { bucketAddress, segmentOf } from "./bucket_address.mjs";
import type { CoreConstants } from "./constants.ts";

type Segments = "BUCKET_SEGMENTS" | "ELEMENT_SEGMENTS";

/** Where a layout has what, in its buckets and in its overflow blocks (assembly/table/layout/block_*.ts). */
interface Shape {
  readonly link: readonly [bucket: number, overflow: number];
  /** The first tag or, of the layout without tags, the word of used and dead slots. */
  readonly marks: readonly [bucket: number, overflow: number];
  readonly tagBytes: 0 | 1 | 2;
  readonly keys: number;
  /** Of a bucket of the shared build. */
  readonly lock: number;
}

/** By layout: keys, tags, refs. */
function shapesOf(core: CoreConstants): readonly Shape[] {
  const pair = (bucket: string, overflow: string) => [core.named(bucket), core.named(overflow)] as const;
  const [tagsLink, refsLink] = [core.named("TAGS_LINK"), core.named("REFS_LINK")];
  return [
    {
      link: pair("KEYS_LINK", "KEYS_OVERFLOW_LINK"),
      marks: pair("KEYS_USED", "KEYS_OVERFLOW_USED"),
      tagBytes: 0,
      keys: 0,
      lock: core.named("KEYS_LOCK"),
    },
    {
      link: [tagsLink, tagsLink],
      marks: [0, 0],
      tagBytes: 1,
      keys: core.named("TAGS_KEYS"),
      lock: core.named("TAGS_LOCK"),
    },
    {
      link: [refsLink, refsLink],
      marks: [0, 0],
      tagBytes: 2,
      keys: core.named("REFS_ADDRESSES"),
      lock: core.named("REFS_LOCK"),
    },
  ];
}

const LINE = 64;

export class TableMemory {
  readonly checked: CheckedHost;
  readonly #table: number;
  readonly #shape: Shape;
  readonly #refs: boolean;

  /** @param checked a host with one map */
  constructor(checked: CheckedHost) {
    this.checked = checked;
    this.#table = [...checked.host.registry.all()][0]!.handle;
    this.#refs = this.get("LAYOUT") === LAYOUT_REFS;
    this.#shape = shapesOf(checked.constants)[this.get("LAYOUT")]!;
  }

  /** Number of the broken invariant, 0 when there is none. */
  verify(): number {
    return this.checked.verify(this.#table);
  }

  word(address: number): number {
    return this.checked.word(address);
  }

  setWord(address: number, value: number): void {
    this.checked.setWord(address, value);
  }

  /** Address of a word of the header, as assembly/table/layout/header.ts calls it. */
  address(name: string): number {
    return this.#table + this.checked.constants.header(name);
  }

  /** A word of the header, as assembly/table/layout/header.ts calls it. */
  get(name: string): number {
    return this.word(this.address(name));
  }

  set(name: string, value: number): void {
    this.setWord(this.address(name), value);
  }

  /** A block of zeros that belongs to nobody. */
  allocate(bytes: number): number {
    const block = this.checked.host.allocate(bytes);
    this.checked.host.u8.fill(0, block, block + bytes);
    return block;
  }

  release(address: number, bytes: number): void {
    this.checked.host.core.release(address, bytes);
  }

  /** Changes a word of the book of a table that evicts or whose entries expire (assembly/table/notes/book.ts). */
  changeBook(offset: number, change: (word: number) => number): void {
    const at = this.get("BOOK") + offset;
    this.setWord(at, change(this.word(at)));
  }

  room(array: Segments): number {
    return this.word(this.address(array) + 8);
  }

  setRoom(array: Segments, room: number): void {
    this.setWord(this.address(array) + 8, room);
  }

  changeSegment(array: Segments, segment: number, change: (entry: number) => number): void {
    const at = this.get(array) + 4 * segment;
    this.setWord(at, change(this.word(at)));
  }

  /** Address of a bucket. */
  bucket(index: number): number {
    return bucketAddress((at) => this.word(at), this.#table, index, this.checked.constants.shared);
  }

  /** Address of an element. */
  element(index: number): number {
    const segment = segmentOf(index, this.word(this.address("ELEMENT_SEGMENTS") + 4));
    const entry = this.word(this.get("ELEMENT_SEGMENTS") + 4 * segment);
    return (entry + index * this.get("ELEMENT_STRIDE")) >>> 0;
  }

  #isBucket(block: number): boolean {
    for (let index = 0; index < this.get("BUCKETS"); index++) if (this.bucket(index) === block) return true;
    return false;
  }

  #linkAt(block: number): number {
    return block + this.#shape.link[this.#isBucket(block) ? 0 : 1];
  }

  /** Links a block to another; the width of a bucket stays. */
  setLink(block: number, next: number): void {
    const at = this.#linkAt(block);
    this.setWord(at, this.checked.constants.shared ? (next | (this.word(at) & WIDTH_BITS)) >>> 0 : next);
  }

  #linkOf(block: number): number {
    const word = this.word(this.#linkAt(block));
    return this.checked.constants.shared ? (word & ~WIDTH_BITS) >>> 0 : word;
  }

  /** Changes the width that a bucket of the shared build notes. */
  changeWidth(bucket: number, change: (width: number) => number): void {
    const at = this.#linkAt(bucket);
    const word = this.word(at);
    this.setWord(at, ((word & ~WIDTH_BITS) | change(word & WIDTH_BITS)) >>> 0);
  }

  /** Address of the lock word of a bucket of the shared build. */
  lock(bucket: number): number {
    return bucket + this.#shape.lock;
  }

  /** Address of the first bucket with a chain. */
  crowded(): number {
    for (let index = 0; index < this.get("BUCKETS"); index++) {
      const bucket = this.bucket(index);
      if (this.#linkOf(bucket) !== 0) return bucket;
    }
    throw new Error("no bucket has a chain");
  }

  /** Address of the first overflow block of the first chain. */
  overflow(): number {
    return this.#linkOf(this.crowded());
  }

  /** Address of the first bucket with an entry and without a chain. */
  single(): number {
    for (let index = 0; index < this.get("BUCKETS"); index++) {
      const bucket = this.bucket(index);
      if (this.#linkOf(bucket) === 0 && this.used(bucket).length > 0) return bucket;
    }
    throw new Error("every bucket has a chain");
  }

  /** Puts the first overflow block into a circle with as many new ones as it takes. */
  circle(blocks: number): void {
    const first = this.overflow();
    let next = first;
    for (let i = 1; i < blocks; i++) {
      const block = this.allocate(LINE);
      this.setLink(block, next);
      next = block;
    }
    this.setLink(first, next);
  }

  /** Hangs one empty block on two buckets without a chain, and counts it once. */
  shareEmptyBlock(): void {
    const block = this.allocate(LINE);
    this.setLink(this.single(), block);
    this.setLink(this.single(), block);
    this.set("OVERFLOW_COUNT", this.get("OVERFLOW_COUNT") + 1);
  }

  /** A node of a retired segment at an address, for a table of the shared build; `next` is told where the node is. */
  retired(next: (node: number) => number, address: number): number {
    const node = this.allocate(320);
    this.setWord(node, next(node));
    this.setWord(node + 4, address);
    this.setWord(node + 8, LINE);
    return node;
  }

  /** The word of used and dead slots, of the layout without tags. */
  changeMarks(block: number, change: (marks: number) => number): void {
    const at = block + this.#shape.marks[this.#isBucket(block) ? 0 : 1];
    this.setWord(at, change(this.word(at)));
  }

  #tag(block: number, slot: number): number {
    const { view } = this.checked.host;
    return this.#shape.tagBytes === 1 ? view.getUint8(block + slot) : view.getUint16(block + 2 * slot, true);
  }

  setTag(block: number, slot: number, tag: number): void {
    const { view } = this.checked.host;
    if (this.#shape.tagBytes === 1) view.setUint8(block + slot, tag);
    else view.setUint16(block + 2 * slot, tag, true);
  }

  /** The slots of a block that have an entry. */
  used(block: number): number[] {
    const first = this.#isBucket(block);
    const slots = Array.from({ length: this.get(first ? "SLOTS" : "OVERFLOW_SLOTS") }, (_, slot) => slot);
    const marks = this.word(block + this.#shape.marks[first ? 0 : 1]);
    switch (this.#shape.tagBytes) {
      case 0:
        return slots.filter((slot) => ((marks >>> slot) & 1) === 1);
      case 1:
        return slots.filter((slot) => this.#tag(block, slot) >= 2);
      default:
        return slots.filter((slot) => this.#tag(block, slot) !== 0);
    }
  }

  #keyAt(block: number, slot: number): number {
    if (this.#refs) return this.word(block + this.#shape.keys + 4 * slot) + 4;
    return block + this.#shape.keys + slot * this.get("KEY_SIZE");
  }

  /** Gives the first entry of one block the key of the first entry of another. */
  copyKey(from: number, to: number): void {
    const [slot, toSlot] = [this.used(from)[0]!, this.used(to)[0]!];
    const source = this.#keyAt(from, slot);
    this.checked.host.u8.copyWithin(this.#keyAt(to, toSlot), source, source + this.get("KEY_SIZE"));
    if (this.#shape.tagBytes !== 0) this.setTag(to, toSlot, this.#tag(from, slot));
  }

  /** Changes the tag of the first entry of a block. */
  changeTag(block: number, change: (tag: number) => number): void {
    const slot = this.used(block)[0]!;
    this.setTag(block, slot, change(this.#tag(block, slot)));
  }

  /** Changes which element the first entry of a block refers to. */
  changeReference(block: number, change: (element: number) => number): void {
    const at = block + this.#shape.keys + 4 * this.used(block)[0]!;
    this.setWord(at, change(this.word(at)));
  }

  /** Lets the first entry of one block refer to the element of the first entry of another. */
  setReference(block: number, from: number): void {
    const slot = this.used(from)[0]!;
    this.changeReference(block, () => this.word(from + this.#shape.keys + 4 * slot));
    this.changeTag(block, () => this.#tag(from, slot));
  }

  /** Addresses of everything the map consists of, by kind: where damage can be done. */
  *words(): Generator<number> {
    for (let at = 0; at < this.checked.constants.named("HEADER_BYTES"); at += 4) yield this.#table + at;
    for (let segment = 0; segment < this.room("BUCKET_SEGMENTS"); segment++) {
      yield this.get("BUCKET_SEGMENTS") + 4 * segment;
    }
    for (let segment = 0; segment < this.room("ELEMENT_SEGMENTS"); segment++) {
      yield this.get("ELEMENT_SEGMENTS") + 4 * segment;
    }
    if (this.get("LAYOUT") === LAYOUT_ARRAY) return;
    // Its words, and the records of two buckets where there are any.
    const book = this.get("BOOK");
    for (let at = 0; book !== 0 && at < 104; at += 4) yield book + at;
    for (const bucket of [0, 1, this.get("BUCKETS") - 1].map((index) => this.bucket(index))) {
      for (let at = 0; at < this.get("BUCKET_BYTES"); at += 4) yield bucket + at;
    }
    for (const block of [this.crowded(), this.overflow()]) {
      for (let at = 0; at < LINE; at += 4) yield block + at;
    }
    if (this.get("OVERFLOW_RESERVE") !== 0) yield this.get("OVERFLOW_RESERVE");
    for (let index = 0; index < this.get("ELEMENTS"); index += 50) yield this.element(index);
  }
}
