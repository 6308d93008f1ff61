/**
 * Hash maps on shared hosts. Reading is what it is on any host, but that the core gives the address of a copy; writing goes through
 * the core, which does it under the lock of the key's bucket.
 *
 * @module
 */
import { BPF_ANY, BPF_EXIST, BPF_F_LOCK } from "../../constants.ts";
import { clearSlotErrno, sharedCore, slotErrno } from "../../core/memory/shared_core.ts";
import { ERRNO_LIMIT } from "../../core/wasm/exports.ts";
import { ERRNO, type Operation } from "../../errors.ts";
import type { Additions } from "../../ops/calls/add_fields.ts";
import { type Counter, checkDelta } from "../../ops/calls/counter.ts";
import type { Part } from "../../ops/calls/part.ts";
import {
  COUNT_OFFSET,
  checkAdded,
  counted,
  partAt,
  putEach,
  stageAdditions,
  stageDelta,
  stageKey,
  stagePart,
  stageValue,
  valueAt,
} from "../../ops/calls/shared.ts";
import type { SetOptions } from "../../ops/calls/ttl.ts";
import { LOW_WATER } from "../../ops/low_water.ts";
import type { LocalSlot } from "../../ops/percpu.ts";
import { HashMap } from "./hash_map.ts";
import { SharedLocalSlot } from "./shared_local_slot.ts";

/** What all classes of hash maps on shared hosts have in common; those by kind of key are written from one template. */
export abstract class SharedHashMap<K, V> extends HashMap<K, V> {
  override set(key: K, value: V, options?: SetOptions): this {
    if (options !== undefined) this.refuseTtl();
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

  override count(operation: Operation, key: K, counter: Counter, delta: unknown): unknown {
    checkDelta(this, operation, counter, delta);
    const keyAddress = stageKey(this, operation, key);
    const at = stageDelta(this, delta);
    const { scalar, offset } = counter;
    const { local } = this;
    const core = sharedCore(this);
    const sum = at + COUNT_OFFSET;
    let errno: number;
    try {
      if (local === undefined) errno = core.add(this.writing, keyAddress, at, scalar, offset, sum);
      else errno = core.localAdd(this.writing, keyAddress, at, scalar, local.offset + offset, sum);
    } catch (trap) {
      throw this.trapped(operation, trap);
    }
    if (errno === LOW_WATER) {
      return this.refused(operation, errno, this.count, operation, key, counter, delta);
    }
    return counted(this, operation, counter, delta, errno);
  }

  override countAll(key: K, additions: Additions): void {
    const keyAddress = stageKey(this, "addFields", key);
    const list = stageAdditions(this, additions);
    let errno: number;
    try {
      errno = this.addList(keyAddress, list, additions.count);
    } catch (trap) {
      throw this.trapped("addFields", trap);
    }
    if (errno === LOW_WATER) this.refused("addFields", errno, this.countAll, key, additions);
    else checkAdded(this, additions, list, errno);
  }

  private addList(key: number, list: number, count: number): number {
    const core = sharedCore(this);
    if (this.local === undefined) return core.addParts(this.writing, key, list, count);
    return core.localAddParts(this.writing, key, this.local.offset, list, count);
  }

  /** @internal A part that is no number. */
  protected override fetchPart(key: K, part: Part): unknown {
    const keyAddress = stageKey(this, "field.get", key);
    if (keyAddress === 0) return undefined;
    const { copy } = this.host.scratch;
    let found: number;
    try {
      found = sharedCore(this).localRead(this.reading, keyAddress, part.offset, part.codec.size, copy);
    } catch (trap) {
      throw this.trapped("field.get", trap);
    }
    return partAt(this, part, found);
  }

  override setPart(key: K, part: Part, fits: boolean, x: unknown): boolean {
    const source = stagePart(this, part, fits, x);
    const keyAddress = stageKey(this, "field.set", key);
    if (keyAddress === 0) return false;
    let errno: number;
    try {
      errno = this.writePart(keyAddress, part, source);
    } catch (trap) {
      throw this.trapped("field.set", trap);
    }
    if (errno !== 0 && errno !== ERRNO.ENOENT) this.fail("field.set", errno);
    return errno === 0;
  }

  private writePart(key: number, part: Part, source: number): number {
    const core = sharedCore(this);
    const { offset, codec } = part;
    if (this.local === undefined) return core.setPart(this.writing, key, offset, codec.size, source);
    return core.localWrite(this.writing, key, offset, codec.size, source, BPF_EXIST);
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

  protected override putPart(key: number, offset: number, bytes: number, source: number): number {
    return sharedCore(this).setPart(this.writing, key, offset, bytes, source);
  }

  override live(key: number): number {
    return sharedCore(this.host).locate(this.table.handle, key) >>> 0;
  }

  protected override localSlot(): LocalSlot<K, unknown> {
    return new SharedLocalSlot<K, unknown>(this as never);
  }

  /** Nobody asks: the core adds to values, and writes slots of per-CPU values, itself. */
  override obtain(operation: Operation): never {
    this.fail(operation, ERRNO.EOPNOTSUPP);
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

  override addDeltas(
    stage: number,
    keys: number,
    count: number,
    deltas: number,
    width: number,
    offset: number,
  ): number {
    const slot = this.local?.offset ?? 0;
    return super.addDeltas(stage, keys, count, deltas, width, slot + offset);
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
