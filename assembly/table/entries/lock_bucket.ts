// Locking the bucket of a hash, in the shared build: how every operation there begins that writes.
import { follow } from "../../damage";
import { ENOMEM } from "../../errno";
import { zeroBytes } from "../../memory/bytes";
import { ZEROS, ZEROS_BYTES } from "../../regions";
import { awaitHazards } from "../../sync/hazard";
import { beginWrite, commit, failWith, publish, rollback } from "../../sync/journal";
import { acquire, acquireFirst, releaseLast } from "../../sync/lock";
import { ERRNO, TOUCHED, mine, setMine } from "../../sync/slot";
import { STEPPING, STEP_INDEX, step } from "../../sync/step";
import { tableAllocate } from "../layout/account";
import { bucketAddress, bucketIndex, bucketOf, fixedRecords, indexIn, untouchedEntry } from "../layout/buckets";
import { BUCKETS, BUCKET_BYTES, BUCKET_SEGMENTS, PER_CPU, POOL_LOCK, field } from "../layout/header";
import { directoryEntry, firstOf, segmentOf } from "../layout/segments";

const LINE: u32 = 64;

@inline export function isUntouched(bucket: usize): bool {
  return bucket >= ZEROS && bucket < ZEROS + ZEROS_BYTES;
}

/** Gives the segment of a bucket memory of its own: an operation by itself, since others may see it at once. 0 or an errno. */
function materialiseLocked(table: usize, bucket: u32): u32 {
  const array = table + BUCKET_SEGMENTS;
  const shift = load<u32>(array, 4);
  const stride = field(table, BUCKET_BYTES);
  const segment = segmentOf(bucket, shift);
  const entry = directoryEntry(array, segment);
  beginWrite();
  if (acquire(table + POOL_LOCK) && load<u32>(entry) == untouchedEntry(segment, shift, stride)) {
    const bytes = fixedRecords(table, segment, shift) * stride;
    const address = tableAllocate(table, bytes);
    if (!address) {
      if (!mine(ERRNO)) failWith(ENOMEM);
    } else {
      zeroBytes(address, bytes);
      publish(entry, <u32>address - firstOf(segment, shift) * stride);
    }
  }
  return commit() ? 0 : mine(ERRNO);
}

/**
 * Locks the bucket of a hash and begins an operation. 0 when it failed: nothing is held then, and ERRNO says why.
 *
 * All lines of the bucket are touched before the compare-and-swap, behind which no load is done early: the misses overlap.
 */
@inline export function lockBucketOf<B>(table: usize, hash: u32): usize {
  beginWrite(); // before N is read: from here on no bucket's memory becomes something else (table/resize/retire.ts)
  const bucket = plainBucketOf<B>(table, hash);
  touch<B>(table, bucket);
  if (!isUntouched(bucket) && acquireFirst(changetype<B>(bucket).lock())) {
    // The address again, not N: a merge and a split later N is the same, and the last bucket may be another.
    if (plainBucketOf<B>(table, hash) == bucket && !field(table, PER_CPU)) return bucket;
    releaseLast();
  }
  return lockBucketSlowly<B>(table, hash);
}

/** `bucketOf` by plain loads. What it says before the compare-and-swap is checked behind it, where nobody can change it any more. */
@inline function plainBucketOf<B>(table: usize, hash: u32): usize {
  return bucketAddress<B>(table, indexIn(load<u32>(table, BUCKETS), hash));
}

@inline function touch<B>(table: usize, bucket: usize): void {
  const bytes = changetype<B>(0).bucketBytes(table);
  let sum: u32 = 0;
  for (let line: u32 = LINE; line < bytes; line += LINE) sum += load<u32>(bucket + line);
  setMine(TOUCHED, sum);
}

/** Times that a bucket is looked up before its lock is had; others can be in the way a few times, not for ever. */
const MOST_TRIES: u32 = 1 << 20;

function lockBucketSlowly<B>(table: usize, hash: u32): usize {
  let left = MOST_TRIES;
  while (true) {
    left = follow(left);
    beginWrite();
    const bucket = bucketOf<B>(table, hash);
    if (STEPPING) step(STEP_INDEX);
    if (isUntouched(bucket)) {
      if (materialiseLocked(table, bucketIndex(table, hash))) return 0;
      continue;
    }
    const lock = changetype<B>(bucket).lock();
    if (!acquire(lock)) {
      rollback();
      return 0;
    }
    // A split or merge since then? Not from now on: it needs this lock.
    if (bucketOf<B>(table, hash) == bucket) {
      if (!field(table, PER_CPU) || awaitHazards(lock)) return bucket;
      rollback();
      return 0;
    }
    releaseLast();
  }
}

/** Ends an operation that may not be done: nothing of it holds. */
export function refuse(errno: u32): u32 {
  rollback();
  return errno;
}
