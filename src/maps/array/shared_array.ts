/**
 * Arrays on shared hosts. Elements never move, so that numbers are read where they are; what takes more than one access of the
 * machine, and all writing, goes through the core.
 *
 * @module
 */
import { BPF_F_LOCK, BPF_NOEXIST } from "../../constants.ts";
import { isU32 } from "../../core/memory/scalar.ts";
import { clearSlotErrno, sharedCore, slotErrno } from "../../core/memory/shared_core.ts";
import { CURSOR_ENDED, ERRNO_LIMIT } from "../../core/wasm/exports.ts";
import { ERRNO, type Operation } from "../../errors.ts";
import type { AnyView, ArrayView } from "../../ops/array_view.ts";
import type { AddArguments, AddOptions, Count } from "../../ops/calls/counter.ts";
import {
  COUNT_OFFSET,
  checkCount,
  counted,
  isOneAccess,
  putEach,
  stageDelta,
  stageValue,
  valueAt,
} from "../../ops/calls/shared.ts";
import { LOW_WATER } from "../../ops/low_water.ts";
import { ArrayMap } from "./array_map.ts";

/** {@link ArrayMap} on a shared host. */
export class SharedArrayMap<V, A extends AnyView = ArrayView<V>> extends ArrayMap<V, A> {
  /** The last scan ended before its end, since a lock could not be had. */
  #gaveUp = false;

  override get(index: number, flags?: number): V | undefined {
    if (this.reading === 0) this.refuse("get");
    if (flags !== undefined) return this.getWith(index, flags);
    if (isOneAccess(this.valueScalar)) return super.get(index);
    return this.#fetch(index, 0);
  }

  protected override getLocked(index: number): V | undefined {
    return this.#fetch(index, BPF_F_LOCK);
  }

  #fetch(index: number, flags: number): V | undefined {
    this.checkIndex("get", index);
    if (!isU32(index)) return undefined;
    const { copy } = this.host.scratch;
    let found: number;
    try {
      found = sharedCore(this).arrayGet(this.reading, index, copy, flags);
    } catch (trap) {
      throw this.trapped("get", trap);
    }
    return found === 1 ? valueAt(this, "get", copy) : this.missed("get", found);
  }

  override set(index: number, value: V): this {
    if (this.writing === 0) this.refuse("set");
    const source = stageValue(this, "set", value);
    this.checkIndex("set", index);
    let errno: number;
    try {
      errno = sharedCore(this).arraySet(this.writing, index, source, 0);
    } catch (trap) {
      throw this.trapped("set", trap);
    }
    if (errno !== 0) return this.refused("set", errno, this.set, index, value);
    return this;
  }

  override add(index: number, ...count: AddArguments<V, Count<V, number>>): Count<V, number>;
  override add(index: number, ...count: AddArguments<V, Count<V, bigint>>): Count<V, bigint>;
  override add(index: number, delta?: unknown, options?: AddOptions<unknown>): unknown {
    const counter = checkCount(this, delta, options);
    this.checkIndex("add", index);
    this.host.scratch.turn++;
    const at = stageDelta(this, delta);
    const { scalar, offset } = counter;
    let errno: number;
    try {
      errno = sharedCore(this).arrayAdd(this.writing, index, at, scalar, offset, at + COUNT_OFFSET);
    } catch (trap) {
      throw this.trapped("add", trap);
    }
    if (errno === LOW_WATER) {
      const again = this.add as (index: number, delta?: unknown, options?: AddOptions<unknown>) => unknown;
      return this.refused("add", errno, again, index, delta, options);
    }
    return counted(this, counter, delta, errno);
  }

  override find(handle: number, key: number): number {
    const { copy } = this.host.scratch;
    const found = sharedCore(this.host).arrayGet(handle, this.host.u32[key >>> 2], copy, 0);
    return found === 1 ? copy : found;
  }

  override put(key: number, value: number, condition: number): number {
    if (this.frozen) return ERRNO.EPERM;
    const index = this.host.u32[key >>> 2];
    const flags = condition & BPF_F_LOCK;
    if ((condition & ~BPF_F_LOCK) === BPF_NOEXIST) {
      return index < this.table.maxEntries ? ERRNO.EEXIST : ERRNO.E2BIG;
    }
    return sharedCore(this.host).arraySet(this.writing, index, value, flags);
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
    const errno = hits < count ? slotErrno(this.host) : 0;
    if (errno !== 0) this.fail("lookupMany", errno);
    return hits;
  }

  override scan(cursor: number, keys: number, values: number, room: number): number {
    const { core, u32 } = this.host;
    const first = cursor >>> 2;
    const count = core.arrayScan(this.reading, u32[first], keys, values, room);
    u32[first] += count;
    const atEnd = u32[first] >= this.table.maxEntries;
    if (count < room && atEnd) u32[first + 1] = CURSOR_ENDED;
    this.#gaveUp = count < room && !atEnd;
    return count;
  }

  override checkScan(operation: Operation, count: number): void {
    if (count === 0 && this.#gaveUp) this.fail(operation, slotErrno(this.host));
  }

  override lockValue(key: number): number {
    const index = this.host.u32[key >>> 2];
    if (index < this.table.maxEntries) this.announce(index, key);
    const address = sharedCore(this.host).arrayLockValue(this.writing, index) >>> 0;
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
    const found = sharedCore(this.host).arrayGet(this.writing, this.host.u32[key >>> 2], copy, 0);
    return valueAt(this, "locked", found === 1 ? copy : address);
  }
}
