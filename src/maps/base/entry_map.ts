/**
 * The calls on many entries: iteration, batches, arrays of keys.
 *
 * @module
 */
import type { Codec } from "../../codec/codec.ts";
import type { CoreHost } from "../../core/core_host.ts";
import type { Table } from "../../core/tables/table.ts";
import type { ReadonlyEntry } from "../../entries/entry.ts";
import { type IteratorOptions, MapIterator } from "../../entries/iterator.ts";
import { type AddMany, addMany } from "../../ops/batch/add_many.ts";
import { Batch } from "../../ops/batch/batch.ts";
import { type BatchOptions, batchSizeOf, checkBatchSize } from "../../ops/batch/batch_size.ts";
import { eachBatch } from "../../ops/batch/batches.ts";
import type { KeyArray, ValueArray } from "../../ops/batch/key_array.ts";
import { Lookups } from "../../ops/batch/lookup_many.ts";
import type { AddOptions } from "../../ops/calls/counter.ts";
import { subjectOf } from "../../ops/failure.ts";
import type { ValueIterator } from "../../ops/iterator_base.ts";
import { entriesOf, forEachOf, keysOf, valuesOf } from "../../ops/iterators/iterators.ts";
import { hide } from "../../print/hidden.ts";
import type { BatchMap } from "./batch_map.ts";
import { InPlaceMap } from "./in_place_map.ts";

/** A map of keys and values with the interface of a JavaScript `Map`. */
export abstract class EntryMap<K, V> extends InPlaceMap<K, V> implements BatchMap<K, V> {
  /** @internal What `addMany` has kept for its next call. */
  declare additions: AddMany<K, V> | undefined;
  #lookups: Lookups<K, V> | undefined;

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
    hide<EntryMap<K, V>>(this, { additions: undefined });
  }

  /**
   * Calls `callback(value, key, map)` for each entry; see {@link entries} for what it may meet.
   */
  forEach(callback: (value: V, key: K, map: this) => void, thisArg?: unknown): void {
    if (typeof callback !== "function")
      throw new TypeError(`forEach: ${subjectOf(this)}: expected a function`);
    forEachOf<K, V, this>(this, callback, thisArg);
  }

  keys(): ValueIterator<K> {
    return keysOf(this);
  }

  values(): ValueIterator<V> {
    return valuesOf(this);
  }

  /**
   * Iterates over the entries, in an order that the hash decides. The map may be changed meanwhile: an entry present from
   * start to end comes exactly once, also when the map is resized; one deleted before it is reached does not come; values are
   * those of the moment they come, also where they were written through an address of {@link lookup}. See docs/guide/maps.md.
   *
   * @example
   * ```ts
   * import { createMap, u32 } from "bpfmap";
   *
   * const map = createMap({ type: "rhash", key: u32, value: u32, maxEntries: 8 });
   * map.set(1, 10).set(2, 20).set(3, 30);
   * for (const [key, value] of map) if (value < 25) map.delete(key);
   * console.log([...map]); // [ [ 3, 30 ] ]
   * ```
   *
   * Where JavaScript's iterators have `map`, `filter`, `take` and the other helpers (Node 22), these have them, too.
   */
  entries(): ValueIterator<[K, V]> {
    return entriesOf(this);
  }

  [Symbol.iterator](): ValueIterator<[K, V]> {
    return this.entries();
  }

  /**
   * Turns the entries into text or bytes and gives them in pieces of at most `bufferSize` bytes, as a BPF iterator does
   * (`bpf_iter`, read by the rules of `seq_file`): `show` writes each entry to `seq`, and a piece ends with the last entry that fits
   * whole. See {@link MapIterator} for how to read them, and docs/guide/iterators.md for the rules.
   *
   * @example
   * ```ts
   * import { createMap, u32 } from "bpfmap";
   *
   * const map = createMap({ type: "array", key: u32, value: u32, maxEntries: 3 });
   * map.set(2, 7);
   * const iterator = map.iterator({
   *   bufferSize: 16,
   *   show(seq, entry) {
   *     if (seq.number === 0) seq.write("map\n");
   *     if (entry) seq.write(`${entry.key}: ${entry.value}\n`);
   *     else seq.write(`${seq.number} in all\n`);
   *   },
   * });
   * const text = new TextDecoder();
   * console.log(JSON.stringify(text.decode(iterator.read()))); // "map\n0: 0\n1: 0\n"
   * console.log(JSON.stringify(text.decode(iterator.read()))); // "2: 7\n3 in all\n"
   * console.log(iterator.read()); // undefined
   * ```
   */
  iterator(options: IteratorOptions<ReadonlyEntry<K, V>>): MapIterator {
    if (this.reading === 0) this.refuse("iterator");
    return new MapIterator(this, options as IteratorOptions<unknown>);
  }

  createBatch(capacity: number): Batch<K, V> {
    if (this.closed) this.refuse("createBatch");
    checkBatchSize(`createBatch: ${subjectOf(this)}: capacity`, capacity);
    return new Batch(this, capacity);
  }

  lookupBatch(batch: Batch<K, V>): boolean {
    if (this.reading === 0) this.refuse("lookupBatch");
    return batch.fill(this, "lookupBatch");
  }

  updateBatch(batch: Batch<K, V>): void {
    if (this.writing === 0) this.refuse("updateBatch");
    batch.write(this);
  }

  batches(options: BatchOptions = {}): Generator<Batch<K, V>, void, undefined> {
    if (this.reading === 0) this.refuse("batches");
    return eachBatch(this, batchSizeOf("batches", this, options));
  }

  lookupMany(keys: KeyArray<K>, values?: ValueArray): number {
    if (this.reading === 0) this.refuse("lookupMany");
    this.#lookups ??= new Lookups(this);
    return this.#lookups.run(keys, values);
  }

  found(index: number): boolean {
    if (this.closed) this.refuse("found");
    this.#lookups ??= new Lookups(this);
    return this.#lookups.found(index);
  }

  /** @internal See {@link CountingMap.addMany}. */
  addMany(keys: KeyArray<K>, deltas?: unknown, options?: AddOptions<unknown>): void {
    addMany(this, keys, deltas, options);
  }
}
