/**
 * What hash maps have whose full table evicts, or whose entries expire.
 *
 * @module
 */

import type { Codec } from "../../../codec/codec.ts";
import { BPF_EXIST } from "../../../constants.ts";
import type { CoreHost } from "../../../core/core_host.ts";
import type { ExpiryClock } from "../../../core/memory/expiry_clock.ts";
import type { Table } from "../../../core/tables/table.ts";
import { updateEntry } from "../../../core/tables/table_calls.ts";
import type { Operation } from "../../../errors.ts";
import { TTL_AS_IS, TTL_OF_MAP } from "../../../generated/abi.js";
import type { Additions } from "../../../ops/calls/add_fields.ts";
import type { Counter } from "../../../ops/calls/counter.ts";
import { ttlOf } from "../../../ops/calls/ttl.ts";
import { inGroups } from "../../../ops/eviction_hooks.ts";
import { hide } from "../../../print/hidden.ts";
import { HashMap } from "../hash_map.ts";

/** Maps that evict or whose entries expire, on a host of one thread. Its subclasses are one for each kind of key, as those of {@link HashMap}. */
export abstract class NotedHashMap<K, V> extends HashMap<K, V> {
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
    hide<NotedHashMap<K, V>>(this, { clock: host.expiry, timed: table.expiry !== undefined });
  }

  override put(key: number, value: number, condition: number): number {
    return updateEntry(this.host, this.table, key, value, condition);
  }

  override write(operation: Operation, key: K, value: V, flags: number): void {
    super.write(operation, key, value, flags);
    this.told();
  }

  override count(operation: Operation, key: K, counter: Counter, delta: unknown): unknown {
    const sum = super.count(operation, key, counter, delta);
    this.told();
    return sum;
  }

  override countAll(key: K, additions: Additions): void {
    super.countAll(key, additions);
    this.told();
  }

  /** @internal As it is in every map, but the entry expires when it did. */
  override writeLocked(_address: number): void {
    const { key, value } = this.host.scratch;
    const errno = this.host.core.updateNoted(this.writing, key, value, BPF_EXIST, TTL_AS_IS);
    if (errno !== 0 && errno !== this.absent) this.fail("locked", errno);
  }

  override lookupKeys(_stage: number, keys: number, count: number, values: number, found: number): number {
    if (this.timed) this.clock.touch();
    return this.host.core.lookupManyNoted(this.reading, keys, count, values, found, 1);
  }

  override writeEntries(
    stage: number,
    keys: number,
    count: number,
    values: number,
    condition: number,
  ): number {
    if (this.timed) this.clock.renew();
    const { keySize, valueBytes } = this.table;
    return inGroups(this, "updateBatch", count, (done, group) =>
      this.host.core.updateManyNoted(
        this.writing,
        stage,
        keys + done * keySize,
        group,
        values + done * valueBytes,
        condition,
        TTL_OF_MAP,
      ),
    );
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
      this.host.core.addManyNoted(
        this.writing,
        stage,
        keys + done * keySize,
        group,
        deltas + done * step,
        width,
        offset,
      ),
    );
  }

  /** @internal The ttl that options of `set` say, as the core takes it. */
  protected ttlOf(options: object): number {
    const { expiry } = this.table;
    if (expiry === undefined) this.refuseTtl();
    return ttlOf(this, options, this.clock.word, expiry.resolution);
  }
}
