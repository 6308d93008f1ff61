// Taking entries out of a table in a run: unlinked, but addressable and unused until the run's section ends.
import { SHARED } from "../build";
import { follow, mostNodes } from "../damage";
import { EPERM, ENOENT } from "../errno";
import { hashBytes, tagged } from "../hash/hash";
import { hashKey, KeyAny } from "../hash/key";
import { commit, rollback } from "../sync/journal";
import { lockErrno } from "../sync/lock";
import { inSection } from "../sync/section";
import { mine, ERRNO } from "../sync/slot";
import { dropSlot } from "../table/entries/drop";
import { lockBucketOf } from "../table/entries/lock_bucket";
import { BlockRefs } from "../table/layout/block_refs";
import { bucketOf } from "../table/layout/buckets";
import { byRunKeyAt, byRunLayout, layoutOf } from "../table/layout/by_layout";
import { ELEMENT_KEY } from "../table/layout/elements";
import { COUNT, FROZEN, KEY_SIZE, SEEDS, VERSION, field, setField } from "../table/layout/header";
import { FLAGS, KEEPS_VICTIMS, ROWS, ROW_BYTES, SINK, STAGE, STAGED, UNLINKED, VICTIM_COUNT, noteVictim, setWord, word } from "./run";

function refuse(errno: u32): u32 {
  if (SHARED) rollback();
  return errno;
}

@inline function unlinkIn<B, K>(table: usize, run: usize, key: K, hash: u32, value: usize): u32 {
  const bucket = SHARED ? lockBucketOf<B>(table, hash) : bucketOf<B>(table, hash);
  if (SHARED && !bucket) return lockErrno();
  if (field(table, FROZEN)) return refuse(EPERM);
  let block = bucket;
  let found = changetype<B>(bucket).find<K>(table, key, hash, true);
  let left = mostNodes();
  while (!found) {
    left = follow(left);
    block = changetype<B>(block).link(block == bucket);
    if (!block) return refuse(ENOENT);
    found = changetype<B>(block).find<K>(table, key, hash, false);
  }
  const first = block == bucket;
  const slot = <u32>ctz(found);
  // Another entry with this key, that came after the one the program has seen?
  if (changetype<B>(block).valueAt(table, slot, first) != value) return refuse(ENOENT);
  const victims = word(run, VICTIM_COUNT);
  noteVictim(run, changetype<B>(block).keyAt(table, slot, first), value);
  dropSlot<B>(table, block, slot, first);
  if (SHARED && !commit()) {
    setWord(run, VICTIM_COUNT, victims);
    return mine(ERRNO);
  }
  setWord(run, UNLINKED, word(run, UNLINKED) + 1);
  return 0;
}

@unmanaged class Unlink {
  @inline call2<B, K>(table: usize, key: K, hash: u32, run: usize, value: usize): usize {
    return unlinkIn<B, K>(table, run, key, hash, value);
  }
}

/**
 * Unlinks the entry whose key and value are at these addresses: 0, ENOENT when it is not there any more, or another errno. In the
 * section of the run, with room for a victim.
 */
export function programUnlink(table: usize, run: usize, key: usize, value: usize): u32 {
  const layout = layoutOf(table);
  const hash = hashKey<KeyAny>(table + SEEDS, changetype<KeyAny>(key), field(table, KEY_SIZE));
  return <u32>byRunKeyAt<Unlink>(layout, table, key, hash, run, value);
}

@inline function dropIn<B>(table: usize, run: usize, block: usize, first: bool, slots: u32): void {
  const entries = <u32>popcnt(slots);
  setWord(run, UNLINKED, word(run, UNLINKED) + entries);
  if (SHARED || word(run, FLAGS) & KEEPS_VICTIMS) {
    let left = slots;
    while (left) {
      const slot = <u32>ctz(left);
      left &= left - 1;
      noteVictim(run, changetype<B>(block).keyAt(table, slot, first), changetype<B>(block).valueAt(table, slot, first));
      if (SHARED) dropSlot<B>(table, block, slot, first);
    }
  }
  if (SHARED) return;
  assert(inSection());
  setField(table, COUNT, field(table, COUNT) - entries);
  setField(table, VERSION, field(table, VERSION) + 1);
  changetype<B>(block).bury(table, slots, first);
}

@unmanaged class Drop {
  @inline call4<B>(table: usize, run: usize, block: usize, first: usize, slots: usize): usize {
    dropIn<B>(table, run, block, first != 0, <u32>slots);
    return 0;
  }
}

/** Unlinks entries of a block that a compiled program has chosen, with room for them as victims; in the shared build of a locked bucket. */
export function programDrop(table: usize, run: usize, block: usize, first: u32, slots: u32): void {
  byRunLayout<Drop>(layoutOf(table), table, run, block, first, slots);
}

/**
 * Unlinks the elements of the first `count` rows, which a compiled program has chosen in a run over elements. Their buckets are
 * anywhere, so those of a group are touched first.
 */
export function programUnlinkRows(table: usize, run: usize, count: u32): void {
  const size = field(table, KEY_SIZE);
  let row = <usize>word(run, ROWS);
  setWord(run, UNLINKED, word(run, UNLINKED) + count);
  while (count) {
    const group = min(count, STAGED);
    let sum: u32 = 0;
    for (let i: u32 = 0; i < group; i++) {
      const hash = tagged(hashBytes(table + SEEDS, <usize>load<u32>(row + i * ROW_BYTES), size));
      store<u32>(run + STAGE + (<usize>i << 2), <u32>bucketOf<BlockRefs>(table, hash));
    }
    for (let i: u32 = 0; i < group; i++) sum += load<u32>(<usize>load<u32>(run + STAGE + (<usize>i << 2)));
    setWord(run, SINK, sum);
    for (let i: u32 = 0; i < group; i++) {
      const key = <usize>load<u32>(row);
      const bucket = load<u32>(run + STAGE + (<usize>i << 2));
      const found = changetype<BlockRefs>(bucket).blockOf(key - ELEMENT_KEY);
      noteVictim(run, key, load<u32>(row, 4));
      dropSlot<BlockRefs>(table, found & ~63, <u32>found & 63, true);
      row += ROW_BYTES;
    }
    count -= group;
  }
}
