// Batches that write: update_batch, delete_batch, and adding deltas to many counters. Each key goes through the ordinary
// operation. The first key that fails ends the batch, as in the kernel's generic_map_update_batch.
//
// A table that is larger than the caches has its keys staged first, group by group, as in batch/stage.ts. The operation finds the
// bucket again from the hash: a split or merge that an earlier key caused does not matter.
//
// In the shared build each key is an operation of its own, under the lock of its bucket; adding to a slot of a per-CPU value takes
// none. Once for many keys are done: credits (table/limit/credits.ts), and splits and merges, under one resize lock.
import { SHARED } from "../build";
import { COUNTING, countCopied } from "../counting";
import { ENOENT, ENOMEM, EPERM } from "../errno";
import { hashKey, keyStride, loadKey } from "../hash/key";
import { tagged } from "../hash/hash";
import { copyBytes, zeroBytes } from "../memory/bytes";
import { FIRST_ADDRESS } from "../regions";
import { isFresh, logBytes, notFresh } from "../sync/journal";
import { remove, upsert } from "../table/entries/entries";
import { addTo, deltaShift } from "../table/entries/scalar";
import { DELTA, writePart } from "../table/entries/shared_read";
import { ensureValueLog, finishOne, insertsAhead, obtain, removeOne as removeUnder, resizeBehind } from "../table/entries/shared_write";
import { writeValue, zeroFresh } from "../table/entries/spin_lock";
import { byKeys } from "../table/layout/by_layout";
import { BUCKETS, BUCKET_BYTES, COUNT, FROZEN, KEY_SIZE, PER_CPU, SEEDS, VALUE_SIZE, field } from "../table/layout/header";
import { beginGroup, endGroup } from "../table/limit/credits";
import { touchElements } from "./lookup_many";
import { ENTRY, GROUP, HASH, LINE, SINK, STAGE_ERRNO, locate, touchBuckets, touchChains } from "./stage";

/**
 * Buckets from which on keys are staged. Below, the lines that staging would fetch ahead are in a cache already, and its 100
 * instructions a key made a batch slower than single calls.
 */
const STAGED_FROM: u32 = 2048;

/** Words of the stage behind those that staging uses: the flags of updates; bytes and offset of the field that is added to. */
const FLAGS: usize = SINK + 16;
const WIDTH: usize = SINK + 20;
const OFFSET: usize = SINK + 24;

/** Stages a group of keys, if that pays. */
function stageGroup<B, K>(table: usize, stage: usize, keys: usize, group: u32): bool {
  const buckets = SHARED ? atomic.load<u32>(table, BUCKETS) : field(table, BUCKETS);
  if (buckets < STAGED_FROM) return false;
  locate<B, K>(table, keys, stage, group, ENTRY, true);
  touchBuckets(stage, group, ENTRY, field(table, BUCKET_BYTES) / LINE);
  touchChains<B>(stage, group);
  if (!changetype<B>(0).holdsValues()) touchElements(table, stage, group, false);
  return true;
}

@inline function hashOf<B, K>(table: usize, key: K): u32 {
  const hash = hashKey<K>(table + SEEDS, key, field(table, KEY_SIZE));
  return changetype<B>(0).holdsValues() ? hash : tagged(hash);
}

/** Writes the value of one key: 0 or an errno. */
@inline function updateOne<B, K>(table: usize, key: K, hash: u32, flags: u32, source: usize): u32 {
  if (SHARED) {
    const value = obtain<B, K>(table, key, hash, flags);
    if (value < FIRST_ADDRESS) return <u32>value;
    writeValue(table, value, source);
    return finishOne();
  }
  const value = upsert<B, K>(table, key, hash, flags);
  if (value < FIRST_ADDRESS) return <u32>value;
  const size = field(table, VALUE_SIZE);
  if (COUNTING && size == 8) countCopied(8);
  if (size == 8) store<u64>(value, load<u64>(source));
  else copyBytes(value, source, size);
  return 0;
}

@inline function removeOne<B, K>(table: usize, key: K, hash: u32): u32 {
  if (SHARED) return removeUnder<B, K>(table, key, hash, 0);
  return remove<B, K>(table, key, hash, 0);
}

/** Adds to the calling thread's slot of a per-CPU value without a lock: 0, ENOENT when the key is absent, or another errno. */
@inline function addLocally<B, K>(table: usize, key: K, hash: u32, width: u32, offset: u32, delta: usize): u32 {
  if (field(table, FROZEN)) return EPERM;
  notFresh();
  const written = writePart<B, K>(table, key, hash, offset, width, delta, DELTA);
  if (written == 1) return 0;
  return written ? written : ENOENT;
}

/** Adds a delta to a field of the value of one key. */
@inline function addOne<B, K>(table: usize, key: K, hash: u32, width: u32, offset: u32, delta: usize): u32 {
  if (SHARED) {
    // The other layouts have per-CPU values only on hosts for one thread.
    if (!changetype<B>(0).holdsValues() && field(table, PER_CPU)) {
      const errno = addLocally<B, K>(table, key, hash, width, offset, delta);
      if (errno != ENOENT) return errno;
    }
    const value = obtain<B, K>(table, key, hash, 0);
    if (value < FIRST_ADDRESS) return <u32>value;
    if (isFresh()) zeroFresh(table, value);
    else logBytes(value + offset, width);
    addTo(value + offset, width, delta);
    return finishOne();
  }
  const before = field(table, COUNT);
  const value = upsert<B, K>(table, key, hash, 0);
  if (value < FIRST_ADDRESS) return <u32>value;
  if (field(table, COUNT) != before) zeroBytes(value, field(table, VALUE_SIZE));
  addTo(value + offset, width, delta);
  return 0;
}

/** Has an operation A done with each key, and with what `input` has for it, `step` bytes further for every key. */
function many<A, B, K>(table: usize, stage: usize, keys: usize, count: u32, input: usize, step: u32): u32 {
  const stride = keyStride<K>(field(table, KEY_SIZE));
  let done: u32 = 0;
  let errno: u32 = SHARED && !ensureValueLog(table) ? ENOMEM : 0;
  while (done < count && !errno) {
    const group = min(count - done, GROUP);
    const staged = stageGroup<B, K>(table, stage, keys, group);
    let inserted: u32 = 0;
    if (SHARED) beginGroup(group);
    let ahead: u32 = SHARED ? insertsAhead(table) : 0;
    let at = stage;
    const end = done + group;
    while (done < end) {
      const key = loadKey<K>(keys);
      const hash = staged ? load<u32>(at, HASH) : hashOf<B, K>(table, key);
      errno = changetype<A>(0).one<B, K>(table, stage, key, hash, input);
      if (errno) break;
      done++;
      keys += stride;
      input += step;
      at += ENTRY;
      if (SHARED && !changetype<A>(0).removes() && isFresh() && ++inserted == ahead) {
        resizeBehind<B>(table, inserted, 0);
        inserted = 0;
        ahead = insertsAhead(table);
      }
    }
    if (SHARED) resizeBehind<B>(table, inserted, changetype<A>(0).removes() ? done + group - end : 0);
  }
  if (SHARED) endGroup(table);
  store<u32>(stage + STAGE_ERRNO, errno);
  return done;
}

@unmanaged class Update {
  @inline removes(): bool {
    return false;
  }

  @inline one<B, K>(table: usize, stage: usize, key: K, hash: u32, input: usize): u32 {
    return updateOne<B, K>(table, key, hash, load<u32>(stage, FLAGS), input);
  }

  @inline many<B, K>(table: usize, stage: usize, keys: usize, count: u32, values: usize, _found: usize): u32 {
    return many<Update, B, K>(table, stage, keys, count, values, field(table, VALUE_SIZE));
  }
}

/** Writes `count` entries packed at `keys` and `values`. How many were done; the errno that ended it at STAGE_ERRNO. */
export function updateMany(table: usize, stage: usize, keys: usize, count: u32, values: usize, flags: u32): u32 {
  store<u32>(stage, flags, FLAGS);
  return byKeys<Update>(table, stage, keys, count, values);
}

@unmanaged class Remove {
  @inline removes(): bool {
    return true;
  }

  @inline one<B, K>(table: usize, _stage: usize, key: K, hash: u32, _input: usize): u32 {
    return removeOne<B, K>(table, key, hash);
  }

  @inline many<B, K>(table: usize, stage: usize, keys: usize, count: u32, _values: usize, _found: usize): u32 {
    return many<Remove, B, K>(table, stage, keys, count, 0, 0);
  }
}

/** Removes `count` keys; the first absent one ends it with ENOENT. */
export function removeMany(table: usize, stage: usize, keys: usize, count: u32): u32 {
  return byKeys<Remove>(table, stage, keys, count);
}

@unmanaged class Add {
  @inline removes(): bool {
    return false;
  }

  @inline one<B, K>(table: usize, stage: usize, key: K, hash: u32, delta: usize): u32 {
    return addOne<B, K>(table, key, hash, load<u32>(stage, WIDTH), load<u32>(stage, OFFSET), delta);
  }

  @inline many<B, K>(table: usize, stage: usize, keys: usize, count: u32, deltas: usize, _found: usize): u32 {
    return many<Add, B, K>(table, stage, keys, count, deltas, 1 << deltaShift(load<u32>(stage, WIDTH)));
  }
}

/**
 * Adds a delta, of 8 bytes for fields of 8 bytes, otherwise of 4, to a field of `width` bytes at `offset` of each key's value;
 * absent keys start at zeroes.
 */
export function addMany(
  table: usize, stage: usize, keys: usize, count: u32, deltas: usize, width: u32, offset: u32,
): u32 {
  store<u32>(stage, width, WIDTH);
  store<u32>(stage, offset, OFFSET);
  return byKeys<Add>(table, stage, keys, count, deltas);
}
