import { exp, ln } from "./logarithm.mjs";

/**
 * Draws of numbers below n, each as often as its weight says, in constant time (Walker 1977, "An efficient method for generating
 * discrete random variables with general distributions"; tables as Vose 1991 makes them): a column, and which of its two numbers.
 */
export class Alias {
  #n;
  /** Of 2^32 draws of a column, how many give the number of the column; the others give its alias. */
  #own;
  #alias;

  /** @param {Float64Array} weights */
  constructor(weights) {
    const n = weights.length;
    let total = 0;
    for (let i = 0; i < n; i++) total += weights[i];
    const share = weights.map((weight) => (weight * n) / total);
    this.#n = n;
    this.#own = new Uint32Array(n).fill(0xffff_ffff);
    this.#alias = Uint32Array.from({ length: n }, (_, i) => i);
    const small = [];
    const large = [];
    for (let i = 0; i < n; i++) (share[i] < 1 ? small : large).push(i);
    while (small.length > 0 && large.length > 0) {
      const from = small.pop();
      const to = large.at(-1);
      this.#own[from] = Math.floor(share[from] * 2 ** 32);
      this.#alias[from] = to;
      share[to] -= 1 - share[from];
      if (share[to] < 1) small.push(large.pop());
    }
  }

  /** @param {import("./random.mjs").Random} random */
  next(random) {
    const column = random.below(this.#n);
    return random.u32() < this.#own[column] ? column : this.#alias[column];
  }
}

/** Rank r with a probability proportional to 1 / (r + 1)^exponent, exactly; the same on every machine. */
export function zipfian(n, exponent) {
  return new Alias(Float64Array.from({ length: n }, (_, rank) => exp(-exponent * ln(rank + 1))));
}
