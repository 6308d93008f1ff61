/**
 * Taking everything out of a map.
 *
 * @module
 */
import { bpfError, ERRNO } from "../errors.ts";
import { Batch } from "./batch.ts";
import type { EntryMap } from "./entry_map.ts";
import { subjectOf } from "./failure.ts";

/** {@link HashMap.drain}. Holds a batch in host memory from the first step to the last. */
export class DrainIterator<K, V> implements IterableIterator<[K, V]> {
  #map: EntryMap<K, V>;
  #size: number;
  #batch: Batch<K, V> | undefined;
  /** The next entry of the batch to yield. */
  #next = 0;
  /** The map was found empty. */
  #ended = false;
  #done = false;

  constructor(map: EntryMap<K, V>, size: number) {
    this.#map = map;
    this.#size = size;
  }

  next(): IteratorResult<[K, V], undefined> {
    const map = this.#map;
    if (this.#done) return { done: true, value: undefined };
    if (map.reading === 0 || map.writing === 0) map.refuse("drain");
    try {
      this.#batch ??= this.#open();
      const batch = this.#batch;
      if (this.#next === batch.count && !this.#ended) this.#fetch(batch);
      if (this.#next === batch.count) return this.return();
      const value: [K, V] = [batch.key(this.#next), batch.value(this.#next)];
      this.#next++;
      return { done: false, value };
    } catch (error) {
      // A loop does not call return() then. An entry whose bytes mean nothing to its codec goes back with the rest.
      this.return();
      throw error;
    }
  }

  return(): IteratorResult<[K, V], undefined> {
    this.#done = true;
    this.close();
    return { done: true, value: undefined };
  }

  #open(): Batch<K, V> {
    const map = this.#map;
    const batch = new Batch<K, V>(map, this.#size);
    batch.count = 0;
    // Closing the map closes this iterator instead, so that the entries go back first.
    map.resources.delete(batch);
    map.resources.add(this);
    return batch;
  }

  #fetch(batch: Batch<K, V>): void {
    const map = this.#map;
    if (map.frozen) map.fail("drain", ERRNO.EPERM);
    this.#next = 0;
    batch.count = 0;
    this.#ended = !batch.drain(map);
  }

  [Symbol.iterator](): this {
    return this;
  }

  /** Puts back what was not yielded and releases the batch. Calling it again does nothing. */
  close(): void {
    const map = this.#map;
    const batch = this.#batch;
    this.#batch = undefined;
    if (batch === undefined) return;
    map.resources.delete(this);
    const { errno, lost, thrown } = batch.putBack(map, this.#next);
    batch.close();
    if (lost > 0) {
      const cause = `did not take back ${lost} entries of a drain that was left early; they are lost`;
      throw bpfError(errno, "drain", subjectOf(map), cause);
    }
    if (thrown.length > 0) throw thrown[0];
  }
}
