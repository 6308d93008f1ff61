/**
 * Hash maps on shared hosts whose full table evicts: what {@link NotedHashMap} is on hosts of one thread.
 *
 * @module
 */
import type { Operation } from "../../errors.ts";
import type { Additions } from "../../ops/calls/add_fields.ts";
import type { Counter } from "../../ops/calls/counter.ts";
import type { SetOptions } from "../../ops/calls/ttl.ts";
import { inGroups } from "../../ops/eviction_hooks.ts";
import { SharedHashMap } from "./shared_hash.ts";

/** Tells the hooks of this thread what it has evicted. Other threads tell theirs. */
export abstract class SharedNotedHashMap<K, V> extends SharedHashMap<K, V> {
  override set(key: K, value: V, options?: SetOptions): this {
    super.set(key, value, options);
    return this.told();
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

  override writeEntries(
    stage: number,
    keys: number,
    count: number,
    values: number,
    condition: number,
  ): number {
    const { keySize, valueBytes } = this.table;
    return inGroups(this, "updateBatch", count, (done, group) =>
      super.writeEntries(stage, keys + done * keySize, group, values + done * valueBytes, condition),
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
    const { keySize } = this.table;
    const step = width === 8 ? 8 : 4;
    return inGroups(this, "addMany", count, (done, group) =>
      super.addDeltas(stage, keys + done * keySize, group, deltas + done * step, width, offset),
    );
  }
}
