// Finding entries of tables that evict or whose entries expire, in the plain build. Expired is absent; a use is noted.
import { further } from "../../damage";
import { bucketAddress, bucketIndex } from "../layout/buckets";
import { EVICTS, FLAGS, TIMED, VALUE_SIZE, field } from "../layout/header";
import { SEEN, bookOf, recordOf, recordOfBlock } from "../notes/book";
import { expiryOf, hasExpired, renewed } from "../notes/expiry";
import { remark, staleOf, touch } from "../notes/marks";
import { SLOT_OF } from "../notes/victim";

/** The block of a key plus its slot, 0 when it is absent. */
@inline export function slotOf<B, K>(table: usize, bucket: usize, key: K, hash: u32): usize {
  const found = changetype<B>(bucket).find<K>(table, key, hash, true);
  if (found) return bucket + <usize>ctz(found);
  const block = changetype<B>(bucket).link(true);
  return block ? slotInChain<B, K>(table, block, key, hash) : 0;
}

/** The same from the first block of a chain on. */
export function slotInChain<B, K>(table: usize, block: usize, key: K, hash: u32): usize {
  let left: u32 = 0;
  while (true) {
    const found = changetype<B>(block).find<K>(table, key, hash, false);
    if (found) return block + <usize>ctz(found);
    block = changetype<B>(block).link(false);
    if (!block) return 0;
    left = further(left);
  }
}

/** Whether the value of a timed table is there still. A use may renew its expiry. */
@inline function isThere(table: usize, value: usize, use: bool): bool {
  if (hasExpired(table, value)) return false;
  const expiry = use ? renewed(table, value) : 0;
  if (expiry) store<u32>(expiryOf(table, value), expiry);
  return true;
}

/** The address of the value of a key, 0 when it is absent or has expired. With `use` it counts as used. */
@inline export function seek<B, K>(table: usize, key: K, hash: u32, use: bool): usize {
  const index = bucketIndex(table, hash);
  const bucket = bucketAddress<B>(table, index);
  const flags = field(table, FLAGS);
  // Before the key is looked for: so the lines of both are fetched at once.
  const stale = flags & EVICTS ? staleOf(table, index) : 0;
  const found = changetype<B>(bucket).find<K>(table, key, hash, true);
  if (!found) {
    const block = changetype<B>(bucket).link(true);
    return block ? seekInChain<B, K>(table, block, key, hash, use) : 0;
  }
  const value = changetype<B>(bucket).valueAt(table, <u32>ctz(found), true);
  if (flags & TIMED && !isThere(table, value, use)) return 0;
  if (stale & found && use) remark<B>(table, recordOf(table, index) + <usize>ctz(found));
  return value;
}

function seekInChain<B, K>(table: usize, block: usize, key: K, hash: u32, use: bool): usize {
  const found = slotInChain<B, K>(table, block, key, hash);
  if (!found) return 0;
  const slot = found & SLOT_OF;
  const flags = field(table, FLAGS);
  const value = changetype<B>(found - slot).valueAt(table, <u32>slot, false);
  if (flags & TIMED && !isThere(table, value, use)) return 0;
  if (flags & EVICTS && use) touch<B>(table, recordOfBlock<B>(table, found - slot) + slot);
  return value;
}

/** Bytes of a value that users see. */
@inline export function seenBytes(table: usize): u32 {
  return field(table, FLAGS) & TIMED ? load<u32>(bookOf(table), SEEN) >> 1 : field(table, VALUE_SIZE);
}
