// Checks every invariant of the arena (memory/arena.ts), and tells whether memory is in use, for the checks of what lives in it.
// Nothing here follows an address before it has been checked, so that a damaged memory is reported and not walked into.
import {
  GRANULE, IN_USE, LAST_ORDER, MOST, ORDERS, OUTSIDE, PAGE, allocationSize, bitByte, bitMask, head, heapStart, isFree, memoryEnd,
} from "../memory/arena";
import { SHARED } from "../build";
import { NOBODY, ZEROS, ZEROS_BYTES } from "../regions";
import { BUCKETS, FILTER, FLAT, FLAT_BUCKETS, FROZEN, HEADER_BYTES, MASK } from "../table/layout/header";
import {
  BOUNDS, BUDDIES, FREE_APART, FREE_BACK, FREE_BLOCK, FREE_MARKS, FREE_ORDERS, HEAP_BYTES, NOBODYS, ZERO_BYTES, broken,
} from "./invariants";

/** Bytes of the heap that a word of the bitmap stands for. */
const WORD_BYTES: u32 = 32 * GRANULE;

/** Whether [address, address + bytes) is in the heap. */
export function inHeap(address: usize, bytes: u64): bool {
  return address >= heapStart(load<u32>(MOST)) && <u64>address + bytes <= <u64>memoryEnd();
}

/** Whether a block of so many bytes, or of more, is aligned as the arena aligns it, in the heap, and no part of it is free. */
export function isInUse(block: usize, bytes: u64): bool {
  if (block & (GRANULE - 1) || !inHeap(block, bytes)) return false;
  const size = allocationSize(<u32>bytes); // of a power of two, or cut from one
  if (size > GRANULE && block & (((<usize>2) << (31 - clz(size - 1))) - 1)) return false;
  for (let order: u32 = 0; order <= LAST_ORDER; order++) {
    const around = block & ~((<usize>GRANULE << order) - 1);
    if (inHeap(around, GRANULE) && isFree(around, order)) return false;
  }
  for (let at = block + GRANULE; at < block + <usize>bytes; at += GRANULE) {
    if (load<u8>(bitByte(at)) & bitMask(at)) return false;
  }
  return true;
}

/** The first broken invariant of the arena, its details in four words at `out`; 0 when all hold. */
export function verifyHeap(out: usize): u32 {
  const end = memoryEnd();
  const heap = heapStart(load<u32>(MOST));
  const pages = <u32>memory.size();
  if ((end + OUTSIDE) & (PAGE - 1) || heap > end || end > load<u32>(MOST) || end / PAGE > pages) {
    return broken(out, BOUNDS, heap, end, load<u32>(MOST), pages);
  }
  // Sums of the lists, kept at `out`: blocks, bytes.
  store<u64>(out, 0);
  for (let order: u32 = 0; order <= LAST_ORDER; order++) {
    const problem = verifyList(order, heap, out);
    if (problem) return problem;
  }
  if (load<u32>(ORDERS) >> (LAST_ORDER + 1)) return broken(out, FREE_ORDERS, load<u32>(ORDERS), LAST_ORDER + 1, 0, 0);
  const blocks = load<u32>(out);
  const free = load<u32>(out, 4);
  return (
    verifyMarks(blocks, end, out) ||
    verifyNeighbours(heap, end, out) ||
    (<u64>free + load<u32>(IN_USE) != <u64>(end - heap) ? broken(out, HEAP_BYTES, free, load<u32>(IN_USE), heap, end) : 0) ||
    verifyZeros(out) ||
    (SHARED ? 0 : verifyNobody(out))
  );
}

/** Checks one free list. That every block names the one before it rules out a circle. */
function verifyList(order: u32, heap: u32, sums: usize): u32 {
  const size = GRANULE << order;
  let previous: usize = 0;
  let block = <usize>load<u32>(head(order));
  if (((load<u32>(ORDERS) >> order) & 1) != <u32>(block != 0)) {
    return broken(sums, FREE_ORDERS, load<u32>(ORDERS), order, <u32>block, 0);
  }
  while (block) {
    if (block & (size - 1) || block < heap || <u64>block + size > <u64>memoryEnd() || !isFree(block, order)) {
      return broken(sums, FREE_BLOCK, <u32>block, order, <u32>previous, 0);
    }
    if (load<u32>(block, 4) != <u32>previous) return broken(sums, FREE_BACK, <u32>block, order, load<u32>(block, 4), <u32>previous);
    store<u32>(sums, load<u32>(sums) + 1);
    store<u32>(sums, load<u32>(sums, 4) + size, 4);
    previous = block;
    block = <usize>load<u32>(block);
  }
  return 0;
}

/** Counts the marks below the end: the lists account for that many, so another one is no free block. */
function verifyMarks(blocks: u32, end: u32, out: usize): u32 {
  let marks: u32 = 0;
  for (let at: u32 = 0; at < end; at += WORD_BYTES) marks += popcnt(load<u32>(bitByte(at)));
  return marks == blocks ? 0 : broken(out, FREE_MARKS, marks, blocks, 0, 0);
}

/** Goes over the free blocks in the order of their addresses. */
function verifyNeighbours(heap: u32, end: u32, out: usize): u32 {
  let before: u32 = heap;
  let behind: u32 = heap;
  for (let at: u32 = heap; at < end; at += WORD_BYTES) {
    let marks = load<u32>(bitByte(at));
    while (marks) {
      const block = at + <u32>ctz(marks) * GRANULE;
      marks &= marks - 1;
      const order = load<u32>(block, 8);
      if (block < behind) return broken(out, FREE_APART, before, behind - before, block, order);
      before = block;
      behind = block + (GRANULE << order);
      const buddy = block ^ (GRANULE << order);
      if (order < LAST_ORDER && buddy > block && buddy < end && isFree(buddy, order)) {
        return broken(out, BUDDIES, block, buddy, order, 0);
      }
    }
  }
  return 0;
}

/** The table of closed handles. */
function verifyNobody(out: usize): u32 {
  for (let at: usize = 0; at < HEADER_BYTES; at += 4) {
    const word = load<u32>(NOBODY + at);
    const flag = at == BUCKETS || at == MASK || at == FLAT_BUCKETS || at == FROZEN;
    const address: usize = at == FLAT ? ZEROS : at == FILTER ? NOBODY + FLAT : 0;
    if (word != (flag ? 1 : <u32>address)) return broken(out, NOBODYS, <u32>at, word, 0, 0);
  }
  return 0;
}

function verifyZeros(out: usize): u32 {
  for (let at = ZEROS; at < ZEROS + ZEROS_BYTES; at += 4) {
    if (load<u32>(at)) return broken(out, ZERO_BYTES, <u32>at, load<u32>(at), 0, 0);
  }
  return 0;
}
