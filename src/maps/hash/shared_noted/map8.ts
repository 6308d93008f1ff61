// Written by scripts/hash_maps.mjs from scripts/hash_maps.template.ts: change that one.
import { Scalar } from "../../../codec/codec.ts";
import { type KeyWords, keyWordsOf } from "../../../codec/words.ts";
import { isU53, readScalar } from "../../../core/memory/scalar.ts";
import { ERRNO_LIMIT } from "../../../core/wasm/exports.ts";
import { ERRNO, type Operation } from "../../../errors.ts";
import { ABSENT as ABSENT_NUMBER } from "../../../generated/abi.js";
import type { Part } from "../../../ops/calls/part.ts";
import { takeKey } from "../../../ops/calls/take_key.ts";
import { SharedNotedHashMap } from "./shared_noted_hash.ts";

// V8 has constants of this module in the code, and loads imported ones.
/** What the core gives for an absent key, and for a present one never (assembly/maps/number.ts). */
const ABSENT = ABSENT_NUMBER;

/** 2^32: what the upper word of a u53 counts. */
const WORD = 0x1_0000_0000;

/** Maps that evict or whose entries expire, with keys of 8 bytes, which go to the core as two words: a lower one, and an upper one that {@link low} leaves. */
export class SharedMapNoted8<K, V> extends SharedNotedHashMap<K, V> {
  /** Takes keys apart that are structs or bytes. */
  readonly #words: KeyWords | undefined = keyWordsOf(this.keyCodec);
  /** Upper word of the key that {@link low} was last called for: two results without an object. */
  #high = 0;

  override get(key: K, flags?: number): V | undefined {
    if (this.reading === 0) this.refuse("get");
    if (flags !== undefined) return this.getWith(key, flags);
    const { host } = this;
    const low = this.low("get", key);
    if (low < 0) return undefined;
    if (this.timed) this.clock.touch();
    let address: number;
    try {
      address = this.core.seek8(this.reading, low, this.#high, 1) >>> 0;
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
    const low = this.low("field.get", key);
    if (low < 0) return undefined;
    if (this.timed) this.clock.touch();
    let value: number;
    try {
      value = this.core.getPart8(this.reading, low, this.#high, part.offset, part.scalar);
    } catch (trap) {
      throw this.trapped("field.get", trap);
    }
    if (value === ABSENT) return undefined;
    if (!Number.isNaN(value)) return value;
    // NaN, or bytes that mean nothing to the codec. Of a shared host: or another thread has deleted the key meanwhile, or the core
    // gave up.
    const { host } = this;
    const address = host.core.seek8(this.reading, low, this.#high, 0) >>> 0;
    if (address < ERRNO_LIMIT) return this.missed("field.get", address);
    const place = address + part.offset;
    return (
      readScalar(host, part.scalar, place) ?? this.decodeValue("field.get", host.view, place, part.codec)
    );
  }

  override has(key: K): boolean {
    if (this.reading === 0) this.refuse("has");
    const low = this.low("has", key);
    if (low < 0) return false;
    if (this.timed) this.clock.touch();
    let address: number;
    try {
      address = this.core.seek8(this.reading, low, this.#high, 0) >>> 0;
    } catch (trap) {
      throw this.trapped("has", trap);
    }
    if (address < ERRNO_LIMIT) this.missed("has", address);
    return address !== 0;
  }

  override delete(key: K): boolean {
    if (this.writing === 0) this.refuse("delete");
    const low = this.low("delete", key);
    if (low < 0) return false;
    if (this.timed) this.clock.touch();
    let errno: number;
    try {
      errno = this.core.discard8(this.writing, low, this.#high);
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
    const { core, u32 } = this.host;
    return core.seek8(handle, u32[key >>> 2], u32[(key >>> 2) + 1], 0) >>> 0;
  }

  /** The lower word of a key; the upper one goes to `#high`. Below 0 for one that is absent: see {@link encodeKey}. */
  private low(operation: Operation, key: K): number {
    if (this.keyScalar === Scalar.U53 && isU53(key)) {
      this.#high = (key / WORD) >>> 0;
      return key >>> 0;
    }
    const words = this.#words;
    if (words !== undefined && takeKey(this, operation, words, key)) {
      this.#high = words.second;
      return words.first >>> 0;
    }
    const at = this.encodeKey(operation, key);
    if (at === 0) return -1;
    const first = at >>> 2;
    this.#high = this.host.u32[first + 1];
    return this.host.u32[first];
  }
}
