// Finding and keeping entries of tables that evict or whose entries expire, in the plain build. Expired is absent; a use is noted.
import { further } from "../../damage";
import { EEXIST, EINVAL, ENOENT, EPERM } from "../../errno";
import { EXIST, NOEXIST } from "../../flags";
import { zeroBytes } from "../../memory/bytes";
import { FIRST_ADDRESS } from "../../regions";
import { bucketAddress, bucketIndex } from "../layout/buckets";
import { EVICTS, FLAGS, FROZEN, TIMED, VALUE_SIZE, field } from "../layout/header";
import { SEEN, bookOf, markOf } from "../notes/book";
import { AS_IS, TTL_OF_MAP, expiryFor, expiryOf, hasExpired, renewed } from "../notes/expiry";
import { markNew, touch } from "../notes/marks";
import { SLOT_OF } from "../notes/victim";
import { upsertFurther } from "./entries";

/** The block of a key plus its slot, 0 when it is absent. */
@inline export function slotOf<B, K>(table: usize, bucket: usize, key: K, hash: u32): usize {
  const found = changetype<B>(bucket).find<K>(table, key, hash, true);
  if (found) return bucket + <usize>ctz(found);
  const block = changetype<B>(bucket).link(true);
  return block ? slotInChain<B, K>(table, block, key, hash) : 0;
}

function slotInChain<B, K>(table: usize, block: usize, key: K, hash: u32): usize {
  let left: u32 = 0;
  while (true) {
    const found = changetype<B>(block).find<K>(table, key, hash, false);
    if (found) return block + <usize>ctz(found);
    block = changetype<B>(block).link(false);
    if (!block) return 0;
    left = further(left);
  }
}

/** The address of the value of a key, 0 when it is absent or has expired. With `use` it counts as used. */
@inline export function seek<B, K>(table: usize, key: K, hash: u32, use: bool): usize {
  const index = bucketIndex(table, hash);
  const bucket = bucketAddress<B>(table, index);
  const found = slotOf<B, K>(table, bucket, key, hash);
  if (!found) return 0;
  const block = found & ~SLOT_OF;
  const slot = <u32>(found & SLOT_OF);
  const first = block == bucket;
  const value = changetype<B>(block).valueAt(table, slot, first);
  const flags = field(table, FLAGS);
  if (flags & TIMED) {
    if (hasExpired(table, value)) return 0;
    if (use) {
      const expiry = renewed(table, value);
      if (expiry) store<u32>(expiryOf(table, value), expiry);
    }
  }
  if (flags & EVICTS && use) touch<B>(table, markOf<B>(table, index, block, slot, first));
  return value;
}

/** Bytes of a value that users see. */
@inline export function seenBytes(table: usize): u32 {
  return field(table, FLAGS) & TIMED ? load<u32>(bookOf(table), SEEN) >> 1 : field(table, VALUE_SIZE);
}

/**
 * The address of the value of a key, inserted if absent and if the flags allow it; or an errno. A new value is zeros, as is that of an entry
 * that has expired. `expiry` is that of a timed table, or AS_IS.
 */
@inline export function keep<B, K>(table: usize, key: K, hash: u32, flags: u32, expiry: u32): usize {
  if (flags > EXIST) return EINVAL;
  if (field(table, FROZEN)) return EPERM;
  const index = bucketIndex(table, hash);
  const bucket = bucketAddress<B>(table, index);
  const found = slotOf<B, K>(table, bucket, key, hash);
  const kind = field(table, FLAGS);
  if (!found) {
    const value = upsertFurther<B, K>(table, bucket, key, hash, flags);
    if (value < FIRST_ADDRESS) return value;
    zeroBytes(value, seenBytes(table));
    if (kind & TIMED && expiry != AS_IS) store<u32>(expiryOf(table, value), expiry);
    return value;
  }
  const block = found & ~SLOT_OF;
  const slot = <u32>(found & SLOT_OF);
  const first = block == bucket;
  const value = changetype<B>(block).valueAt(table, slot, first);
  const mark = markOf<B>(table, index, block, slot, first);
  const revives = kind & TIMED && hasExpired(table, value);
  if (revives) {
    if (flags == EXIST) return ENOENT;
    zeroBytes(value, seenBytes(table));
    if (kind & EVICTS) markNew<B>(table, index, mark, hash);
  } else {
    if (flags == NOEXIST) return EEXIST;
    if (kind & EVICTS) touch<B>(table, mark);
  }
  if (kind & TIMED && (revives || expiry != AS_IS)) {
    store<u32>(expiryOf(table, value), expiry == AS_IS ? expiryFor(table, TTL_OF_MAP) : expiry);
  }
  return value;
}
