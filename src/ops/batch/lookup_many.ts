/**
 * Multi-get.
 *
 * @module
 */

import { describe } from "../../arguments/mismatch.ts";
import { noBlock, roundUp64 } from "../../core/memory/scratch.ts";
import { clearTimers } from "../../core/tables/special_fields.ts";
import { READ_AHEAD } from "../../generated/abi.js";
import { subjectOf } from "../failure.ts";
import type { EntryHandle } from "../handle.ts";
import { FlatArgument, groupSize, KeyArgument, type KeyArray, type ValueArray } from "./key_array.ts";
import { Parts } from "./parts.ts";

/** Values and what was found, of whole groups and of the last one. */
const MOST_PARTS = 4;

/** The multi-get of one map, with the result of its last call. */
export class Lookups<K, V> {
  #map: EntryHandle<K, V>;
  #keys: KeyArgument<K>;
  #values: FlatArgument;
  /** Of host memory. */
  #parts = new Parts<Uint8Array>(MOST_PARTS);
  /** One byte per key, written unless all were found. */
  #found = new Uint8Array(0);
  #all = false;
  #count = 0;

  constructor(map: EntryHandle<K, V>) {
    this.#map = map;
    this.#keys = new KeyArgument(map, "lookupMany");
    this.#values = new FlatArgument(map, "lookupMany", "values");
  }

  found(index: number): boolean {
    if (!Number.isInteger(index) || index < 0 || index >= this.#count) {
      const range = `the last lookupMany had ${this.#count} keys`;
      throw new RangeError(`found: ${subjectOf(this.#map)}: ${range}, got index ${describe(index)}`);
    }
    return this.#all || this.#found[index] === 1;
  }

  run(keys: KeyArray<K>, values: ValueArray | undefined): number {
    const { pins } = this.#map.host;
    // A getter of a key may close what the values go to.
    pins.calls++;
    try {
      return this.#run(keys, values);
    } finally {
      this.#keys.close();
      pins.letGo();
    }
  }

  #run(keys: KeyArray<K>, values: ValueArray | undefined): number {
    const map = this.#map;
    const { keySize, valueBytes } = map.table;
    this.#keys.open(keys);
    const { count } = this.#keys;
    if (values !== undefined) {
      this.#values.open(values, map.valueScalar);
      if (this.#values.length < count * valueBytes) {
        const needed = `${count * valueBytes} bytes for ${count} keys`;
        const problem = `expected ${needed}, got ${this.#values.length}`;
        throw new RangeError(`lookupMany: ${subjectOf(map)}: values: ${problem}`);
      }
    }
    this.#count = 0;
    this.#all = false;
    if (this.#found.length < count) this.#found = new Uint8Array(count);
    const room = groupSize(count, keySize + valueBytes);
    if (values !== undefined && room < count) this.#keys.keepFrom(this.#values);
    let hits = 0;
    for (let start = 0; start < count; start += room) {
      hits += this.#group(start, Math.min(room, count - start), room, values !== undefined);
    }
    if (this.#keys.absent.length > 0) hits -= this.#leaveOut(values !== undefined);
    this.#all = hits === count;
    this.#count = count;
    return hits;
  }

  /** Looks up `n` keys from number `start` on; how many were found. */
  #group(start: number, n: number, room: number, wanted: boolean): number {
    const map = this.#map;
    const { host, table } = map;
    const { keySize, valueBytes } = table;
    const keysOffset = roundUp64(host.layout.stageBytes);
    const valuesOffset = keysOffset + roundUp64(room * keySize + READ_AHEAD);
    const foundOffset = valuesOffset + roundUp64(room * valueBytes + READ_AHEAD);
    const stage = host.scratch.stage(foundOffset + room);
    if (stage === 0) throw noBlock(host, "lookupMany", subjectOf(map));
    const keysAt = stage + keysOffset;
    this.#keys.copy(start, n, keysAt);
    const target = this.#values;
    const direct = wanted && target.address >= 0;
    const valuesAt = direct ? target.address + start * valueBytes : stage + valuesOffset;
    const foundAt = stage + foundOffset;
    const hits = map.lookupKeys(stage, keysAt, n, valuesAt, foundAt);
    if (wanted) clearTimers(host.u8, table, valuesAt, n);
    if (wanted && !direct) {
      target.bytes.set(this.#parts.of(host.u8, valuesAt, valuesAt + n * valueBytes), start * valueBytes);
    }
    // Where one group is all, and nothing is missing, the count says it.
    if (hits < n || n < this.#keys.count || this.#keys.absent.length > 0) {
      this.#found.set(this.#parts.of(host.u8, foundAt, foundAt + n), start);
    }
    return hits;
  }

  /** Takes back what was found for keys that are absent; how many these were. */
  #leaveOut(wanted: boolean): number {
    const { table } = this.#map;
    let hits = 0;
    for (const index of this.#keys.absent) {
      hits += this.#found[index];
      this.#found[index] = 0;
      if (wanted) this.#values.clear(index * table.valueBytes, table.valueBytes);
    }
    return hits;
  }
}
