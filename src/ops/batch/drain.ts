/**
 * Taking everything out of a map.
 *
 * @module
 */
import { noBlock, scanLayout } from "../../core/memory/scratch.ts";
import { drainTable } from "../../core/tables/table_calls.ts";
import { CURSOR_ENDED } from "../../core/wasm/exports.ts";
import { BpfError, bpfError, ERRNO } from "../../errors.ts";
import { subjectOf } from "../failure.ts";
import type { EntryHandle } from "../handle.ts";
import { IteratorBase } from "../iterator_base.ts";
import { Batch } from "./batch.ts";
import { type PutBack, putBack } from "./put_back.ts";

/**
 * {@link HashMap.drain}. Holds a batch in host memory from the first step to the last. On a host that has no memory for it, entries
 * are taken one by one through the stage, and none is held.
 */
export class DrainIterator<K, V> extends IteratorBase {
  #map: EntryHandle<K, V>;
  #size: number;
  #batch: Batch<K, V> | undefined;
  /** Without a batch: the cursor of the core. */
  #cursor: Uint8Array | undefined;
  /** The next entry of the batch to yield. */
  #next = 0;
  /** The map was found empty. */
  #ended = false;
  #done = false;

  constructor(map: EntryHandle<K, V>, size: number) {
    super();
    this.#map = map;
    this.#size = size;
  }

  next(): IteratorResult<[K, V], undefined> {
    const map = this.#map;
    if (this.#done) return { done: true, value: undefined };
    if (map.reading === 0 || map.writing === 0) map.refuse("drain");
    try {
      if (this.#cursor === undefined) this.#batch ??= this.#open();
      const batch = this.#batch;
      if (batch === undefined) {
        const entry = this.#takeOne();
        return entry === undefined ? this.return() : { done: false, value: entry };
      }
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

  /** The batch; undefined when the host has no memory for one. */
  #open(): Batch<K, V> | undefined {
    const map = this.#map;
    let batch: Batch<K, V>;
    try {
      batch = new Batch<K, V>(map, this.#size);
    } catch (error) {
      if (!(error instanceof BpfError && error.errno === ERRNO.ENOMEM)) throw error;
      this.#cursor = new Uint8Array(map.host.layout.cursorBytes + map.table.keySize);
      return undefined;
    }
    batch.count = 0;
    // Closing the map closes this iterator instead, so that the entries go back first.
    map.resources.delete(batch);
    map.resources.add(this);
    return batch;
  }

  /** Takes the next entry by way of the stage, where a map has room for one. Undefined when the map is empty. */
  #takeOne(): [K, V] | undefined {
    const map = this.#map;
    const { host, table } = map;
    const { keySize, valueBytes, storedBytes } = table;
    const cursor = this.#cursor as Uint8Array;
    if (map.frozen) map.fail("drain", ERRNO.EPERM);
    const layout = scanLayout(host, keySize, storedBytes, 1);
    const at = host.scratch.stage(layout.bytes);
    if (at === 0) throw noBlock(host, "drain", subjectOf(map));
    host.u8.set(cursor, at);
    if (host.word(at + 4) === CURSOR_ENDED) return undefined;
    const count = drainTable(host, table, at, at + layout.keys, at + layout.values, 1);
    if (host.u8.length === 0) host.refresh();
    map.checkScan("drain", count);
    cursor.set(host.u8.subarray(at, at + cursor.length));
    if (count === 0) return undefined;
    // A codec may be anybody's code, and use the stage.
    const entry = new Uint8Array(keySize + valueBytes);
    entry.set(host.u8.subarray(at + layout.keys, at + layout.keys + keySize));
    entry.set(host.u8.subarray(at + layout.values, at + layout.values + valueBytes), keySize);
    const view = new DataView(entry.buffer);
    try {
      return [map.decodeKey("drain", view, 0), map.decodeValue("drain", view, keySize)];
    } catch (error) {
      this.#settle(this.#putBackOne(entry));
      throw error;
    }
  }

  #putBackOne(entry: Uint8Array): PutBack {
    const { host, table } = this.#map;
    return putBack(this.#map, "drain", 0, 1, () => {
      const layout = scanLayout(host, table.keySize, table.valueBytes, 1);
      const at = host.scratch.stage(layout.bytes);
      host.u8.set(entry.subarray(0, table.keySize), at + layout.keys);
      host.u8.set(entry.subarray(table.keySize), at + layout.values);
      return [at + layout.keys, at + layout.values];
    });
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

  [Symbol.dispose](): void {
    this.return();
  }

  get [Symbol.toStringTag](): string {
    return "Map Iterator";
  }

  /** Puts back what was not yielded and releases the batch. Calling it again does nothing. */
  close(): void {
    const map = this.#map;
    const batch = this.#batch;
    this.#batch = undefined;
    if (batch === undefined) return;
    map.resources.delete(this);
    const done = batch.putBack(map, this.#next);
    batch.close();
    this.#settle(done);
  }

  /** Throws what kept entries from going back. */
  #settle({ errno, lost, thrown }: PutBack): void {
    if (lost > 0) {
      const cause = `did not take back ${lost} entries of a drain that was left early; they are lost`;
      throw bpfError(errno, "drain", subjectOf(this.#map), cause);
    }
    if (thrown.length > 0) throw thrown[0];
  }
}
