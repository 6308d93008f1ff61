// The cursor of a scan (scan.ts), and the plan in it: which buckets come next.
//
//   cursor: 0 u32 position, the reversed hash to go on from    4 u32 state    8 u32 keeps early loads alive
//           16 buckets planned for this call: u32 address, u32 position behind it [32]    272 key, in state AFTER_KEY
//   state:  AT         the next entry is the first one at or behind the position
//           AFTER_KEY  the same, but of the entries at the position itself only those with a key above `key`
//           END        the scan is over
import { SHARED } from "../../build";
import { COUNTING, countCopied } from "../../counting";
import { reverseBits } from "../../hash/hash";
import { isReadable } from "../../sync/word";
import { bucketAddress, bucketIndex, bucketMask } from "../layout/buckets";
import { BUCKET_BYTES, field } from "../layout/header";

export const STATE: usize = 4;
const SINK: usize = 8;
export const PLAN: usize = 16;
export const PLANNED_BYTES: u32 = 8;
export const PLANNED_END: usize = 4;
export const MOST_PLANNED: u32 = 32;
export const AFTER: usize = PLAN + MOST_PLANNED * PLANNED_BYTES;
export const CURSOR_BYTES: u32 = <u32>AFTER;

export const AT: u32 = 0;
export const AFTER_KEY: u32 = 1;
export const END: u32 = 2;

export const WHOLE: u64 = 0x100000000;

const LINE: u32 = 64;

/**
 * Notes the next buckets of a scan, as long as it stands at the start of one, and touches them: consecutive positions are pages
 * apart, so that the cache misses of a few dozen buckets overlap. How many were noted.
 */
export function plan<B>(table: usize, cursor: usize, position: u64, most: u32): u32 {
  let planned: u32 = 0;
  while (planned < most && position < WHOLE) {
    const bucket = bucketIndex(table, reverseBits(<u32>position));
    const width = WHOLE >> (<u64>popcnt(bucketMask(table, bucket)));
    if (position & (width - 1)) break;
    position += width;
    const at = cursor + PLAN + planned * PLANNED_BYTES;
    store<u32>(at, <u32>bucketAddress<B>(table, bucket));
    store<u32>(at, <u32>position, PLANNED_END);
    planned++;
  }
  if (COUNTING) countCopied(planned * PLANNED_BYTES);
  const bytes = field(table, BUCKET_BYTES);
  let sum: u32 = 0;
  for (let i: u32 = 0; i < planned; i++) {
    const bucket = <usize>load<u32>(cursor + PLAN + i * PLANNED_BYTES);
    for (let line: u32 = 0; line < bytes; line += LINE) sum += load<u32>(bucket + line);
  }
  if (!changetype<B>(0).holdsValues()) {
    for (let i: u32 = 0; i < planned; i++) {
      const bucket = changetype<B>(load<u32>(cursor + PLAN + i * PLANNED_BYTES));
      let used = bucket.occupied(table, true);
      while (used) {
        const entry = bucket.entryAt(<u32>ctz(used));
        if (!SHARED || isReadable(entry, 4)) sum += load<u32>(entry);
        used &= used - 1;
      }
    }
  }
  store<u32>(cursor, sum, SINK); // keeps the touching loads alive
  return planned;
}
