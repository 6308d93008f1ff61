import { mix } from "./random.mjs";

/** A string in one piece, as a parser makes them, of 13 bytes: a path with an identifier. */
const textOf = (number) =>
  Buffer.from(`/item/${number.toString(36).padStart(7, "0")}`, "latin1").toString("latin1");

/** The kinds of keys that caches are measured with: the key of each number below 2^32, and what an array of keys is. */
const KINDS = {
  u32: { keyOf: mix, Keys: Uint32Array },
  text: { keyOf: (number) => textOf(mix(number)), Keys: Array },
};

/** @typedef {"u32" | "text"} KeyKind */

/**
 * The keys number `from` to `from + count - 1`.
 *
 * @param {KeyKind} kind
 */
export function cacheKeys(kind, from, count) {
  const { keyOf, Keys } = KINDS[kind];
  return Keys.from({ length: count }, (_, i) => keyOf(from + i));
}

/** One of them, made anew. */
export const cacheKey = (kind, number) => KINDS[kind].keyOf(number);
