/** Byte strings of the test kit: how numbers of an operation become keys and values, and how they are compared and shown. */

/** The largest key and value number that an operation may carry, plus one. */
export const KEY_NUMBERS = 1 << 24;
export const VALUE_NUMBERS = 1 << 16;

/**
 * The key that a key number stands for: all zeros but for the number itself, which is put at the head, in the middle or at the
 * tail. So keys differ in few bytes and in different places, which is what a wrong comparison or a weak hash would miss.
 * From 4 bytes on different numbers give different keys, below only the low bytes count.
 */
export function keyBytes(number: number, size: number): Uint8Array {
  const key = new Uint8Array(size);
  const room = size - 4;
  const places = room >= 8 ? [0, room >> 1, room] : room >= 4 ? [0, room] : [0];
  const start = places[number % places.length]!;
  for (let i = 0, rest = number; i < 4 && start + i < size; i++, rest >>>= 8) key[start + i] = rest & 0xff;
  return key;
}

/** The value that a value number stands for: every byte depends on the number and on the byte's place. */
export function valueBytes(number: number, size: number): Uint8Array {
  const value = new Uint8Array(size);
  let state = Math.imul(number + 1, 0x9e3779b1);
  for (let i = 0; i < size; i++) {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + i;
    value[i] = state >>> 24;
  }
  return value;
}

/** The same as a number of `size` bytes. One of 8 bytes is no more than a u53 may be. */
export function numberBytes(number: number, size: number): Uint8Array {
  return valueBytes(number, size).fill(0, 6);
}

/** A string that is equal for equal bytes: one char code per byte. */
export function byteString(bytes: Uint8Array): string {
  if (bytes.length <= 1024) return String.fromCharCode.apply(null, bytes as unknown as number[]);
  let text = "";
  for (let i = 0; i < bytes.length; i += 1024) text += byteString(bytes.subarray(i, i + 1024));
  return text;
}

/** True when both hold the same bytes. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Lower-case hex digits, two per byte. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

/** The inverse of {@link toHex}. Throws SyntaxError when `text` is not pairs of hex digits. */
export function fromHex(text: string): Uint8Array {
  if (!/^([0-9a-f]{2})*$/i.test(text)) throw new SyntaxError("expected pairs of hex digits");
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** Bytes as a message shows them: hex, cut after 24 bytes. */
export function showBytes(bytes: Uint8Array | undefined): string {
  if (bytes === undefined) return "nothing";
  return bytes.length <= 24 ? toHex(bytes) : `${toHex(bytes.subarray(0, 24))}.. (${bytes.length} bytes)`;
}
