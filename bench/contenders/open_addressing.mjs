// What somebody writes who needs a fast map from numbers to numbers and nothing else: linear probing in typed arrays. A slot has
// 16 bytes, so that a lookup touches one cache line; deleting shifts back what was displaced (Knuth, vol. 3, algorithm 6.4R), so
// that there are no tombstones. It doubles, all at once, at 70 % load.
export const name = "open-addressing";
export const title = "open addressing in typed arrays, hand-written";

const LOAD = 0.7;

/** Slot number i: words[4 * i] is the key, words[4 * i + 1] is 1 when it is taken, doubles[2 * i + 1] is the value. */
class Table {
  constructor() {
    this.size = 0;
    this.allocate(16);
  }

  allocate(capacity) {
    const buffer = new ArrayBuffer(capacity * 16);
    this.words = new Uint32Array(buffer);
    this.doubles = new Float64Array(buffer);
    this.mask = capacity - 1;
    this.shift = Math.clz32(capacity) + 1;
    this.limit = Math.floor(capacity * LOAD);
  }

  /** Fibonacci hashing: the high bits of a product. */
  home(key) {
    return Math.imul(key, 0x9e3779b1) >>> this.shift;
  }

  get(key) {
    const { words, mask } = this;
    let i = this.home(key);
    while (words[4 * i + 1] !== 0) {
      if (words[4 * i] === key) return this.doubles[2 * i + 1];
      i = (i + 1) & mask;
    }
    return undefined;
  }

  set(key, value) {
    const { words, mask } = this;
    let i = this.home(key);
    while (words[4 * i + 1] !== 0) {
      if (words[4 * i] === key) {
        this.doubles[2 * i + 1] = value;
        return;
      }
      i = (i + 1) & mask;
    }
    if (this.size === this.limit) {
      this.grow();
      this.set(key, value);
      return;
    }
    words[4 * i] = key;
    words[4 * i + 1] = 1;
    this.doubles[2 * i + 1] = value;
    this.size++;
  }

  delete(key) {
    const { words, doubles, mask } = this;
    let hole = this.home(key);
    for (; ; hole = (hole + 1) & mask) {
      if (words[4 * hole + 1] === 0) return false;
      if (words[4 * hole] === key) break;
    }
    let i = hole;
    for (;;) {
      i = (i + 1) & mask;
      if (words[4 * i + 1] === 0) break;
      // Stays where it is when its home lies behind the hole.
      if (((i - this.home(words[4 * i])) & mask) < ((i - hole) & mask)) continue;
      words[4 * hole] = words[4 * i];
      doubles[2 * hole + 1] = doubles[2 * i + 1];
      hole = i;
    }
    words[4 * hole + 1] = 0;
    this.size--;
    return true;
  }

  grow() {
    const { words, doubles } = this;
    this.allocate((this.mask + 1) * 2);
    const { mask } = this;
    for (let from = 0; 4 * from < words.length; from++) {
      if (words[4 * from + 1] === 0) continue;
      let i = this.home(words[4 * from]);
      while (this.words[4 * i + 1] !== 0) i = (i + 1) & mask;
      this.words[4 * i] = words[4 * from];
      this.words[4 * i + 1] = 1;
      this.doubles[2 * i + 1] = doubles[2 * from + 1];
    }
  }
}

class OpenAddressingSubject {
  constructor() {
    this.table = new Table();
  }

  insert(keys) {
    const { table } = this;
    for (let i = 0; i < keys.length; i++) table.set(keys[i], i);
  }

  lookup(keys) {
    const { table } = this;
    let total = 0;
    for (let i = 0; i < keys.length; i++) total += table.get(keys[i]);
    return total;
  }

  miss(keys) {
    const { table } = this;
    let found = 0;
    for (let i = 0; i < keys.length; i++) if (table.get(keys[i]) !== undefined) found++;
    return found;
  }

  overwrite(keys) {
    const { table } = this;
    for (let i = 0; i < keys.length; i++) table.set(keys[i], i);
  }

  mixed({ keys, values, writes }) {
    const { table } = this;
    let total = 0;
    for (let i = 0; i < keys.length; i++) {
      if (writes[i] === 1) table.set(keys[i], values[i]);
      else total += table.get(keys[i]);
    }
    return total;
  }

  remove(keys) {
    const { table } = this;
    let removed = 0;
    for (let i = 0; i < keys.length; i++) if (table.delete(keys[i])) removed++;
    return removed;
  }

  lookupMany(batches) {
    const { table } = this;
    let total = 0;
    for (let b = 0; b < batches.length; b++) {
      const keys = batches[b];
      for (let i = 0; i < keys.length; i++) total += table.get(keys[i]);
    }
    return total;
  }

  walk() {
    const { words, doubles } = this.table;
    let total = 0;
    for (let i = 0; 4 * i < words.length; i++) if (words[4 * i + 1] !== 0) total += doubles[2 * i + 1];
    return total;
  }

  bytes() {
    return this.table.words.byteLength;
  }

  close() {}
}

export async function load() {
  return () => new OpenAddressingSubject();
}
