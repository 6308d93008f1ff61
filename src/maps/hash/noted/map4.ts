// Written by scripts/hash_maps.mjs from scripts/hash_maps.template.ts: change that one.
import { Scalar } from "../../../codec/codec.ts";
import { type KeyWords, keyWordsOf } from "../../../codec/words.ts";
import { BPF_ANY, BPF_EXIST } from "../../../constants.ts";
import { fitsScalar, readScalar, writeScalar } from "../../../core/memory/scalar.ts";
import { ERRNO_LIMIT } from "../../../core/wasm/exports.ts";
import { ERRNO, type Operation } from "../../../errors.ts";
import { TTL_AS_IS, TTL_OF_MAP } from "../../../generated/abi.js";
import type { Part } from "../../../ops/calls/part.ts";
import { takeKey } from "../../../ops/calls/take_key.ts";
import type { SetOptions } from "../../../ops/calls/ttl.ts";
import { NotedHashMap } from "./noted_hash.ts";

const { U32, I32 } = Scalar;

/** Maps that evict or whose entries expire, with keys of 4 bytes, which go to the core as an argument. */
export class MapNoted4<K, V> extends NotedHashMap<K, V> {
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

  override setPart(key: K, part: Part, fits: boolean, x: unknown): boolean {
    const { host } = this;
    const word = this.word("field.set", key);
    if (word < 0) return false;
    if (this.timed) this.clock.renew();
    let address: number;
    try {
      address = this.core.keep4(this.writing, word, BPF_EXIST, TTL_AS_IS) >>> 0;
    } catch (trap) {
      throw this.trapped("field.set", trap);
    }
    if (host.u8.length === 0) host.refresh();
    if (address === ERRNO.ENOENT) return false;
    if (address < ERRNO_LIMIT) this.fail("field.set", address);
    this.storePart(address, part, fits, x);
    return true;
  }

  override set(key: K, value: V, options?: SetOptions): this {
    if (this.timed) this.clock.renew();
    const ttl = options === undefined ? TTL_OF_MAP : this.ttlOf(options);
    if (this.writing === 0) this.refuse("set");
    const { host } = this;
    const direct = fitsScalar(this.valueScalar, value);
    if (!direct) this.encodeValue("set", value);
    const word = this.word("set", key);
    let address: number;
    try {
      address = this.core.keep4(this.writing, word, BPF_ANY, ttl) >>> 0;
    } catch (trap) {
      throw this.trapped("set", trap);
    }
    if (host.u8.length === 0) host.refresh();
    if (address < ERRNO_LIMIT) return this.refused("set", address, this.set, key, value, options);
    if (direct) writeScalar(host, this.valueScalar, address, value);
    else host.copy(address, host.scratch.value, this.table.valueBytes);
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

  override locate(operation: Operation, key: K): number {
    const word = this.word(operation, key);
    if (word < 0) return 0;
    if (this.timed) this.clock.touch();
    try {
      return this.core.seek4(this.table.handle, word, 1) >>> 0;
    } catch (trap) {
      throw this.trapped(operation, trap);
    }
  }

  override obtain(operation: Operation, key: K): number {
    const { host } = this;
    const word = this.word(operation, key);
    if (this.timed) this.clock.renew();
    let address: number;
    try {
      address = this.core.keep4(this.writing, word, BPF_ANY, TTL_AS_IS) >>> 0;
    } catch (trap) {
      throw this.trapped(operation, trap);
    }
    if (host.u8.length === 0) host.refresh();
    if (address < ERRNO_LIMIT) return this.refused(operation, address, this.obtain, operation, key);
    return address;
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
