// Giving a new table its memory in the shared build, piece by piece as table/life/dismantle.ts takes it away: each piece is an operation,
// and what the header says is there at every moment.
import { ENOMEM } from "../../errno";
import { allocate, allocationSize } from "../../memory/arena";
import { zeroBytes } from "../../memory/bytes";
import { HOST_CPUS } from "../../regions";
import { beginWrite, commit, rollback, write32 } from "../../sync/journal";
import { lockErrno } from "../../sync/lock";
import { ORPHAN, SLOT } from "../../sync/slot";
import { leadBack, tableAllocate } from "../layout/account";
import { untouchedEntry, widthIn } from "../layout/buckets";
import { hasElements, hasTexts } from "../layout/by_layout";
import { holdSegment, preallocatedSegments } from "../layout/elements";
import {
  BUCKETS, BUCKET_BYTES, BUCKET_SEGMENTS, BYTES, FLAGS, GROW_ABOVE, HEADER_BYTES, LINES, LOCK_OFFSET,
  NO_LOCK, OVERFLOW_BYTES, PREALLOCATED, SHRINK_BELOW, field, isGrowable, setField,
} from "../layout/header";
import { blocksToReserve, reserveOverflow } from "../layout/overflow";
import { addSegment, directoryEntry, firstOf, recordsOf, reserveDirectory, segmentOf } from "../layout/segments";
import { openPools } from "../layout/texts";
import { LINE_BYTES } from "../limit/credits";
import { isNoted, openBook } from "../notes/book";
import { setLimitsFor } from "../resize/resize";
import { prepareRetiring } from "../resize/retire";

const NEVER: u32 = 0xffffffff;

/** A header of zeros, noted in the slot as being made, with the lines of the CPUs. 0 without memory. */
export function newHeader(): usize {
  beginWrite();
  const table = allocate(HEADER_BYTES);
  if (!table) {
    rollback();
    return 0;
  }
  zeroBytes(table, HEADER_BYTES);
  store<u32>(table, NO_LOCK, LOCK_OFFSET);
  store<u32>(table, allocationSize(HEADER_BYTES), BYTES);
  write32(SLOT + ORPHAN, <u32>table);
  if (!commit()) return 0;
  beginWrite();
  const bytes = load<u32>(HOST_CPUS) * LINE_BYTES;
  const lines = tableAllocate(table, bytes);
  if (lines) {
    zeroBytes(lines, bytes);
    leadBack(lines, table + LINES);
    setField(table, LINES, <u32>lines);
  }
  if (commit() && lines) return table;
  return 0;
}

/** Why the last operation of making a table failed: the errno of a lock, or ENOMEM. To be asked before the table is destroyed. */
export function unfinishedErrno(): u32 {
  return lockErrno() ? lockErrno() : ENOMEM;
}

/** Gives a table of `buckets` buckets its first memory: all that a preallocated one will ever need. False without memory. */
export function assemble<B>(table: usize, buckets: u32): bool {
  const array = table + BUCKET_SEGMENTS;
  const shift = load<u32>(array, 4);
  const segments = segmentOf(buckets - 1, shift) + 1;
  beginWrite();
  const begun = reserveDirectory(table, array, segments) && (!isGrowable(table) || prepareRetiring(table));
  if (!isGrowable(table)) setField(table, GROW_ABOVE, NEVER);
  else setLimitsFor(table, buckets);
  if (!isGrowable(table)) setField(table, SHRINK_BELOW, 0);
  if (!begun) {
    rollback();
    return false;
  }
  if (!commit() || (hasTexts(table) && !assemblePools(table))) return false;
  for (let segment: u32 = 0; segment < segments; segment++) if (!assembleSegment<B>(table, segment, buckets)) return false;
  if (isNoted(table) && !assembleBook(table)) return false;
  return !(field(table, FLAGS) & PREALLOCATED) || preallocate(table);
}

function assembleBook(table: usize): bool {
  beginWrite();
  const opened = openBook(table);
  return commit() && opened;
}

function assemblePools(table: usize): bool {
  beginWrite();
  const opened = openPools(table);
  return commit() && opened;
}

function assembleSegment<B>(table: usize, segment: u32, buckets: u32): bool {
  const array = table + BUCKET_SEGMENTS;
  const shift = load<u32>(array, 4);
  const stride = field(table, BUCKET_BYTES);
  const first = firstOf(segment, shift);
  const end = min(buckets, first + recordsOf(segment, shift));
  beginWrite();
  if (!isGrowable(table) && !(field(table, FLAGS) & PREALLOCATED)) {
    store<u32>(directoryEntry(array, segment), untouchedEntry(segment, shift, stride));
  } else {
    const records = isGrowable(table) ? recordsOf(segment, shift) : end - first;
    const address = addSegment(table, array, segment, stride, records);
    if (!address) {
      rollback();
      return false;
    }
    zeroBytes(address, records * stride);
    for (let i = first; i < end; i++) {
      // Nobody sees it yet, so no journal.
      const bucket = address + <usize>(i - first) * stride;
      store<u32>(bucket + changetype<B>(0).widthOffset(), widthIn(buckets, i));
    }
  }
  setField(table, BUCKETS, end);
  return commit();
}

/** Elements and overflow blocks of a preallocated table, as in table/life/lifecycle.ts. */
function preallocate(table: usize): bool {
  if (hasElements(table)) {
    const segments = preallocatedSegments(table);
    for (let segment: u32 = 0; segment < segments; segment++) {
      beginWrite();
      const held = holdSegment(table, table, segment);
      if (!commit() || !held) return false;
    }
  }
  const blocks = blocksToReserve(table);
  for (let i: u32 = 0; i < blocks; i++) {
    beginWrite();
    const block = tableAllocate(table, field(table, OVERFLOW_BYTES));
    if (block) reserveOverflow(table, block);
    if (!commit() || !block) return false;
  }
  return true;
}
