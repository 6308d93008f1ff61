// Written by scripts/hash_maps.mjs from scripts/hash_maps.template.ts: change that one.
import { BPF_ANY, BPF_EXIST } from "../../constants.ts";
import { fitsScalar, readScalar, writeScalar } from "../../core/memory/scalar.ts";
import { ERRNO_LIMIT } from "../../core/wasm/exports.ts";
import { ERRNO, type Operation } from "../../errors.ts";
import { ABSENT as ABSENT_NUMBER } from "../../generated/abi.js";
import type { Part } from "../../ops/calls/part.ts";
import type { SetOptions } from "../../ops/calls/ttl.ts";
import { HashMap } from "./hash_map.ts";

// V8 has constants of this module in the code, and loads imported ones.
/** What the core gives for an absent key, and for a present one never (assembly/maps/number.ts). */
const ABSENT = ABSENT_NUMBER;

/** Maps with keys of any other size, by address. */
export class MapAny<K, V> extends HashMap<K, V> {
  override get(key: K, flags?: number): V | undefined {
    if (this.reading === 0) this.refuse("get");
    if (flags !== undefined) return this.getWith(key, flags);
    const { host } = this;
    const at = this.encodeKey("get", key);
    if (at === 0) return undefined;
    let address: number;
    try {
      address = this.core.lookupAny(this.reading, at) >>> 0;
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
    let value: number;
    try {
      value = this.core.getPartAny(this.reading, at, part.offset, part.scalar);
    } catch (trap) {
      throw this.trapped("field.get", trap);
    }
    if (value === ABSENT) return undefined;
    if (!Number.isNaN(value)) return value;
    // NaN, or bytes that mean nothing to the codec. Of a shared host: or another thread has deleted the key meanwhile, or the core
    // gave up.
    const { host } = this;
    const address = host.core.lookupAny(this.reading, at) >>> 0;
    if (address < ERRNO_LIMIT) return this.missed("field.get", address);
    const place = address + part.offset;
    return (
      readScalar(host, part.scalar, place) ?? this.decodeValue("field.get", host.view, place, part.codec)
    );
  }

  override setPart(key: K, part: Part, fits: boolean, x: unknown): boolean {
    const { host } = this;
    const at = this.encodeKey("field.set", key);
    if (at === 0) return false;
    let address: number;
    try {
      address = this.core.upsertAny(this.writing, at, BPF_EXIST) >>> 0;
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
    if (options !== undefined) this.refuseTtl();
    if (this.writing === 0) this.refuse("set");
    const { host } = this;
    const direct = fitsScalar(this.valueScalar, value);
    if (!direct) this.encodeValue("set", value);
    const at = this.encodeKey("set", key);
    let address: number;
    try {
      address = this.core.upsertAny(this.writing, at, BPF_ANY) >>> 0;
    } catch (trap) {
      throw this.trapped("set", trap);
    }
    if (host.u8.length === 0) host.refresh();
    if (address < ERRNO_LIMIT) return this.refused("set", address, this.set, key, value);
    if (direct) writeScalar(host, this.valueScalar, address, value);
    else host.copy(address, host.scratch.value, this.table.valueBytes);
    return this;
  }

  override has(key: K): boolean {
    if (this.reading === 0) this.refuse("has");
    const at = this.encodeKey("has", key);
    if (at === 0) return false;
    let address: number;
    try {
      address = this.core.lookupAny(this.reading, at) >>> 0;
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
    let errno: number;
    try {
      errno = this.core.removeAny(this.writing, at);
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
    try {
      return this.core.lookupAny(this.table.handle, at) >>> 0;
    } catch (trap) {
      throw this.trapped(operation, trap);
    }
  }

  override obtain(operation: Operation, key: K): number {
    const { host } = this;
    const at = this.encodeKey(operation, key);
    const count = (this.writing + host.layout.count) >>> 2;
    const before = host.u32[count];
    let address: number;
    try {
      address = this.core.upsertAny(this.writing, at, BPF_ANY) >>> 0;
    } catch (trap) {
      throw this.trapped(operation, trap);
    }
    if (host.u8.length === 0) host.refresh();
    if (address < ERRNO_LIMIT) return this.refused(operation, address, this.obtain, operation, key);
    if (host.u32[count] !== before) host.u8.fill(0, address, address + this.table.valueBytes);
    return address;
  }

  override find(handle: number, key: number): number {
    return this.host.core.lookupAny(handle, key) >>> 0;
  }
}
