// Batches by key of tables that evict or whose entries expire: each key goes through the single operation (maps/noted.ts). Keys of
// any size lie packed, and values as users see them. The first key that fails ends a batch that writes, as in batch/write.ts.
import { SHARED } from "../build";
import { copyBytes, zeroBytes } from "../memory/bytes";
import { FIRST_ADDRESS } from "../regions";
import { ERRNO, setMine } from "../sync/slot";
import { keepAt, seekAt, takeNoted, updateNoted } from "./noted";
import { addTo, deltaShift } from "../table/entries/scalar";
import { seenBytes } from "../table/entries/seek";
import { KEY_SIZE, field } from "../table/layout/header";
import { TTL_AS_IS } from "../table/notes/expiry";
import { STAGE_ERRNO } from "../batch/stage";
import { addMany } from "../batch/write";

/** `lookupMany` of batch/lookup_many.ts. With `use` 1, what is found counts as used. */
export function lookupManyNoted(table: usize, keys: usize, count: u32, values: usize, found: usize, use: u32): u32 {
  const size = seenBytes(table);
  const stride = field(table, KEY_SIZE);
  let hits: u32 = 0;
  let errno: u32 = 0; // of the shared build: what gave up on a lock counts as absent, with ERRNO of the slot set
  for (let i: u32 = 0; i < count; i++) {
    const value = seekAt(table, keys, use);
    const hit = value >= FIRST_ADDRESS;
    if (hit) copyBytes(values, value, size);
    else {
      zeroBytes(values, size);
      if (SHARED && value) errno = <u32>value;
    }
    store<u8>(found + i, <u8>hit);
    hits += <u32>hit;
    keys += stride;
    values += size;
  }
  if (SHARED && errno) setMine(ERRNO, errno);
  return hits;
}

/** `updateMany` of batch/write.ts, with a ttl for each entry. */
export function updateManyNoted(table: usize, stage: usize, keys: usize, count: u32, values: usize, flags: u32, ttl: f64): u32 {
  const size = seenBytes(table);
  const stride = field(table, KEY_SIZE);
  let errno: u32 = 0;
  let done: u32 = 0;
  for (; done < count; done++) {
    errno = updateNoted(table, keys, values, flags, ttl);
    if (errno) break;
    keys += stride;
    values += size;
  }
  store<u32>(stage, errno, STAGE_ERRNO);
  return done;
}

/** `removeMany` of batch/write.ts. */
export function removeManyNoted(table: usize, stage: usize, keys: usize, count: u32): u32 {
  const stride = field(table, KEY_SIZE);
  let errno: u32 = 0;
  let done: u32 = 0;
  for (; done < count; done++) {
    errno = takeNoted(table, keys, 0);
    if (errno) break;
    keys += stride;
  }
  store<u32>(stage, errno, STAGE_ERRNO);
  return done;
}

/** `addMany` of batch/write.ts. What is there keeps its expiry. */
export function addManyNoted(
  table: usize, stage: usize, keys: usize, count: u32, deltas: usize, width: u32, offset: u32,
): u32 {
  if (SHARED) return addMany(table, stage, keys, count, deltas, width, offset);
  const stride = field(table, KEY_SIZE);
  const step: u32 = 1 << deltaShift(width);
  let errno: u32 = 0;
  let done: u32 = 0;
  for (; done < count; done++) {
    const value = keepAt(table, keys, 0, TTL_AS_IS);
    if (value < FIRST_ADDRESS) {
      errno = <u32>value;
      break;
    }
    addTo(value + offset, width, deltas);
    keys += stride;
    deltas += step;
  }
  store<u32>(stage, errno, STAGE_ERRNO);
  return done;
}
