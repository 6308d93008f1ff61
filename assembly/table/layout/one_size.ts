// Elements of one size: key and value together, in one segmented array (elements.ts). For block_refs.ts, which says what a kind of
// elements answers to.
import { hashBytes, tagged } from "../../hash/hash";
import { keyEquals, storeKey } from "../../hash/key";
import { compareBytes, copyBytes } from "../../memory/bytes";
import { logBytes } from "../../sync/journal";
import { ELEMENT_KEY, freeElement, newElement } from "./elements";
import { KEY_SIZE, SEEDS, field } from "./header";
import { copyValueOut, elementOf, isElementReadable, logValue, valueOf } from "./lanes";

@unmanaged export class OneSize {
  @inline isOneArray(): bool {
    return true;
  }

  @inline isThere(table: usize, entry: usize): bool {
    return isElementReadable(table, entry);
  }

  @inline matches<K>(table: usize, entry: usize, key: K, hash: u32, size: u32): bool {
    return keyEquals<K>(elementOf(entry) + ELEMENT_KEY, key, size);
  }

  @inline keyAt(table: usize, entry: usize): usize {
    return elementOf(entry) + ELEMENT_KEY;
  }

  @inline hashOf(table: usize, entry: usize): u32 {
    return tagged(hashBytes(table + SEEDS, elementOf(entry) + ELEMENT_KEY, field(table, KEY_SIZE)));
  }

  @inline order(a: usize, b: usize, size: u32): i32 {
    return compareBytes(a, b, size);
  }

  @inline copyKey(table: usize, entry: usize, target: usize): void {
    copyBytes(target, elementOf(entry) + ELEMENT_KEY, field(table, KEY_SIZE));
  }

  @inline valueAt(table: usize, entry: usize): usize {
    return valueOf(table, entry);
  }

  @inline copyValue(table: usize, target: usize, value: usize): void {
    copyValueOut(table, target, value);
  }

  @inline newEntry<B, K>(table: usize, key: K): usize {
    const entry = newElement<B>(table, table);
    if (entry) storeKey<K>(elementOf(entry) + ELEMENT_KEY, key, field(table, KEY_SIZE));
    return entry;
  }

  /** Notes the hash of a new element. */
  @inline note(entry: usize, hash: u32): void {}

  /** Notes the bytes of an element that is about to be freed. */
  @inline log(table: usize, entry: usize): void {
    logBytes(elementOf(entry) + ELEMENT_KEY, field(table, KEY_SIZE));
    logValue(table, valueOf(table, entry));
  }

  @inline free<B>(table: usize, entry: usize): void {
    freeElement<B>(table, table, entry);
  }
}
