// Written by scripts/hash_maps.mjs from scripts/hash_maps.template.ts: change that one.
import { BPF_ANY, BPF_EXIST } from "../../../constants.ts";
import { fitsScalar, readScalar, writeScalar } from "../../../core/memory/scalar.ts";
import { ERRNO_LIMIT } from "../../../core/wasm/exports.ts";
import { ERRNO, type Operation } from "../../../errors.ts";
import { TTL_AS_IS, TTL_OF_MAP } from "../../../generated/abi.js";
import type { Part } from "../../../ops/calls/part.ts";
import type { SetOptions } from "../../../ops/calls/ttl.ts";
import { NotedHashMap } from "./noted_hash.ts";

/** Maps that evict or whose entries expire, with keys of other sizes, by address. */
export class MapNotedAny<K, V> extends NotedHashMap<K, V> {
  override get(key: K, flags?: number): V | undefined {
    if (this.reading === 0) this.refuse("get");
    if (flags !== undefined) return this.getWith(key, flags);
    const { host } = this;
    const at = this.encodeKey("get", key);
    if (at === 0) return undefined;
    if (this.timed) this.clock.touch();
    let address: number;
    try {
      address = this.core.seekAny(this.reading, at, 1) >>> 0;
    } catch (trap) {
      throw this.trapped("get", trap);
    }
    if (address < ERRNO_LIMIT) return this.missed("get", address);
    const value = readScalar(host, this.valueScalar, address);
    return value === undefined ? this.decodeValue("get", host.view, address) : (value as V);
  }

  override setPart(key: K, part: Part, fits: boolean, x: unknown): boolean {
    const { host } = this;
    const at = this.encodeKey("field.set", key);
    if (at === 0) return false;
    if (this.timed) this.clock.renew();
    let address: number;
    try {
      address = this.core.keepAny(this.writing, at, BPF_EXIST, TTL_AS_IS) >>> 0;
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
    const at = this.encodeKey("set", key);
    let address: number;
    try {
      address = this.core.keepAny(this.writing, at, BPF_ANY, ttl) >>> 0;
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
    const at = this.encodeKey("has", key);
    if (at === 0) return false;
    if (this.timed) this.clock.touch();
    let address: number;
    try {
      address = this.core.seekAny(this.reading, at, 0) >>> 0;
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
      errno = this.core.discardAny(this.writing, at);
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
    const at = this.encodeKey(operation, key);
    if (at === 0) return 0;
    if (this.timed) this.clock.touch();
    try {
      return this.core.seekAny(this.table.handle, at, 1) >>> 0;
    } catch (trap) {
      throw this.trapped(operation, trap);
    }
  }

  override obtain(operation: Operation, key: K): number {
    const { host } = this;
    const at = this.encodeKey(operation, key);
    if (this.timed) this.clock.renew();
    let address: number;
    try {
      address = this.core.keepAny(this.writing, at, BPF_ANY, TTL_AS_IS) >>> 0;
    } catch (trap) {
      throw this.trapped(operation, trap);
    }
    if (host.u8.length === 0) host.refresh();
    if (address < ERRNO_LIMIT) return this.refused(operation, address, this.obtain, operation, key);
    return address;
  }

  override find(handle: number, key: number): number {
    if (this.timed) this.clock.touch();
    return this.host.core.seekAny(handle, key, 0) >>> 0;
  }
}
