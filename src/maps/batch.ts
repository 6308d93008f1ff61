/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Batches: flat buffers of keys and values in host memory, and the cursor of a scan.
 *
 * @module
 */
import { BPF_F_LOCK } from "../constants.ts";
import { bpfError, ERRNO, type Operation } from "../errors.ts";
import { checkInteger } from "../host/options.ts";
import { noMemory, scanLayout } from "../host/scratch.ts";
import { CURSOR_ENDED } from "../host/wasm.ts";
import { subjectOf } from "./failure.ts";
import type { HashMap } from "./hash_map.ts";

/** Options of {@link HashMap.batches}. */
export interface BatchOptions {
  /** Entries per batch. */
  readonly size?: number | undefined;
}

/** More is never faster, and counts are 32 bits in the kernel's struct. */
const CAPACITY_MAX = 2 ** 31;
const DEFAULT_BYTES = 65536;
const DEFAULT_ENTRIES_MAX = 4096;

export function checkBatchSize(what: string, size: unknown): void {
  checkInteger(what, size, 1, CAPACITY_MAX);
}

/** As many entries as fit 64 KiB: beyond that, a larger batch saves nothing. */
export function defaultBatchSize(map: HashMap<unknown, unknown>): number {
  const { keySize, valueSize } = map.table;
  return Math.max(1, Math.min(DEFAULT_ENTRIES_MAX, Math.floor(DEFAULT_BYTES / (keySize + valueSize))));
}

/**
 * The kernel's batch struct over buffers in host memory. Made by {@link HashMap.createBatch}; belongs to that map.
 *
 * The views `keys` and `values` are replaced when host memory grows: read them from the batch each time.
 *
 * @example
 * ```ts
 * import { createMap, u32 } from "bpfmap";
 *
 * const map = createMap({ type: "hash", key: u32, value: u32, maxEntries: 8 });
 * map.set(7, 70);
 * const batch = map.createBatch(4);
 * console.log(map.lookupBatch(batch), batch.count); // false 1
 * console.log(batch.key(0), batch.value(0), batch.keys.length); // 7 70 16
 * batch.close();
 * ```
 */
export class Batch<K, V> {
  /** Entries that the buffers hold. */
  readonly capacity: number;
  /** Before a call: how many entries to take, up to `capacity`. After it: how many were done. */
  count: number;
  /** 0, or `BPF_F_LOCK` when the value has a spinLock. */
  elemFlags = 0;
  /** 0: the kernel has no flags here yet. */
  flags = 0;
  #map: HashMap<K, V>;
  /** The block: cursor, keys, values. 0 when closed. */
  #cursor: number;
  #bytes: number;
  #keysAt: number;
  #valuesAt: number;
  #keys: Uint8Array = new Uint8Array(0);
  #values: Uint8Array = new Uint8Array(0);

  /** @internal Use {@link HashMap.createBatch}. */
  constructor(map: HashMap<K, V>, capacity: number) {
    const { host, table } = map;
    const layout = scanLayout(host, table.keySize, table.valueSize, capacity);
    this.#bytes = layout.bytes;
    this.#cursor = host.allocate(this.#bytes);
    if (this.#cursor === 0) throw noMemory(host, "createBatch", subjectOf(map));
    this.#map = map;
    this.#keysAt = this.#cursor + layout.keys;
    this.#valuesAt = this.#cursor + layout.values;
    this.capacity = capacity;
    this.count = capacity;
    map.resources.add(this);
    this.rewind();
  }

  /** The keys, packed: `capacity * keySize` bytes of host memory. */
  get keys(): Uint8Array {
    this.#check("batch.keys");
    if (this.#keys.length === 0) {
      const { host, table } = this.#map;
      this.#keys = host.u8.subarray(this.#keysAt, this.#keysAt + this.capacity * table.keySize);
    }
    return this.#keys;
  }

  /** The values, packed: `capacity * valueSize` bytes of host memory. */
  get values(): Uint8Array {
    this.#check("batch.values");
    if (this.#values.length === 0) {
      const { host, table } = this.#map;
      this.#values = host.u8.subarray(this.#valuesAt, this.#valuesAt + this.capacity * table.valueSize);
    }
    return this.#values;
  }

  /** Key number `index`. */
  key(index: number): K {
    this.#checkIndex("batch.key", index);
    const { host, table } = this.#map;
    return this.#map.decodeKey("batch.key", host.view, this.#keysAt + index * table.keySize);
  }

  /** Value number `index`. */
  value(index: number): V {
    this.#checkIndex("batch.value", index);
    const { host, table } = this.#map;
    return this.#map.decodeValue("batch.value", host.view, this.#valuesAt + index * table.valueSize);
  }

  /** Writes key and value number `index`; neither is written when one of them does not fit its codec. */
  set(index: number, key: K, value: V): void {
    this.#checkIndex("batch.set", index);
    const { host, table } = this.#map;
    this.#map.encodeValue("batch.set", value);
    this.#map.encodeKey("batch.set", key);
    host.copy(this.#keysAt + index * table.keySize, host.scratch.key, table.keySize);
    host.copy(this.#valuesAt + index * table.valueSize, host.scratch.value, table.valueSize);
  }

  /** The first `count` entries. */
  *entries(): Generator<[K, V], void, undefined> {
    const { count } = this;
    for (let i = 0; i < count; i++) yield [this.key(i), this.value(i)];
  }

  /** Puts the cursor back to the beginning and `count` to `capacity`. */
  rewind(): void {
    this.#check("batch.rewind");
    const { u32 } = this.#map.host;
    u32[this.#cursor >>> 2] = 0;
    u32[(this.#cursor >>> 2) + 1] = 0;
    this.count = this.capacity;
  }

  /** Gives the buffers back. Calling it again does nothing. */
  close(): void {
    if (this.#cursor === 0) return;
    this.#map.host.core.release(this.#cursor, this.#bytes);
    this.#map.resources.delete(this);
    this.#cursor = 0;
    this.#keys = this.#values = new Uint8Array(0);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal The next `count` entries from the cursor; false once the scan has ended. */
  fill(map: HashMap<K, V>, operation: Operation, remove: boolean): boolean {
    this.#checkCall(map, operation);
    const { host, table } = map;
    const { core } = host;
    const wanted = this.count;
    let done = 0;
    let more = true;
    // The core stops short of a bucket that does not fit whole, unless it is the first. Asking again for the rest cuts that
    // bucket, so that a batch is full until the scan ends, and `count` can stay as it is from call to call.
    do {
      const keys = this.#keysAt + done * table.keySize;
      const values = this.#valuesAt + done * table.valueSize;
      done += remove
        ? core.drain(table.handle, this.#cursor, keys, values, wanted - done)
        : core.scan(table.handle, this.#cursor, keys, values, wanted - done);
      if (host.u8.length === 0) host.refresh();
      more = host.u32[(this.#cursor >>> 2) + 1] !== CURSOR_ENDED;
    } while (more && done < wanted);
    this.count = done;
    return more;
  }

  #check(operation: Operation): void {
    if (this.#cursor === 0) {
      throw bpfError(ERRNO.EBADF, operation, `a batch of ${subjectOf(this.#map)}`, "is closed");
    }
  }

  #checkIndex(operation: Operation, index: number): void {
    this.#check(operation);
    checkInteger(`${operation}: ${subjectOf(this.#map)}: index`, index, 0, this.capacity - 1);
  }

  #checkCall(map: HashMap<K, V>, operation: Operation): void {
    const subject = subjectOf(map);
    if (this.#map !== map) {
      throw bpfError(ERRNO.EINVAL, operation, subject, `was given a batch of ${subjectOf(this.#map)}`);
    }
    if (this.#cursor === 0) throw bpfError(ERRNO.EBADF, operation, subject, "was given a closed batch");
    checkInteger(`${operation}: ${subject}: batch.count`, this.count, 0, this.capacity);
    const allowed = map.table.hasLock ? BPF_F_LOCK : 0;
    if ((this.elemFlags & ~allowed) !== 0 || this.flags !== 0) {
      const cause = `was given a batch with elemFlags = ${this.elemFlags}, flags = ${this.flags}`;
      throw bpfError(ERRNO.EINVAL, operation, subject, cause);
    }
  }
}

/** {@link HashMap.batches}. */
export function* eachBatch<K, V>(map: HashMap<K, V>, size: number): Generator<Batch<K, V>, void, undefined> {
  const batch = map.createBatch(size);
  try {
    let more = true;
    while (more) {
      batch.count = size;
      more = map.lookupBatch(batch);
      if (batch.count > 0) yield batch;
    }
  } finally {
    batch.close();
  }
}
