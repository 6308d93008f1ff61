/**
 * A small seeded generator of random numbers: xoshiro128** 1.1 by David Blackman and Sebastiano Vigna, its state
 * filled by splitmix32. Sources: https://prng.di.unimi.it/xoshiro128starstar.c (public domain) and the advice there
 * to seed with a generator of another kind. Same seed, same numbers, on every machine and in every browser.
 *
 * @example
 * ```ts
 * import { Random } from "bpfmap/testing";
 * const random = new Random(7);
 * console.log(random.below(100), random.below(100)); // 23 51, in every run
 * ```
 */
export class Random {
  readonly #state = new Uint32Array(4);

  /** @param seed u32; every seed is good, 0 included */
  constructor(seed: number) {
    // splitmix32: the 32-bit finaliser of MurmurHash3 over a Weyl sequence; never gives four zeros in a row.
    let weyl = seed >>> 0;
    for (let i = 0; i < 4; i++) {
      weyl = (weyl + 0x9e3779b9) >>> 0;
      let z = weyl;
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
      this.#state[i] = z ^ (z >>> 16);
    }
  }

  /** The next u32. */
  next(): number {
    const s = this.#state;
    const times5 = Math.imul(s[1]!, 5);
    const result = Math.imul((times5 << 7) | (times5 >>> 25), 9) >>> 0;
    const shifted = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= shifted;
    s[3] = (s[3]! << 11) | (s[3]! >>> 21);
    return result;
  }

  /** A whole number from 0 to `bound` - 1; the bias of the multiplication (below 2^-9 for bounds up to 2^23) is harmless here. */
  below(bound: number): number {
    return Math.floor((this.next() / 0x1_0000_0000) * bound);
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True in `percent` of 100 calls. */
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }
}
