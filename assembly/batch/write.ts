// Batches that write: update_batch, delete_batch, and adding deltas to many counters. Keys are staged as in batch/stage.ts; then
// each goes through the ordinary operation, which finds its bucket again from the hash: a split or merge that an earlier key
// caused does not matter. The first key that fails ends the batch, as in the kernel's generic_map_update_batch.
import { SHARED } from "../build";
import { COUNTING, countCopied } from "../counting";
import { ENOMEM } from "../errno";
import { keyStride, loadKey } from "../hash/key";
import { copyBytes, zeroBytes } from "../memory/bytes";
import { FIRST_ADDRESS } from "../regions";
import { isFresh, logBytes } from "../sync/journal";
import { remove, upsert } from "../table/entries/entries";
import { addTo, deltaShift } from "../table/entries/scalar";
import { ensureValueLog, finishWrite, obtain, removeLocked } from "../table/entries/shared_write";
import { writeValue } from "../table/entries/spin_lock";
import { byKeys } from "../table/layout/by_layout";
import { BUCKET_BYTES, COUNT, KEY_SIZE, VALUE_SIZE, field } from "../table/layout/header";
import { touchElements } from "./lookup_many";
import { ENTRY, GROUP, HASH, LINE, SINK, STAGE_ERRNO, locate, touchBuckets, touchChains } from "./stage";

const UPDATE: u32 = 0;
const REMOVE: u32 = 1;
const ADD: u32 = 2;

/** What one batch does with its keys. */
@unmanaged class Job {
  action: u32;
  /** UPDATE: address of the values. ADD: of the deltas, 8 bytes each for fields of 8 bytes, otherwise 4. */
  input: usize;
  /** UPDATE: the flags. */
  flags: u32;
  /** ADD: bytes and offset of the field within the value. */
  width: u32;
  offset: u32;
}

/** Behind the words that staging uses. */
const JOB: usize = SINK + 16;

/** One key of a batch in the shared build, an operation by itself: 0 or an errno. */
@inline function applyShared<B, K>(table: usize, job: Job, index: u32, key: K, hash: u32, valueSize: u32): u32 {
  if (job.action == REMOVE) return removeLocked<B, K>(table, key, hash, 0);
  const value = obtain<B, K>(table, key, hash, job.flags);
  if (value < FIRST_ADDRESS) return <u32>value;
  if (job.action == UPDATE) {
    writeValue(table, value, job.input + <usize>index * valueSize);
  } else {
    if (isFresh()) zeroBytes(value, valueSize);
    else logBytes(value + job.offset, job.width);
    addTo(value + job.offset, job.width, job.input + (<usize>index << deltaShift(job.width)));
  }
  return finishWrite<B>(table);
}

/** One key of a batch: 0 or an errno. */
@inline function apply<B, K>(table: usize, job: Job, index: u32, key: K, hash: u32, valueSize: u32): u32 {
  if (SHARED) return applyShared<B, K>(table, job, index, key, hash, valueSize);
  if (job.action == REMOVE) return remove<B, K>(table, key, hash, 0);
  const before = field(table, COUNT);
  const value = upsert<B, K>(table, key, hash, job.flags);
  if (value < FIRST_ADDRESS) return <u32>value;
  if (job.action == UPDATE) {
    if (COUNTING && valueSize == 8) countCopied(8);
    const source = job.input + <usize>index * valueSize;
    if (valueSize == 8) store<u64>(value, load<u64>(source));
    else copyBytes(value, source, valueSize);
  } else {
    if (field(table, COUNT) != before) zeroBytes(value, valueSize);
    addTo(value + job.offset, job.width, job.input + (<usize>index << deltaShift(job.width)));
  }
  return 0;
}

function many<B, K>(table: usize, stage: usize, keys: usize, count: u32): u32 {
  const job = changetype<Job>(stage + JOB);
  const stride = keyStride<K>(field(table, KEY_SIZE));
  const valueSize = field(table, VALUE_SIZE);
  const lines = field(table, BUCKET_BYTES) / LINE;
  let done: u32 = 0;
  if (SHARED && !ensureValueLog(table)) {
    store<u32>(stage + STAGE_ERRNO, ENOMEM);
    return 0;
  }
  while (done < count) {
    const group = min(count - done, GROUP);
    locate<B, K>(table, keys, stage, group, ENTRY, true);
    touchBuckets(stage, group, ENTRY, lines);
    touchChains<B>(stage, group);
    if (!changetype<B>(0).holdsValues()) touchElements(table, stage, group);
    for (let i: u32 = 0; i < group; i++) {
      const errno = apply<B, K>(table, job, done, loadKey<K>(keys), load<u32>(stage + i * ENTRY, HASH), valueSize);
      if (errno) {
        store<u32>(stage + STAGE_ERRNO, errno);
        return done;
      }
      done++;
      keys += stride;
    }
  }
  store<u32>(stage + STAGE_ERRNO, 0);
  return done;
}

@unmanaged class Write {
  @inline many<B, K>(table: usize, stage: usize, keys: usize, count: u32, _values: usize, _found: usize): u32 {
    return many<B, K>(table, stage, keys, count);
  }
}

function run(table: usize, stage: usize, keys: usize, count: u32): u32 {
  return byKeys<Write>(table, stage, keys, count);
}

/** Writes `count` entries packed at `keys` and `values`. How many were done; the errno that ended it at STAGE_ERRNO. */
export function updateMany(table: usize, stage: usize, keys: usize, count: u32, values: usize, flags: u32): u32 {
  const job = changetype<Job>(stage + JOB);
  job.action = UPDATE;
  job.input = values;
  job.flags = flags;
  return run(table, stage, keys, count);
}

/** Removes `count` keys; the first absent one ends it with ENOENT. */
export function removeMany(table: usize, stage: usize, keys: usize, count: u32): u32 {
  changetype<Job>(stage + JOB).action = REMOVE;
  return run(table, stage, keys, count);
}

/** Adds a delta to a field of `width` bytes at `offset` of each key's value; absent keys start at zeroes. */
export function addMany(
  table: usize, stage: usize, keys: usize, count: u32, deltas: usize, width: u32, offset: u32,
): u32 {
  const job = changetype<Job>(stage + JOB);
  job.action = ADD;
  job.input = deltas;
  job.flags = 0;
  job.width = width;
  job.offset = offset;
  return run(table, stage, keys, count);
}
