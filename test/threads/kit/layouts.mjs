// Keys and values of the jobs, one for each layout that the core has. A value says which key it belongs to and the how manieth
// write of that key it is, over and over, so that one made of parts of others, or found under another key, is noticed.
import { bytes, struct, text, u32, u53 } from "bpfmap";

/** Keys are the numbers below this. */
export const KEYS_MAX = 2 ** 17;

function mix32(x) {
  let z = (x + 0x9e3779b9) | 0;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return (z ^ (z >>> 16)) >>> 0;
}

/** A value that no write has made. */
function torn(key, value) {
  const shown = value instanceof Uint8Array ? [...new Uint32Array(value.buffer)] : value;
  throw new Error(`torn or foreign value of key ${key}: ${JSON.stringify(shown)}`);
}

/** Values that are one number: `sequence * base + key`. */
const number = (key, value, base, factor, limit) => ({
  key,
  value,
  keyOf: (n) => n * factor,
  numberOf: (k) => k / factor,
  valueFor: (n, sequence) => sequence * base + n,
  sequenceOf(n, found) {
    if (found % base !== n) torn(n, found);
    return Math.floor(found / base);
  },
  /** What `add` has to be given for the sequence to grow by one; undefined where values are not one number. */
  step: base,
  limit,
});

const quad = struct({ a: u32, b: u32, c: u32, d: u32 });
const WORDS = 50;

/**
 * Layouts by name. `keyOf(n)` and `numberOf(key)`: key number `n`; `valueFor(n, sequence)` and `sequenceOf(n, value)`, which
 * throws for what is no value of the key; sequences stay below `limit`.
 */
export const LAYOUTS = {
  "u32 to u32, few keys": number(u32, u32, 2 ** 10, 1, 2 ** 22),
  "u32 to u32": number(u32, u32, KEYS_MAX, 1, 2 ** 15),
  "u32 to u53": number(u32, u53, KEYS_MAX, 1, 2 ** 32),
  "8 to 8 bytes": number(u53, u53, KEYS_MAX, 2 ** 20 + 1, 2 ** 32),
  "16 to 16 bytes": {
    key: quad,
    value: quad,
    keyOf: (n) => ({ a: n, b: ~n >>> 0, c: mix32(n), d: 7 }),
    numberOf: ({ a }) => a,
    valueFor: (n, sequence) => ({ a: n, b: sequence, c: mix32(n ^ sequence), d: mix32(n + sequence) }),
    sequenceOf(n, found) {
      const { a, b, c, d } = found;
      if (a !== n || c !== mix32(n ^ b) || d !== mix32(n + b)) torn(n, found);
      return b;
    },
    limit: 2 ** 32,
  },
  "text to 16 bytes": {
    key: text(90),
    value: quad,
    // Lengths that belong to the key, so that elements of one size hold one key after the other.
    keyOf: (n) => n.toString(36) + "-".repeat(mix32(n) % 80),
    numberOf: (key) => Number.parseInt(key.replace(/-*$/, ""), 36),
    valueFor: (n, sequence) => ({ a: n, b: sequence, c: mix32(n ^ sequence), d: mix32(n + sequence) }),
    sequenceOf(n, found) {
      const { a, b, c, d } = found;
      if (a !== n || c !== mix32(n ^ b) || d !== mix32(n + b)) torn(n, found);
      return b;
    },
    limit: 2 ** 32,
  },
  "u32 to 200 bytes": {
    key: u32,
    value: bytes(WORDS * 4),
    keyOf: (n) => n,
    numberOf: (k) => k,
    valueFor(n, sequence) {
      const words = new Uint32Array(WORDS);
      words[0] = n;
      for (let i = 1; i < WORDS; i++) words[i] = sequence + i;
      return new Uint8Array(words.buffer);
    },
    sequenceOf(n, found) {
      const view = new DataView(found.buffer, found.byteOffset);
      const sequence = view.getUint32(4, true) - 1;
      if (view.getUint32(0, true) !== n) torn(n, found.slice());
      for (let i = 1; i < WORDS; i++)
        if (view.getUint32(i * 4, true) !== sequence + i) torn(n, found.slice());
      return sequence;
    },
    limit: 2 ** 32 - WORDS,
  },
};

/** What `createMap` needs of a layout. */
export const codecs = ({ key, value }) => ({ key, value });
