// Checks the pools of a table of texts (table/layout/texts.ts): that the block of them has its memory and its measures, each pool as the
// elements of another table, and of each live element its length and its hash.
import { SHARED } from "../build";
import { hashText, tagged } from "../hash/hash";
import { TEXT } from "../hash/key";
import { allocationSize } from "../memory/arena";
import { BlockTexts } from "../table/layout/block_refs";
import { leadsBack } from "../table/layout/account";
import { LIVE, elementAddress } from "../table/layout/elements";
import {
  DEAD_ELEMENTS, ELEMENTS, ELEMENT_SEGMENTS, ELEMENT_STRIDE, KEY_SIZE, POOLS, POOLS_TO_SWEEP, POOL_COUNT, SEEDS, TEXT_KEY, field,
} from "../table/layout/header";
import { Texts, poolAt, poolsBytes, poolOf, shiftOfPool, strideOfPool } from "../table/layout/texts";
import { isInUse } from "./arena";
import { countLive, verifyElements, verifyLive, verifyOwners } from "./elements";
import { POOL_BLOCK, POOL_SWEEP, TEXT_ELEMENT, broken } from "./invariants";
import { arrayBytes, elementSegments, verifyDirectory, verifyHeld } from "./segments";

/** Checks the pools; the measures of the table are checked. */
export function verifyPools(table: usize, out: usize): u32 {
  const block = <usize>field(table, POOLS);
  const count = field(table, POOL_COUNT);
  if (!isInUse(block, poolsBytes(table)) || !leadsBack(block, table + POOLS)) return broken(out, POOL_BLOCK, <u32>block, poolsBytes(table), count, 0);
  for (let index: u32 = 0; index < count; index++) {
    const pool = poolAt(table, index);
    const stride = strideOfPool(table, index);
    const shift = shiftOfPool(table, index);
    if (field(pool, ELEMENT_STRIDE) != stride) return broken(out, POOL_BLOCK, <u32>block, index, field(pool, ELEMENT_STRIDE), stride);
    if (load<u32>(pool + ELEMENT_SEGMENTS, 4) != shift) return broken(out, POOL_BLOCK, <u32>block, index, load<u32>(pool + ELEMENT_SEGMENTS, 4), shift);
    const problem =
      verifyDirectory(table, pool + ELEMENT_SEGMENTS, elementSegments(table, pool), out) ||
      (SHARED ? verifyHeld(table, pool, out) : 0);
    if (problem) return problem;
  }
  return 0;
}

/** Checks the elements of the pools, whose segments are checked. */
export function verifyPoolElements(table: usize, out: usize): u32 {
  const count = field(table, POOL_COUNT);
  const sweep = field(table, POOLS_TO_SWEEP);
  if (sweep > count) return broken(out, POOL_SWEEP, sweep, count, 0, 0);
  for (let index: u32 = 0; index < count; index++) {
    const pool = poolAt(table, index);
    const problem = verifyElements(table, pool, out) || verifyTexts(table, pool, out);
    if (problem) return problem;
    if (field(pool, DEAD_ELEMENTS) && index >= sweep) return broken(out, POOL_SWEEP, sweep, count, index, field(pool, DEAD_ELEMENTS));
  }
  return 0;
}

/** Checks the live elements of a pool by themselves: the length belongs to the pool, the hash to the text. */
function verifyTexts(table: usize, pool: usize, out: usize): u32 {
  const elements = field(pool, ELEMENTS);
  for (let index: u32 = 0; index < elements; index++) {
    const element = elementAddress(table, pool, index);
    if (load<u32>(element) != LIVE) continue;
    const key = element + field(table, TEXT_KEY);
    const bytes = load<u32>(key);
    const fits = bytes <= field(table, KEY_SIZE) - <u32>TEXT && poolOf(table, element) == pool;
    if (!fits) return broken(out, TEXT_ELEMENT, index, <u32>element, bytes, field(pool, ELEMENT_STRIDE));
    const hash = tagged(hashText(table + SEEDS, key + TEXT, bytes));
    const stored = changetype<Texts>(0).hashOf(table, element);
    if (hash != stored) return broken(out, TEXT_ELEMENT, index, <u32>element, stored, hash);
  }
  return 0;
}

/** Checks that every live element has one slot, and that there are as many as entries. */
export function verifyPoolOwners(table: usize, entries: u32, out: usize): u32 {
  let live: u32 = 0;
  for (let index: u32 = 0; index < field(table, POOL_COUNT); index++) {
    const pool = poolAt(table, index);
    const problem = verifyOwners<BlockTexts>(table, pool, out);
    if (problem) return problem;
    live += countLive(table, pool);
  }
  return verifyLive(table, live, entries, out);
}

/** Bytes of all that `verifyPools` checks. */
export function poolBytes(table: usize): u32 {
  let bytes = allocationSize(poolsBytes(table));
  for (let index: u32 = 0; index < field(table, POOL_COUNT); index++) {
    const pool = poolAt(table, index);
    bytes += arrayBytes(table, pool + ELEMENT_SEGMENTS, elementSegments(table, pool));
  }
  return bytes;
}
