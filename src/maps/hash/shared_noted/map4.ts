// Written by scripts/hash_maps.mjs from scripts/hash_maps.template.ts: change that one.
import { Scalar } from "../../../codec/codec.ts";
import { type KeyWords, keyWordsOf } from "../../../codec/words.ts";
import { readScalar } from "../../../core/memory/scalar.ts";
import { ERRNO_LIMIT } from "../../../core/wasm/exports.ts";
import { ERRNO, type Operation } from "../../../errors.ts";
import { ABSENT as ABSENT_NUMBER } from "../../../generated/abi.js";
import type { Part } from "../../../ops/calls/part.ts";
import { takeKey } from "../../../ops/calls/take_key.ts";
import { SharedNotedHashMap } from "./shared_noted_hash.ts";

const { U32, I32 } = Scalar;

// V8 has constants of this module in the code, and loads imported ones.
/** What the core gives for an absent key, and for a present one never (assembly/maps/number.ts). */
const ABSENT = ABSENT_NUMBER;

/** Maps that evict or whose entries expire, with keys of 4 bytes, which go to the core as an argument. */
export class SharedMapNoted4<K, V> extends SharedNotedHashMap<K, V> {
  /** Takes keys apart that are structs or bytes. */
  readonly #words: KeyWords | undefined = keyWordsOf(this.keyCodec);

  override get(key: K, flags?: number): V | undefined {
    if (this.reading === 0) this.refuse("get");
    if (flags !== undefined) return this.getWith(key, flags);
    const { host } = this;
    const word = this.word("get", key);
    if (word < 0) return undefined;
    if (this.timed) this.clock.touch();
    let address: number;
    try {
      address = this.core.seek4(this.reading, word, 1) >>> 0;
    } catch (trap) {
      throw this.trapped("get", trap);
    }
    if (address < ERRNO_LIMIT) return this.missed("get", address);
    const value = readScalar(host, this.valueScalar, address);
    return value === undefined ? this.decodeValue("get", host.view, address) : (value as V);
  }

  override getPart(key: K, part: Part): unknown {
    if (this.reading === 0) this.refuse("field.get");
    if (!part.isNumber) return this.fetchPart(key, part);
    const word = this.word("field.get", key);
    if (word < 0) return undefined;
    if (this.timed) this.clock.touch();
    let value: number;
    try {
      value = this.core.getPart4(this.reading, word, part.offset, part.scalar);
    } catch (trap) {
      throw this.trapped("field.get", trap);
    }
    if (value === ABSENT) return undefined;
    if (!Number.isNaN(value)) return value;
    // NaN, or bytes that mean nothing to the codec. Of a shared host: or another thread has deleted the key meanwhile, or the core
    // gave up.
    const { host } = this;
    const address = host.core.seek4(this.reading, word, 0) >>> 0;
    if (address < ERRNO_LIMIT) return this.missed("field.get", address);
    const place = address + part.offset;
    return (
      readScalar(host, part.scalar, place) ?? this.decodeValue("field.get", host.view, place, part.codec)
    );
  }

  override has(key: K): boolean {
    if (this.reading === 0) this.refuse("has");
    const word = this.word("has", key);
    if (word < 0) return false;
    if (this.timed) this.clock.touch();
    let address: number;
    try {
      address = this.core.seek4(this.reading, word, 0) >>> 0;
    } catch (trap) {
      throw this.trapped("has", trap);
    }
    if (address < ERRNO_LIMIT) this.missed("has", address);
    return address !== 0;
  }

  override delete(key: K): boolean {
    if (this.writing === 0) this.refuse("delete");
    const word = this.word("delete", key);
    if (word < 0) return false;
    if (this.timed) this.clock.touch();
    let errno: number;
    try {
      errno = this.core.discard4(this.writing, word);
    } catch (trap) {
      throw this.trapped("delete", trap);
    }
    if (errno !== 0 && errno !== ERRNO.ENOENT) this.fail("delete", errno);
    return errno === 0;
  }

  override lookup(key: K): number {
    if (this.reading === 0) this.refuse("lookup");
    return this.locate("lookup", key);
  }

  override find(handle: number, key: number): number {
    if (this.timed) this.clock.touch();
    return this.host.core.seek4(handle, this.host.u32[key >>> 2], 0) >>> 0;
  }

  /** The bytes of a key as a little-endian word; below 0 for one that is absent: see {@link encodeKey}. */
  private word(operation: Operation, key: K): number {
    // Written out, and with constants of this module: V8 loads imported bindings anew in every call.
    if (typeof key === "number") {
      if (this.keyScalar === U32 && key >>> 0 === key) return key;
      if (this.keyScalar === I32 && (key | 0) === key) return key >>> 0;
    }
    const words = this.#words;
    if (words !== undefined && takeKey(this, operation, words, key)) return words.first >>> 0;
    const at = this.encodeKey(operation, key);
    return at === 0 ? -1 : this.host.u32[at >>> 2];
  }
}
