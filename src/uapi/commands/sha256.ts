/**
 * SHA-256 (FIPS 180-4), for the hash of a frozen array that OBJ_GET_INFO_BY_FD gives. `crypto.subtle` has it only as a promise.
 * Sixty lines of our own and not `@noble/hashes`: every user would install and audit a second dependency for one field of one command.
 *
 * @module
 */

/** The first 32 bits of the fractional parts of the roots of the first primes: of cube roots for K, of square roots for H. */
function fractions(count: number, root: (prime: number) => number): Uint32Array {
  const words = new Uint32Array(count);
  for (let n = 2, found = 0; found < count; n++) {
    let isPrime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) isPrime = false;
    if (isPrime) words[found++] = Math.floor((root(n) % 1) * 2 ** 32);
  }
  return words;
}

const rotate = (word: number, bits: number): number => (word >>> bits) | (word << (32 - bits));

function compress(h: Uint32Array, k: Uint32Array, w: Uint32Array): void {
  for (let i = 16; i < 64; i++) {
    const s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ (w[i - 15] >>> 3);
    const s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ (w[i - 2] >>> 10);
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  let [a, b, c, d, e, f, g, last] = h;
  for (let i = 0; i < 64; i++) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const t1 = (last + s1 + ((e & f) ^ (~e & g)) + k[i] + w[i]) | 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [last, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
  }
  for (const [i, word] of [a, b, c, d, e, f, g, last].entries()) h[i] += word;
}

/** The digest of bytes, 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  const k = fractions(64, Math.cbrt);
  const h = fractions(8, Math.sqrt);
  const w = new Uint32Array(64);
  const end = Math.ceil((bytes.length + 9) / 64) * 64;
  for (let block = 0; block < end; block += 64) {
    for (let i = 0; i < 16; i++) {
      let word = 0;
      for (let at = block + 4 * i; at < block + 4 * i + 4; at++) {
        word = (word << 8) | (at < bytes.length ? bytes[at] : at === bytes.length ? 0x80 : 0);
      }
      w[i] = word;
    }
    if (block + 64 === end) {
      w[14] = Math.floor(bytes.length / 2 ** 29);
      w[15] = bytes.length << 3;
    }
    compress(h, k, w);
  }
  const digest = new Uint8Array(32);
  for (const [i, word] of h.entries()) new DataView(digest.buffer).setUint32(4 * i, word, false);
  return digest;
}
