// Tables with a filter of absent keys (table/layout/filter.ts): keys that do not pass it are answered without their bucket. Exports of
// their own, which the classes of such maps call, so that other maps pay nothing. Plain build.
import { SHARED } from "../build";
import { BlockKeys } from "../table/layout/block_keys";
import { bucketAddress, bucketIndex } from "../table/layout/buckets";
import { mayHold } from "../table/layout/filter";
import { lookup4 } from "./access";
import { ABSENT, getIn, hashOf } from "./number";
import { getPart4 } from "./part";

/** As `getNumber4`. */
export function getFiltered4(table: usize, key: u32, kind: u32): f64 {
  if (SHARED) return ABSENT; // no table of it has a filter
  const hash = hashOf(table, key);
  const index = bucketIndex(table, hash);
  if (!mayHold(table, index, hash)) return ABSENT;
  return getIn(table, bucketAddress<BlockKeys>(table, index), key, hash, kind);
}

function passes(table: usize, key: u32): bool {
  const hash = hashOf(table, key);
  return mayHold(table, bucketIndex(table, hash), hash);
}

/** As `lookup4`. */
export function lookupFiltered4(table: usize, key: u32): usize {
  if (SHARED) return 0;
  return passes(table, key) ? lookup4(table, key) : 0;
}

/** As `getPart4`. */
export function getPartFiltered4(table: usize, key: u32, offset: u32, kind: u32): f64 {
  if (SHARED) return ABSENT;
  return passes(table, key) ? getPart4(table, key, offset, kind) : ABSENT;
}
