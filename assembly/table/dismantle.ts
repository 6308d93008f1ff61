// Giving back the memory of a table in the shared build: piece by piece, each an operation that takes it off the table and frees it.
// So a thread may die in between, and whoever goes on finds what is left. Nobody else can reach the table any more.
import { release } from "../memory/arena";
import { HEADER_BYTES } from "./header";
import { HOST_CPUS } from "../memory/regions";
import { LINE_BYTES } from "../sync/count";
import { beginWrite, commit, write32 } from "../sync/journal";
import { ERRNO, ORPHAN, SLOT, mine } from "../sync/slot";
import { tableRelease } from "./account";
import { bucketAddress, fixedRecords, untouchedEntry } from "./buckets";
import { dropLastElements } from "./elements";
import {
  BUCKETS, BUCKET_BYTES, BUCKET_SEGMENTS, ELEMENT_SEGMENTS, FLAGS, LINES, OVERFLOW_BYTES, OVERFLOW_COUNT, OVERFLOW_RESERVE, PREALLOCATED,
  RETIRED_SEGMENTS, SPARE_NODE, STRIPES, STRIPE_MASK, field, isGrowable, setField,
} from "./header";
import { nodeBytes } from "./retire";
import { directoryEntry, dropDirectory, dropSegment, firstOf, recordsOf, segmentOf } from "./segments";

const RETIRED_ADDRESS: usize = 4;
const RETIRED_BYTES: usize = 8;
export const STRIPE_BYTES: u32 = 16;

/** Frees everything but the header. False when a lock could not be had. */
export function dismantle<B>(table: usize): bool {
  while (freeNextBlock<B>(table)) continue;
  while (freeNextReserve(table)) continue;
  while (freeNextSegment(table)) continue;
  while (freeNextRetired(table)) continue;
  while (freeNextElements(table)) continue;
  while (freeNextDirectory(table, table + BUCKET_SEGMENTS)) continue;
  while (freeNextDirectory(table, table + ELEMENT_SEGMENTS)) continue;
  return mine(ERRNO) == 0;
}

/** The first block of the last bucket that has any: buckets behind it are not looked at again, so N is cut to it. */
function freeNextBlock<B>(table: usize): bool {
  let buckets = field(table, BUCKETS);
  if (!field(table, OVERFLOW_COUNT) || !buckets) return false;
  for (let i = buckets; i > 0; i--) {
    const bucket = bucketAddress<B>(table, i - 1);
    const block = changetype<B>(bucket).link(true);
    if (!block) continue;
    beginWrite();
    changetype<B>(bucket).setLink(true, changetype<B>(block).link(false));
    setField(table, OVERFLOW_COUNT, field(table, OVERFLOW_COUNT) - 1);
    tableRelease(table, block, field(table, OVERFLOW_BYTES));
    return commit();
  }
  return false;
}

function freeNextReserve(table: usize): bool {
  const block = <usize>field(table, OVERFLOW_RESERVE);
  if (!block) return false;
  beginWrite();
  setField(table, OVERFLOW_RESERVE, load<u32>(block));
  tableRelease(table, block, field(table, OVERFLOW_BYTES));
  return commit();
}

function freeNextSegment(table: usize): bool {
  const array = table + BUCKET_SEGMENTS;
  const buckets = field(table, BUCKETS);
  if (!buckets || !load<u32>(array, 8)) return false;
  const shift = load<u32>(array, 4);
  const stride = field(table, BUCKET_BYTES);
  const segment = segmentOf(buckets - 1, shift);
  const records = isGrowable(table) ? recordsOf(segment, shift) : fixedRecords(table, segment, shift);
  beginWrite();
  setField(table, BUCKETS, firstOf(segment, shift));
  if (load<u32>(directoryEntry(array, segment)) != untouchedEntry(segment, shift, stride)) {
    dropSegment(table, array, segment, stride, records);
  }
  return commit();
}

function freeNextRetired(table: usize): bool {
  const spare = <usize>field(table, SPARE_NODE);
  const node = <usize>field(table, RETIRED_SEGMENTS);
  if (!spare && !node) return false;
  beginWrite();
  if (spare) {
    setField(table, SPARE_NODE, 0);
    tableRelease(table, spare, nodeBytes());
  } else {
    setField(table, RETIRED_SEGMENTS, load<u32>(node));
    tableRelease(table, <usize>load<u32>(node, RETIRED_ADDRESS), load<u32>(node, RETIRED_BYTES));
    tableRelease(table, node, nodeBytes());
  }
  return commit();
}

function freeNextElements(table: usize): bool {
  beginWrite();
  setField(table, FLAGS, field(table, FLAGS) & ~PREALLOCATED);
  const freed = dropLastElements(table, 0);
  return commit() && freed;
}

function freeNextDirectory(table: usize, array: usize): bool {
  if (!load<u32>(array, 8)) return false;
  beginWrite();
  dropDirectory(table, array);
  return commit();
}

/** Frees the lines of the CPUs, the locks of an array, and the header, and takes the table out of the slot's ORPHAN word. */
export function freeHeader(table: usize): void {
  beginWrite();
  const stripes = <usize>field(table, STRIPES);
  if (stripes) tableRelease(table, stripes, (field(table, STRIPE_MASK) + 1) * STRIPE_BYTES);
  const lines = <usize>field(table, LINES);
  if (lines) tableRelease(table, lines, load<u32>(HOST_CPUS) * LINE_BYTES);
  release(table, HEADER_BYTES);
  if (mine(ORPHAN) == <u32>table) write32(SLOT + ORPHAN, 0);
  commit();
}
