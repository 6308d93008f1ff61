// Giving back the memory of a table in the shared build: piece by piece, each an operation that takes it off the table and frees it.
// So a thread may die in between, and whoever goes on finds what is left. Nobody else can reach the table any more.
import { release } from "../../memory/arena";
import { HOST_CPUS } from "../../regions";
import { beginWrite, commit, write32 } from "../../sync/journal";
import { ORPHAN, SLOT, mine } from "../../sync/slot";
import { tableRelease } from "../layout/account";
import { bucketAddress, fixedRecords, insistOnBuckets, untouchedEntry } from "../layout/buckets";
import { hasTexts } from "../layout/by_layout";
import { dropLastElements } from "../layout/elements";
import {
  BOOK, BUCKETS, BUCKET_BYTES, BUCKET_SEGMENTS, ELEMENT_SEGMENTS, ELEMENT_SEGMENTS_HELD, HEADER_BYTES, LATE_STRIPES, LINES, OVERFLOW_BYTES, OVERFLOW_COUNT,
  OVERFLOW_RESERVE, POOLS, RETIRED_SEGMENTS, SPARE_NODE, STRIPES, STRIPE_MASK, field, isGrowable, setField,
} from "../layout/header";
import { directoryEntry, dropDirectory, dropSegment, firstOf, recordsOf, segmentOf } from "../layout/segments";
import { closePools, poolAt, poolsOf } from "../layout/texts";
import { LINE_BYTES } from "../limit/credits";
import { closeBook } from "../notes/book";
import { ADDRESS, BYTES, nodeBytes } from "../resize/retire";

export const STRIPE_BYTES: u32 = 16;
/** Lock words of an array at most: more than threads can contend for. */
export const MOST_STRIPES: u32 = 1024;

/** Frees everything but the header. False when a lock could not be had: the rest is still there. */
export function dismantle<B>(table: usize): bool {
  return (
    freeChains<B>(table) && freeReserve(table) && freeBook(table) && freeSegments(table) && freeRetired(table) && freeElements(table, table) &&
    freeDirectories(table, table + BUCKET_SEGMENTS) && freeDirectories(table, table + ELEMENT_SEGMENTS) && freePools(table)
  );
}

/** Whoever goes on after a crash walks past the buckets whose chains are gone. */
function freeChains<B>(table: usize): bool {
  if (!field(table, OVERFLOW_COUNT)) return true;
  insistOnBuckets(table);
  for (let i = field(table, BUCKETS); i > 0 && field(table, OVERFLOW_COUNT); i--) {
    const bucket = bucketAddress<B>(table, i - 1);
    while (true) {
      const block = changetype<B>(bucket).link(true);
      if (!block) break;
      beginWrite();
      changetype<B>(bucket).setLink(true, changetype<B>(block).link(false));
      setField(table, OVERFLOW_COUNT, field(table, OVERFLOW_COUNT) - 1);
      tableRelease(table, block, field(table, OVERFLOW_BYTES));
      if (!commit()) return false;
    }
  }
  return true;
}

function freeReserve(table: usize): bool {
  while (field(table, OVERFLOW_RESERVE)) {
    const block = <usize>field(table, OVERFLOW_RESERVE);
    beginWrite();
    setField(table, OVERFLOW_RESERVE, load<u32>(block));
    tableRelease(table, block, field(table, OVERFLOW_BYTES));
    if (!commit()) return false;
  }
  return true;
}

/** While the table still has all of its buckets, whose number says how large the book is. */
function freeBook(table: usize): bool {
  if (!field(table, BOOK)) return true;
  beginWrite();
  closeBook(table);
  return commit();
}

function freeSegments(table: usize): bool {
  const array = table + BUCKET_SEGMENTS;
  const shift = load<u32>(array, 4);
  const stride = field(table, BUCKET_BYTES);
  while (field(table, BUCKETS)) {
    const segment = segmentOf(field(table, BUCKETS) - 1, shift);
    const records = isGrowable(table) ? recordsOf(segment, shift) : fixedRecords(table, segment, shift);
    beginWrite();
    setField(table, BUCKETS, firstOf(segment, shift));
    if (load<u32>(directoryEntry(array, segment)) != untouchedEntry(segment, shift, stride)) {
      dropSegment(table, array, segment, stride, records);
    }
    if (!commit()) return false;
  }
  return true;
}

function freeRetired(table: usize): bool {
  while (field(table, RETIRED_SEGMENTS)) {
    const node = <usize>field(table, RETIRED_SEGMENTS);
    beginWrite();
    setField(table, RETIRED_SEGMENTS, load<u32>(node));
    tableRelease(table, <usize>load<u32>(node, ADDRESS), load<u32>(node, BYTES));
    tableRelease(table, node, nodeBytes());
    if (!commit()) return false;
  }
  const spare = <usize>field(table, SPARE_NODE);
  if (!spare) return true;
  beginWrite();
  setField(table, SPARE_NODE, 0);
  tableRelease(table, spare, nodeBytes());
  return commit();
}

function freeElements(table: usize, pool: usize): bool {
  while (field(pool, ELEMENT_SEGMENTS_HELD)) {
    beginWrite();
    dropLastElements(table, pool, 0);
    if (!commit()) return false;
  }
  return true;
}

function freeDirectories(table: usize, array: usize): bool {
  while (load<u32>(array, 8)) {
    beginWrite();
    dropDirectory(table, array);
    if (!commit()) return false;
  }
  return true;
}

function freePools(table: usize): bool {
  if (!hasTexts(table) || !field(table, POOLS)) return true;
  for (let index: u32 = 0; index < poolsOf(table); index++) {
    const pool = poolAt(table, index);
    if (!freeElements(table, pool) || !freeDirectories(table, pool + ELEMENT_SEGMENTS)) return false;
  }
  beginWrite();
  closePools(table);
  return commit();
}

/** Frees the lines of the CPUs, the locks of an array, and the header, and takes the table out of the slot's ORPHAN word. */
export function freeHeader(table: usize): void {
  beginWrite();
  const stripes = <usize>field(table, STRIPES);
  if (stripes) tableRelease(table, stripes, (field(table, STRIPE_MASK) + 1) * STRIPE_BYTES);
  const late = <usize>field(table, LATE_STRIPES);
  if (late && late != stripes) tableRelease(table, late, MOST_STRIPES * STRIPE_BYTES);
  const lines = <usize>field(table, LINES);
  if (lines) tableRelease(table, lines, load<u32>(HOST_CPUS) * LINE_BYTES);
  release(table, HEADER_BYTES);
  if (mine(ORPHAN) == <u32>table) write32(SLOT + ORPHAN, 0);
  commit();
}
