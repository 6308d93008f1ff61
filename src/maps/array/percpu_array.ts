import type { FieldOf, FieldPath } from "../../codec/path.ts";
import type { ReadonlyPercpuEntry } from "../../entries/entry.ts";
import type { IteratorOptions, MapIterator } from "../../entries/iterator.ts";
import type { AnyView, ArrayView } from "../../ops/array_view.ts";
import type { DeltaArray } from "../../ops/batch/add_many.ts";
import type { KeyArray } from "../../ops/batch/key_array.ts";
import type { AddArguments, Count, FieldDeltas } from "../../ops/calls/counter.ts";
import type { Field } from "../../ops/calls/field.ts";
import { LocalSlot } from "../../ops/percpu.ts";
import { ArrayMap } from "./array_map.ts";

/**
 * An array with a value for each CPU of the host under every index (`BPF_MAP_TYPE_PERCPU_ARRAY`). `get` gives an array with one
 * value per CPU (`host.cpus`), `set` takes one; so do iteration and batches. `add` counts in the slot of the calling thread, and
 * {@link local} reads and writes it. In {@link view}, the slots of an element follow each other, each at a multiple of 8 bytes.
 *
 * @example
 * ```ts
 * import { createHost, u32, u64 } from "bpfmap";
 *
 * const host = createHost({ cpus: 2 });
 * const totals = host.createMap({ type: "percpu_array", key: u32, value: u64, maxEntries: 3 });
 * totals.add(1, 5n);
 * totals.set(2, [7n, 8n]);
 * console.log(totals.get(1), totals.local.get(2)); // [ 5n, 0n ] 7n
 * console.log(totals.view(BigUint64Array)); // BigUint64Array(6) [ 0n, 0n, 5n, 0n, 7n, 8n ]
 * ```
 */
export interface PercpuArrayMap<V, A extends AnyView = ArrayView<V>> extends ArrayMap<V[], A> {
  /** The calling thread's slot. */
  readonly local: LocalSlot<number, V>;
  /** As {@link CountingMap.add}, to the calling thread's slot. */
  add(key: number, ...count: AddArguments<V, Count<V, number>>): Count<V, number>;
  add(key: number, ...count: AddArguments<V, Count<V, bigint>>): Count<V, bigint>;
  /** As {@link CountingMap.addMany}, to the calling thread's slots. */
  addMany(
    keys: KeyArray<number>,
    ...counts: AddArguments<V, Count<V, number>, DeltaArray<Count<V, number>>>
  ): void;
  addMany(
    keys: KeyArray<number>,
    ...counts: AddArguments<V, Count<V, bigint>, DeltaArray<Count<V, bigint>>>
  ): void;
  /** As {@link FieldMap.field}, in the calling thread's slot. */
  field<P extends FieldPath<V>>(path: P): Field<number, FieldOf<V, P>>;
  /** As {@link FieldMap.addFields}, in the calling thread's slot. */
  addFields(key: number, deltas: FieldDeltas<V>): void;
  /** As {@link EntryMap.iterator}; `entry.value` is an array of slots, and `entry.local` the calling thread's. */
  iterator(options: IteratorOptions<ReadonlyPercpuEntry<number, V>>): MapIterator;
}

export class PercpuArray<V> extends ArrayMap<V[]> {
  readonly #local = new LocalSlot<number, V>(this);

  get local(): LocalSlot<number, V> {
    return this.#local;
  }
}
