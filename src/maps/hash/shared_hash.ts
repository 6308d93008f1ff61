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
import type { AddArguments, AddOptions, Count } from "../../ops/calls/counter.ts";
import {
  COUNT_OFFSET,
  checkCount,
  counted,
  putEach,
  stageDelta,
  stageKey,
  stageValue,
  valueAt,
} from "../../ops/calls/shared.ts";
import { LOW_WATER } from "../../ops/low_water.ts";
import { HashMap } from "./hash_map.ts";

/** What all classes of hash maps on shared hosts have in common; those by kind of key are written from one template. */
export abstract class SharedHashMap<K, V> extends HashMap<K, V> {
  override set(key: K, value: V): this {
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

  override add(key: K, ...count: AddArguments<V, Count<V, number>>): Count<V, number>;
  override add(key: K, ...count: AddArguments<V, Count<V, bigint>>): Count<V, bigint>;
  override add(key: K, delta?: unknown, options?: AddOptions<unknown>): unknown {
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
    if (errno === LOW_WATER) {
      const again = this.add as (key: K, delta?: unknown, options?: AddOptions<unknown>) => unknown;
      return this.refused("add", errno, again, key, delta, options);
    }
    return counted(this, counter, delta, errno);
  }

  override get size(): number {
    if (this.closed) this.refuse("size");
    return sharedCore(this.host).entries(this.table.handle) >>> 0;
  }

  override locate(operation: Operation, key: K): number {
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

  protected override getLocked(key: K): V | undefined {
    const keyAddress = stageKey(this, "get", key);
    if (keyAddress === 0) return undefined;
    const { copy } = this.host.scratch;
    const found = sharedCore(this.host).fetch(this.reading, keyAddress, copy, BPF_F_LOCK);
    return found === 1 ? valueAt(this, "get", copy) : this.missed("get", found);
  }

  override lockValue(key: number): number {
    const address = sharedCore(this.host).lockValue(this.writing, key) >>> 0;
    if (address < ERRNO_LIMIT) this.missed("locked", address);
    else this.host.registry.sections++;
    return address;
  }

  override unlockValue(address: number): void {
    sharedCore(this.host).unlockValue(this.table.handle, address);
    this.host.registry.leaveSection();
  }

  override decodeLocked(address: number): V {
    const { key, copy } = this.host.scratch;
    const found = sharedCore(this.host).fetch(this.writing, key, copy, 0);
    // Deleted meanwhile: in the section its bytes stay where they were.
    return valueAt(this, "locked", found === 1 ? copy : address);
  }
}
