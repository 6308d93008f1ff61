// Rust's hash table as wasm (bench/peers/hashbrown.rs), called as a careful user would: numbers in and out. Many keys are copied
// into its memory, and their values read there, as its user must.
import { readFileSync } from "node:fs";
import { ascend } from "../data/ascend.mjs";
import { sum } from "../data/sum.mjs";
import { buildHashbrown } from "../peers/build.mjs";

export const name = "hashbrown-wasm";
export const title = "hashbrown in wasm, u32 to f64";

/** Room in the wasm memory for the keys and values of a batch, which its user makes once. */
class Staging {
  #exports;
  #capacity = 0;

  constructor(exports) {
    this.#exports = exports;
  }

  /** Growth of the memory detaches the views of it: they are made again then. */
  fit(count) {
    const { memory, allocate } = this.#exports;
    if (count > this.#capacity) {
      this.keysAt = allocate(4 * count);
      this.valuesAt = allocate(8 * count);
      this.#capacity = count;
      this.keys = undefined;
    }
    if (this.keys?.buffer !== memory.buffer || this.keys.length !== count) {
      this.keys = new Uint32Array(memory.buffer, this.keysAt, count);
      this.values = new Float64Array(memory.buffer, this.valuesAt, count);
    }
  }
}

class HashbrownSubject {
  constructor(exports, staging) {
    this.exports = exports;
    this.staging = staging;
    this.table = exports.create();
  }

  prepare(input) {
    if (Array.isArray(input)) this.staging.fit(input[0].length);
  }

  insert(keys) {
    const { table } = this;
    const { set } = this.exports;
    for (let i = 0; i < keys.length; i++) set(table, keys[i], i);
  }

  lookup(keys) {
    const { table } = this;
    const { get } = this.exports;
    let total = 0;
    for (let i = 0; i < keys.length; i++) total += get(table, keys[i]);
    return total;
  }

  miss(keys) {
    const { table } = this;
    const { has } = this.exports;
    let found = 0;
    for (let i = 0; i < keys.length; i++) found += has(table, keys[i]);
    return found;
  }

  overwrite(keys) {
    const { table } = this;
    const { set } = this.exports;
    for (let i = 0; i < keys.length; i++) set(table, keys[i], i);
  }

  mixed({ keys, values, writes }) {
    const { table } = this;
    const { get, set } = this.exports;
    let total = 0;
    for (let i = 0; i < keys.length; i++) {
      if (writes[i] === 1) set(table, keys[i], values[i]);
      else total += get(table, keys[i]);
    }
    return total;
  }

  remove(keys) {
    const { table } = this;
    const { remove } = this.exports;
    let removed = 0;
    for (let i = 0; i < keys.length; i++) removed += remove(table, keys[i]);
    return removed;
  }

  lookupMany(batches) {
    const { table, staging } = this;
    const { get_many } = this.exports;
    let total = 0;
    for (let b = 0; b < batches.length; b++) {
      const keys = batches[b];
      staging.fit(keys.length);
      staging.keys.set(keys);
      get_many(table, staging.keysAt, staging.valuesAt, keys.length);
      total += sum(staging.values);
    }
    return total;
  }

  insertMany(batches) {
    const { table, staging } = this;
    const { set_many } = this.exports;
    let first = 0;
    for (let b = 0; b < batches.length; b++) {
      const keys = batches[b];
      const count = keys.length;
      staging.fit(count);
      staging.keys.set(keys);
      const { values } = staging;
      ascend(values, first, count);
      set_many(table, staging.keysAt, staging.valuesAt, count);
      first += count;
    }
  }

  removeMany(batches) {
    const { table, staging } = this;
    const { remove_many } = this.exports;
    let removed = 0;
    for (let b = 0; b < batches.length; b++) {
      const keys = batches[b];
      staging.fit(keys.length);
      staging.keys.set(keys);
      removed += remove_many(table, staging.keysAt, keys.length);
    }
    return removed;
  }

  walk() {
    return this.exports.sum(this.table);
  }

  /** The linear memory, which never shrinks: with it the tables that this one outgrew, and those before it. */
  bytes() {
    return this.exports.memory.buffer.byteLength;
  }

  close() {
    this.exports.destroy(this.table);
    this.table = 0;
  }
}

/** One instance for all tables, as bpfmap has one host: memory that a table gave back serves the next one. */
export async function load() {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(buildHashbrown())));
  const staging = new Staging(exports);
  return () => new HashbrownSubject(exports, staging);
}
