// Checks the filter of absent keys (table.ts): that it has its memory, and how many bytes it takes. That it lets every key pass is checked
// with the entries (buckets.ts).
import { allocationSize } from "../memory/arena";
import { filterRoom, filterSegment, filterSegments } from "../table/layout/filter";
import { BUCKETS, FILTER, FILTERED, FLAGS, field } from "../table/layout/header";
import { isInUse } from "./arena";
import { FILTER_ARRAY, broken } from "./invariants";

/** Segments of the filter, 0 without one. */
export function segmentsOfFilter(table: usize): u32 {
  return field(table, FLAGS) & FILTERED ? filterSegments(field(table, BUCKETS)) : 0;
}

/** The number of buckets is checked, and that only the layout "keys" has the flag. */
export function verifyFilter(table: usize, out: usize): u32 {
  const directory = <usize>field(table, FILTER);
  const room = load<u32>(table + FILTER, 8);
  const segments = segmentsOfFilter(table);
  const isMeant = segments != 0;
  if (!isMeant && !(<u32>directory | room)) return 0;
  if (!isMeant || room < segments || !isInUse(directory, <u64>room << 2)) {
    return broken(out, FILTER_ARRAY, 0, <u32>directory, room << 2, 0);
  }
  for (let segment: u32 = 0; segment < segments; segment++) {
    const address = filterSegment(table, segment);
    const bytes = segmentBytes(table, segment);
    if (!isInUse(address, bytes)) return broken(out, FILTER_ARRAY, segment, <u32>address, bytes, 0);
  }
  return 0;
}

export function segmentBytes(table: usize, segment: u32): u32 {
  return filterRoom(segment, field(table, BUCKETS)) << 2;
}

/** Bytes of all that `verifyFilter` checks. */
export function filterBytes(table: usize): u32 {
  const segments = segmentsOfFilter(table);
  let bytes = allocationSize(load<u32>(table + FILTER, 8) << 2);
  for (let segment: u32 = 0; segment < segments; segment++) bytes += allocationSize(segmentBytes(table, segment));
  return bytes;
}
