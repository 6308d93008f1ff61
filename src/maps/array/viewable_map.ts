/**
 * What arrays have for those who go around the map: typed arrays on its memory.
 *
 * @module
 */
import type { AnyView, ArrayPiece, ViewType } from "../../ops/array_view.ts";

/** A map whose values are seen through typed arrays, of type `A` unless another is asked for. */
export interface ViewableMap<A extends AnyView> {
  /**
   * The elements as one typed array on the map's memory, as `mmap` gives it in the kernel: no copy, and what is written there is
   * in the map at once. It shows those that the array was created with, which are all until it grows; {@link views} shows all,
   * and {@link isWhole} tells the difference. Element `i` starts at byte `i * stride`, so with 8-byte numbers the view is dense, and otherwise element
   * `i` is at `view[(i * map.stride) / view.BYTES_PER_ELEMENT]`: elements start at multiples of 8 bytes, as in the kernel.
   *
   * The view is of the type of the codec: `Uint32Array` for u32, `Float64Array` for f64, `BigUint64Array` for u64 and u53, and
   * `Uint8Array` for values that are not one number.
   *
   * Growth of host memory, which any insert into a map of the host may cause, detaches every view: it has length 0 then, reads
   * undefined and drops what is written. So call `view()` again after inserting: it gives the same array as long as it is good.
   *
   * Growth of the array leaves the view what it was: its elements do not move, and it goes on showing them.
   *
   * On a shared host memory does not grow, and other threads see each word as it is written.
   *
   * Writes through it are not checked: `freeze` does not stop them, and a `lowWater` hook does not see them.
   *
   * @param Type another typed array to see the same bytes as
   * @example
   * ```ts
   * import { createMap, u32 } from "bpfmap";
   *
   * const map = createMap({ type: "array", key: u32, value: u32, maxEntries: 3 });
   * const view = map.view(Uint32Array);
   * const step = map.stride / view.BYTES_PER_ELEMENT;
   * view[2 * step] = 42;
   * console.log(step, view.length, map.get(2)); // 2 6 42
   * ```
   */
  view(): A;
  view<B extends AnyView>(Type: ViewType<B>): B;

  /**
   * All elements as typed arrays, in order of their indices: one for each run of elements that lie side by side. The first begins
   * with what {@link view} shows; a large array that has grown is in runs of 64 KiB or more, so that a loop over them is as fast as
   * one over a single typed array.
   *
   * It gives the same list until the array or the host's memory grows. Ask again then: a list of before goes on showing the elements
   * that it had, or, when the memory has grown, views of length 0.
   *
   * @param Type another typed array to see the same bytes as
   * @example
   * ```ts
   * import { createMap, f64, u32 } from "bpfmap";
   *
   * const map = createMap({ type: "array", key: u32, value: f64, maxEntries: 1000 });
   * map.grow(100_000);
   * for (const { view } of map.views(Float64Array)) view.fill(0.5);
   * console.log(map.get(99_999)); // 0.5
   * ```
   */
  views(): readonly ArrayPiece<A>[];
  views<B extends AnyView>(Type: ViewType<B>): readonly ArrayPiece<B>[];

  /**
   * Whether a view shows every element of the array. False for one that is stale: the array has grown, in this thread or another,
   * or the host's memory has, which detaches the views of a host that is not shared.
   *
   * @example
   * ```ts
   * import { createMap, f64, u32 } from "bpfmap";
   *
   * const map = createMap({ type: "array", key: u32, value: f64, maxEntries: 2 });
   * const view = map.view(Float64Array);
   * console.log(map.isWhole(view)); // true
   * map.grow(3);
   * console.log(map.isWhole(view), view.length); // false 2
   * ```
   */
  isWhole(view: AnyView): boolean;
}
