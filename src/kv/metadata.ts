/**
 * The words of metadata of a KV store: where the value of a key is. The other side of it is assembly/kv/store.ts.
 *
 * @module
 */

/** Bytes of a page, and of the largest value. */
export const PAGE_BYTES = 4096;
/** Keys of a store at most: its pages hold no more values. */
export const MOST_KEYS = 128 * PAGE_BYTES;
export const MOST_PAGES = 128;

/** Bytes of an entry of the page table, whose first word is the page's address, as a shift. */
export const PAGE_ENTRY_SHIFT = 4;

/** Owners of keys that belong to a manifest to come, or to the one before. */
export const STAGED = 0xffff;
export const RETAINED = 0xfffe;

/** Number of the page that a word names; its low 3 bits are the source's field, the 4 others extend it. */
export function pageOf(word: number): number {
  return (word & 7) | ((word >>> 28) << 3);
}

/** Where in the page the value is. */
export function offsetOf(word: number): number {
  return (word >>> 3) & 0xfff;
}

/** Bytes of the value: the word has one less. */
export function sizeOf(word: number): number {
  return ((word >>> 15) & 0xfff) + 1;
}
