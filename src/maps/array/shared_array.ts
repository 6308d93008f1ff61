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
import type { Additions } from "../../ops/calls/add_fields.ts";
import { type Counter, checkDelta } from "../../ops/calls/counter.ts";
import type { Part } from "../../ops/calls/part.ts";
import {
  COUNT_OFFSET,
  checkAdded,
  counted,
  isOneAccess,
  partAt,
  putEach,
  stageAdditions,
  stageDelta,
  stagePart,
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

  override count(operation: Operation, index: number, counter: Counter, delta: unknown): unknown {
    checkDelta(this, operation, counter, delta);
    this.checkIndex(operation, index);
    this.host.scratch.turn++;
    const at = stageDelta(this, delta);
    const { scalar, offset } = counter;
    let errno: number;
    try {
      errno = sharedCore(this).arrayAdd(this.writing, index, at, scalar, offset, at + COUNT_OFFSET);
    } catch (trap) {
      throw this.trapped(operation, trap);
    }
    if (errno === LOW_WATER) {
      return this.refused(operation, errno, this.count, operation, index, counter, delta);
    }
    return counted(this, operation, counter, delta, errno);
  }

  override countAll(index: number, additions: Additions): void {
    this.checkIndex("addFields", index);
    const list = stageAdditions(this, additions);
    let errno: number;
    try {
      errno = sharedCore(this).arrayAddParts(this.writing, index, list, additions.count);
    } catch (trap) {
      throw this.trapped("addFields", trap);
    }
    if (errno === LOW_WATER) this.refused("addFields", errno, this.countAll, index, additions);
    else checkAdded(this, additions, list, errno);
  }

  override getPart(index: number, part: Part): unknown {
    if (isOneAccess(part.scalar)) return super.getPart(index, part);
    if (this.reading === 0) this.refuse("field.get");
    this.checkIndex("field.get", index);
    if (!isU32(index)) return undefined;
    const { copy } = this.host.scratch;
    let found: number;
    try {
      found = sharedCore(this).arrayGetPart(this.reading, index, part.offset, part.codec.size, copy);
    } catch (trap) {
      throw this.trapped("field.get", trap);
    }
    return partAt(this, part, found);
  }

  override setPart(index: number, part: Part, fits: boolean, x: unknown): boolean {
    const source = stagePart(this, part, fits, x);
    this.checkIndex("field.set", index);
    if (!isU32(index)) return false;
    let errno: number;
    try {
      errno = sharedCore(this).arraySetPart(this.writing, index, part.offset, part.codec.size, source);
    } catch (trap) {
      throw this.trapped("field.set", trap);
    }
    if (errno === ERRNO.E2BIG) return false;
    if (errno !== 0) return this.refused("field.set", errno, this.setPart, index, part, fits, x);
    return true;
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

  protected override putPart(key: number, offset: number, bytes: number, source: number): number {
    return sharedCore(this.host).arraySetPart(this.writing, this.host.u32[key >>> 2], offset, bytes, source);
  }

  override live(key: number): number {
    return this.host.core.arrayElement(this.table.handle, this.host.u32[key >>> 2]) >>> 0;
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
