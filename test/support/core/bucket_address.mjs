// Where a bucket of a table is: assembly/table/layout/bucket_array.ts, and in the shared build assembly/table/layout/segments.ts.
import { TABLE_BUCKET_BYTES, TABLE_BUCKET_SEGMENTS, TABLE_FLAT } from "../../../src/generated/abi.js";

/** Which word of a segmented array's directory stands for a record. */
export function segmentOf(index, shift) {
  return index >>> shift === 0 ? 32 - Math.clz32(index) : (index >>> shift) + shift;
}

export function bucketAddress(word, table, index, shared) {
  const directory = word(table + TABLE_BUCKET_SEGMENTS);
  const shift = word(table + TABLE_BUCKET_SEGMENTS + 4);
  const start = index * word(table + TABLE_BUCKET_BYTES);
  if (!shared && directory === 0) return (word(table + TABLE_FLAT) + start) >>> 0;
  const segment = shared ? segmentOf(index, shift) : index >>> shift;
  return (word(directory + 4 * segment) + start) >>> 0;
}
