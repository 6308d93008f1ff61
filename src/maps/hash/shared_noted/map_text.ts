// Written by scripts/hash_maps.mjs from scripts/hash_maps.template.ts: change that one.
import { readScalar } from "../../../core/memory/scalar.ts";
import { ERRNO_LIMIT } from "../../../core/wasm/exports.ts";
import { ERRNO } from "../../../errors.ts";
import { ABSENT as ABSENT_NUMBER } from "../../../generated/abi.js";
import type { Part } from "../../../ops/calls/part.ts";
import { SharedNotedHashMap } from "./shared_noted_hash.ts";

// V8 has constants of this module in the code, and loads imported ones.
/** What the core gives for an absent key, and for a present one never (assembly/maps/number.ts). */
const ABSENT = ABSENT_NUMBER;

/** Maps that evict or whose entries expire, with keys that are texts of any length, by address. */
export class SharedMapNotedText<K, V> extends SharedNotedHashMap<K, V> {
  override get(key: K, flags?: number): V | undefined {
    if (this.reading === 0) this.refuse("get");
    if (flags !== undefined) return this.getWith(key, flags);
    const { host } = this;
    const at = this.encodeKey("get", key);
    if (at === 0) return undefined;
    if (this.timed) this.clock.touch();
    let address: number;
    try {
      address = this.core.seekText(this.reading, at, 1) >>> 0;
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
    const at = this.encodeKey("field.get", key);
    if (at === 0) return undefined;
    if (this.timed) this.clock.touch();
    let value: number;
    try {
      value = this.core.getPartText(this.reading, at, part.offset, part.scalar);
    } catch (trap) {
      throw this.trapped("field.get", trap);
    }
    if (value === ABSENT) return undefined;
    if (!Number.isNaN(value)) return value;
    // NaN, or bytes that mean nothing to the codec. Of a shared host: or another thread has deleted the key meanwhile, or the core
    // gave up.
    const { host } = this;
    const address = host.core.seekText(this.reading, at, 0) >>> 0;
    if (address < ERRNO_LIMIT) return this.missed("field.get", address);
    const place = address + part.offset;
    return (
      readScalar(host, part.scalar, place) ?? this.decodeValue("field.get", host.view, place, part.codec)
    );
  }

  override has(key: K): boolean {
    if (this.reading === 0) this.refuse("has");
    const at = this.encodeKey("has", key);
    if (at === 0) return false;
    if (this.timed) this.clock.touch();
    let address: number;
    try {
      address = this.core.seekText(this.reading, at, 0) >>> 0;
    } catch (trap) {
      throw this.trapped("has", trap);
    }
    if (address < ERRNO_LIMIT) this.missed("has", address);
    return address !== 0;
  }

  override delete(key: K): boolean {
    if (this.writing === 0) this.refuse("delete");
    const at = this.encodeKey("delete", key);
    if (at === 0) return false;
    if (this.timed) this.clock.touch();
    let errno: number;
    try {
      errno = this.core.discardText(this.writing, at);
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
    return this.host.core.seekText(handle, key, 0) >>> 0;
  }
}
