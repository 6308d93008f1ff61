/**
 * Hash maps on shared hosts whose full table evicts, or whose entries expire: what {@link NotedHashMap} is on hosts of one thread.
 *
 * @module
 */
import type { Codec } from "../../../codec/codec.ts";
import { BPF_ANY, BPF_EXIST } from "../../../constants.ts";
import type { CoreHost } from "../../../core/core_host.ts";
import type { ExpiryClock } from "../../../core/memory/expiry_clock.ts";
import { clearSlotErrno, sharedCore } from "../../../core/memory/shared_core.ts";
import type { Table } from "../../../core/tables/table.ts";
import { updateEntry } from "../../../core/tables/table_calls.ts";
import type { Operation } from "../../../errors.ts";
import { TTL_AS_IS, TTL_OF_MAP } from "../../../generated/abi.js";
import type { Additions } from "../../../ops/calls/add_fields.ts";
import type { Counter } from "../../../ops/calls/counter.ts";
import type { Part } from "../../../ops/calls/part.ts";
import { stageKey, stageValue } from "../../../ops/calls/shared.ts";
import { type SetOptions, ttlOf } from "../../../ops/calls/ttl.ts";
import { inGroups } from "../../../ops/eviction_hooks.ts";
import { hide } from "../../../print/hidden.ts";
import { SharedHashMap } from "../shared_hash.ts";

/** Tells the hooks of this thread what it has evicted or swept. Other threads tell theirs. */
export abstract class SharedNotedHashMap<K, V> extends SharedHashMap<K, V> {
  /** @internal What expiry goes by. */
  declare readonly clock: ExpiryClock;
  /** @internal Whether entries expire. Others need not know what time it is. */
  declare readonly timed: boolean;

  /** @internal Use {@link createMap}. */
  constructor(
    host: CoreHost,
    table: Table,
    key: Codec<K>,
    value: Codec<V>,
    readable: boolean,
    writable: boolean,
  ) {
    super(host, table, key, value, readable, writable);
    hide<SharedNotedHashMap<K, V>>(this, {
      clock: host.expiry,
      timed: table.expiry !== undefined,
    });
  }

  override set(key: K, value: V, options?: SetOptions): this {
    if (this.timed) this.clock.renew();
    const ttl = options === undefined ? TTL_OF_MAP : this.ttlOf(options);
    if (this.writing === 0) this.refuse("set");
    const valueAddress = stageValue(this, "set", value);
    const keyAddress = stageKey(this, "set", key);
    let errno: number;
    try {
      errno = this.core.updateNoted(this.writing, keyAddress, valueAddress, BPF_ANY, ttl);
    } catch (trap) {
      throw this.trapped("set", trap);
    }
    if (errno !== 0) return this.refused("set", errno, this.set, key, value, options);
    return this.told();
  }

  override put(key: number, value: number, condition: number): number {
    return updateEntry(this.host, this.table, key, value, condition);
  }

  override write(operation: Operation, key: K, value: V, flags: number): void {
    super.write(operation, key, value, flags);
    this.told();
  }

  override count(operation: Operation, key: K, counter: Counter, delta: unknown): unknown {
    if (this.timed) this.clock.renew();
    const sum = super.count(operation, key, counter, delta);
    this.told();
    return sum;
  }

  override countAll(key: K, additions: Additions): void {
    if (this.timed) this.clock.renew();
    super.countAll(key, additions);
    this.told();
  }

  /** @internal */
  protected override fetchPart(key: K, part: Part): unknown {
    if (this.timed) this.clock.touch();
    return super.fetchPart(key, part);
  }

  override setPart(key: K, part: Part, fits: boolean, x: unknown): boolean {
    if (this.timed) this.clock.renew();
    return super.setPart(key, part, fits, x);
  }

  override locate(operation: Operation, key: K): number {
    if (this.timed) this.clock.touch();
    return super.locate(operation, key);
  }

  override live(key: number): number {
    if (this.timed) this.clock.touch();
    return super.live(key);
  }

  protected override getLocked(key: K): V | undefined {
    if (this.timed) this.clock.touch();
    return super.getLocked(key);
  }

  override lockValue(key: number): number {
    if (this.timed) this.clock.touch();
    return super.lockValue(key);
  }

  /** @internal As it is in every map, but the entry expires when it did. */
  override writeLocked(address: number): void {
    const { expiry, timerOffset, workqueueOffset } = this.table;
    if (expiry === undefined || timerOffset !== undefined || workqueueOffset !== undefined) {
      super.writeLocked(address);
      return;
    }
    const { key, value } = this.host.scratch;
    const errno = this.host.core.updateNoted(this.writing, key, value, BPF_EXIST, TTL_AS_IS);
    if (errno !== 0 && errno !== this.absent) this.fail("locked", errno);
  }

  override lookupKeys(_stage: number, keys: number, count: number, values: number, found: number): number {
    if (this.timed) this.clock.touch();
    clearSlotErrno(this.host);
    const hits = sharedCore(this.host).lookupManyNoted(this.reading, keys, count, values, found, 1);
    if (hits < count) this.checkScan("lookupMany", 0);
    return hits;
  }

  override writeEntries(
    stage: number,
    keys: number,
    count: number,
    values: number,
    condition: number,
  ): number {
    const { keySize, valueBytes, expiry } = this.table;
    if (this.timed) this.clock.renew();
    return inGroups(this, "updateBatch", count, (done, group) => {
      const [keysAt, valuesAt] = [keys + done * keySize, values + done * valueBytes];
      if (expiry === undefined) return super.writeEntries(stage, keysAt, group, valuesAt, condition);
      const { core } = this.host;
      return core.updateManyNoted(this.writing, stage, keysAt, group, valuesAt, condition, TTL_OF_MAP);
    });
  }

  override addDeltas(
    stage: number,
    keys: number,
    count: number,
    deltas: number,
    width: number,
    offset: number,
  ): number {
    if (this.timed) this.clock.renew();
    const { keySize } = this.table;
    const step = width === 8 ? 8 : 4;
    return inGroups(this, "addMany", count, (done, group) =>
      super.addDeltas(stage, keys + done * keySize, group, deltas + done * step, width, offset),
    );
  }

  /** @internal The ttl that options of `set` say, as the core takes it. */
  protected ttlOf(options: object): number {
    const { expiry } = this.table;
    if (expiry === undefined) this.refuseTtl();
    return ttlOf(this, options, this.clock.word, expiry.resolution);
  }
}
