// What a thread does in a turn, over and over: keys, in an order that no processor learns, and whether they are read or written.
// Made once, on the main thread, in memory that the workers can read without a copy in between.
import { draws, pick, Random, shuffled } from "../data/random.mjs";
import { Zipf } from "../data/zipf.mjs";
import { CHUNK } from "./contenders/sizes.mjs";

export const THETA = 0.99;
export const WRITES = 0.1;

/** Streams of random numbers: these and the next ones are those of the threads, which are at most 63. */
const UNIFORM = 100;
const ZIPF = 200;
const MIX = 300;
const RANKS = 400;

/**
 * @typedef {object} Stream
 * @property {Uint32Array} keys
 * @property {Uint32Array} values   the value that each of the keys has and keeps
 * @property {Uint8Array} [writes]  1 where the key is written; without it, all are read
 */

/** The array in shared memory. */
function sharing(array) {
  const copy = new array.constructor(new SharedArrayBuffer(array.byteLength));
  copy.set(array);
  return copy;
}

/** Whole chunks, so that none is shorter than the others. */
const lengthOf = (queries) => Math.ceil(queries / CHUNK) * CHUNK;

const streamOf = (keys, indices) => ({ keys: sharing(pick(keys, indices)), values: sharing(indices) });

/** Every key as often as any other. Key number i has the value i. */
export function uniformStream(keys, thread, { seed, queries }) {
  return streamOf(keys, draws(lengthOf(queries), keys.length, new Random(seed, UNIFORM + thread)));
}

/** A few keys very often: the same ones in each thread. */
export function zipfStream(keys, thread, { seed, queries }) {
  const zipf = new Zipf(keys.length, new Random(seed, ZIPF + thread), THETA);
  const byRank = ranks(keys.length, seed);
  return streamOf(
    keys,
    Uint32Array.from({ length: lengthOf(queries) }, () => byRank[zipf.next()]),
  );
}

/** Numbers of the keys, the most frequent first: it has nothing to do with the order in which they are inserted. */
function ranks(size, seed) {
  return shuffled(
    Uint32Array.from({ length: size }, (_, index) => index),
    new Random(seed, RANKS),
  );
}

/** The stream with some of its operations writing. */
export function withWrites(stream, thread, seed) {
  const random = new Random(seed, MIX + thread);
  const writes = Uint8Array.from(stream.keys, () => (random.unit() < WRITES ? 1 : 0));
  return { ...stream, writes: sharing(writes) };
}

/** The same keys again and again, in their order, each with its number as the value. */
export function repeatedStream(keys) {
  const indices = Uint32Array.from({ length: lengthOf(keys.length) }, (_, i) => i % keys.length);
  return streamOf(keys, indices);
}

/** The sum of all values that the first so many operations of a stream read, from its beginning again after its end. */
export function sumRead({ values, writes }, operations) {
  const sum = (end) => {
    let total = 0;
    for (let i = 0; i < end; i++) if (writes === undefined || writes[i] === 0) total += values[i];
    return total;
  };
  const { length } = values;
  const rounds = Math.floor(operations / length);
  return (rounds === 0 ? 0 : rounds * sum(length)) + sum(operations % length);
}

/** Adds to `counts`, by the number of the key, how often the first so many operations of a stream have a key. */
export function countKeys({ values }, operations, counts) {
  const { length } = values;
  const rounds = Math.floor(operations / length);
  if (rounds > 0) for (let i = 0; i < length; i++) counts[values[i]] += rounds;
  for (let i = 0; i < operations % length; i++) counts[values[i]]++;
}
