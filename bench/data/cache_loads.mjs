// The accesses that caches are compared by: numbers of keys, seeded, and the same on every machine. bench/data/logarithm.mjs has why
// that is not a matter of course.
import { zipfian } from "./alias.mjs";
import { Random } from "./random.mjs";

/** Accesses by key: every load has as many times as many accesses as it has keys. */
const ACCESSES_PER_KEY = 4;
/** Scans take a third of the accesses, in runs of this share of the keys: a report, a backup, a crawler. */
const SCAN_SHARE = 1 / 20;
/** The ranking moves on by this share of the keys over the whole load. */
const DRIFT_SHARE = 1 / 10;
/** Of the recency load, a tenth are keys that were never seen before. */
const FRESH = 0.1;
/** The loop is 1.5 times as long as a cache with a tenth of the keys; it takes 70 % of the accesses. */
const LOOP_SHARE = 0.15;
const LOOP = 0.7;

/** Each fills `draws` for `keys` keys. */
const FILLS = {
  "zipf 0.8": zipf(0.8),
  "zipf 0.99": zipf(0.99),

  /** Zipf 0.9, and the most frequent key is another every few dozen accesses: what was in front of it comes last. */
  drift(draws, keys, random) {
    const ranks = zipfian(keys, 0.9);
    const step = draws.length / Math.floor(keys * DRIFT_SHARE);
    for (let i = 0; i < draws.length; i++) draws[i] = (ranks.next(random) + Math.floor(i / step)) % keys;
  },

  /** Zipf 0.99, and scans over other keys, which come once, or once in `keys` accesses of scans. */
  scans(draws, keys, random) {
    const ranks = zipfian(keys, 0.99);
    const run = Math.ceil(keys * SCAN_SHARE);
    let scanned = 0;
    for (let i = 0; i < draws.length; i++)
      draws[i] = i % (3 * run) < run ? keys + (scanned++ % keys) : ranks.next(random);
  },

  /** The key of some accesses ago, log-uniform up to the number of keys: each octave of distances as often as any other. */
  recency(draws, keys, random) {
    const octaves = 32 - Math.clz32(keys - 1);
    let fresh = 0;
    for (let i = 0; i < draws.length; i++) {
      const octave = 2 ** random.below(octaves);
      const distance = octave + random.below(octave);
      const isFresh = random.unit() < FRESH || distance > i;
      draws[i] = isFresh ? fresh++ : draws[i - distance];
    }
  },

  /** A loop that a cache of a tenth of the keys cannot hold, between draws of zipf 0.6. */
  loop(draws, keys, random) {
    const ranks = zipfian(keys, 0.6);
    const length = Math.ceil(keys * LOOP_SHARE);
    let looped = 0;
    for (let i = 0; i < draws.length; i++)
      draws[i] = random.unit() < LOOP ? keys + (looped++ % length) : ranks.next(random);
  },
};

/** The names, in the order of the tables. */
export const CACHE_LOADS = Object.keys(FILLS);

function zipf(exponent) {
  return (draws, keys, random) => {
    const ranks = zipfian(keys, exponent);
    for (let i = 0; i < draws.length; i++) draws[i] = ranks.next(random);
  };
}

/**
 * One load.
 *
 * @param {string} name one of {@link CACHE_LOADS}
 * @param {number} keys
 * @param {number} seed
 * @param {number} [accesses]
 * @returns {Uint32Array} the number of the key of each access, below twice `keys`
 */
export function cacheLoad(name, keys, seed, accesses = ACCESSES_PER_KEY * keys) {
  const draws = new Uint32Array(accesses);
  FILLS[name](draws, keys, new Random(seed, CACHE_LOADS.indexOf(name)));
  return draws;
}
