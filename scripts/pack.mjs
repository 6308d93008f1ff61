// Writes bytes as the text that src/core/wasm/unpack.ts reads. The form is drawn there.
const DIGITS = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).filter(
  (digit) => digit !== '"' && digit !== "\\",
);
const SINGLE = 91;

const two = (number) => DIGITS[Math.floor(number / DIGITS.length)] + DIGITS[number % DIGITS.length];

/** @param {Uint8Array} bytes */
export function pack(bytes) {
  const counts = new Uint32Array(256);
  for (const byte of bytes) counts[byte]++;
  const byRank = [...counts.keys()].sort((one, other) => counts[other] - counts[one]);
  const digits = [];
  byRank.forEach((byte, rank) => {
    digits[byte] = rank < SINGLE ? DIGITS[rank] : two(SINGLE * DIGITS.length + rank - SINGLE);
  });
  return byRank.map(two).join("") + Array.from(bytes, (byte) => digits[byte]).join("");
}
