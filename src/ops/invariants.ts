/**
 * What the core's `verify` and `verifyArena` check, in words. The numbers are those of assembly/verify/invariants.ts, which has the
 * same texts.
 *
 * @module
 */

/** What must hold, and a sentence from the four words of detail that the core gives when it does not. */
type Invariant = readonly [text: string, detail: (a: number, b: number, c: number, d: number) => string];

const hex = (word: number): string => `0x${word.toString(16)}`;

/** Where an entry is: the words that the invariants of entries begin with. */
const slotAt = (bucket: number, block: number, slot: number): string =>
  `bucket ${bucket}, slot ${slot} of the block at ${hex(block)}`;

const headerWord = (offset: number, found: number, expected: number): string =>
  `the word at ${offset} of the header is ${found} instead of ${expected}`;

const DIRECTORIES = ["buckets", "elements"];

/** By number, from 1 on. */
const TABLE: readonly Invariant[] = [
  ["the measures in the header are those of its layout and sizes", headerWord],
  [
    "there is a bucket, and the mask is the one that belongs to their number",
    (buckets, mask, expected) => `${buckets} buckets have the mask ${hex(mask)} instead of ${hex(expected)}`,
  ],
  [
    "the table grows, shrinks and asks for room at the counts that belong to its buckets and its limit",
    headerWord,
  ],
  [
    "every segment in use has its memory, and the directory has no other",
    (array, segment, address, bytes) =>
      `segment ${segment} of the ${DIRECTORIES[array]} is ${bytes} bytes at ${hex(address)}`,
  ],
  ["a drain goes on at a bucket", (at, buckets) => `it would at bucket ${at} of ${buckets}`],
  [
    "the table counts as many entries as its buckets hold",
    (found, count) => `there are ${found} and it counts ${count}`,
  ],
  [
    "there are no more entries than the limit allows",
    (entries, most) => `there are ${entries}, the limit is ${most}`,
  ],
  [
    "the table counts as many overflow blocks as its chains have",
    (found, count) => `there are ${found} and it counts ${count}`,
  ],
  [
    "the reserve is a list of overflow blocks, and only a preallocated table has one",
    (first, blocks) =>
      blocks === 0xffff_ffff
        ? `the list at ${hex(first)} leads astray`
        : `${blocks} blocks at ${hex(first)} belong to no such table`,
  ],
  [
    "the table accounts for the bytes of all its structures",
    (found, bytes) => `they take ${found} and it says ${bytes}`,
  ],
  [
    "the values of an array have their memory",
    (data, bytes) => `${bytes} bytes at ${hex(data)} are not in use`,
  ],
];

const ENTRIES: readonly Invariant[] = [
  [
    "a chain links overflow blocks",
    (bucket, block, next) =>
      `bucket ${bucket}: the block at ${hex(block)} links ${hex(next)}, where none can be`,
  ],
  [
    "a chain ends",
    (bucket, block, next) =>
      `bucket ${bucket}: the block at ${hex(block)} leads back to the one at ${hex(next)}`,
  ],
  [
    "no slot of a block is both used and dead, and no other is either",
    (bucket, block, bits) =>
      `bucket ${bucket}: the block at ${hex(block)} has the marks ${hex(bits)} too many`,
  ],
  [
    "an entry is in the bucket of its hash",
    (bucket, block, slot, hash) =>
      `${slotAt(bucket, block, slot)}: the hash ${hex(hash)} belongs to another one`,
  ],
  [
    "an entry is found by its hash and its key",
    (bucket, block, slot, hash) =>
      `${slotAt(bucket, block, slot)}: a search with the hash ${hex(hash)} misses it`,
  ],
  [
    "no key is there twice",
    (bucket, block, slot, found) =>
      `${slotAt(bucket, block, slot)}: its key is in slot ${found & 63} of the block at ${hex((found & ~63) >>> 0)}, too`,
  ],
];

const ELEMENTS: readonly Invariant[] = [
  [
    "a slot refers to a live element",
    (bucket, block, slot, element) => `${slotAt(bucket, block, slot)}: there is none at ${hex(element)}`,
  ],
  [
    "an element is live, dead or free; of a dense array none is free",
    (index, element, state) => `element ${index} at ${hex(element)} has the state ${hex(state)}`,
  ],
  [
    "there are as many live elements as entries",
    (live, entries, counted, shared) =>
      `there are ${live} elements and ${entries} entries${shared === 1 ? `, and the table counts ${counted}` : ""}`,
  ],
  [
    "one slot refers to a live element",
    (index, element, slots) => `${slots} slots refer to element ${index} at ${hex(element)}`,
  ],
  [
    "the table counts as many dead elements as there are",
    (found, count) => `there are ${found} and it counts ${count}`,
  ],
  [
    "the sweep has all dead elements before it",
    (index, sweep, elements) => `it is at ${sweep} of ${elements}, element ${index} is behind it`,
  ],
  [
    "the list of free elements has each of them once",
    (listed, free, next) =>
      `${free} elements are free, the list has ${listed}${next === 0 ? "" : ` and goes on at ${hex(next)}`}`,
  ],
];

const ARENA: readonly Invariant[] = [
  [
    "heap, limit and memory contain one another, in whole pages",
    (heap, end, most, pages) =>
      `the heap is ${hex(heap)} to ${hex(end)}, the limit ${hex(most)}, and the memory has ${pages} pages`,
  ],
  [
    "a free list has marked blocks of its order, aligned to their size, in the heap",
    (block, order, previous) =>
      `${hex(block)}, after ${hex(previous)} in the list of order ${order}, is no such block`,
  ],
  [
    "a free block names the one before it in its list",
    (block, order, named, previous) =>
      `${hex(block)} of order ${order} comes after ${hex(previous)} and names ${hex(named)}`,
  ],
  [
    "the set of orders with a free block says which lists have one",
    (orders, order, first) =>
      `the set is ${hex(orders)}, the list of order ${order} begins with ${hex(first)}`,
  ],
  [
    "as many blocks are marked free as are in the lists",
    (marks, blocks) => `there are ${marks} marks and ${blocks} blocks`,
  ],
  [
    "free blocks do not overlap",
    (before, bytes, block) => `${hex(block)} is within the ${bytes} bytes at ${hex(before)}`,
  ],
  [
    "of two buddies at least one is in use",
    (block, buddy, order) => `${hex(block)} and ${hex(buddy)}, both of order ${order}, are free`,
  ],
  [
    "every byte of the heap is free or accounted for",
    (free, used, heap, end) => `of ${end - heap} bytes ${free} are free and ${used} accounted for`,
  ],
  [
    "the zeros that untouched buckets read as are zeros",
    (address, word) => `the word at ${hex(address)} is ${hex(word)}`,
  ],
];

const SHARED: readonly Invariant[] = [
  [
    "between two operations no lock is held",
    (address, word) => `the lock at ${hex(address)} is ${hex(word)}: CPU slot ${(word >>> 2) & 127} has it`,
  ],
  [
    "a bucket of a growable table knows how many bits of the hash lead to it",
    (bucket, address, width, expected) =>
      `bucket ${bucket} at ${hex(address)} knows of ${width} instead of ${expected}`,
  ],
  [
    "a table has a line for each CPU, and an array its locks",
    (address, bytes, locks) =>
      `the ${bytes} bytes of ${locks === 1 ? "locks" : "lines"} at ${hex(address)} are not in use`,
  ],
  [
    "while a table counts under its lock, the credits of all CPUs are frozen",
    (cpu, word) => `those of CPU slot ${cpu} are not, their word is ${hex(word)}`,
  ],
  [
    "the directories that a directory has replaced are there, each smaller than the next",
    (old, oldRoom, directory, room) =>
      `the one at ${hex(directory)} with room for ${room} names ${hex(old)} with room for ${oldRoom}`,
  ],
  [
    "the table has segments for all its elements",
    (held, needed, elements) => `it has ${held}, and ${elements} elements need ${needed}`,
  ],
  [
    "a segment that is to be freed has its memory still",
    (address, bytes, nodes) =>
      `${bytes} bytes at ${hex(address)}, number ${nodes} in the list, are not in use`,
  ],
  [
    "between two operations no CPU slot has anything to undo or to finish",
    (cpu, entries, locks, at) =>
      `CPU slot ${cpu} has ${entries} entries in its journal, ${locks} locks, and ${hex(at)} to publish`,
  ],
  [
    "the blocks of a slot are a list in both directions, and it counts the bytes of its journals",
    (cpu, first, journals, counted) =>
      first === 0
        ? `the journals of CPU slot ${cpu} take ${journals} bytes and it counts ${counted}`
        : `those of CPU slot ${cpu}, from ${hex(first)} on, are no such list`,
  ],
  [
    "every byte in use belongs to a table, a pin or a slot",
    (used, tables, owned, pins) =>
      `of ${used} bytes ${tables} belong to tables, ${owned} to slots and ${pins} to pins`,
  ],
];

const KV: readonly Invariant[] = [
  [
    "the metadata, the page table, the owners and the text of a store have their memory",
    (offset, address, bytes) =>
      `the word at ${offset} of the header is ${hex(address)}, where ${bytes} bytes should be`,
  ],
  [
    "a page and its bitmap have their memory, and the store counts as many pages as there are",
    (page, a, b) =>
      page === 128
        ? `there are ${a} and it counts ${b}`
        : `those of page ${page} are at ${hex(a)} and ${hex(b)}`,
  ],
  [
    "a value lies within a page, in bytes that are marked",
    (key, word, at) => `that of key ${key}, whose word is ${hex(word)}, does not, at byte ${at}`,
  ],
  [
    "as many bytes of a page are marked as its values have, and as it counts",
    (page, sizes, marked, used) =>
      `on page ${page} values have ${sizes}, ${marked} are marked and it counts ${used}`,
  ],
  [
    "no free run of a page is longer than it knows",
    (page, longest, known) => `page ${page} has one of ${longest} bytes and knows of ${known}`,
  ],
  [
    "the store counts as many values as there are",
    (found, count) => `there are ${found} and it counts ${count}`,
  ],
  [
    "a pair of a manifest has a value of its size",
    (key, owner, word) => `that of key ${key} has the owner ${owner} and the word ${hex(word)}`,
  ],
];

const MORE: readonly Invariant[] = [
  [
    "the room behind the end of an array holds zeros",
    (index, address) => `that of element ${index} at ${hex(address)} does not`,
  ],
  [
    "a word of flags has no other bits",
    (offset, word, bits) => `the word at ${offset} of the header is ${hex(word)}, its bits are ${hex(bits)}`,
  ],
  ["sizes, limit and kind in the header are those that the table was created with", headerWord],
  [
    "the sections that are open are those of threads that are in one",
    (cpu, high, low) => `the set is 0x${(high * 2 ** 32 + low).toString(16)}, CPU slot ${cpu} is in none`,
  ],
];

const ALL: readonly Invariant[] = [
  ["all invariants hold", () => "nothing is broken"],
  ...TABLE,
  ...ENTRIES,
  ...ELEMENTS,
  ...ARENA,
  ...SHARED,
  ...KV,
  ...MORE,
];

/** What must hold, by the number that the core answers with; 0 is its answer when everything does. */
export const INVARIANTS: readonly string[] = ALL.map(([text]) => text);

/**
 * Says what is broken.
 *
 * @param code what `verify` or `verifyArena` answered
 * @param details the four words that it wrote
 */
export function problemOf(code: number, details: ArrayLike<number>): string {
  const [text, detail] = ALL[code];
  return `invariant ${code}, ${text}: ${detail(details[0], details[1], details[2], details[3])}`;
}
