// The header of a table: its address is the handle that every export takes first. All state of a table hangs on it.
//
// line 0, read by every operation and written only by splits and merges
//    0 u32 buckets N          4 u32 mask 2^(L+1)-1, N in [2^L, 2^(L+1)]
//    8 buckets: u32 directory, u32 shift, u32 room in the directory      (table/layout/bucket_array.ts; shared: segments.ts)
//   20 u32 layout            24 u64 S0   32 u64 S1   40 u64 S2, the secrets of the hash
//   48 u32 bytes of a bucket 52 u32 offset of the values   56 u32 value size   60 u32 mask of the slots of a bucket
// line 1, written by inserts and deletes
//   64 u32 entries           68 u32 grow above   72 u32 shrink below   76 u32 version: changes when entries come, go or move
//   80 u32 mark: entries that an insert may find without looking further, of an array the index    (table/limit/low_water.ts)
//   84 u32 key size          88 u32 frozen       92 u32 flags
//   96 u32 overflow blocks in chains   100 u32 first reserved overflow block   104 u32 slots of a bucket   108 u32 load target x 16
//  112 u32 bytes of an overflow block  116 u32 offset of its values            120 u32 mask of its slots   124 u32 its slots
// line 2: elements of the out-of-line layout (table/layout/elements.ts) and accounts
//  128 segmented array of elements     140 u32 stride   144 u32 elements in use, dead ones included   148 u32 dead ones
//  152 u32 sweep position              156 u32 first free element (hash)       160 u32 segments of elements (shared build)
//  164 u32 splits   168 u32 merges   172 u32 most splits of one call   176 u32 most merges   180 u32 most entries moved
//  184 u64 entries moved    192 u32 bucket where a drain of a fixed table goes on
//  204 u32 max entries      208 u32 free slots of the low-water mark, 0 without one     212 u32 whether it was crossed; of an array at which length
//  244 u32 bytes of all structures of the table
//  196 u32 address of the first block of an array, of the flat part of the buckets of another table (plain build)
//  200 u32 elements in it, or buckets
//  248 u32 address of the book, 0 without one (plain build)         (table/notes/book.ts)
//  216 the filter of absent keys: u32 directory, 0 without one   224 u32 room of it   220 u32 what MARK would be without it   (table/layout/filter.ts;
//      plain build)
// an array has in line 2 the segmented array and the stride of the elements behind its first block   (arrays/array.ts)
// a table of texts has others in the place of those of the elements, which are in pools               (table/layout/texts.ts)
//  116 u32 offset of the key in an element   140 u32 bytes of the least element   144 u32 address of the pools
//  148 u32 pools that may have dead elements   152 u32 size class of the first pool   156 u32 pools
//
// the shared build has these, too; 4 is the one word that means another thing there
//    4 u32 in the place of MASK: counts up before memory that readers may hold addresses of is freed     (table/resize/retire.ts)
//  216 u32 whether credits are frozen               252 u32 lines of the CPUs       (table/limit/credits.ts)
//  220 u32 offset of the spin lock in a value, or NO_LOCK    224 u32 lock words of an array   228 u32 mask of their number
//  232 u32 whether values are per CPU (sync/hazard.ts)    236 u32 whether merges are owed
//  240 u32 live elements    248 u32 spare node (table/resize/retire.ts)
//  256 lock of splits and merges, and of an array's growth         272 lock of elements, overflow reserve and counts
//  276 u32 lock words of the elements behind an array's first block                280 u32 retired segments
//  284 u32 bytes from one slot of a per-CPU value to the next, 0 where they lie side by side            (table/layout/lanes.ts)
//  288 u32 address of the book, 0 without one                       (table/notes/book.ts)
//  304, 320 .. 447 registry (host/registry.ts)
// and in it, ENTRIES is what is handed out (table/limit/credits.ts), MASK follows from N (table/layout/buckets.ts), so that N and RETIRED are one word of 8 bytes, and VERSION is not kept.
import { SHARED } from "../../build";
import { logWord } from "../../sync/journal";

export const BUCKETS: usize = 0;
export const MASK: usize = 4;
export const BUCKET_SEGMENTS: usize = 8;
/** Part of it. */
export const BUCKET_SHIFT: usize = 12;
export const LAYOUT: usize = 20;
export const SEEDS: usize = 24;
export const SEED_BYTES: u32 = 24;
export const BUCKET_BYTES: usize = 48;
export const VALUES: usize = 52;
export const VALUE_SIZE: usize = 56;
export const SLOT_MASK: usize = 60;

export const COUNT: usize = 64;
export const GROW_ABOVE: usize = 68;
export const SHRINK_BELOW: usize = 72;
export const VERSION: usize = 76;
/** Plain build. */
export const MARK: usize = 80;
export const KEY_SIZE: usize = 84;
export const FROZEN: usize = 88;
export const FLAGS: usize = 92;
export const OVERFLOW_COUNT: usize = 96;
export const OVERFLOW_RESERVE: usize = 100;
export const SLOTS: usize = 104;
export const LOAD16: usize = 108;
export const OVERFLOW_BYTES: usize = 112;
export const OVERFLOW_VALUES: usize = 116;
export const OVERFLOW_MASK: usize = 120;
export const OVERFLOW_SLOTS: usize = 124;

export const ELEMENT_SEGMENTS: usize = 128;
export const ELEMENT_STRIDE: usize = 140;
export const ELEMENTS: usize = 144;
export const DEAD_ELEMENTS: usize = 148;
export const SWEEP: usize = 152;
export const FREE_ELEMENT: usize = 156;
/** Among those that a pool of elements has. */
export const ELEMENT_SEGMENTS_HELD: usize = 160;
export const BYTES: usize = 244;
export const SPLITS: usize = 164;
export const MERGES: usize = 168;
export const MOST_SPLITS: usize = 172;
export const MOST_MERGES: usize = 176;
export const MOST_MOVED: usize = 180;
export const MOVED: usize = 184;
export const DRAIN_AT: usize = 192;

/** Tables of texts. */
export const TEXT_KEY: usize = 116;
export const POOLS: usize = 144;
export const POOLS_TO_SWEEP: usize = 148;
export const FIRST_CLASS: usize = 152;
export const POOL_COUNT: usize = 156;

export const ARRAY_DATA: usize = 196;
export const ARRAY_BASE: usize = 200;
/** Plain build. */
export const FLAT: usize = 196;
export const FLAT_BUCKETS: usize = 200;
export const ARRAY_SEGMENTS: usize = ELEMENT_SEGMENTS;

export const MAX_ENTRIES: usize = 204;
export const LOW_FREE: usize = 208;
export const MARKED: usize = 212;
/** Plain build. */
export const FILTER: usize = 216;
export const LEAN_MARK: usize = 220;

export const RETIRED: usize = 4;
export const LIMITED: usize = 216;
export const LOCK_OFFSET: usize = 220;
export const STRIPES: usize = 224;
export const STRIPE_MASK: usize = 228;
export const PER_CPU: usize = 232;
export const OWES: usize = 236;
export const LIVE_ELEMENTS: usize = 240;
export const SPARE_NODE: usize = 248;
export const LINES: usize = 252;
export const RESIZE_LOCK: usize = 256;
export const POOL_LOCK: usize = 272;
export const LATE_STRIPES: usize = 276;
export const RETIRED_SEGMENTS: usize = 280;
export const LANE: usize = 284;

/** Tables that evict or whose entries expire. */
export const BOOK: usize = SHARED ? 288 : 248;

export const NO_LOCK: u32 = 0xffffffff;

export const HEADER_BYTES: u32 = SHARED ? 448 : 252;

/** Layouts: how a bucket holds its entries. Chosen by entry size at creation. */
export const LAYOUT_KEYS: u32 = 0; // 4-byte keys compared by SIMD      (table/layout/block_keys.ts)
export const LAYOUT_TAGS: u32 = 1; // tags, keys and values             (table/layout/block_tags.ts)
export const LAYOUT_REFS: u32 = 2; // tags and addresses of elements    (table/layout/block_refs.ts)
export const LAYOUT_TEXTS: u32 = 3; // the same, with keys of any length  (table/layout/texts.ts)
export const LAYOUT_ARRAY: u32 = 4; // no buckets: an array map          (arrays/array.ts)
export const LAYOUT_KV: u32 = 5; // no table: a KV store, which has its own words of the header (kv/store.ts)

/** Flags. */
export const GROWABLE: u32 = 1; // rhash: splits and merges; otherwise entries never move
export const PREALLOCATED: u32 = 2; // hash: buckets, elements and a reserve of overflow blocks exist from the start
export const OWES_MERGES: u32 = 4; // deletes have left more buckets than the entries need, for later writes to merge
export const EVICTS: u32 = 16; // lru_hash: at the limit an insert evicts another entry               (table/notes/)
export const RECENCY: u32 = 32; // and it is the one that was not used for longest, whatever else is known of it
export const TIMED: u32 = 64; // values have an expiry behind them                                   (table/notes/expiry.ts)
export const NOTED: u32 = EVICTS | TIMED;
export const FILTERED: u32 = 8; // a filter of absent keys, in the layout "keys": inserts look further each time, to note their key in it

@inline export function field(table: usize, offset: usize): u32 {
  return load<u32>(table + offset);
}

@inline export function setField(table: usize, offset: usize, value: u32): void {
  if (SHARED) logWord(table + offset);
  store<u32>(table + offset, value);
}

/** Whether deleting an element moves the last one into its place (table/layout/elements.ts). Not where other threads hold addresses. */
@inline export function isDense(table: usize): bool {
  return !SHARED && isGrowable(table);
}

@inline export function isGrowable(table: usize): bool {
  return (field(table, FLAGS) & GROWABLE) != 0;
}

/** Keeps the counters of one call that has split: how many buckets, and entries moved. */
export function countSplits(table: usize, splits: u32, moved: u32): void {
  setField(table, SPLITS, field(table, SPLITS) + splits);
  if (splits > field(table, MOST_SPLITS)) setField(table, MOST_SPLITS, splits);
  countMoved(table, moved);
}

/** The same of one that has merged. */
export function countMerges(table: usize, merges: u32, moved: u32): void {
  setField(table, MERGES, field(table, MERGES) + merges);
  if (merges > field(table, MOST_MERGES)) setField(table, MOST_MERGES, merges);
  countMoved(table, moved);
}

@inline function countMoved(table: usize, moved: u32): void {
  if (moved > field(table, MOST_MOVED)) setField(table, MOST_MOVED, moved);
  if (SHARED) {
    const sum = load<u64>(table + MOVED) + moved;
    setField(table, MOVED, <u32>sum);
    setField(table, MOVED + 4, <u32>(sum >> 32));
    return;
  }
  store<u64>(table + MOVED, load<u64>(table + MOVED) + moved);
}
