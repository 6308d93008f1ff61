// Tables with a filter of absent keys (table/layout/filter.ts): keys that do not pass it are answered without their bucket. Exports of
// their own, which the classes of such maps call, so that other maps pay nothing. Plain build.
import { SHARED } from "../build";
import { EPERM } from "../errno";
import { FIRST_ADDRESS } from "../regions";
import { upsertFurther } from "../table/entries/entries";
import { ALL, BlockKeys, CELLS, USED } from "../table/layout/block_keys";
import { bucketAddress, bucketIndex } from "../table/layout/buckets";
import { admitSimply, mayHold } from "../table/layout/filter";
import { FROZEN, LEAN_MARK, field } from "../table/layout/header";
import { lookup4 } from "./access";
import { ABSENT, GREW, UNFIT, cellOf, fits, getIn, hashOf, writeNumber } from "./number";
import { getPart4 } from "./part";

/** As `getNumber4`. */
export function getFiltered4(table: usize, key: u32, kind: u32): f64 {
  if (SHARED) return ABSENT; // no table of it has a filter
  const hash = hashOf(table, key);
  const index = bucketIndex(table, hash);
  if (!mayHold(table, index, hash)) return ABSENT;
  return getIn(table, bucketAddress<BlockKeys>(table, index), key, hash, kind);
}

/** As `setNumber4`. */
export function setFiltered4(table: usize, key: u32, value: f64, kind: u32): u32 {
  if (SHARED || !fits(value, kind)) return UNFIT;
  if (field(table, FROZEN)) return EPERM;
  const hash = hashOf(table, key);
  const index = bucketIndex(table, hash);
  const bucket = bucketAddress<BlockKeys>(table, index);
  const slots = changetype<BlockKeys>(bucket).find<u32>(table, key, hash, true);
  let at: usize;
  let result: u32 = 0;
  if (slots) at = cellOf(bucket, slots);
  else {
    const simple = admitSimply(table, index, hash, load<u32>(bucket, USED) & ALL);
    let entry: usize = simple ? changetype<BlockKeys>(bucket).insertHere(table, key, LEAN_MARK) : 0;
    if (!entry) {
      const pages = memory.size();
      entry = upsertFurther<BlockKeys, u32>(table, bucket, key, hash, 0);
      if (entry < FIRST_ADDRESS) return <u32>entry;
      if (memory.size() != pages) result = GREW;
    }
    at = entry - CELLS;
  }
  writeNumber(at, value, kind);
  return result;
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
