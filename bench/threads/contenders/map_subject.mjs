// The loops of a thread over anything that is called as a Map is. Each worker is a V8 of its own with one contender in it, so that
// the call sites below see one kind of map only.

/**
 * What a thread does with the map of its contender. Each method does the operations `from` to `to - 1` of a stream.
 *
 * @typedef {object} Subject
 * @property {(stream) => void} [prepare]   once per stream, before anything is timed
 * @property {(stream, from, to) => number | Promise<number>} [get]        the sum of the values
 * @property {(stream, from, to) => number | Promise<number>} [getGroup]   several at once
 * @property {(stream, from, to) => number | Promise<number>} [mixed]      the sum of the values that are read
 * @property {(stream, from, to) => number | Promise<number>} [mixedGroup]
 * @property {(stream, from, to) => number | Promise<number>} [add]        adds 1; how many
 * @property {(stream, from, to) => number | Promise<number>} [addGroup]
 * @property {(stream, from, to) => number | Promise<number>} [insert]     how many
 * @property {(stream, from, to) => number | Promise<number>} [remove]     how many were there
 * @property {() => Float64Array | Promise<Float64Array>} [counts]         of a map that no other thread sees: what it has counted
 * @property {() => void | Promise<void>} [close]
 */

/** @implements {Subject} */
export class MapSubject {
  constructor(map) {
    this.map = map;
  }

  get({ keys }, from, to) {
    const { map } = this;
    let total = 0;
    for (let i = from; i < to; i++) total += map.get(keys[i]);
    return total;
  }

  mixed({ keys, values, writes }, from, to) {
    const { map } = this;
    let total = 0;
    for (let i = from; i < to; i++) {
      if (writes[i] === 1) map.set(keys[i], values[i]);
      else total += map.get(keys[i]);
    }
    return total;
  }

  insert({ keys, values }, from, to) {
    const { map } = this;
    for (let i = from; i < to; i++) map.set(keys[i], values[i]);
    return to - from;
  }

  remove({ keys }, from, to) {
    const { map } = this;
    let removed = 0;
    for (let i = from; i < to; i++) if (map.delete(keys[i])) removed++;
    return removed;
  }
}
