import { mix } from "../data/random.mjs";

/** Sets new keys until the map throws or has `most`; how many it had then. */
export function fillUntilFull(map, most) {
  for (let i = 0; i < most; i++) {
    try {
      map.set(mix(i), i);
    } catch (error) {
      return { entries: i, error: error.message };
    }
  }
  return { entries: most };
}

/**
 * Pairs of a delete and an insert of another key, oldest first: the number of entries stays `live` all the time.
 *
 * @param {{ set(key: number, value: number): unknown, delete(key: number): boolean }} map empty
 * @param {number} live
 * @param {number} most pairs at most
 * @returns {{ pairs: number, error?: string }} pairs until an insert threw, with the message
 */
export function churn(map, live, most) {
  for (let i = 0; i < live; i++) map.set(mix(i), i);
  for (let pairs = 0; pairs < most; pairs++) {
    if (!map.delete(mix(pairs))) throw new Error(`key ${pairs} is lost`);
    try {
      map.set(mix(live + pairs), live + pairs);
    } catch (error) {
      return { pairs, error: error.message };
    }
  }
  return { pairs: most };
}
