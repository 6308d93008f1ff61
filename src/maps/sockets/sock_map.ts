import type { Operation } from "../../errors.ts";
import { EntryIterator } from "../../ops/entry_iterator.ts";
import type { ValueIterator } from "../../ops/iterator_base.ts";
import { SocketMap } from "./socket_map.ts";

/**
 * A map of live objects by index (`BPF_MAP_TYPE_SOCKMAP`). Indices are those of an array, 0..maxEntries - 1; there is nothing under
 * those that were not set.
 *
 * @example
 * ```ts
 * import { createMap } from "bpfmap";
 *
 * const backends = createMap({ type: "sockmap", maxEntries: 4 });
 * backends.set(2, { host: "b" }).set(0, { host: "a" });
 * console.log([...backends.keys()], backends.get(1), backends.size); // [ 0, 2 ] undefined 2
 * ```
 */
export class SockMap<V> extends SocketMap<number, V> {
  /** The index after `index`, or 0 without one and for one beyond the map, whether anything is there or not; undefined after the last. */
  override nextKey(index?: number): number | undefined {
    if (this.reading === 0) this.refuse("nextKey");
    if (index === undefined) return 0;
    const { maxEntries } = this.table;
    if (this.encodeKey("nextKey", index) === 0 || index >= maxEntries) return 0;
    return index + 1 === maxEntries ? undefined : index + 1;
  }

  /** By ascending index. The indices are those that there are at the start. */
  protected override each(operation: Operation): ValueIterator<[number, V]> {
    const indices = Uint32Array.from(new EntryIterator<number, V, number>(this, "keys", operation)).sort();
    return this.#objectsAt(indices);
  }

  *#objectsAt(indices: Uint32Array): Generator<[number, V], undefined> {
    for (const index of indices) {
      const object = this.get(index);
      if (object !== undefined) yield [index, object];
    }
  }

  protected override isBeyond(key: number): boolean {
    return this.host.word(key) >= this.table.maxEntries;
  }
}
