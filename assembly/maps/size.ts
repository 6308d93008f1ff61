// How large a full table that evicts is, before there is one: `maxBytes` is turned into a limit on its entries by this
// (src/core/tables/max_bytes.ts). What such a table has from its creation on follows from its measures. What its overflow blocks will
// take depends on the keys, and is estimated.
import { SHARED } from "../build";
import { allocationSize } from "../memory/arena";
import { zeroBytes } from "../memory/bytes";
import { HOST_CPUS } from "../regions";
import { hasElements } from "../table/layout/by_layout";
import {
  BUCKETS, BUCKET_BYTES, ELEMENT_SEGMENTS, ELEMENT_STRIDE, FLAGS, HEADER_BYTES, OVERFLOW_BYTES, OVERFLOW_SLOTS, PER_CPU, SLOTS, field, setField,
} from "../table/layout/header";
import { recordsFor } from "../table/layout/lanes";
import { firstOf, recordsOf, segmentOf } from "../table/layout/segments";
import { LINE_BYTES } from "../table/limit/credits";
import { bookBytes } from "../table/notes/book";
import { setLayout } from "./choose_layout";
import { KIND_EVICTS, bucketsFor, flagsOf, segmentShift } from "./create";

/** e^(-1/16): loads are counted in sixteenths. */
const DECAY: f64 = 0.9394130628134758;
/** Entries of a bucket that are too rare to count. */
const MOST_ENTRIES: u32 = 64;
/** Blocks that a full table comes to have, of those that as many keys would need which come all at once: an entry stays in its block when a
 *  slot before it gets free. Measured: 1.2 to 2.2. */
const LASTING: f64 = 2.4;
/** Directories double, and the shared build keeps the old ones. */
const DIRECTORY_BYTES: u32 = 16;
const LEAST_DIRECTORY: u32 = 192;

/** Overflow blocks of a bucket that has so many entries on average, in sixteenths, by the distribution of Poisson. */
function blocksAt(load: u32, slots: u32, overflowSlots: u32): f64 {
  let chance: f64 = 1;
  for (let i: u32 = 0; i < load; i++) chance *= DECAY;
  let blocks: f64 = 0;
  for (let entries: u32 = 1; entries < MOST_ENTRIES; entries++) {
    chance *= <f64>load / <f64>(entries << 4);
    if (entries > slots) blocks += chance * <f64>((entries - slots - 1) / overflowSlots + 1);
  }
  return blocks;
}

/** Overflow blocks of a full table. Of its buckets, those that are not split hold twice as much as those that are. */
function overflowBlocks(table: usize, entries: u32): f64 {
  const buckets = field(table, BUCKETS);
  const level: u32 = 1 << (31 - clz(buckets));
  const whole = blocksAt(<u32>((<u64>entries << 4) / level), field(table, SLOTS), field(table, OVERFLOW_SLOTS));
  const split = blocksAt(<u32>((<u64>entries << 3) / level), field(table, SLOTS), field(table, OVERFLOW_SLOTS));
  const expected = LASTING * (<f64>(2 * level - buckets) * whole + <f64>(2 * (buckets - level)) * split);
  return expected + 2 * Math.sqrt(expected) + 1;
}

/** Bytes of a segmented array with so many records, and of its directories. */
function segmentBytes(records: u32, shift: u32, stride: u32, cut: bool): f64 {
  const last = segmentOf(records - 1, shift);
  const held = cut ? records : firstOf(last, shift) + recordsOf(last, shift);
  return <f64>held * <f64>stride + <f64>((last + 1) * DIRECTORY_BYTES + LEAST_DIRECTORY);
}

/** Bytes of a full table that evicts. `header`: HEADER_BYTES, which are written to; the rest as in `createTable`. No texts. */
export function fullBytes(header: usize, kind: u32, keySize: u32, valueSize: u32, entries: u32, perCpu: u32): f64 {
  zeroBytes(header, HEADER_BYTES);
  setField(header, FLAGS, flagsOf(kind, true));
  setLayout(header, keySize, valueSize, perCpu != 0, false, (kind & KIND_EVICTS) != 0);
  if (SHARED) setField(header, PER_CPU, perCpu);
  const buckets = bucketsFor(header, entries);
  setField(header, BUCKETS, buckets);
  let bytes = <f64>allocationSize(HEADER_BYTES) + <f64>allocationSize(bookBytes(header, buckets));
  if (SHARED) bytes += <f64>allocationSize(load<u32>(HOST_CPUS) * LINE_BYTES);
  bytes += segmentBytes(buckets, segmentShift(header), field(header, BUCKET_BYTES), true);
  if (hasElements(header)) {
    const records = recordsFor(header, entries);
    bytes += segmentBytes(records, field(header, ELEMENT_SEGMENTS + 4), field(header, ELEMENT_STRIDE), false);
  }
  return bytes + overflowBlocks(header, entries) * <f64>allocationSize(field(header, OVERFLOW_BYTES));
}
