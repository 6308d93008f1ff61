/**
 * Iterators over maps that other threads write to, and over sockmaps. Those of other maps are in iterators/.
 *
 * They fetch keys in groups, and keep them and the cursor of the scan in JavaScript memory: between two steps an iterator holds no host
 * memory. Each value is looked up when its turn comes.
 *
 * @module
 */
import { noBlock, scanLayout } from "../core/memory/scratch.ts";
import { CURSOR_ENDED, ERRNO_LIMIT } from "../core/wasm/exports.ts";
import type { Operation } from "../errors.ts";
import { subjectOf } from "./failure.ts";
import type { Scannable } from "./handle.ts";
import { IteratorBase } from "./iterator_base.ts";

/** What an iterator yields. */
export type IteratorKind = "keys" | "values" | "entries";

/** Entries per group. The first is small: many iterators are asked for one entry only. */
const FIRST_GROUP = 8;
const GROUP = 128;
/** Bytes of a group of large keys. */
const GROUP_BYTES = 65536;

export class EntryIterator<K, V, T> extends IteratorBase {
  #map: Scannable<K, V>;
  #kind: IteratorKind;
  #operation: Operation;
  /** Copy of the cursor while the scan waits. */
  #cursor: Uint8Array;
  /** Copy of the keys of the group. */
  #group = new Uint8Array(0);
  #view = new DataView(this.#group.buffer);
  #room = 0;
  /** Keys in the group, and the next to yield. */
  #count = 0;
  #next = 0;
  /** The scan has no further group. */
  #ended = false;
  #done = false;
  /** Most entries per group. */
  readonly #most: number;

  /** @param most entries to fetch at once. For 1 every map has room; more may have to be allocated. */
  constructor(map: Scannable<K, V>, kind: IteratorKind, operation: Operation, most = GROUP) {
    super();
    if (map.reading === 0) map.refuse(operation);
    this.#map = map;
    this.#kind = kind;
    this.#operation = operation;
    this.#most = most;
    this.#cursor = new Uint8Array(map.host.layout.cursorBytes + map.table.keySize);
  }

  next(): IteratorResult<T, undefined> {
    const map = this.#map;
    while (!this.#done) {
      if (map.reading === 0) map.refuse(this.#operation);
      if (this.#next < this.#count) {
        const index = this.#next++;
        const address = this.#find(index);
        if (address >= ERRNO_LIMIT) return { done: false, value: this.#decode(index, address) };
        if (address !== 0) map.fail(this.#operation, address);
      } else if (this.#ended) {
        this.#done = true;
      } else {
        this.#fetch();
      }
    }
    return { done: true, value: undefined };
  }

  return(): IteratorResult<T, undefined> {
    this.#done = true;
    return { done: true, value: undefined };
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

  /** Where the value of an entry of the group is now; 0 when the entry was deleted. */
  #find(index: number): number {
    const { host, table, reading } = this.#map;
    const start = index * table.keySize;
    host.scratch.turn++;
    host.u8.set(this.#group.subarray(start, start + table.keySize), host.scratch.key);
    return this.#map.find(reading, host.scratch.key);
  }

  #decode(index: number, address: number): T {
    const map = this.#map;
    const { view } = map.host;
    if (this.#kind === "values") return map.decodeValue(this.#operation, view, address) as unknown as T;
    const key = map.decodeKey(this.#operation, this.#view, index * map.table.keySize);
    if (this.#kind === "keys") return key as unknown as T;
    return [key, map.decodeValue(this.#operation, view, address)] as unknown as T;
  }

  /** Scans the next group in the stage of the host and copies its keys here. */
  #fetch(): void {
    const { host, table } = this.#map;
    const { keySize } = table;
    const wanted = Math.min(this.#most, this.#room === 0 ? FIRST_GROUP : GROUP);
    let room = Math.max(1, Math.min(wanted, Math.floor(GROUP_BYTES / keySize)));
    let layout = scanLayout(host, keySize, 0, room);
    let cursor = host.scratch.stage(layout.bytes);
    if (cursor === 0) {
      // The host is full, but room for one entry was reserved when the map was created.
      room = 1;
      layout = scanLayout(host, keySize, 0, room);
      cursor = host.scratch.stage(layout.bytes);
      if (cursor === 0) throw noBlock(host, this.#operation, subjectOf(this.#map));
    }
    if (room !== this.#room) {
      this.#room = room;
      this.#group = new Uint8Array(room * keySize);
      this.#view = new DataView(this.#group.buffer);
    }
    host.u8.set(this.#cursor, cursor);
    const keys = cursor + layout.keys;
    const count = this.#map.scan(cursor, keys, 0, room);
    this.#map.checkScan(this.#operation, count);
    this.#cursor.set(host.u8.subarray(cursor, cursor + this.#cursor.length));
    this.#ended = host.word(cursor + 4) === CURSOR_ENDED;
    this.#group.set(host.u8.subarray(keys, keys + count * keySize));
    this.#count = count;
    this.#next = 0;
  }
}
