// The space in the pages of a store, to the byte. A page has a bitmap beside it, a bit a byte; a value takes the first run of free
// bytes that is long enough, in the first page that has one; one that grows takes the bytes behind it first. So a store is full (ENOSPC) exactly when no page has such a run
// and there may be no further page.
//
// Every page also knows a length that no free run of it exceeds, so that pages without room are passed over: the longest run that a
// search in vain has seen, or all its free bytes when some have become free since.
import { insist } from "../damage";
import { ENOMEM, ENOSPC } from "../errno";
import { PAGE } from "../memory/arena";
import { zeroBytes } from "../memory/bytes";
import { write32 } from "../sync/journal";
import { tableAllocate, tableRelease } from "../table/layout/account";
import { COUNT, field, setField } from "../table/layout/header";
import {
  BITMAP, KV_BITMAP, KV_PAGE, LONGEST, MOST_PAGES, PAGE_COUNT, USED, metaAddress, metaWord, offsetOf, pageEntry, pageOf, releasePage, sizeOf,
  valueAddress,
} from "./store";

const NONE: u32 = 0xffffffff;
const WORD_BITS: u32 = 64;

/** Where the first free run of `size` bytes of a page begins; NONE, and the page knows its longest run, when there is none. */
function findRun(entry: usize, size: u32): u32 {
  const bitmap = <usize>load<u32>(entry, BITMAP);
  let longest: u32 = 0;
  let run: u32 = 0; // free bytes right before `at`
  for (let at: u32 = 0; at < KV_PAGE; at += WORD_BITS) {
    const used = load<u64>(bitmap + (at >> 3));
    let bit: u32 = 0;
    while (bit < WORD_BITS) {
      const rest = used >> <u64>bit;
      const free = rest ? <u32>ctz(rest) : WORD_BITS - bit;
      run += free;
      bit += free;
      if (run >= size) return at + bit - run;
      if (bit == WORD_BITS) break;
      longest = max(longest, run);
      run = 0;
      bit += <u32>ctz(~(used >> <u64>bit)); // zeros are shifted in, so this ends in the word
    }
  }
  write32(entry + LONGEST, max(longest, run));
  return NONE;
}

/** The longest free run of a page, for checks. */
export function longestRun(bitmap: usize): u32 {
  let longest: u32 = 0;
  let run: u32 = 0;
  for (let at: u32 = 0; at < KV_PAGE; at++) {
    run = (load<u8>(bitmap + (at >> 3)) >> (at & 7)) & 1 ? 0 : run + 1;
    longest = max(longest, run);
  }
  return longest;
}

/** Marks bytes of a page. */
function mark(bitmap: usize, offset: u32, size: u32, used: bool): void {
  const end = offset + size;
  while (offset < end) {
    const first = offset & 31;
    const bits = min(32 - first, end - offset);
    const mask = (bits == 32 ? 0xffffffff : (1 << bits) - 1) << first;
    const word = bitmap + ((offset >> 5) << 2);
    write32(word, used ? load<u32>(word) | mask : load<u32>(word) & ~mask);
    offset += bits;
  }
}

/** Whether bytes of a page are there and free. */
function isFree(bitmap: usize, offset: u32, size: u32): bool {
  const end = offset + size;
  if (end > KV_PAGE) return false;
  while (offset < end) {
    const first = offset & 31;
    const bits = min(32 - first, end - offset);
    const mask = (bits == 32 ? 0xffffffff : (1 << bits) - 1) << first;
    if (load<u32>(bitmap + ((offset >> 5) << 2)) & mask) return false;
    offset += bits;
  }
  return true;
}

/** Ends the call where the words of a page lead to those of the host: a store there could make others wait for ever. */
@inline function insistOnPage(entry: usize): void {
  insist(min(load<u32>(entry), load<u32>(entry, BITMAP)) >= PAGE);
}

function takeBytes(entry: usize, offset: u32, size: u32): void {
  insistOnPage(entry);
  mark(<usize>load<u32>(entry, BITMAP), offset, size, true);
  write32(entry + USED, load<u32>(entry, USED) + size);
}

function freeBytes(entry: usize, offset: u32, size: u32): void {
  insistOnPage(entry);
  mark(<usize>load<u32>(entry, BITMAP), offset, size, false);
  const used = load<u32>(entry, USED) - size;
  write32(entry + USED, used);
  write32(entry + LONGEST, KV_PAGE - used);
}

/** Gives a page of the table its memory. False when there is none. */
function addPage(kv: usize, entry: usize): bool {
  const page = tableAllocate(kv, KV_PAGE);
  if (!page) return false;
  const bitmap = tableAllocate(kv, KV_BITMAP);
  if (!bitmap) {
    tableRelease(kv, page, KV_PAGE);
    return false;
  }
  zeroBytes(bitmap, KV_BITMAP);
  setField(entry, 0, <u32>page);
  setField(entry, BITMAP, <u32>bitmap);
  setField(entry, USED, 0);
  setField(entry, LONGEST, KV_PAGE);
  setField(kv, PAGE_COUNT, field(kv, PAGE_COUNT) + 1);
  return true;
}

/** Takes room for a value: its word of metadata, or ENOSPC or ENOMEM. */
function place(kv: usize, size: u32): u32 {
  const most = field(kv, MOST_PAGES);
  let unused = NONE;
  for (let page: u32 = 0; page < most; page++) {
    const entry = pageEntry(kv, page);
    if (!load<u32>(entry)) {
      if (unused == NONE) unused = page;
      continue;
    }
    if (load<u32>(entry, LONGEST) < size) continue;
    const offset = findRun(entry, size);
    if (offset == NONE) continue;
    takeBytes(entry, offset, size);
    return metaWord(page, offset, size);
  }
  if (unused == NONE) return ENOSPC;
  const entry = pageEntry(kv, unused);
  if (!addPage(kv, entry)) return ENOMEM;
  takeBytes(entry, 0, size);
  return metaWord(unused, 0, size);
}

/**
 * Makes a key have room for a value of a size, whose bytes the caller writes: its address, or ENOSPC or ENOMEM, and nothing has changed (in
 * the shared build, once the operation is rolled back). What fits stays where it is, and so does what finds the bytes behind it free; for
 * what does not, the room that the value had counts as free.
 */
export function assign(kv: usize, key: u32, size: u32): usize {
  const at = metaAddress(kv, key);
  const old = load<u32>(at);
  if (!old) {
    const word = place(kv, size);
    if (word <= ENOSPC) return word;
    write32(at, word);
    setField(kv, COUNT, field(kv, COUNT) + 1);
    return valueAddress(kv, word);
  }
  const offset = offsetOf(old);
  const before = sizeOf(old);
  const entry = pageEntry(kv, pageOf(old));
  insistOnPage(entry);
  if (size <= before) {
    if (size < before) {
      freeBytes(entry, offset + size, before - size);
      write32(at, metaWord(pageOf(old), offset, size));
    }
    return valueAddress(kv, old);
  }
  if (isFree(<usize>load<u32>(entry, BITMAP), offset + before, size - before)) {
    takeBytes(entry, offset + before, size - before);
    write32(at, metaWord(pageOf(old), offset, size));
    return valueAddress(kv, old);
  }
  freeBytes(entry, offset, before);
  const word = place(kv, size);
  if (word <= ENOSPC) {
    takeBytes(entry, offset, before);
    return word;
  }
  write32(at, word);
  dropIfEmpty(kv, entry);
  return valueAddress(kv, word);
}

function dropIfEmpty(kv: usize, entry: usize): void {
  if (!load<u32>(entry, USED)) releasePage(kv, entry);
}

/** Takes the value of a key away. */
export function unassign(kv: usize, key: u32): void {
  const at = metaAddress(kv, key);
  const word = load<u32>(at);
  const entry = pageEntry(kv, pageOf(word));
  write32(at, 0);
  setField(kv, COUNT, field(kv, COUNT) - 1);
  freeBytes(entry, offsetOf(word), sizeOf(word));
  dropIfEmpty(kv, entry);
}
