// Checks every invariant of a KV store. As in table.ts, nothing follows an address that has not been checked before, and in the
// shared build no other thread may write meanwhile.
import { SHARED } from "../build";
import { longestRun } from "../kv/space";
import {
  BITMAP, ENTRY_BYTES, KV_BITMAP, KV_LOCK, KV_MOST_PAGES, KV_PAGE, LONGEST, METADATA, MOST_PAGES, OWNERS, PAGES, PAGE_COUNT, RETAINED, TEXT,
  TEXT_BYTES, USED, metaAddress, offsetOf, ownerOf, pageEntry, pageOf, sizeOf,
} from "../kv/store";
import { allocationSize } from "../memory/arena";
import { HOST_CPUS } from "../regions";
import { leadsBack } from "../table/layout/account";
import { BYTES, COUNT, HEADER_BYTES, LINES, MAX_ENTRIES, field } from "../table/layout/header";
import { LINE_BYTES } from "../table/limit/credits";
import { isInUse } from "./arena";
import { verifyWords } from "./header";
import {
  KV_COUNT, KV_OWNER, KV_PAGES, KV_REGIONS, KV_RUN, KV_SPACE, KV_VALUE, OWN_LINES, TABLE_BYTES, broken,
} from "./invariants";
import { verifyLock } from "./slots";

/** The first broken invariant of a KV store. */
export function verifyKv(kv: usize, out: usize): u32 {
  return (
    verifyWords(kv, out) ||
    verifyRegions(kv, out) ||
    verifyPages(kv, out) ||
    verifyValues(kv, out) ||
    verifySpace(kv, out) ||
    verifyBytes(kv, out) ||
    (SHARED ? verifyLock(kv + KV_LOCK, out) : 0)
  );
}

function verifyRegion(kv: usize, word: usize, bytes: u64, out: usize): u32 {
  return isInUse(<usize>field(kv, word), bytes) ? 0 : broken(out, KV_REGIONS, <u32>word, field(kv, word), <u32>bytes, 0);
}

function verifyRegions(kv: usize, out: usize): u32 {
  const keys = <u64>field(kv, MAX_ENTRIES); // a damaged number of keys must not wrap around to few bytes
  const pages = field(kv, MOST_PAGES);
  if (!pages || pages > KV_MOST_PAGES) return broken(out, KV_REGIONS, <u32>MOST_PAGES, pages, 0, 0);
  const lines = <usize>field(kv, LINES);
  if (SHARED && (!isInUse(lines, load<u32>(HOST_CPUS) * LINE_BYTES) || !leadsBack(lines, kv + LINES))) {
    return broken(out, OWN_LINES, <u32>lines, load<u32>(HOST_CPUS) * LINE_BYTES, 0, 0);
  }
  return (
    verifyRegion(kv, METADATA, keys << 2, out) ||
    verifyRegion(kv, PAGES, pages * ENTRY_BYTES, out) ||
    (field(kv, OWNERS) ? verifyRegion(kv, OWNERS, keys << 1, out) : 0) ||
    (field(kv, TEXT) ? verifyRegion(kv, TEXT, field(kv, TEXT_BYTES), out) : 0)
  );
}

function verifyPages(kv: usize, out: usize): u32 {
  const most = field(kv, MOST_PAGES);
  let pages: u32 = 0;
  for (let page: u32 = 0; page < most; page++) {
    const entry = pageEntry(kv, page);
    const address = <usize>load<u32>(entry);
    const bitmap = <usize>load<u32>(entry, BITMAP);
    if (!address && !bitmap) continue;
    if (!isInUse(address, KV_PAGE) || !isInUse(bitmap, KV_BITMAP)) {
      return broken(out, KV_PAGES, page, <u32>address, <u32>bitmap, 0);
    }
    pages++;
    for (let before: u32 = 0; before < page; before++) {
      const other = pageEntry(kv, before);
      if (<usize>load<u32>(other) == address || <usize>load<u32>(other, BITMAP) == bitmap) {
        return broken(out, KV_PAGES, page, <u32>address, <u32>bitmap, 0);
      }
    }
  }
  return pages == field(kv, PAGE_COUNT) ? 0 : broken(out, KV_PAGES, KV_MOST_PAGES, pages, field(kv, PAGE_COUNT), 0);
}

@inline function isMarked(bitmap: usize, at: u32): bool {
  return ((load<u8>(bitmap + (at >> 3)) >> (at & 7)) & 1) != 0;
}

function verifyValues(kv: usize, out: usize): u32 {
  const keys = field(kv, MAX_ENTRIES);
  let values: u32 = 0;
  for (let key: u32 = 0; key < keys; key++) {
    const word = load<u32>(metaAddress(kv, key));
    const owner = ownerOf(kv, key);
    if (owner && (!word || (owner < RETAINED && owner != sizeOf(word)))) return broken(out, KV_OWNER, key, owner, word, 0);
    if (!word) continue;
    values++;
    if (pageOf(word) >= field(kv, MOST_PAGES)) return broken(out, KV_VALUE, key, word, 0, 0);
    const entry = pageEntry(kv, pageOf(word));
    const end = offsetOf(word) + sizeOf(word);
    if (!load<u32>(entry) || end > KV_PAGE) return broken(out, KV_VALUE, key, word, 0, 0);
    for (let at = offsetOf(word); at < end; at++) {
      if (!isMarked(<usize>load<u32>(entry, BITMAP), at)) return broken(out, KV_VALUE, key, word, at, 0);
    }
  }
  return values == field(kv, COUNT) ? 0 : broken(out, KV_COUNT, values, field(kv, COUNT), 0, 0);
}

/** Sum of the positions of the marked bytes of a page. */
function sumOfMarked(bitmap: usize): u32 {
  let sum: u32 = 0;
  for (let at: u32 = 0; at < KV_PAGE; at += 64) {
    for (let word = load<u64>(bitmap + (at >> 3)); word; word &= word - 1) sum += at + <u32>ctz(word);
  }
  return sum;
}

/**
 * That the values of a page have as many bytes as are marked, and at the same positions by their sum: since all of theirs are marked, a
 * value that lies over another one leaves marked bytes to nobody, and either the number or the sum of the positions says so.
 */
function verifySpace(kv: usize, out: usize): u32 {
  const keys = field(kv, MAX_ENTRIES);
  const most = field(kv, MOST_PAGES);
  for (let page: u32 = 0; page < most; page++) {
    const entry = pageEntry(kv, page);
    if (!load<u32>(entry)) continue;
    const bitmap = <usize>load<u32>(entry, BITMAP);
    let sizes: u32 = 0;
    let positions: u32 = 0;
    for (let key: u32 = 0; key < keys; key++) {
      const word = load<u32>(metaAddress(kv, key));
      if (!word || pageOf(word) != page) continue;
      const size = sizeOf(word);
      sizes += size;
      positions += size * offsetOf(word) + ((size * (size - 1)) >> 1);
    }
    let marked: u32 = 0;
    for (let at: u32 = 0; at < KV_BITMAP; at += 8) marked += <u32>popcnt(load<u64>(bitmap + at));
    if (sizes != marked || sizes != load<u32>(entry, USED) || !sizes || positions != sumOfMarked(bitmap)) {
      return broken(out, KV_SPACE, page, sizes, marked, load<u32>(entry, USED));
    }
    if (longestRun(bitmap) > load<u32>(entry, LONGEST)) return broken(out, KV_RUN, page, longestRun(bitmap), load<u32>(entry, LONGEST), 0);
  }
  return 0;
}

function verifyBytes(kv: usize, out: usize): u32 {
  const keys = field(kv, MAX_ENTRIES);
  const bytes =
    allocationSize(HEADER_BYTES) +
    allocationSize(keys << 2) +
    allocationSize(field(kv, MOST_PAGES) * ENTRY_BYTES) +
    (field(kv, OWNERS) ? allocationSize(keys << 1) : 0) +
    (field(kv, TEXT) ? allocationSize(field(kv, TEXT_BYTES)) : 0) +
    field(kv, PAGE_COUNT) * (KV_PAGE + KV_BITMAP) +
    (SHARED ? allocationSize(load<u32>(HOST_CPUS) * LINE_BYTES) : 0);
  return bytes == field(kv, BYTES) ? 0 : broken(out, TABLE_BYTES, bytes, field(kv, BYTES), 0, 0);
}
