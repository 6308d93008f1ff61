// Written by scripts/hash_maps.mjs from scripts/hash_maps.template.ts: change that one.
import { Scalar } from "../../../codec/codec.ts";
import { type KeyWords, keyWordsOf } from "../../../codec/words.ts";
import { readScalar } from "../../../core/memory/scalar.ts";
import { ERRNO_LIMIT } from "../../../core/wasm/exports.ts";
import { ERRNO, type Operation } from "../../../errors.ts";
import {
  ABSENT as ABSENT_NUMBER,
  GREW as SET_GREW,
  UNFIT as SET_UNFIT,
  TTL_OF_MAP,
} from "../../../generated/abi.js";
import { takeKey } from "../../../ops/calls/take_key.ts";
import type { SetOptions } from "../../../ops/calls/ttl.ts";
import { SharedNotedHashMap } from "./shared_noted_hash.ts";

const { U32, I32 } = Scalar;

// V8 has constants of this module in the code, and loads imported ones.
/** What the core gives for an absent key, and for a present one never (assembly/maps/number.ts). */
const ABSENT = ABSENT_NUMBER;
/** What the core answers beside errnos: all went well but the memory grew; the kind cannot hold the number. */
const GREW = SET_GREW;
const UNFIT = SET_UNFIT;

/** Maps that evict or whose entries expire, with keys of 4 bytes and values that are one number: both go to the core as arguments. */
export class SharedMapNotedNumber4<K, V> extends SharedNotedHashMap<K, V> {
  /** Takes keys apart that are structs or bytes. */
  readonly #words: KeyWords | undefined = keyWordsOf(this.keyCodec);

  /**
   * What `get` gives for an absent key. A property and no literal for V8's sake: it takes a load that has never run for one
   * that never will, so that a `get` that has found all its keys so far is compiled as giving numbers only, without a box.
   */
  readonly #none: undefined = undefined;

  override get(key: K, flags?: number): V | undefined {
    if (this.reading === 0) this.refuse("get");
    if (flags !== undefined) return this.getWith(key, flags);
    const word = this.word("get", key);
    if (word < 0) return this.#none;
    if (this.timed) this.clock.touch();
    let value: number;
    try {
      value = this.core.getNoted4(this.reading, word, this.valueScalar, 1);
    } catch (trap) {
      throw this.trapped("get", trap);
    }
    if (value === ABSENT) return this.#none;
    return (Number.isNaN(value) ? this.#decoded(word) : value) as V;
  }

  override set(key: K, value: V, options?: SetOptions): this {
    if (this.timed) this.clock.renew();
    const ttl = options === undefined ? TTL_OF_MAP : this.ttlOf(options);
    if (this.writing === 0) this.refuse("set");
    if (typeof value !== "number") return super.set(key, value, options);
    const word = this.word("set", key);
    let result: number;
    try {
      result = this.core.setNoted4(this.writing, word, value, this.valueScalar, ttl);
    } catch (trap) {
      throw this.trapped("set", trap);
    }
    return result === 0 ? this.told() : this.#settled(result, key, value, options);
  }

  /** A value that is no plain number: NaN, or bytes that mean nothing to the codec. */
  #decoded(word: number): unknown {
    const { host } = this;
    const address = host.core.seek4(this.reading, word, 0) >>> 0;
    // A shared host: another thread has deleted the key meanwhile, or the core gave up.
    if (address < ERRNO_LIMIT) return this.missed("get", address);
    return readScalar(host, this.valueScalar, address) ?? this.decodeValue("get", host.view, address);
  }

  #settled(result: number, key: K, value: V, options?: SetOptions): this {
    // Views are replaced; everything is written.
    if (result === GREW) this.host.refresh();
    // The codec says what it would have accepted.
    else if (result === UNFIT) return super.set(key, value, options);
    else if (this.writing === 0) this.refuse("set");
    else return this.refused("set", result, this.set, key, value, options);
    return this.told();
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
