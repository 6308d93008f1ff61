/**
 * Hash maps with a value for each CPU. Their classes are those of the other hash maps, over values that hold all slots.
 *
 * @module
 */

import type { FieldOf, FieldPath } from "../../codec/path.ts";
import type { ReadonlyPercpuEntry } from "../../entries/entry.ts";
import type { IteratorOptions, MapIterator } from "../../entries/iterator.ts";
import type { DeltaArray } from "../../ops/batch/add_many.ts";
import type { KeyArray } from "../../ops/batch/key_array.ts";
import type { AddArguments, Count, FieldDeltas } from "../../ops/calls/counter.ts";
import type { Field } from "../../ops/calls/field.ts";
import type { LocalSlot } from "../../ops/percpu.ts";
import type { HashMap } from "./hash_map.ts";

/**
 * A hash map with a value for each CPU of the host under every key (`BPF_MAP_TYPE_PERCPU_HASH`), so that threads count without
 * sharing. `get` gives an array with one value per CPU (`host.cpus`), `set` takes one; so do iteration, batches and drains.
 * `add` counts in the slot of the calling thread, and {@link local} reads and writes it.
 *
 * @example
 * ```ts
 * import { createHost, u32, u53 } from "bpfmap";
 *
 * const host = createHost({ cpus: 4 });
 * const hits = host.createMap({ type: "percpu_hash", key: u32, value: u53, maxEntries: 100 });
 * hits.add(80, 1);
 * hits.set(443, [1, 2, 3, 4]);
 * const total = hits.get(443)?.reduce((sum, count) => sum + count);
 * console.log(hits.get(80), total); // [ 1, 0, 0, 0 ] 10
 * ```
 */
export interface PercpuHashMap<K, V> extends HashMap<K, V[]> {
  /** The calling thread's slot. */
  readonly local: LocalSlot<K, V>;
  /** As {@link CountingMap.add}, to the calling thread's slot. */
  add(key: K, ...count: AddArguments<V, Count<V, number>>): Count<V, number>;
  add(key: K, ...count: AddArguments<V, Count<V, bigint>>): Count<V, bigint>;
  /** As {@link CountingMap.addMany}, to the calling thread's slots. */
  addMany(
    keys: KeyArray<K>,
    ...counts: AddArguments<V, Count<V, number>, DeltaArray<Count<V, number>>>
  ): void;
  addMany(
    keys: KeyArray<K>,
    ...counts: AddArguments<V, Count<V, bigint>, DeltaArray<Count<V, bigint>>>
  ): void;
  /** As {@link FieldMap.field}, in the calling thread's slot. */
  field<P extends FieldPath<V>>(path: P): Field<K, FieldOf<V, P>>;
  /** As {@link FieldMap.addFields}, in the calling thread's slot. */
  addFields(key: K, deltas: FieldDeltas<V>): void;
  /** As {@link EntryMap.iterator}; `entry.value` is an array of slots, and `entry.local` the calling thread's. */
  iterator(options: IteratorOptions<ReadonlyPercpuEntry<K, V>>): MapIterator;
}
