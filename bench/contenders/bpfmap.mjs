import { f64, u32 } from "../../dist/index.js";
import { ascend } from "../data/ascend.mjs";
import { sum } from "../data/sum.mjs";
import { benchHost, shareBenchHost, shared } from "./bench_host.mjs";
import { BpfMapBytesSubject } from "./bpfmap_bytes.mjs";

export const name = "bpfmap";
export const title = "bpfmap, u32 to f64; rhash where nothing else is said";
export const anyKeySize = true;

class BpfMapSubject {
  constructor({ seed, maxEntries, type = "rhash", flags = 0 }, absentFilter) {
    const spec = { type, key: u32, value: f64, maxEntries, flags, absentFilter };
    this.map = benchHost(seed).createMap(spec);
    this.batches = new Map();
    this.views = new Map();
    // A drain without a cursor counts on nobody else changing the map meanwhile: shared hosts have none.
    if (shared) this.drainAny = undefined;
  }

  /** The buffers of a batch, which a program makes once. */
  prepare(input) {
    if (Array.isArray(input)) this.buffers(input[0].length);
  }

  insert(keys) {
    const { map } = this;
    for (let i = 0; i < keys.length; i++) map.set(keys[i], i);
  }

  lookup(keys) {
    const { map } = this;
    let total = 0;
    for (let i = 0; i < keys.length; i++) total += map.get(keys[i]);
    return total;
  }

  miss(keys) {
    const { map } = this;
    let found = 0;
    for (let i = 0; i < keys.length; i++) if (map.get(keys[i]) !== undefined) found++;
    return found;
  }

  overwrite(keys) {
    const { map } = this;
    for (let i = 0; i < keys.length; i++) map.set(keys[i], i);
  }

  mixed({ keys, values, writes }) {
    const { map } = this;
    let total = 0;
    for (let i = 0; i < keys.length; i++) {
      if (writes[i] === 1) map.set(keys[i], values[i]);
      else total += map.get(keys[i]);
    }
    return total;
  }

  remove(keys) {
    const { map } = this;
    let removed = 0;
    for (let i = 0; i < keys.length; i++) if (map.delete(keys[i])) removed++;
    return removed;
  }

  /** A refused `set` throws, which costs more than the rest of it; `bpfmap-syscall` has an errno instead. */
  reject(keys) {
    const { map } = this;
    let refused = 0;
    for (let i = 0; i < keys.length; i++) {
      try {
        map.set(keys[i], i);
      } catch (error) {
        if (error.code !== "E2BIG") throw error;
        refused++;
      }
    }
    return refused;
  }

  /** In the buffers of a batch, from which nothing is copied. */
  lookupMany(batches) {
    const { map } = this;
    const buffers = this.buffers(batches[0].length);
    let total = 0;
    for (let b = 0; b < batches.length; b++) {
      buffers.keys.set(batches[b]);
      map.lookupMany(buffers.keys, buffers.values);
      total += sum(buffers.values);
    }
    return total;
  }

  /** With arrays of the caller's own. */
  lookupManyOwn(batches) {
    const { map } = this;
    const values = new Float64Array(batches[0].length);
    let total = 0;
    for (let b = 0; b < batches.length; b++) {
      const keys = batches[b];
      map.lookupMany(keys, values);
      total += sum(values);
    }
    return total;
  }

  insertMany(batches) {
    const { map } = this;
    const size = batches[0].length;
    const batch = this.batch(size);
    let { keys: words, values } = this.buffers(size);
    let first = 0;
    for (let b = 0; b < batches.length; b++) {
      const keys = batches[b];
      const count = keys.length;
      // The map grows, and with it the memory: its views are new then.
      if (words.length === 0) ({ keys: words, values } = this.buffers(size));
      words.set(keys);
      ascend(values, first, count);
      batch.count = count;
      map.updateBatch(batch);
      first += count;
    }
  }

  removeMany(batches) {
    const { map } = this;
    const batch = this.batch(batches[0].length);
    const words = this.buffers(batches[0].length).keys;
    let removed = 0;
    for (let b = 0; b < batches.length; b++) {
      const keys = batches[b];
      words.set(keys);
      batch.count = keys.length;
      map.deleteBatch(batch);
      removed += batch.count;
    }
    return removed;
  }

  walk() {
    let total = 0;
    for (const value of this.map.values()) total += value;
    return total;
  }

  walkKeys() {
    const { map } = this;
    let total = 0;
    for (let key = map.nextKey(); key !== undefined; key = map.nextKey(key)) total += map.get(key);
    return total;
  }

  walkBatch(size) {
    const { map } = this;
    const batch = this.batch(size);
    batch.rewind();
    let total = 0;
    let more = true;
    while (more) {
      batch.count = size;
      more = map.lookupBatch(batch);
      total += sum(valuesOf(batch));
    }
    return total;
  }

  /** With a cursor, as the kernel's. */
  drain(size) {
    const { map } = this;
    const batch = this.batch(size);
    batch.rewind();
    let total = 0;
    let more = true;
    while (more) {
      batch.count = size;
      more = map.lookupAndDeleteBatch(batch);
      total += sum(valuesOf(batch));
    }
    return total;
  }

  drainDecoded(size) {
    const { map } = this;
    const batch = this.batch(size);
    batch.rewind();
    let total = 0;
    let more = true;
    while (more) {
      batch.count = size;
      more = map.lookupAndDeleteBatch(batch);
      for (const [key, value] of batch.entries()) total += key === undefined ? 0 : value;
    }
    return total;
  }

  /** The iterator, which needs no cursor. */
  drainIterator(size) {
    let total = 0;
    for (const [key, value] of this.map.drain({ size })) total += key === undefined ? 0 : value;
    return total;
  }

  /** What the iterator calls, without decoding what it gets: the floor of a drain. */
  drainAny(size) {
    const { map } = this;
    const { host } = map;
    const batch = this.batch(size);
    const stage = host.scratch.stage(host.layout.stageBytes);
    const { byteOffset: keysAt } = batch.keys;
    const { byteOffset: valuesAt } = batch.values;
    let total = 0;
    let done = size;
    while (done === size) {
      done = host.core.drainAny(map.table.handle, stage, keysAt, valuesAt, size);
      batch.count = done;
      total += sum(valuesOf(batch));
    }
    return total;
  }

  bytes() {
    return this.map.memoryUsage();
  }

  batch(size) {
    let batch = this.batches.get(size);
    if (batch === undefined) {
      batch = this.map.createBatch(size);
      this.batches.set(size, batch);
    }
    return batch;
  }

  /** Views of a whole batch, by the kinds of its keys and values: new ones when the memory has grown. */
  buffers(size) {
    let views = this.views.get(size);
    if (views === undefined || views.keys.length === 0) {
      const { keys, values } = this.batch(size);
      views = {
        keys: new Uint32Array(keys.buffer, keys.byteOffset, size),
        values: new Float64Array(values.buffer, values.byteOffset, size),
      };
      this.views.set(size, views);
    }
    return views;
  }

  close() {
    this.map.close();
  }
}

/**
 * @param {{ shared?: boolean, absentFilter?: boolean }} context whether the host may be shared with other threads: see
 *   bpfmap_shared.mjs; whether maps have a filter of absent keys: see bpfmap_filter.mjs
 */
export async function load({ shared, absentFilter = false }) {
  shareBenchHost(shared === true);
  return (options) =>
    options.keySize === 4 ? new BpfMapSubject(options, absentFilter) : new BpfMapBytesSubject(options);
}

/** The values of the entries in a batch. The views of a batch are new when the memory has grown. */
function valuesOf(batch) {
  return new Float64Array(batch.values.buffer, batch.values.byteOffset, batch.count);
}
