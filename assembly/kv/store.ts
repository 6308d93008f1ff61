// KV stores, after the uptr KV store (Amery Hung, "[RFC PATCH 0/4] uptr KV store", 2025): values of 1 to 4096 bytes by small integer
// keys, in two regions. A word of metadata for each key says where its value is; pages of 4096 bytes, allocated on demand, hold the values.
// So an operation is one look-up: the word, the page's address, the bytes.
//
//   metadata, one u32 a key, least significant bit first as the source's bit fields lie:
//     0..2 page_idx | 3..14 page_off | 15..26 size - 1 | 27 init | 28..31 page_idx, its bits 3..6
//   The source stores the size, whose 12 bits cannot hold its own 4096; size - 1 holds 1 to 4096 and no other. Its four free bits
//   extend page_idx from 8 to 128 pages: a store of up to 8 pages has zeros there, as in the source. A key without a value is 0.
//
//   page table, 16 bytes a page: 0 u32 address of the page, 0 = none | 4 u32 its bitmap | 8 u32 bytes in use | 12 u32 no free run is
//     longer than this (kv/space.ts)
//   page: 4096 bytes, values back to back at any offset, none across two pages
//   bitmap: 512 bytes, bit set = the byte is in use. It lies beside the page, so that a value may take a page to the last byte.
//   owners, u16 a key, from the first manifest on: 0 nobody's, 1..4096 a pair of the manifest in force of so many bytes, STAGED a
//     pair of a manifest to come, RETAINED of the one before (kv/manifest.ts)
//
// The header is that of a table (table/layout/header.ts), so that a store is named, pinned, counted and destroyed as a map is. Its own words:
//    0 u32 page table | 4 u32 pages at most | 8 u32 pages | 12 u32 owners, or 0 | 16 u32 text of the manifest | 20 is the layout, as in
//    every table | 24 u32 bytes of the text | 28 u32 generation: how many manifests there have been | 196 u32 metadata
//  256 lock of the store | 260 lock of a rollout | 264 gate: who holds it is the only one to write      (the shared build)
import { SHARED } from "../build";
import { insist } from "../damage";
import { ENOMEM } from "../errno";
import { allocate, allocationSize, release } from "../memory/arena";
import { zeroBytes } from "../memory/bytes";
import { beginWrite, commit } from "../sync/journal";
import { ORPHAN, mine } from "../sync/slot";
import { tableAllocate, tableRelease } from "../table/layout/account";
import {
  ARRAY_DATA, BYTES, GROW_ABOVE, HEADER_BYTES, KEY_SIZE, LAYOUT, LAYOUT_KV, MAX_ENTRIES, VALUE_SIZE, field, setField,
} from "../table/layout/header";
import { newHeader, unfinishedErrno } from "../table/life/assemble";
import { freeHeader } from "../table/life/dismantle";

export const KV_PAGE: u32 = 4096;
export const KV_BITMAP: u32 = KV_PAGE >> 3;
export const KV_MOST_PAGES: u32 = 128;

/** Words of the header, which JavaScript reads, too. */
export const KV_PAGES_OFFSET: u32 = 0;
export const KV_MOST_PAGES_OFFSET: u32 = 4;
export const KV_PAGE_COUNT_OFFSET: u32 = 8;
export const KV_OWNERS_OFFSET: u32 = 12;
export const KV_TEXT_OFFSET: u32 = 16;
export const KV_TEXT_BYTES_OFFSET: u32 = 24;
export const KV_GENERATION_OFFSET: u32 = 28;
export const KV_METADATA_OFFSET: u32 = <u32>ARRAY_DATA;

export const PAGES: usize = KV_PAGES_OFFSET;
export const MOST_PAGES: usize = KV_MOST_PAGES_OFFSET;
export const PAGE_COUNT: usize = KV_PAGE_COUNT_OFFSET;
export const OWNERS: usize = KV_OWNERS_OFFSET;
export const TEXT: usize = KV_TEXT_OFFSET;
export const TEXT_BYTES: usize = KV_TEXT_BYTES_OFFSET;
export const GENERATION: usize = KV_GENERATION_OFFSET;
export const METADATA: usize = ARRAY_DATA;
export const KV_LOCK: usize = 256;
export const ROLLOUT: usize = 260;
export const GATE: usize = 264;

/** In an entry of the page table. */
export const ENTRY_BYTES: u32 = 16;
export const BITMAP: usize = 4;
export const USED: usize = 8;
export const LONGEST: usize = 12;

/** In the owners: the key is a pair's of a manifest that is not in force, but may come, or has gone and could come back. */
export const STAGED: u32 = 0xffff;
export const RETAINED: u32 = 0xfffe;

export const INIT: u32 = 1 << 27;
/** Where the fields of a word of metadata begin, and the bits of each. */
export const LOW_PAGE: u32 = 7;
export const LOW_PAGE_BITS: u32 = 3;
export const OFFSET: u32 = 3;
export const SIZE: u32 = 15;
export const FIELD: u32 = 0xfff;
export const HIGH_PAGE: u32 = 28;

@inline export function metaWord(page: u32, offset: u32, size: u32): u32 {
  return (page & LOW_PAGE) | (offset << OFFSET) | ((size - 1) << SIZE) | INIT | ((page >> LOW_PAGE_BITS) << HIGH_PAGE);
}

@inline export function pageOf(word: u32): u32 {
  return (word & LOW_PAGE) | ((word >> HIGH_PAGE) << LOW_PAGE_BITS);
}

@inline export function offsetOf(word: u32): u32 {
  return (word >> OFFSET) & FIELD;
}

@inline export function sizeOf(word: u32): u32 {
  return ((word >> SIZE) & FIELD) + 1;
}

@inline export function pageEntry(kv: usize, page: u32): usize {
  return <usize>field(kv, PAGES) + page * ENTRY_BYTES;
}

/** Where the value is that a word of metadata names. */
@inline export function valueAddress(kv: usize, word: u32): usize {
  return <usize>load<u32>(pageEntry(kv, pageOf(word))) + offsetOf(word);
}

@inline export function metaAddress(kv: usize, key: u32): usize {
  return <usize>field(kv, METADATA) + (<usize>key << 2);
}

/** Whose a key is. */
@inline export function ownerOf(kv: usize, key: u32): u32 {
  const owners = <usize>field(kv, OWNERS);
  return owners ? load<u16>(owners + (<usize>key << 1)) : 0;
}

function describe(kv: usize, maxKeys: u32, maxPages: u32): void {
  setField(kv, LAYOUT, LAYOUT_KV);
  setField(kv, KEY_SIZE, 4);
  setField(kv, VALUE_SIZE, KV_PAGE);
  setField(kv, MAX_ENTRIES, maxKeys);
  setField(kv, MOST_PAGES, maxPages);
  setField(kv, GROW_ABOVE, 0xffffffff); // never in debt
}

/** A region of zeros that a word of the header names. */
function addRegion(kv: usize, word: usize, bytes: u32): bool {
  const region = tableAllocate(kv, bytes);
  if (!region) return false;
  zeroBytes(region, bytes);
  setField(kv, word, <u32>region);
  return true;
}

function dropRegion(kv: usize, word: usize, bytes: u32): void {
  const region = <usize>field(kv, word);
  if (!region) return;
  setField(kv, word, 0);
  tableRelease(kv, region, bytes);
}

function addRegions(kv: usize): bool {
  return addRegion(kv, METADATA, field(kv, MAX_ENTRIES) << 2) && addRegion(kv, PAGES, field(kv, MOST_PAGES) * ENTRY_BYTES);
}

/** Gives a store the owners of its keys, unless it has them. False without memory. */
export function ensureOwners(kv: usize): bool {
  return field(kv, OWNERS) != 0 || addRegion(kv, OWNERS, field(kv, MAX_ENTRIES) << 1);
}

/** A new store: its handle, or ENOMEM. */
export function createKv(maxKeys: u32, maxPages: u32): usize {
  if (SHARED) return createShared(maxKeys, maxPages);
  const kv = allocate(HEADER_BYTES);
  if (!kv) return ENOMEM;
  zeroBytes(kv, HEADER_BYTES);
  setField(kv, BYTES, allocationSize(HEADER_BYTES));
  describe(kv, maxKeys, maxPages);
  if (addRegions(kv)) return kv;
  closeKv(kv);
  release(kv, HEADER_BYTES);
  return ENOMEM;
}

/** The same in the shared build: in steps, each an operation (table/life/assemble.ts). */
function createShared(maxKeys: u32, maxPages: u32): usize {
  const kv = newHeader();
  if (kv) {
    beginWrite();
    describe(kv, maxKeys, maxPages);
    const whole = addRegions(kv);
    if (commit() && whole) return kv;
  }
  const errno = unfinishedErrno();
  const unfinished = <usize>mine(ORPHAN);
  if (unfinished && dismantleKv(unfinished)) freeHeader(unfinished);
  return errno;
}

/** Gives the memory of a page back. */
export function releasePage(kv: usize, entry: usize): void {
  const page = <usize>load<u32>(entry);
  const bitmap = <usize>load<u32>(entry, BITMAP);
  setField(entry, 0, 0);
  setField(entry, BITMAP, 0);
  setField(kv, PAGE_COUNT, field(kv, PAGE_COUNT) - 1);
  tableRelease(kv, page, KV_PAGE);
  tableRelease(kv, bitmap, KV_BITMAP);
}

function dropRegions(kv: usize): void {
  dropRegion(kv, PAGES, field(kv, MOST_PAGES) * ENTRY_BYTES);
  dropRegion(kv, METADATA, field(kv, MAX_ENTRIES) << 2);
  dropRegion(kv, OWNERS, field(kv, MAX_ENTRIES) << 1);
  dropRegion(kv, TEXT, field(kv, TEXT_BYTES));
}

/** Frees everything but the header. */
export function closeKv(kv: usize): void {
  for (let page: u32 = 0; field(kv, PAGE_COUNT); page++) {
    insist(page < KV_MOST_PAGES);
    if (load<u32>(pageEntry(kv, page))) releasePage(kv, pageEntry(kv, page));
  }
  dropRegions(kv);
}

/** The same in the shared build, in steps, each an operation. False when a lock could not be had: the rest is still there. */
export function dismantleKv(kv: usize): bool {
  for (let page: u32 = 0; field(kv, PAGE_COUNT); page++) {
    insist(page < KV_MOST_PAGES);
    const entry = pageEntry(kv, page);
    if (!load<u32>(entry)) continue;
    beginWrite();
    releasePage(kv, entry);
    if (!commit()) return false;
  }
  beginWrite();
  dropRegions(kv);
  return commit();
}
