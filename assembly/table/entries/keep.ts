// Writing to entries of tables that evict or whose entries expire, in the plain build: the first look at the bucket, and what there is to do behind it.
import { EEXIST, EINVAL, ENOENT, EPERM } from "../../errno";
import { EXIST, NOEXIST } from "../../flags";
import { KeyAny, isText } from "../../hash/key";
import { zeroBytes } from "../../memory/bytes";
import { FIRST_ADDRESS, KEY_WORDS } from "../../regions";
import { bucketAddress, bucketIndex } from "../layout/buckets";
import { EVICTS, FLAGS, FROZEN, TIMED, field } from "../layout/header";
import { markOf, recordOf } from "../notes/book";
import { AS_IS, TTL_OF_MAP, expiryFor, expiryOf, hasExpired } from "../notes/expiry";
import { markNew, remark, staleOf, touch } from "../notes/marks";
import { SLOT_OF } from "../notes/victim";
import { insertNoted } from "./noted";
import { seenBytes, slotInChain } from "./seek";

/**
 * The address of the value of a key, inserted if absent and if the flags allow it; or an errno. A new value is zeros, as is that of an entry
 * that has expired. `expiry` is that of a timed table, or AS_IS.
 */
@inline export function keep<B, K>(table: usize, key: K, hash: u32, flags: u32, expiry: u32): usize {
  if (flags > EXIST) return EINVAL;
  if (field(table, FROZEN)) return EPERM;
  const index = bucketIndex(table, hash);
  const bucket = bucketAddress<B>(table, index);
  const kind = field(table, FLAGS);
  const stale = kind & EVICTS ? staleOf(table, index) : 0; // as in `seek`
  const found = changetype<B>(bucket).find<K>(table, key, hash, true);
  if (found && !(kind & TIMED)) {
    if (flags == NOEXIST) return EEXIST;
    if (stale & found) remark<B>(table, recordOf(table, index) + <usize>ctz(found));
    return changetype<B>(bucket).valueAt(table, <u32>ctz(found), true);
  }
  const slot = found ? bucket + <usize>ctz(found) : 0;
  if (changetype<B>(0).isWord()) return keepFurther<B, u32>(table, index, slot, <u32>key, hash, flags, expiry);
  if (isText<K>()) return keepFurther<B, K>(table, index, slot, key, hash, flags, expiry);
  return keepFurther<B, KeyAny>(table, index, slot, changetype<KeyAny>(addressOf<K>(key)), hash, flags, expiry);
}

/** Where a key is. So what is rare, or long, is compiled once for all kinds of key that have a fixed size. */
@inline function addressOf<K>(key: K): usize {
  if (!isInteger<K>()) return changetype<usize>(key);
  store<K>(KEY_WORDS, key);
  return KEY_WORDS;
}

/** `found`: the bucket of the key plus its slot, 0 when it is not in a slot of the bucket itself. */
function keepFurther<B, K>(table: usize, index: u32, found: usize, key: K, hash: u32, flags: u32, expiry: u32): usize {
  const bucket = bucketAddress<B>(table, index);
  if (!found) {
    const block = changetype<B>(bucket).link(true);
    if (block) found = slotInChain<B, K>(table, block, key, hash);
  }
  if (found) return keepFound<B>(table, index, found, hash, flags, expiry);
  if (flags == EXIST) return ENOENT;
  const value = insertNoted<B, K>(table, index, key, hash);
  if (value < FIRST_ADDRESS) return value;
  if (changetype<B>(0).isWord()) store<u64>(value, 0);
  else zeroBytes(value, seenBytes(table));
  if (field(table, FLAGS) & TIMED) store<u32>(expiryOf(table, value), expiry == AS_IS ? expiryFor(table, TTL_OF_MAP) : expiry);
  return value;
}

/** The value of an entry that is there, and of one that has expired, which comes back as a new one. */
function keepFound<B>(table: usize, index: u32, found: usize, hash: u32, flags: u32, expiry: u32): usize {
  const block = found & ~SLOT_OF;
  const slot = <u32>(found & SLOT_OF);
  const first = block == bucketAddress<B>(table, index);
  const value = changetype<B>(block).valueAt(table, slot, first);
  const mark = markOf<B>(table, index, block, slot, first);
  const kind = field(table, FLAGS);
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
