// Seeded keys and draws. Nothing here repeats within 2^32 numbers: a short repeating list of queries would be learned by the
// branch predictor, and a benchmark would measure that instead of the map.

/** A bijection on u32 (Wellons' "lowbias32"): distinct inputs are distinct keys. */
export function mix(x) {
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Random u32 from a counter. Each `stream` of a seed is a sequence of its own. */
export class Random {
  #counter = 0;
  #salt;

  constructor(seed, stream) {
    this.#salt = mix(mix(seed) ^ Math.imul(stream + 1, 0x9e3779b9));
  }

  u32() {
    return mix(mix(this.#counter++) ^ this.#salt);
  }

  /** Below `n`. */
  below(n) {
    return Math.floor((this.u32() / 2 ** 32) * n);
  }

  /** From 0 to 1, with 53 random bits. */
  unit() {
    return ((this.u32() >>> 5) * 2 ** 26 + (this.u32() >>> 6)) / 2 ** 53;
  }
}

/** The keys number `from` to `from + count - 1`. */
export function keysFrom(from, count) {
  const keys = new Uint32Array(count);
  for (let i = 0; i < count; i++) keys[i] = mix(from + i);
  return keys;
}

/** `count` uniform draws below `n`. */
export function draws(count, n, random) {
  const numbers = new Uint32Array(count);
  for (let i = 0; i < count; i++) numbers[i] = random.below(n);
  return numbers;
}

/** The elements of `keys` at `indices`. */
export function pick(keys, indices) {
  const picked = new Uint32Array(indices.length);
  for (let i = 0; i < indices.length; i++) picked[i] = keys[indices[i]];
  return picked;
}

/** A copy in random order (Fisher and Yates). */
export function shuffled(keys, random) {
  const copy = keys.slice();
  for (let i = copy.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const key = copy[i];
    copy[i] = copy[j];
    copy[j] = key;
  }
  return copy;
}

/** The array in parts of `size`; the last may be shorter. */
export function split(keys, size) {
  const parts = [];
  for (let i = 0; i < keys.length; i += size) parts.push(keys.subarray(i, i + size));
  return parts;
}
