/**
 * Text of any length, up to a limit.
 *
 * @module
 */
import { describe, outOfRange, wrongType } from "../arguments/mismatch.ts";
import { printedByName } from "../print/inspect.ts";
import { Scalar, type TextCodec } from "./codec.ts";
import { decoder, LONE_SURROGATE, utf8Length, writeUtf8 } from "./utf8.ts";

const DEFAULT_BYTES = 256;
const MOST_BYTES = 4096;
/** Bytes of the length. */
export const TEXT_HEAD = 4;

/** Up to so many characters of ASCII are made to a string here, which engines copy into one piece: half the time of a TextDecoder. */
const SHORT = 12;
const NOT_ASCII = 0x8080_8080;
/** From so many characters on a TextEncoder is faster, with a copy of what it writes: 60 take 75 ns instead of 130 (Node 20). */
const LONG = 24;
const encoder = new TextEncoder();

/** Writes text of ASCII, four characters at a time. False, and the bytes are anything, for any other text. */
function writeAscii(value: string, view: DataView, start: number): boolean {
  const { length } = value;
  const words = length & ~3;
  let i = 0;
  for (; i < words; i += 4) {
    const a = value.charCodeAt(i);
    const b = value.charCodeAt(i + 1);
    const c = value.charCodeAt(i + 2);
    const d = value.charCodeAt(i + 3);
    if ((a | b | c | d) > 0x7f) return false;
    view.setUint32(start + i, a | (b << 8) | (c << 16) | (d << 24), true);
  }
  for (; i < length; i++) {
    const code = value.charCodeAt(i);
    if (code > 0x7f) return false;
    view.setUint8(start + i, code);
  }
  return true;
}

/** Copies whole words, up to 3 bytes beyond the end. */
function copyWords(words: Uint32Array, bytes: number, view: DataView, start: number): void {
  for (let i = 0; i < bytes; i += 4) view.setUint32(start + i, words[i >>> 2], true);
}

/** Reads a short text of ASCII; undefined for any other. */
function readShort(view: DataView, start: number, length: number): string | undefined {
  const words = length & ~3;
  let value = "";
  let i = 0;
  for (; i < words; i += 4) {
    const word = view.getUint32(start + i, true);
    if ((word & NOT_ASCII) !== 0) return undefined;
    value += String.fromCharCode(word & 0x7f, (word >> 8) & 0x7f, (word >> 16) & 0x7f, word >> 24);
  }
  for (; i < length; i++) {
    const code = view.getUint8(start + i);
    if (code > 0x7f) return undefined;
    value += String.fromCharCode(code);
  }
  return value;
}

/**
 * Text as UTF-8 with its length, `struct { __u32 length; char x[maxBytes]; }`, the room rounded up to 4 bytes. Align 4. Any Unicode text
 * fits that has at most `maxBytes` bytes, also an empty one or one with NUL.
 *
 * As the key of a `hash` or `rhash` such a text takes only the bytes that it has, and keys of very different lengths can be in one map:
 * see docs/guide/texts.md. Anywhere else it takes its whole room, as any layout, and the bytes behind it are zeros. A text that does not
 * fit is refused, never cut. What is not UTF-8 reads as U+FFFD.
 *
 * @param maxBytes - Bytes of UTF-8 at most, 1..4096. Default 256.
 * @example
 * const path = text(64);
 * const view = new DataView(new ArrayBuffer(path.size));
 * path.encode("/käse", view, 0);
 * path.size; // 68
 * path.decode(view, 0); // '/käse'
 */
export function text(maxBytes: number = DEFAULT_BYTES): TextCodec {
  const expected = `text(${maxBytes}): expected a limit of 1..${MOST_BYTES} bytes`;
  if (typeof maxBytes !== "number") throw new TypeError(`${expected}, got ${describe(maxBytes)}`);
  if (!Number.isInteger(maxBytes) || maxBytes < 1 || maxBytes > MOST_BYTES)
    throw new RangeError(`${expected}, got ${maxBytes}`);
  const name = `text(${maxBytes})`;
  const room = Math.ceil(maxBytes / 4) * 4;
  const size = TEXT_HEAD + room;
  // As in cstring: decoding allocates only the string.
  let scratch: Uint8Array | undefined;
  let words: Uint32Array;
  const prefixes: Uint8Array[] = [];

  /** In unshared memory, since browsers' encoders and decoders insist on it. */
  function ownRoom(): Uint8Array {
    if (scratch === undefined) {
      scratch = new Uint8Array(room);
      words = new Uint32Array(scratch.buffer);
    }
    return scratch;
  }

  /** Writes a long text of ASCII; false for any other, of which an encoder makes more bytes than there are characters. */
  function writeLong(value: string, view: DataView, start: number): boolean {
    const { length } = value;
    const { read, written } = encoder.encodeInto(value, ownRoom());
    if (read !== length || written !== length) return false;
    copyWords(words, length, view, start);
    return true;
  }

  /** Where the text ends. */
  function write(value: string, view: DataView, offset: number): number {
    if (typeof value !== "string") throw wrongType(`${name} (a string)`, describe(value));
    const start = offset + TEXT_HEAD;
    const count = value.length;
    if (count <= maxBytes) {
      const isAscii = count < LONG ? writeAscii(value, view, start) : writeLong(value, view, start);
      if (isAscii) {
        view.setUint32(offset, count, true);
        return start + count;
      }
    }
    const length = utf8Length(value);
    if (length === LONE_SURROGATE) {
      throw outOfRange(`${name} (Unicode text)`, `a lone surrogate in ${describe(value)}`);
    }
    if (length > maxBytes)
      throw outOfRange(`${name} (at most ${maxBytes} bytes of UTF-8)`, `${length} bytes`);
    view.setUint32(offset, length, true);
    return writeUtf8(value, view, start);
  }

  function decode(view: DataView, offset: number): string {
    const start = offset + TEXT_HEAD;
    const length = Math.min(view.getUint32(offset, true), room);
    const short = length <= SHORT ? readShort(view, start, length) : undefined;
    if (short !== undefined) return short;
    const own = ownRoom();
    // Up to 3 bytes behind the text: they are in its room.
    for (let i = 0; i < length; i += 4) words[i >>> 2] = view.getUint32(start + i, true);
    prefixes[length] ??= own.subarray(0, length);
    return decoder.decode(prefixes[length]);
  }

  function encode(value: string, view: DataView, offset: number): void {
    const end = offset + size;
    for (let at = write(value, view, offset); at < end; at++) view.setUint8(at, 0);
  }

  const layout = { name, size, align: 4, scalar: Scalar.NONE, maxBytes, decode };
  const bare: TextCodec = printedByName({
    ...layout,
    encode: write,
    get bare() {
      return bare;
    },
  });
  return printedByName({ ...layout, encode, bare });
}
