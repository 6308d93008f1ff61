/**
 * Runs of bytes: raw ones, and text as C keeps it.
 *
 * @module
 */
import { elementsOf, isUint8Array } from "../arguments/byte_array.ts";
import { describe, outOfRange, wrongType } from "../arguments/mismatch.ts";
import { type Codec, checkedSize, Scalar } from "./codec.ts";
import { decoder, LONE_SURROGATE, utf8Length, writeUtf8 } from "./utf8.ts";

/**
 * The bytes behind a DataView. Kept per view, so that a copy of any length costs no object of its own; weakly, so that
 * a closed host's memory can go.
 */
const arrays = new WeakMap<DataView, Uint8Array>();

/** Up to so many bytes a loop is not slower than a call of `set` (Node 20: 27 and 32 ns for 6 bytes, 42 and 41 for 16). */
const SHORT = 16;

function bytesBehind(view: DataView): Uint8Array {
  let array = arrays.get(view);
  if (array === undefined) {
    array = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    arrays.set(view, array);
  }
  return array;
}

function endsOutside(name: string, offset: number): RangeError {
  return new RangeError(`${name} at offset ${offset} ends outside the view`);
}

/** The codec of a run of bytes. */
export interface RunCodec<T> extends Codec<T> {
  /** Raw bytes, or text that a NUL ends. */
  readonly run: "bytes" | "text";
}

/**
 * `__u8 x[length]`: raw bytes, copied both ways. Align 1.
 *
 * @param length - Bytes; every value has exactly so many.
 * @example
 * const mac = bytes(6);
 * const view = new DataView(new ArrayBuffer(mac.size));
 * mac.encode(Uint8Array.of(2, 0, 94, 16, 0, 1), view, 0);
 * mac.decode(view, 0); // Uint8Array(6) [ 2, 0, 94, 16, 0, 1 ]
 */
export function bytes(length: number): RunCodec<Uint8Array> {
  const name = `bytes(${length})`;
  const size = checkedSize(name, length, 1);
  /** Where this codec has last written in each view. A set() into it cannot write more than there is room for. */
  const rooms = new WeakMap<DataView, Uint8Array>();
  const roomAt = (view: DataView, offset: number): Uint8Array => {
    const known = rooms.get(view);
    if (known !== undefined && known.byteOffset === view.byteOffset + offset) return known;
    const room = bytesBehind(view).subarray(offset, offset + size);
    rooms.set(view, room);
    return room;
  };
  const codec: RunCodec<Uint8Array> = {
    name,
    size,
    align: 1,
    scalar: Scalar.NONE,
    run: "bytes",
    encode(value, view, offset) {
      if (!isUint8Array(value)) throw wrongType(`${name} (a Uint8Array)`, describe(value));
      const found = elementsOf(value);
      if (found !== size) throw outOfRange(`${name} (exactly ${size} bytes)`, `${found} bytes`);
      if (size > SHORT) roomAt(view, offset).set(value);
      else {
        const target = bytesBehind(view);
        if (offset + size > target.length) throw endsOutside(name, offset);
        for (let i = 0; i < size; i++) target[offset + i] = value[i];
      }
    },
    decode(view, offset) {
      const value = bytesBehind(view).slice(offset, offset + size);
      // Unlike the getters of DataView, slice() stops short at the end without a word.
      if (value.length !== size) throw endsOutside(name, offset);
      return value;
    },
  };
  made.add(codec);
  return codec;
}

/** What {@link bytes} has made. */
const made = new WeakSet<Codec<unknown>>();

/** Whether a codec is one of {@link bytes}, and no copy of it with another `encode`. */
export function isBytesCodec(codec: Codec<unknown>): boolean {
  return made.has(codec);
}

/** Writes text of ASCII without NUL, and zeros up to `end`. False, and the bytes are anything, for any other text. */
function writeAscii(text: string, view: DataView, start: number, end: number): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0 || code > 0x7f) return false;
    view.setUint8(start + i, code);
  }
  for (let at = start + text.length; at < end; at++) view.setUint8(at, 0);
  return true;
}

/**
 * `char x[size]`: text as UTF-8, ended by a NUL, the rest zeros. Align 1.
 *
 * A text that does not fit is refused, never cut. Bytes that others wrote are read up to the first NUL, or to the end
 * when there is none; what is not UTF-8 in them reads as U+FFFD (use `bytes` to keep it as it is).
 *
 * @param size - Bytes with the NUL: a value has at most `size - 1` bytes of UTF-8, none of them NUL.
 * @example
 * const comm = cstring(16);
 * const view = new DataView(new ArrayBuffer(comm.size));
 * comm.encode("systemd-résolve", view, 0);
 * // RangeError: expected cstring(16) (at most 15 bytes of UTF-8), got 16 bytes
 * @example
 * const comm = cstring(16);
 * const view = new DataView(new ArrayBuffer(comm.size));
 * comm.encode("systemd-resolve", view, 0);
 * comm.decode(view, 0); // 'systemd-resolve'
 */
export function cstring(size: number): RunCodec<string> {
  const name = `cstring(${size})`;
  checkedSize(name, size, 1);
  // Decoding needs the text in unshared memory (browsers' TextDecoder insists), as an array of just its length. Both
  // are made at first use and kept: decode then allocates only the string.
  let scratch: Uint8Array | undefined;
  const prefixes: Uint8Array[] = [];
  return {
    name,
    size,
    align: 1,
    scalar: Scalar.NONE,
    run: "text",
    encode(value, view, offset) {
      if (typeof value !== "string") throw wrongType(`${name} (a string)`, describe(value));
      if (value.length < size && writeAscii(value, view, offset, offset + size)) return;
      const length = utf8Length(value);
      if (length === LONE_SURROGATE) {
        throw outOfRange(`${name} (Unicode text)`, `a lone surrogate in ${describe(value)}`);
      }
      if (length >= size) throw outOfRange(`${name} (at most ${size - 1} bytes of UTF-8)`, `${length} bytes`);
      const nul = value.indexOf("\0");
      if (nul >= 0) throw outOfRange(`${name} (text without NUL)`, `NUL at index ${nul}`);
      const end = offset + size;
      for (let at = writeUtf8(value, view, offset); at < end; at++) view.setUint8(at, 0);
    },
    decode(view, offset) {
      scratch ??= new Uint8Array(size);
      let length = 0;
      for (; length < size; length++) {
        const byte = view.getUint8(offset + length);
        if (byte === 0) break;
        scratch[length] = byte;
      }
      prefixes[length] ??= scratch.subarray(0, length);
      return decoder.decode(prefixes[length]);
    },
  };
}
