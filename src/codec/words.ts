/**
 * Keys of up to 16 bytes as words. Those of up to 8 bytes go to the core as arguments, without memory in between; longer ones are put into
 * the scratch word by word. Neither needs what it takes to protect the scratch from the code of a caller's getters.
 *
 * @module
 */
import { elementsOf, isUint8Array } from "../arguments/byte_array.ts";
import { isBytesCodec } from "./bytes.ts";
import { type Codec, Scalar, type ScalarKind } from "./codec.ts";
import { type Members, membersOf } from "./members.ts";

const { U8, U16, U32, I8, I16, I32 } = Scalar;
const MOST_BYTES = 16;

/** Members of structs that there are words for. */
const KINDS: readonly (ScalarKind | -1)[] = [U8, U16, U32, I8, I16, I32];

/** Whether a number is one of the kind, as its codec says. */
function fits(kind: number, value: number): boolean {
  switch (kind) {
    case U32:
      return value >>> 0 === value;
    case I32:
      return (value | 0) === value;
    case U16:
      return (value & 0xffff) === value;
    case U8:
      return (value & 0xff) === value;
    case I16:
      return (value << 16) >> 16 === value;
    default:
      return (value << 24) >> 24 === value;
  }
}

/** The little-endian word of up to four bytes from `at` on. */
function wordAt(bytes: Uint8Array, at: number, end: number): number {
  if (at + 4 <= end) return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
  let word = 0;
  for (let i = at; i < end; i++) word |= bytes[i] << ((i - at) << 3);
  return word;
}

/** Takes keys of one codec apart. */
export class KeyWords {
  /** The words of the key that was last taken apart, as i32. */
  first = 0;
  second = 0;
  third = 0;
  fourth = 0;
  readonly #size: number;
  /** Of structs; undefined for raw bytes. */
  readonly #members: Members | undefined;
  /** Whether it is a struct of two u32, and their names. */
  readonly #isPair: boolean;
  readonly #name0: string | undefined;
  readonly #name1: string | undefined;

  constructor(size: number, members: Members | undefined) {
    this.#size = size;
    this.#members = members;
    const { kinds = [], names = [] } = members ?? {};
    this.#isPair = kinds.length === 2 && kinds[0] === U32 && kinds[1] === U32;
    [this.#name0, this.#name1] = names;
  }

  /**
   * Whether a key is in {@link first} to {@link fourth} now. False for one that its codec has to look at: it may be wrong, or have its
   * properties in another order.
   */
  take(key: unknown): boolean {
    if (this.#isPair) return this.#takePair(key);
    return this.#members === undefined ? this.#takeBytes(key) : this.#takeStruct(key, this.#members);
  }

  #takeBytes(key: unknown): boolean {
    const size = this.#size;
    if (!isUint8Array(key) || elementsOf(key) !== size) return false;
    this.first = wordAt(key, 0, size);
    this.second = wordAt(key, 4, size);
    if (size <= 8) return true;
    this.third = wordAt(key, 8, size);
    this.fourth = wordAt(key, 12, size);
    return true;
  }

  /** What most keys of 8 bytes are, in half the time of the loop over kinds. */
  #takePair(key: unknown): boolean {
    if (typeof key !== "object" || key === null || Array.isArray(key)) return false;
    const name0 = this.#name0 as string;
    const name1 = this.#name1 as string;
    // The names in a loop of their own: one that reads the values, too, takes half as long again.
    let names = 0;
    for (const name in key) {
      if (names === 0 ? name !== name0 : names > 1 || name !== name1) return false;
      names++;
    }
    if (names < 2) return false;
    // A getter may take another key apart: nothing is written before all is read.
    const first = (key as Record<string, unknown>)[name0];
    const second = (key as Record<string, unknown>)[name1];
    if (typeof first !== "number" || first >>> 0 !== first) return false;
    if (typeof second !== "number" || second >>> 0 !== second) return false;
    this.first = first | 0;
    this.second = second | 0;
    return true;
  }

  #takeStruct(key: unknown, { names, kinds, offsets, codecs }: Members): boolean {
    if (typeof key !== "object" || key === null || Array.isArray(key)) return false;
    const object = key as Record<string, unknown>;
    let first = 0;
    let second = 0;
    let third = 0;
    let fourth = 0;
    let i = 0;
    for (const name in object) {
      if (i >= names.length || name !== names[i]) return false;
      const value = object[name];
      if (typeof value !== "number" || !fits(kinds[i], value)) return false;
      const { size } = codecs[i];
      const bits = (size === 4 ? value : value & ((1 << (size << 3)) - 1)) << ((offsets[i] & 3) << 3);
      if (offsets[i] < 4) first |= bits;
      else if (offsets[i] < 8) second |= bits;
      else if (offsets[i] < 12) third |= bits;
      else fourth |= bits;
      i++;
    }
    if (i < names.length) return false;
    this.first = first;
    this.second = second;
    this.third = third;
    this.fourth = fourth;
    return true;
  }
}

/** What takes keys of a codec apart; undefined where only the codec can. */
export function keyWordsOf(codec: Codec<unknown>): KeyWords | undefined {
  if (codec.size > MOST_BYTES) return undefined;
  if (isBytesCodec(codec)) return new KeyWords(codec.size, undefined);
  const members = membersOf(codec);
  if (members === undefined || !members.kinds.every((kind) => KINDS.includes(kind))) return undefined;
  return new KeyWords(codec.size, members);
}
