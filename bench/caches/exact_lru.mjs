/**
 * Least recently used, exactly: what a cache that keeps an order would hold. Keys are numbers below a bound, and a list through two
 * arrays has them in the order of their use.
 */
export class ExactLru {
  #capacity;
  /** The neighbours of each key in the list, which is a ring through `keys`, the end of both sides. */
  #older;
  #newer;
  #present;
  #end;
  size = 0;

  /**
   * @param {number} capacity
   * @param {number} keys   a key is below this
   */
  constructor(capacity, keys) {
    this.#capacity = capacity;
    this.#end = keys;
    this.#older = new Uint32Array(keys + 1).fill(keys);
    this.#newer = new Uint32Array(keys + 1).fill(keys);
    this.#present = new Uint8Array(keys);
  }

  has(key) {
    return this.#present[key] === 1;
  }

  /** Uses a key that is there. @returns whether it is */
  touch(key) {
    if (this.#present[key] === 0) return false;
    this.#unlink(key);
    this.#link(key);
    return true;
  }

  /** Puts a key that is not there. @returns the key that went for it, or -1 */
  insert(key) {
    const victim = this.size === this.#capacity ? this.#newer[this.#end] : -1;
    if (victim !== -1) this.delete(victim);
    this.#present[key] = 1;
    this.size++;
    this.#link(key);
    return victim;
  }

  delete(key) {
    if (this.#present[key] === 0) return false;
    this.#unlink(key);
    this.#present[key] = 0;
    this.size--;
    return true;
  }

  /** As the newest. */
  #link(key) {
    const newest = this.#older[this.#end];
    this.#older[key] = newest;
    this.#newer[key] = this.#end;
    this.#newer[newest] = key;
    this.#older[this.#end] = key;
  }

  #unlink(key) {
    const older = this.#older[key];
    const newer = this.#newer[key];
    this.#newer[older] = newer;
    this.#older[newer] = older;
  }
}

/** How many of the accesses find their key there, when those that do not put it. */
export function exactLruHits(draws, capacity, keys) {
  const lru = new ExactLru(capacity, keys);
  let hits = 0;
  for (let i = 0; i < draws.length; i++) {
    if (lru.touch(draws[i])) hits++;
    else lru.insert(draws[i]);
  }
  return hits;
}
