/**
 * Draws of which a few are very frequent: rank r comes with a probability proportional to 1 / (r + 1)^theta.
 *
 * The generator of Gray, Sundaresan, Englert, Baclawski and Weinberger, "Quickly generating billion-record synthetic databases"
 * (SIGMOD 1994, section 3.2), which YCSB uses too, with its theta of 0.99.
 */
export class Zipf {
  #n;
  #random;
  #theta;
  #alpha;
  #zeta;
  #eta;

  constructor(n, random, theta = 0.99) {
    this.#n = n;
    this.#random = random;
    this.#theta = theta;
    this.#alpha = 1 / (1 - theta);
    this.#zeta = 0;
    for (let rank = 1; rank <= n; rank++) this.#zeta += rank ** -theta;
    const two = 1 + 2 ** -theta;
    this.#eta = (1 - (2 / n) ** (1 - theta)) / (1 - two / this.#zeta);
  }

  /** A rank below n; 0 is the most frequent. */
  next() {
    const u = this.#random.unit();
    const uz = u * this.#zeta;
    if (uz < 1) return 0;
    if (uz < 1 + 2 ** -this.#theta) return 1;
    return Math.floor(this.#n * (this.#eta * u - this.#eta + 1) ** this.#alpha);
  }
}
