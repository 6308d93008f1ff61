// The kinds of key that the hot paths are compiled for. K is u32 or u64 (the key itself) or one of the classes below (the
// address of the key), so that one generic source folds into a straight path per kind.
import { COUNTING, countCopied } from "../counting";
import { copyBytes, equalBytes } from "../memory/bytes";
import { hash16, hash4, hash8, hashBytes, hashText } from "./hash";

/** Address of a 16-byte key. */
@unmanaged export class Key16 {
  private a: u64;
  private b: u64;
}

/** Address of a key of any size; the size stands in the table's header. */
@unmanaged export class KeyAny {}

/**
 * Address of a text: u32 bytes of it | UTF-8, in a room of a fixed size, which stands in the table's header. A length beyond the room
 * counts as one that fills it: raw batches are the caller's.
 */
@unmanaged export class KeyText {
  private bytes: u32;
}
export const TEXT: usize = 4;

/** Bytes of a text in a room. */
@inline export function textBytes(key: usize, room: u32): u32 {
  return min(load<u32>(key), room - <u32>TEXT);
}

@inline export function isText<K>(): bool {
  return !isInteger<K>() && offsetof<K>() == 4;
}

@inline export function hashKey<K>(seeds: usize, key: K, bytes: u32): u32 {
  if (isInteger<K>()) return sizeof<K>() == 4 ? hash4(seeds, <u32>key) : hash8(seeds, <u64>key);
  if (offsetof<K>() == 16) return hash16(seeds, changetype<usize>(key));
  if (isText<K>()) return hashText(seeds, changetype<usize>(key) + TEXT, textBytes(changetype<usize>(key), bytes));
  return hashBytes(seeds, changetype<usize>(key), bytes);
}

@inline export function keyEquals<K>(at: usize, key: K, bytes: u32): bool {
  if (isInteger<K>()) return load<K>(at) == key;
  if (offsetof<K>() == 16) return !v128.any_true(v128.xor(v128.load(at), v128.load(changetype<usize>(key))));
  return equalBytes(at, changetype<usize>(key), bytes);
}

@inline export function storeKey<K>(at: usize, key: K, bytes: u32): void {
  if (COUNTING && (isInteger<K>() || offsetof<K>() == 16)) countCopied(isInteger<K>() ? sizeof<K>() : 16);
  if (isInteger<K>()) store<K>(at, key);
  else if (offsetof<K>() == 16) v128.store(at, v128.load(changetype<usize>(key)));
  else if (isText<K>()) {
    const length = textBytes(changetype<usize>(key), bytes);
    store<u32>(at, length);
    copyBytes(at + TEXT, changetype<usize>(key) + TEXT, length);
  }
  else copyBytes(at, changetype<usize>(key), bytes);
}

@inline export function loadKey<K>(at: usize): K {
  if (isInteger<K>()) return load<K>(at);
  return changetype<K>(at);
}

/** Distance of keys in a flat buffer. */
@inline export function keyStride<K>(bytes: u32): u32 {
  if (isInteger<K>()) return sizeof<K>();
  return offsetof<K>() == 16 ? 16 : bytes;
}
