// The invariants that `verify` and `verifyArena` (verify.ts) check: their numbers, which JavaScript gets, and in the comment what
// holds: scripts/abi.mjs takes the text from there. src/ops/invariants.ts says what the four words of detail mean.

// Of a table as a whole.
export const MEASURES: u32 = 1; // the measures in the header are those of its layout and sizes
export const BUCKET_COUNT: u32 = 2; // there is a bucket, and the mask is the one that belongs to their number
export const LIMITS: u32 = 3; // the table grows, shrinks and asks for room at the counts that belong to its buckets and its limit
export const DIRECTORY: u32 = 4; // every segment in use has its memory, and the directory has no other
export const DRAIN_POSITION: u32 = 5; // a drain goes on at a bucket
export const ENTRY_COUNT: u32 = 6; // the table counts as many entries as its buckets hold
export const CAPACITY: u32 = 7; // there are no more entries than the limit allows
export const OVERFLOW_BLOCKS: u32 = 8; // the table counts as many overflow blocks as its chains have
export const RESERVE: u32 = 9; // the reserve is a list of overflow blocks, and only a preallocated table has one
export const TABLE_BYTES: u32 = 10; // the table accounts for the bytes of all its structures
export const ARRAY_VALUES: u32 = 11; // the values of an array have their memory

// Of the buckets and their entries.
export const CHAIN_LINK: u32 = 12; // a chain links overflow blocks
export const CHAIN_END: u32 = 13; // a chain ends
export const SLOT_MARKS: u32 = 14; // no slot of a block is both used and dead, and no other is either
export const HASH_BUCKET: u32 = 15; // an entry is in the bucket of its hash
export const FINDABLE: u32 = 16; // an entry is found by its hash and its key
export const ONE_OF_A_KEY: u32 = 17; // no key is there twice

// Of the elements of the layout "refs".
export const ELEMENT_REFERENCE: u32 = 18; // a slot refers to a live element
export const ELEMENT_STATE: u32 = 19; // an element is live, dead or free; of a dense array none is free
export const LIVE_COUNT: u32 = 20; // there are as many live elements as entries
export const ELEMENT_OWNER: u32 = 21; // one slot refers to a live element
export const DEAD_COUNT: u32 = 22; // the table counts as many dead elements as there are
export const SWEEP_POSITION: u32 = 23; // the sweep has all dead elements before it
export const FREE_ELEMENTS: u32 = 24; // the list of free elements has each of them once

// Of the arena.
export const BOUNDS: u32 = 25; // heap, limit and memory contain one another, in whole pages
export const FREE_BLOCK: u32 = 26; // a free list has marked blocks of its order, aligned to their size, in the heap
export const FREE_BACK: u32 = 27; // a free block names the one before it in its list
export const FREE_ORDERS: u32 = 28; // the set of orders with a free block says which lists have one
export const FREE_MARKS: u32 = 29; // as many blocks are marked free as are in the lists
export const FREE_APART: u32 = 30; // free blocks do not overlap
export const BUDDIES: u32 = 31; // of two buddies at least one is in use
export const HEAP_BYTES: u32 = 32; // every byte of the heap is free or accounted for
export const ZERO_BYTES: u32 = 33; // the zeros that untouched buckets read as are zeros

// Of the shared build.
export const UNLOCKED: u32 = 34; // between two operations no lock is held
export const WIDTH: u32 = 35; // a bucket of a growable table knows how many bits of the hash lead to it
export const OWN_LINES: u32 = 36; // a table has a line for each CPU, and an array its locks, and they lead back
export const FROZEN_CREDITS: u32 = 37; // while a table counts under its lock, the credits of all CPUs are frozen
export const OLD_DIRECTORIES: u32 = 38; // the directories that a directory has replaced are there, each smaller than the next
export const HELD_SEGMENTS: u32 = 39; // the table has segments for all its elements
export const RETIRED_MEMORY: u32 = 40; // a segment that is to be freed has its memory still, and the spare node leads back
export const IDLE_SLOTS: u32 = 41; // between two operations no CPU slot has anything to undo or to finish
export const OWNED_BLOCKS: u32 = 42; // the blocks of a slot are a list in both directions, and it counts the bytes of its journals
export const BELONGINGS: u32 = 43; // every byte in use belongs to a table, a pin or a slot

// Of KV stores.
export const KV_REGIONS: u32 = 44; // the metadata, the page table, the owners and the text of a store have their memory
export const KV_PAGES: u32 = 45; // a page and its bitmap have memory of their own, and the store counts as many pages as there are
export const KV_VALUE: u32 = 46; // a value lies within a page, in bytes that are marked
export const KV_SPACE: u32 = 47; // the marked bytes of a page are those of its values, each of one value, and as many as it counts
export const KV_RUN: u32 = 48; // no free run of a page is longer than it knows
export const KV_COUNT: u32 = 49; // the store counts as many values as there are
export const KV_OWNER: u32 = 50; // a pair of a manifest has a value of its size


// And one more of tables.
export const ARRAY_ROOM: u32 = 51; // the room behind the end of an array holds zeros
export const FLAG_WORDS: u32 = 52; // a word of flags has no other bits
export const AS_CREATED: u32 = 53; // sizes, limit and kind in the header are those that the table was created with
export const OPEN_SECTIONS: u32 = 54; // the sections that are open are those of threads that are in one
export const FLAT_PART: u32 = 55; // the flat part of the buckets has the room that belongs to their number, and its memory

// And more of the shared build.
export const CPU_COUNT: u32 = 56; // there are no more CPU slots than there is room for, and their journals are behind the bitmap
export const SLOT_STATES: u32 = 57; // a CPU slot is free, or it is in use and has a journal
export const JOURNALS: u32 = 58; // the journal of a CPU slot is the one that it came with, or a block of its own
export const SPIN_LOCKS: u32 = 59; // a CPU slot holds the spin locks that it notes
export const REGISTRY_LISTS: u32 = 60; // the lists of maps and pins end, the newest map comes first, and a pin leads to a map
export const REFERENCE_COUNTS: u32 = 61; // somebody refers to a map, each thread once, and it counts its pins
export const PARTS_APART: u32 = 62; // header, directories and segments of a table do not lie over each other

// And those of the plain build.
export const NOBODYS: u32 = 63; // the table of closed handles is empty and frozen
export const FILTER_ARRAY: u32 = 64; // the filter of absent keys has its memory, and a table without one has none
export const FILTER_BITS: u32 = 65; // the filter of absent keys lets every key pass

// And of tables of texts.
export const POOL_BLOCK: u32 = 66; // the pools of elements have their memory, and their sizes and measures
export const POOL_SWEEP: u32 = 67; // the pools with dead elements are among those still to be swept
export const TEXT_ELEMENT: u32 = 68; // a live element has the length that belongs to its pool, and the hash of its text

// And of tables that evict or whose entries expire.
export const BOOK_WORDS: u32 = 69; // the book of such a table has its memory, and the words that belong to its limit and its values

/** Notes the details of a broken invariant. Its number. */
export function broken(out: usize, invariant: u32, a: u32, b: u32, c: u32, d: u32): u32 {
  store<u32>(out, a);
  store<u32>(out, b, 4);
  store<u32>(out, c, 8);
  store<u32>(out, d, 12);
  return invariant;
}
