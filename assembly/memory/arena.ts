// The arena: a binary buddy allocator over the one linear memory of a host (Knowlton 1965; Knuth, TAOCP 1, 2.5).
//
// Why buddies: segments of buckets, slabs of elements, overflow blocks, directories and batch buffers, from 64 bytes to
// megabytes, share the same pages, and whatever is freed joins its neighbour, so that closing every map leaves one free range.
// A size that is no power of two is cut from the next one and the tail is given back at once: nothing is lost inside a block.
// Callers know the size of what they free, so a live block carries no header and keeps the alignment of a cache line.
//
// Free block of order o, 64 << o bytes, aligned to its own size:
//   0 u32 next free block of this order    4 u32 previous one, 0 = list head    8 u32 order
// Bitmap: one bit per 64-byte granule, set where a free block starts. Bit and order together tell whether a buddy is free.
//
// State at ARENA:
//   0 u32 bytes in use    4 u32 limit on them    8 u32 end of the memory that the arena owns    12 u32 most it may own
//  16 u32 set of orders with a free block       20 u32 heads of the free lists, one per order
import { SHARED } from "../build";
import { insist } from "../damage";
import { ARENA, ARENA_LOCK, BITMAP, HOST_CPUS, HOST_LOGS } from "../regions";
import { commit, logBytes, write32, write8 } from "../sync/journal";
import { acquireOnce } from "../sync/lock";
import { LOG_ENTRIES } from "../sync/slot";

export const IN_USE: usize = ARENA;
export const LIMIT: usize = ARENA + 4;
export const END: usize = ARENA + 8;
export const MOST: usize = ARENA + 12;
export const ORDERS: usize = ARENA + 16;
export const HEADS: usize = ARENA + 20;

export const GRANULE: u32 = 64;
export const LAST_ORDER: u32 = 25; // 2 GiB
export const PAGE: u32 = 65536;
// memory.grow is the one call here that can take milliseconds (V8 moves guard regions), so it is asked for much at a time:
// a mebibyte or an eighth of what there is. The pages cost nothing until they are touched.
const GROW_PAGES: u32 = 16;
const GROW_SHIFT: u32 = 3;
/** Bytes at the end of a shared memory that stay out of the heap: readers without a lock look whether there is memory at an address and a
 *  little behind it (sync/word.ts). */
export const OUTSIDE: u32 = SHARED ? GRANULE : 0;

/** Bytes that an allocation of `bytes` takes: whole granules. */
@inline export function allocationSize(bytes: u32): u32 {
  return (bytes + (GRANULE - 1)) & ~(GRANULE - 1);
}

@inline export function head(order: u32): usize {
  return HEADS + (<usize>order << 2);
}

@inline export function bitByte(block: usize): usize {
  return BITMAP + (block >> 9);
}

@inline export function bitMask(block: usize): u32 {
  return 1 << (<u32>(block >> 6) & 7);
}

@inline export function isFree(block: usize, order: u32): bool {
  return (load<u8>(bitByte(block)) & bitMask(block)) != 0 && load<u32>(block, 8) == order;
}

function push(block: usize, order: u32): void {
  assert(!(block & ((<usize>GRANULE << order) - 1)));
  const at = bitByte(block);
  const marks = load<u8>(at);
  const mark = bitMask(block);
  insist(!(marks & mark)); // otherwise freed twice
  const first = load<u32>(head(order));
  write32(block, first);
  write32(block + 4, 0);
  write32(block + 8, order);
  if (first) write32(<usize>first + 4, <u32>block);
  write32(head(order), <u32>block);
  write32(ORDERS, load<u32>(ORDERS) | (1 << order));
  write8(at, marks | mark);
}

function unlink(block: usize, order: u32): void {
  const next = load<u32>(block);
  const previous = load<u32>(block, 4);
  // A damaged list must not lead to stores anywhere else ("safe unlinking", as in glibc).
  if (next) {
    insist(load<u32>(next, 4) == <u32>block);
    write32(<usize>next + 4, previous);
  }
  if (previous) {
    insist(load<u32>(previous) == <u32>block);
    write32(<usize>previous, next);
  } else {
    write32(head(order), next);
    if (!next) write32(ORDERS, load<u32>(ORDERS) & ~(1 << order));
  }
  write8(bitByte(block), load<u8>(bitByte(block)) & ~bitMask(block));
}

/** Frees one aligned block, joining it with its buddy as long as that one is free too. */
function freeBlock(block: usize, order: u32): void {
  while (order < LAST_ORDER) {
    const buddy = block ^ (<usize>GRANULE << order);
    if (buddy >= load<u32>(END) || !isFree(buddy, order)) break;
    unlink(buddy, order);
    block &= buddy;
    order++;
  }
  push(block, order);
}

/** Frees [start, end) as the aligned blocks that it is made of. Bounds are multiples of the granule. */
function freeRange(start: usize, end: usize): void {
  while (start < end) {
    const aligned = <u32>ctz(start) - 6;
    const fits = 31 - <u32>clz(<u32>(end - start)) - 6;
    const order = min(min(aligned, fits), LAST_ORDER);
    freeBlock(start, order);
    start += <usize>GRANULE << order;
  }
}

/** Makes room for a block of `order` by growing the memory. */
function growFor(order: u32): bool {
  const end = load<u32>(END);
  const size = GRANULE << order;
  const aligned = (<u64>end + size - 1) & ~(<u64>size - 1);
  const most = <u64>load<u32>(MOST);
  if (SHARED || aligned + size > most) return false; // shared memory is as large as it may get from the start
  const needed = <u32>((aligned + size - end + PAGE - 1) / PAGE);
  const wished = max(needed, max(GROW_PAGES, (end / PAGE) >> GROW_SHIFT));
  let pages = min(wished, <u32>((most - end) / PAGE));
  if (memory.grow(pages) < 0) {
    if (pages == needed || memory.grow(needed) < 0) return false;
    pages = needed;
  }
  store<u32>(END, end + pages * PAGE);
  freeRange(end, end + pages * PAGE);
  return true;
}

/** A block of at least `bytes`, aligned to 64, contents undefined; 0 when the limit or the machine has no more. */
export function allocate(bytes: u32): usize {
  if (!bytes || bytes > GRANULE << LAST_ORDER) return 0;
  if (SHARED && !acquireOnce(ARENA_LOCK)) return 0;
  const size = allocationSize(bytes);
  if (<u64>load<u32>(IN_USE) + size > <u64>load<u32>(LIMIT)) return 0;
  const order: u32 = size <= GRANULE ? 0 : 26 - clz(size - 1);
  let free = load<u32>(ORDERS) & ~((1 << order) - 1);
  if (!free) {
    if (!growFor(order)) return 0;
    free = load<u32>(ORDERS) & ~((1 << order) - 1);
  }
  const found = <u32>ctz(free);
  const block = <usize>load<u32>(head(found));
  insist(isFree(block, found));
  unlink(block, found);
  if (SHARED) logBytes(block, 12); // what an undo needs of a free block, and its owner overwrites
  if (size != GRANULE << found) freeRange(block + size, block + (<usize>GRANULE << found));
  write32(IN_USE, load<u32>(IN_USE) + size);
  return block;
}

/** Gives back what `allocate(bytes)` returned. */
export function release(block: usize, bytes: u32): void {
  if (SHARED && !acquireOnce(ARENA_LOCK)) return; // the operation fails at its end
  const size = allocationSize(bytes);
  insist(!((<u32>block & (GRANULE - 1)) | <u32>(block >= load<u32>(END))));
  write32(IN_USE, load<u32>(IN_USE) - size);
  freeRange(block, block + size);
}

/** End of the memory that the arena owns: it changes exactly when the memory grows. */
@inline export function memoryEnd(): u32 {
  return load<u32>(END);
}

/** Bytes of all live allocations. */
@inline export function bytesInUse(): u32 {
  return load<u32>(IN_USE);
}

/** Whether an allocation of so many bytes in all can succeed at best: keeps hopeless creations from trying. */
@inline export function couldHold(bytes: u64): bool {
  return bytes <= <u64>min(load<u32>(LIMIT), load<u32>(MOST)) - load<u32>(IN_USE);
}

/** Limits the bytes in use; 0 lifts the limit. What is in use already stays. */
export function setLimit(bytes: u32): void {
  store<u32>(LIMIT, bytes ? bytes : 0xffffffff);
}

/** Where the heap starts: on the page behind a bitmap for `most` bytes, and in the shared build behind the journals. */
@inline export function heapStart(most: u32): u32 {
  if (SHARED) return (load<u32>(HOST_LOGS) + ((load<u32>(HOST_CPUS) * LOG_ENTRIES) << 3) + PAGE) & ~(PAGE - 1);
  return (<u32>BITMAP + (most >> 9) + PAGE) & ~(PAGE - 1);
}

/** Where the journals of the slots are in the shared build: behind a bitmap for `most` bytes. */
export function logsStart(most: u32): u32 {
  return (<u32>BITMAP + (most >> 9) + (GRANULE - 1)) & ~(GRANULE - 1);
}

/**
 * Sets the arena up in a fresh (zero) memory that may grow to `most` bytes. False when even the bitmap does not fit. In the shared
 * build it writes by the journal of the calling thread, which is attached.
 */
export function initArena(most: u32): bool {
  const heap = heapStart(most);
  const have = <u32>memory.size() * PAGE;
  if (heap > most) return false;
  if (SHARED && heap >= have) return false;
  if (heap > have && memory.grow((heap - have) / PAGE) < 0) return false;
  const end = SHARED ? have - OUTSIDE : max(heap, have);
  store<u32>(MOST, most & ~(PAGE - 1));
  store<u32>(END, end);
  setLimit(0);
  freeRange(heap, end);
  if (SHARED) commit();
  return true;
}
