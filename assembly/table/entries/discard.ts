// Removing entries of tables that evict or whose entries expire, in the plain build. Expired is absent, and goes by the way.
import { ENOENT, EPERM } from "../../errno";
import { copyBytes } from "../../memory/bytes";
import { bucketOf } from "../layout/buckets";
import { COUNT, FLAGS, FROZEN, TIMED, field } from "../layout/header";
import { EXPIRED, count } from "../notes/book";
import { hasExpired } from "../notes/expiry";
import { SLOT_OF } from "../notes/victim";
import { afterRemoval, dropSlot } from "./drop";
import { seenBytes, slotOf } from "./seek";

/** Removes a key, its value copied to `value` first unless that is 0. 0, ENOENT or EPERM. */
@inline export function discard<B, K>(table: usize, key: K, hash: u32, value: usize): u32 {
  if (field(table, FROZEN)) return EPERM;
  const bucket = bucketOf<B>(table, hash);
  const found = slotOf<B, K>(table, bucket, key, hash);
  if (!found) return ENOENT;
  return drop<B>(table, bucket, found, value);
}

function drop<B>(table: usize, bucket: usize, found: usize, value: usize): u32 {
  const block = found & ~SLOT_OF;
  const slot = <u32>(found & SLOT_OF);
  const first = block == bucket;
  const at = changetype<B>(block).valueAt(table, slot, first);
  const expired = field(table, FLAGS) & TIMED && hasExpired(table, at);
  if (value && !expired) copyBytes(value, at, seenBytes(table));
  dropSlot<B>(table, block, slot, first);
  if (expired) count(table, EXPIRED, 1);
  afterRemoval<B>(table, bucket, field(table, COUNT));
  return expired ? ENOENT : 0;
}
