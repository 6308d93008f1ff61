import { mix } from "../data/random.mjs";

/**
 * A random permutation of 0 .. size - 1 that takes no memory, for runs whose memory is measured: rounds of xorshift and
 * multiplication by an odd number permute the numbers of as many bits as the size has, and those beyond the size are
 * permuted again until they fall below it.
 *
 * @param {number} size at most 2^31
 * @param {number} seed
 * @returns {(index: number) => number}
 */
export function randomOrder(size, seed) {
  const bits = Math.max(1, 32 - Math.clz32(size - 1));
  const mask = 2 ** bits - 1;
  const half = (bits + 1) >> 1;
  const first = mix(seed) | 1;
  const second = mix(seed + 1) | 1;
  const offset = mix(seed + 2);
  return (index) => {
    let x = index;
    do {
      x = (x + offset) & mask;
      x = Math.imul(x ^ (x >>> half), first) & mask;
      x = Math.imul(x ^ (x >>> half), second) & mask;
      x ^= x >>> half;
    } while (x >= size);
    return x;
  };
}
