/**
 * The text of an embedded WebAssembly core, as bytes. scripts/pack.mjs writes it.
 *
 * ```
 * text:  the 256 bytes, the most frequent first, two digits each | the core
 * core:  one digit for each of the 91 most frequent bytes, two for any other byte
 * digit: one of 93 printable ASCII characters: all from space to tilde but " and \
 * ```
 *
 * Base64 has no byte boundaries that gzip could see: it makes what a page loads half as large again. This text takes as many
 * bytes as the core, before gzip and after it.
 *
 * @module
 */

const SPACE = 32;
const TILDE = 126;
const QUOTE = 34;
const BACKSLASH = 92;
const DIGITS = 93;
/** Bytes that take one digit. The digits from here on are the first of two. */
const SINGLE = 91;
const HEAD = 2 * 256;

/** @param text from src/generated/ */
export function unpack(text: string): Uint8Array<ArrayBuffer> {
  const digits = new Uint8Array(TILDE + 1);
  let digit = 0;
  for (let code = SPACE; code <= TILDE; code++) {
    if (code !== QUOTE && code !== BACKSLASH) digits[code] = digit++;
  }
  const byRank = new Uint8Array(256);
  for (let rank = 0; rank < 256; rank++) {
    byRank[rank] = digits[text.charCodeAt(2 * rank)] * DIGITS + digits[text.charCodeAt(2 * rank + 1)];
  }
  const bytes = new Uint8Array(text.length - HEAD);
  let size = 0;
  for (let at = HEAD; at < text.length; at++) {
    let rank = digits[text.charCodeAt(at)];
    if (rank >= SINGLE) rank = SINGLE + (rank - SINGLE) * DIGITS + digits[text.charCodeAt(++at)];
    bytes[size++] = byRank[rank];
  }
  return bytes.slice(0, size);
}
