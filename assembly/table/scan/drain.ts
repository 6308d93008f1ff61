// Draining without a cursor: entries leave in whatever order costs least, until the table is empty.
//
// A growing table gives up its last bucket and becomes one shorter: what is left is as full as before, nothing is ever merged,
// and buckets come in the order of memory. With elements of one array the last element goes instead, which leaves no hole to
// fill. A fixed table is walked from where the last call stopped.
// Not inside a section: there the cursor of scan.ts does it.
import { COUNTING, countCopied } from "../../counting";
import { insist } from "../../damage";
import { hashBytes, tagged } from "../../hash/hash";
import { removeSlot } from "../entries/drop";
import { BlockRefs } from "../layout/block_refs";
import { shrinkBuckets } from "../layout/bucket_array";
import { bucketAddress, bucketOf, insistOnBuckets } from "../layout/buckets";
import { isFiltered, shrinkFilter } from "../layout/filter";
import { ELEMENT_KEY, lastElement, trimDead } from "../layout/elements";
import {
  BUCKETS, COUNT, DRAIN_AT, ELEMENTS, KEY_SIZE, MASK, SEEDS, VALUE_SIZE, field,
  isGrowable, setField,
} from "../layout/header";
import { countEntries } from "../layout/overflow";
import { setLimits, shrinkAfter } from "../resize/resize";
import { emitBucket, emptyBucket } from "./emit";

/** Elements whose buckets are touched before the first one is removed. */
const AHEAD: u32 = 32;

/** Removes and copies out up to `room` entries. How many: fewer than `room` when the table is empty. */
export function drainAny<B>(table: usize, stage: usize, keys: usize, values: usize, room: u32): u32 {
  if (!isGrowable(table)) return drainFixed<B>(table, keys, values, room);
  if (changetype<B>(0).isOneArray()) return drainElements(table, stage, keys, values, room);
  return drainLast<B>(table, keys, values, room);
}

/** Copies out and removes entries of one bucket, at most `room`. */
function takeFrom<B>(table: usize, bucket: usize, keys: usize, values: usize, room: u32): u32 {
  const entries = countEntries<B>(table, bucket);
  if (entries <= room) {
    emitBucket<B>(table, bucket, keys, values);
    if (entries) emptyBucket<B>(table, bucket, entries);
    return entries;
  }
  for (let done: u32 = 0; done < room; done++) {
    // From the chain while there is one: then nothing moves up into the bucket.
    let block = changetype<B>(bucket).link(true);
    if (!block || !changetype<B>(block).occupied(table, false)) block = bucket;
    const first = block == bucket;
    const slot = <u32>ctz(changetype<B>(block).occupied(table, first));
    changetype<B>(block).copyKey(table, slot, first, keys);
    keys += field(table, KEY_SIZE);
    if (values) {
      changetype<B>(block).copyValue(table, slot, first, values);
      values += field(table, VALUE_SIZE);
    }
    removeSlot<B>(table, bucket, block, slot);
  }
  return room;
}

function drainLast<B>(table: usize, keys: usize, values: usize, room: u32): u32 {
  let done: u32 = 0;
  while (done < room && field(table, COUNT)) {
    const last = field(table, BUCKETS) - 1;
    const bucket = bucketAddress<B>(table, last);
    const taken = takeFrom<B>(table, bucket, keys, values, room - done);
    done += taken;
    keys += <usize>taken * field(table, KEY_SIZE);
    if (values) values += <usize>taken * field(table, VALUE_SIZE);
    insist(taken != 0 || last != 0); // or the table counts entries that it does not have
    if (!last || countEntries<B>(table, bucket)) continue;
    const mask = field(table, MASK);
    setField(table, BUCKETS, last);
    if (last < (mask >> 1) + 1) setField(table, MASK, mask >> 1);
    if (isFiltered<B>(table)) shrinkFilter(table, last);
    shrinkBuckets(table, last);
  }
  setLimits(table);
  return done;
}

function drainFixed<B>(table: usize, keys: usize, values: usize, room: u32): u32 {
  const buckets = field(table, BUCKETS);
  insistOnBuckets(table);
  let at = field(table, DRAIN_AT);
  let done: u32 = 0;
  for (let visited: u32 = 0; visited <= buckets && field(table, COUNT); visited++) {
    const bucket = bucketAddress<B>(table, at);
    const taken = takeFrom<B>(table, bucket, keys, values, room - done);
    done += taken;
    keys += <usize>taken * field(table, KEY_SIZE);
    if (values) values += <usize>taken * field(table, VALUE_SIZE);
    if (done == room) break;
    at = at + 1 == buckets ? 0 : at + 1;
  }
  setField(table, DRAIN_AT, at);
  return done;
}

/** Pops elements off the end of the dense array. Their buckets are anywhere, so those of a group are touched first. */
function drainElements(table: usize, stage: usize, keys: usize, values: usize, room: u32): u32 {
  const keySize = field(table, KEY_SIZE);
  const valueSize = field(table, VALUE_SIZE);
  let done: u32 = 0;
  while (done < room && field(table, COUNT)) {
    const group = min(min(AHEAD, room - done), field(table, ELEMENTS));
    insist(group != 0);
    let sum: u32 = 0;
    for (let i: u32 = 0; i < group; i++) {
      const key = lastElement(table, table, i) + ELEMENT_KEY;
      store<u32>(stage + (<usize>i << 2), <u32>bucketOf<BlockRefs>(table, tagged(hashBytes(table + SEEDS, key, keySize))));
    }
    for (let i: u32 = 0; i < group; i++) sum += load<u32>(<usize>load<u32>(stage + (<usize>i << 2)));
    store<u32>(stage + (<usize>AHEAD << 2), sum);
    if (COUNTING) countCopied(group << 2);
    let moved: u32 = 0;
    let removed: u32 = 0;
    for (; removed < group && field(table, COUNT); removed++) {
      while (!trimDead(table, table)) continue;
      const element = lastElement(table, table, 0);
      const bucket = bucketOf<BlockRefs>(table, tagged(hashBytes(table + SEEDS, element + ELEMENT_KEY, keySize)));
      const found = changetype<BlockRefs>(bucket).blockOf(element);
      const slot = <u32>found & 63;
      const block = changetype<BlockRefs>(found & ~63);
      block.copyKey(table, slot, true, keys);
      keys += keySize;
      if (values) {
        block.copyValue(table, slot, true, values);
        values += valueSize;
      }
      moved += removeSlot<BlockRefs>(table, bucket, found & ~63, slot);
    }
    shrinkAfter<BlockRefs>(table, removed, moved);
    done += removed;
  }
  return done;
}
