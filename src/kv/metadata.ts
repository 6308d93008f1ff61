/**
 * The words of metadata of a KV store: where the value of a key is (assembly/kv/store.ts).
 *
 * @module
 */
import {
  KV_ENTRY_BYTES,
  KV_FIELD,
  KV_HIGH_PAGE,
  KV_LOW_PAGE,
  KV_LOW_PAGE_BITS,
  KV_MOST_PAGES,
  KV_OFFSET,
  KV_PAGE,
  KV_SIZE,
} from "../generated/abi.js";

/** Bytes of a page, and of the largest value. */
export {
  KV_MOST_PAGES as MOST_PAGES,
  KV_PAGE as PAGE_BYTES,
  KV_RETAINED as RETAINED,
  KV_STAGED as STAGED,
} from "../generated/abi.js";

/** Keys of a store at most: its pages hold no more values. */
export const MOST_KEYS = KV_MOST_PAGES * KV_PAGE;

/** Bytes of an entry of the page table, whose first word is the page's address, as a shift. */
export const PAGE_ENTRY_SHIFT = Math.log2(KV_ENTRY_BYTES);

// Every `get` cuts a word. V8 has constants of this module in the code, and loads imported ones: 1 ns against 3.4.
const LOW_PAGE = KV_LOW_PAGE;
const HIGH_PAGE = KV_HIGH_PAGE;
const LOW_PAGE_BITS = KV_LOW_PAGE_BITS;
const OFFSET = KV_OFFSET;
const FIELD = KV_FIELD;
const SIZE = KV_SIZE;

/** Number of the page that a word names; its low bits are the source's field, the others extend it. */
export function pageOf(word: number): number {
  return (word & LOW_PAGE) | ((word >>> HIGH_PAGE) << LOW_PAGE_BITS);
}

/** Where in the page the value is. */
export function offsetOf(word: number): number {
  return (word >>> OFFSET) & FIELD;
}

/** Bytes of the value: the word has one less. */
export function sizeOf(word: number): number {
  return ((word >>> SIZE) & FIELD) + 1;
}
