/**
 * Hash maps on shared hosts. Reading is what it is on any host, but that the core gives the address of a copy; writing goes through
 * the core, which does it under the lock of the key's bucket.
 *
 * @module
 */
import { BPF_ANY, BPF_F_LOCK } from "../../constants.ts";
import { clearSlotErrno, sharedCore, slotErrno } from "../../core/memory/shared_core.ts";
import { ERRNO_LIMIT } from "../../core/wasm/exports.ts";
import type { Operation } from "../../errors.ts";
import type { AddOptions } from "../../ops/counter.ts";
import { LOW_WATER } from "../../ops/low_water.ts";
import {
  COUNT_OFFSET,
  checkCount,
  counted,
  putEach,
  stageDelta,
  stageKey,
  stageValue,
  valueAt,
} from "../../ops/shared_calls.ts";
import { MapAny } from "./map_any.ts";
import { Map4 } from "./map4.ts";
import { MapNumber4, UNFIT } from "./map4_number.ts";
import { Map8 } from "./map8.ts";
import { Map16 } from "./map16.ts";

/** A class of hash maps as TypeScript is told of it: which of them it is, and what it holds, does not matter. */
export type HashClass = typeof MapAny<unknown, unknown>;

/** The same class of hash maps, for shared hosts. */
export function sharing<B>(Plain: B): B {
  class Shared extends (Plain as HashClass) {
    override set(key: unknown, value: unknown): this {
      if (this.writing === 0) this.refuse("set");
      const valueAddress = stageValue(this, "set", value);
      const keyAddress = stageKey(this, "set", key);
      let errno: number;
      try {
        errno = this.core.update(this.writing, keyAddress, valueAddress, BPF_ANY);
      } catch (trap) {
        throw this.trapped("set", trap);
      }
      if (errno !== 0) return this.refused("set", errno, this.set, key, value);
      return this;
    }

    override add(key: unknown, delta: unknown, options?: AddOptions<unknown>): number | bigint {
      const counter = checkCount(this, delta, options);
      const keyAddress = stageKey(this, "add", key);
      const at = stageDelta(this, delta);
      const { scalar, offset } = counter;
      let errno: number;
      try {
        errno = sharedCore(this).add(this.writing, keyAddress, at, scalar, offset, at + COUNT_OFFSET);
      } catch (trap) {
        throw this.trapped("add", trap);
      }
      if (errno === LOW_WATER) return this.refused("add", errno, this.add, key, delta, options);
      return counted(this, counter, delta, errno);
    }

    override get size(): number {
      if (this.closed) this.refuse("size");
      return sharedCore(this.host).entries(this.table.handle) >>> 0;
    }

    override locate(operation: Operation, key: unknown): number {
      const keyAddress = stageKey(this, operation, key);
      if (keyAddress === 0) return 0;
      const address = sharedCore(this.host).locate(this.table.handle, keyAddress) >>> 0;
      if (address < ERRNO_LIMIT) this.missed(operation, address);
      return address;
    }

    override writeEntries(
      stage: number,
      keys: number,
      count: number,
      values: number,
      condition: number,
    ): number {
      if ((condition & BPF_F_LOCK) === 0) return super.writeEntries(stage, keys, count, values, condition);
      return putEach(this, stage, keys, count, values, condition);
    }

    override lookupKeys(stage: number, keys: number, count: number, values: number, found: number): number {
      clearSlotErrno(this.host);
      const hits = super.lookupKeys(stage, keys, count, values, found);
      if (hits < count) this.checkScan("lookupMany", 0);
      return hits;
    }

    override checkScan(operation: Operation, count: number): void {
      if (count > 0) return;
      const errno = slotErrno(this.host);
      if (errno !== 0) this.fail(operation, errno);
    }

    protected override getLocked(key: unknown): unknown {
      const keyAddress = stageKey(this, "get", key);
      if (keyAddress === 0) return undefined;
      const { copy } = this.host.scratch;
      const found = sharedCore(this.host).fetch(this.reading, keyAddress, copy, BPF_F_LOCK);
      return found === 1 ? valueAt(this, "get", copy) : this.missed("get", found);
    }

    protected override lockValue(key: number): number {
      const address = sharedCore(this.host).lockValue(this.writing, key) >>> 0;
      if (address < ERRNO_LIMIT) this.missed("locked", address);
      else this.host.registry.sections++;
      return address;
    }

    protected override unlockValue(address: number): void {
      sharedCore(this.host).unlockValue(this.table.handle, address);
      this.host.registry.leaveSection();
    }

    protected override decodeLocked(address: number): unknown {
      const { key, copy } = this.host.scratch;
      const found = sharedCore(this.host).fetch(this.writing, key, copy, 0);
      // Deleted meanwhile: in the section its bytes stay where they were.
      return valueAt(this, "locked", found === 1 ? copy : address);
    }
  }
  return Shared as B;
}

const SharedNumber4Base = /* @__PURE__ */ sharing(MapNumber4);

class SharedNumber4<K, V> extends SharedNumber4Base<K, V> {
  override set(key: K, value: V): this {
    if (this.writing === 0) this.refuse("set");
    if (typeof value !== "number") return super.set(key, value);
    const word = this.word("set", key);
    let result: number;
    try {
      result = this.core.setNumber4(this.writing, word, value, this.valueScalar);
    } catch (trap) {
      throw this.trapped("set", trap);
    }
    if (result === 0) return this;
    // The codec says what it would have accepted.
    if (result === UNFIT) return super.set(key, value);
    return this.refused("set", result, this.set, key, value);
  }
}

/** By key size: 4, 8, 16 bytes, any other. */
export const SHARED_MAPS = [
  /* @__PURE__ */ sharing(Map4),
  /* @__PURE__ */ sharing(Map8),
  /* @__PURE__ */ sharing(Map16),
  /* @__PURE__ */ sharing(MapAny),
] as const;
export { SharedNumber4 };
