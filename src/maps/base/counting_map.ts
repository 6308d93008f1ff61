/**
 * What maps have for counting: `add` and `addMany`.
 *
 * @module
 */
import type { DeltaArray } from "../../ops/batch/add_many.ts";
import type { KeyArray } from "../../ops/batch/key_array.ts";
import type { AddArguments, Count } from "../../ops/calls/counter.ts";

/** A map whose values can be counters. */
export interface CountingMap<K, V> {
  /**
   * Adds to the integer that is a key's value, or to a `field` of a struct; an absent key starts with a value of zeros. Of
   * per-CPU maps it is the value of the calling thread's CPU. At overflow it wraps without an error, as the kernel's atomic add
   * does: modulo 2^8, 2^16, 2^32 or 2^64 by the width of the integer, to the other end of the range of a signed one. A u53 does
   * not wrap: the sum is a RangeError, and the map stays as it was.
   *
   * @param delta an integer, also a negative one; a bigint for u64 and i64
   * @returns the new count
   * @throws TypeError, RangeError for a delta of the wrong type or range, values that are no integers, and a u53 that would
   *   leave 0..2^53 - 1; BpfError as {@link set}.
   * @example
   * ```ts
   * import { createMap, struct, u32, u53 } from "bpfmap";
   *
   * const hits = createMap({ type: "rhash", key: u32, value: u53, maxEntries: 1000 });
   * console.log(hits.add(80, 1), hits.add(80, 2), hits.add(80, -1)); // 1 3 2
   *
   * const flow = struct({ packets: u32, bytes: u53 });
   * const flows = createMap({ type: "rhash", key: u32, value: flow, maxEntries: 1000 });
   * flows.add(7, 1500, { field: "bytes" });
   * console.log(flows.get(7)); // { packets: 0, bytes: 1500 }
   * ```
   */
  add(key: K, ...count: AddArguments<V, Count<V, number>>): Count<V, number>;
  add(key: K, ...count: AddArguments<V, Count<V, bigint>>): Count<V, bigint>;

  /**
   * {@link add} for many keys at once, several times as fast as one by one. Nothing comes back, so sums are not checked: a u53
   * wraps modulo 2^64 here, and beyond 2^53 - 1 reading it is a RangeError.
   *
   * @param keys as for {@link lookupMany}; a key may stand there more than once
   * @param deltas one for each key, in an array or a typed array: numbers, or bigints for u64 and i64
   * @throws TypeError, RangeError before anything is written; BpfError E2BIG, ENOMEM, EPERM with `count`: the first `count`
   *   deltas are added.
   * @example
   * ```ts
   * import { createMap, u32, u53 } from "bpfmap";
   *
   * const hits = createMap({ type: "rhash", key: u32, value: u53, maxEntries: 1000 });
   * hits.addMany(Uint32Array.of(80, 443, 80), [1, 1, 1]);
   * console.log(hits.get(80), hits.get(443)); // 2 1
   * ```
   */
  addMany(
    keys: KeyArray<K>,
    ...counts: AddArguments<V, Count<V, number>, DeltaArray<Count<V, number>>>
  ): void;
  addMany(
    keys: KeyArray<K>,
    ...counts: AddArguments<V, Count<V, bigint>, DeltaArray<Count<V, bigint>>>
  ): void;
}
