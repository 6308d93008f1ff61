// Scans: every entry in the order of (bit-reversed hash, key). That order does not depend on the number of buckets: a split
// cuts the interval of a bucket in two, a merge joins two, and no entry changes its place. So a cursor is a position in the
// order (cursor.ts), and whatever grows or shrinks between two calls, an entry that stays is met exactly once.
//
// A bucket that is met at its start and fits is emitted as it stands. Otherwise, when a merge has made the bucket wider than
// the cursor or the room is short, its entries are sorted and leave in ascending order (in_order.ts).
import { reverseBits } from "../../hash/hash";
import { bucketAddress, bucketIndex, bucketMask, insistOnBuckets } from "../layout/buckets";
import { KEY_SIZE, VALUE_SIZE, field } from "../layout/header";
import { countEntries } from "../layout/overflow";
import { shrinkAfter } from "../resize/resize";
import { AFTER_KEY, AT, END, MOST_PLANNED, PLAN, PLANNED_BYTES, PLANNED_END, STATE, WHOLE, plan } from "./cursor";
import { emitBucket, emptyBucket } from "./emit";
import { emitInOrder, leastIn } from "./in_order";

/** Copies the next entries, at most `room`, and removes them when asked to. values = 0 leaves the values out. How many. */
export function scan<B>(table: usize, cursor: usize, keys: usize, values: usize, room: u32, removing: bool): u32 {
  const keySize = field(table, KEY_SIZE);
  const valueSize = field(table, VALUE_SIZE);
  let position = <u64>load<u32>(cursor);
  let state = load<u32>(cursor, STATE);
  let done: u32 = 0;
  insistOnBuckets(table);
  while (state != END && done < room) {
    if (state == AT) {
      const planned = plan<B>(table, cursor, position, min(MOST_PLANNED, 2 + ((room - done) >> 2)));
      let removed: u32 = 0;
      let i: u32 = 0;
      for (; i < planned; i++) {
        const at = cursor + PLAN + i * PLANNED_BYTES;
        const bucket = <usize>load<u32>(at);
        const entries = countEntries<B>(table, bucket);
        if (entries > room - done) break;
        emitBucket<B>(table, bucket, keys, values);
        if (removing && entries) emptyBucket<B>(table, bucket, entries);
        removed += entries;
        done += entries;
        keys += <usize>entries * keySize;
        if (values) values += <usize>entries * valueSize;
        position = <u64>load<u32>(at, PLANNED_END);
        if (!position) state = END;
      }
      // Merges make a new plan necessary, so they come when this one is used up. Positions they do not change.
      if (removing && removed) shrinkAfter<B>(table, removed, 0);
      if (planned && i == planned) continue;
      if (done == room) break;
    }
    const bucket = bucketIndex(table, reverseBits(<u32>position));
    const width = WHOLE >> (<u64>popcnt(bucketMask(table, bucket)));
    const emitted = emitInOrder<B>(
      table, bucketAddress<B>(table, bucket), cursor, position, state, keys, values, room - done, removing,
    );
    done += emitted;
    keys += <usize>emitted * keySize;
    if (values) values += <usize>emitted * valueSize;
    state = load<u32>(cursor, STATE);
    if (state == AFTER_KEY) return done; // the room is used up inside this bucket, and the cursor says where
    position = (position & ~(width - 1)) + width;
    if (position == WHOLE) state = END;
  }
  store<u32>(cursor, <u32>position);
  store<u32>(cursor, state, STATE);
  return done;
}

/** Copies the key that follows (position, after) in the order of a scan. False when there is none. */
export function nextKey<B>(table: usize, position: u32, after: usize, target: usize): bool {
  let start = <u64>position;
  insistOnBuckets(table);
  while (start < WHOLE) {
    const bucket = bucketIndex(table, reverseBits(<u32>start));
    const block = bucketAddress<B>(table, bucket);
    const found = leastIn<B>(table, block, <u32>start, after);
    if (found) {
      changetype<B>(found & ~63).copyKey(table, <u32>found & 63, (found & ~63) == block, target);
      return true;
    }
    const width = WHOLE >> (<u64>popcnt(bucketMask(table, bucket)));
    start = (start & ~(width - 1)) + width;
    after = 0;
  }
  return false;
}
