// Checks every invariant of a table that is no KV store (kv.ts). It may be called at any time between two operations, in a section too,
// and in the shared build while no other thread writes to the table.
// The order of the checks is such that nothing follows an address, a link or a count that has not been checked before.
import { SHARED } from "../build";
import { KeyAny, KeyText } from "../hash/key";
import { allocationSize, bytesInUse } from "../memory/arena";
import { BlockRefs, BlockTexts } from "../table/layout/block_refs";
import { byLayout, hasElements, hasTexts, layoutOf } from "../table/layout/by_layout";
import {
  BUCKET_SEGMENTS, BYTES, COUNT, ELEMENT_SEGMENTS, FLAGS, HEADER_BYTES, LAYOUT, LAYOUT_ARRAY,
  MAX_ENTRIES, OVERFLOW_BYTES, OVERFLOW_COUNT, OVERFLOW_RESERVE, PREALLOCATED, field,
} from "../table/layout/header";
import { entriesOf } from "../table/limit/credits";
import { isInUse } from "./arena";
import { verifyApart } from "./apart";
import { verifyArray } from "./array";
import { bucketArrayBytes, verifyBucketArray } from "./bucket_array";
import { Sums, verifyBuckets } from "./buckets";
import { countLive, verifyElements, verifyLive, verifyOwners } from "./elements";
import { bytesOfBook, verifyBook, verifyOwnWords } from "./book";
import { filterBytes, verifyFilter } from "./filter";
import { NEVER, verifyCounts, verifyMark, verifyMeasures, verifyWords } from "./header";
import { CAPACITY, ENTRY_COUNT, MEASURES, OVERFLOW_BLOCKS, RESERVE, TABLE_BYTES, broken } from "./invariants";
import { arrayBytes, bucketSegments, elementSegments, verifyDirectory, verifyHeld } from "./segments";
import { sharedBytes, verifyShared } from "./shared_table";
import { poolBytes, verifyPoolElements, verifyPoolOwners, verifyPools } from "./texts";

/** The first broken invariant of a table, its details in four words at `out`; 0 when all hold. */
export function verifyTable(table: usize, out: usize): u32 {
  const layout = field(table, LAYOUT);
  if (layout > LAYOUT_ARRAY) return broken(out, MEASURES, <u32>LAYOUT, layout, LAYOUT_ARRAY, 0);
  if (layout == LAYOUT_ARRAY) return verifyArray(table, out);
  return verifyStructures(table, out) || verifyContents(table, out) || verifyTotals(table, out);
}

/** What must hold before anything may walk over the buckets. */
function verifyStructures(table: usize, out: usize): u32 {
  return (
    verifyWords(table, out) ||
    verifyMeasures(table, out) ||
    verifyCounts(table, out) ||
    (SHARED ? verifyDirectory(table, table + BUCKET_SEGMENTS, bucketSegments(table), out) : verifyBucketArray(table, out)) ||
    (hasTexts(table) ? verifyPools(table, out) : verifyArrayOfElements(table, out)) ||
    (SHARED ? 0 : verifyFilter(table, out)) ||
    verifyBook(table, out) ||
    verifyApart(table, out) ||
    (hasTexts(table) ? verifyPoolElements(table, out) : verifyElements(table, table, out)) ||
    verifyReserve(table, out) ||
    (SHARED ? verifyShared(table, out) : 0) ||
    verifyOwnWords(table, out)
  );
}

function verifyArrayOfElements(table: usize, out: usize): u32 {
  return (
    verifyDirectory(table, table + ELEMENT_SEGMENTS, elementSegments(table, table), out) ||
    (SHARED ? verifyHeld(table, table, out) : 0)
  );
}

@unmanaged class VerifyBuckets {
  @inline call1<B>(table: usize, out: usize): usize {
    if (changetype<B>(0).isWord()) return verifyBuckets<B, u32>(table, out);
    return verifyBuckets<B, KeyAny>(table, out);
  }
}

function verifyContents(table: usize, out: usize): u32 {
  if (hasTexts(table)) return verifyBuckets<BlockTexts, KeyText>(table, out);
  return <u32>byLayout<VerifyBuckets>(layoutOf(table), table, out);
}

/** Compares the sums over the buckets with what the header says. */
function verifyTotals(table: usize, out: usize): u32 {
  const entries = changetype<Sums>(out).entries;
  const overflow = changetype<Sums>(out).overflow;
  const count = SHARED ? entriesOf(table) : field(table, COUNT);
  const blocks = field(table, OVERFLOW_COUNT);
  const most = field(table, MAX_ENTRIES);
  if (overflow != blocks) return broken(out, OVERFLOW_BLOCKS, overflow, blocks, 0, 0);
  if (entries != count) return broken(out, ENTRY_COUNT, entries, count, 0, 0);
  if (entries > most) return broken(out, CAPACITY, entries, most, 0, 0);
  if (hasElements(table)) {
    const problem = verifyOwners<BlockRefs>(table, table, out) || verifyLive(table, countLive(table, table), entries, out);
    if (problem) return problem;
  }
  if (hasTexts(table)) {
    const problem = verifyPoolOwners(table, entries, out);
    if (problem) return problem;
  }
  return verifyBytes(table, overflow, out) || verifyMark(table, out);
}

/** Blocks of the reserve; NEVER when the list leaves the memory in use, or does not end. */
function reserveLength(table: usize): u32 {
  const bytes = field(table, OVERFLOW_BYTES);
  const most = bytesInUse() / bytes;
  let blocks: u32 = 0;
  let block = <usize>field(table, OVERFLOW_RESERVE);
  while (block && blocks <= most && isInUse(block, bytes)) {
    blocks++;
    block = <usize>load<u32>(block);
  }
  return block ? NEVER : blocks;
}

function verifyReserve(table: usize, out: usize): u32 {
  const blocks = reserveLength(table);
  if (blocks == NEVER || (blocks && !(field(table, FLAGS) & PREALLOCATED))) {
    return broken(out, RESERVE, field(table, OVERFLOW_RESERVE), blocks, 0, 0);
  }
  return 0;
}

function verifyBytes(table: usize, overflow: u32, out: usize): u32 {
  const bytes =
    (SHARED ? sharedBytes(table) : 0) +
    allocationSize(HEADER_BYTES) +
    (SHARED ? 0 : filterBytes(table)) +
    allocationSize(bytesOfBook(table)) +
    (SHARED ? arrayBytes(table, table + BUCKET_SEGMENTS, bucketSegments(table)) : bucketArrayBytes(table)) +
    (hasTexts(table) ? poolBytes(table) : arrayBytes(table, table + ELEMENT_SEGMENTS, elementSegments(table, table))) +
    (overflow + reserveLength(table)) * field(table, OVERFLOW_BYTES);
  return bytes == field(table, BYTES) ? 0 : broken(out, TABLE_BYTES, bytes, field(table, BYTES), 0, 0);
}
