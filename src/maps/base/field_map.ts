/**
 * What maps have for values that are structs: `field` and `addFields`.
 *
 * @module
 */
import type { FieldOf, FieldPath } from "../../codec/path.ts";
import type { FieldDeltas } from "../../ops/calls/counter.ts";
import type { Field } from "../../ops/calls/field.ts";

/** A map whose values can be structs. */
export interface FieldMap<K, V> {
  /**
   * One field of the values, for reading, writing and adding without the rest. Make it once and keep it. Of per-CPU maps it is the
   * field in the calling thread's slot.
   *
   * On a shared host a field of up to 8 bytes is read and written in one step, and without copying the rest of the value. A larger one
   * is as a value is.
   *
   * @param path a field of the struct; of a struct in it, as `src.port`
   * @throws TypeError for a name that is no field
   * @example
   * ```ts
   * import { createMap, struct, u32, u53 } from "bpfmap";
   *
   * const flow = struct({ packets: u32, bytes: u53 });
   * const flows = createMap({ type: "rhash", key: u32, value: flow, maxEntries: 1000 });
   * flows.set(7, { packets: 1, bytes: 60 });
   * const bytes = flows.field("bytes");
   * console.log(bytes.get(7), bytes.get(8)); // 60 undefined
   * ```
   */
  field<P extends FieldPath<V>>(path: P): Field<K, FieldOf<V, P>>;

  /**
   * Adds to several integers of a value at once, with one look-up: an absent key starts with a value of zeros. It is `add` for each of
   * them, but all or none: when a u53 would leave its range, nothing is added. On a shared host other threads see all of it or nothing,
   * but for per-CPU maps, whose slots they may read in between.
   *
   * @throws TypeError, RangeError, BpfError as {@link CountingMap.add}
   * @example
   * ```ts
   * import { createMap, struct, u32, u53 } from "bpfmap";
   *
   * const flow = struct({ packets: u32, bytes: u53 });
   * const flows = createMap({ type: "rhash", key: u32, value: flow, maxEntries: 1000 });
   * for (const length of [60, 1500]) flows.addFields(7, { packets: 1, bytes: length });
   * console.log(flows.get(7)); // { packets: 2, bytes: 1560 }
   * ```
   */
  addFields(key: K, deltas: FieldDeltas<V>): void;
}
