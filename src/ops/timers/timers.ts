/**
 * Timers of the entries of a map, and their work: what one thread has started in one field of the values.
 *
 * @module
 */
import type { Alarm, Schedule } from "../../core/alarm.ts";
import type { CoreHost } from "../../core/core_host.ts";
import { KeyRows } from "../../core/memory/key_rows.ts";
import type { Table } from "../../core/tables/table.ts";
import { ERRNO_LIMIT } from "../../core/wasm/exports.ts";
import { bpfError, ERRNO, type Operation } from "../../errors.ts";
import { subjectOf } from "../failure.ts";
import type { MapHandle } from "../handle.ts";
import { DueHeap } from "./due_heap.ts";

/** A map whose entries may have timers. */
export interface TimedHandle<K> extends MapHandle<K, unknown> {
  /** Address of the live value of the key at an address, 0 when absent, or an errno. On a shared host: as long as the section lasts. */
  live(key: number): number;
}

/** What a timer calls. */
export type TimerCallback = (key: never, map: never) => void;

type AnyHandle = TimedHandle<unknown>;

/** Bits of a tag that are the number of the record; those above are the CPU slot. */
const RECORD_BITS = 26;
const RECORD_MASK = 2 ** RECORD_BITS - 1;
/** Of a thread, in one map. There are as many records as a power of two, so that the number of each fits. */
const MOST_RECORDS = 2 ** (RECORD_BITS - 1);
/** Records that may be there before anybody looks for those whose entry is gone, and how many are looked at by each start. */
const CHECK_ABOVE = 1024;
const CHECKS = 4;
/** ms until a timer is tried again whose entry another thread has locked too long. */
const RETRY_MS = 1;

/**
 * A record for each timer that is waiting. The first word of the field in the value is its tag: `record + 1`, and in the upper bits the CPU
 * slot of the thread; 0 without a timer. Whoever writes the whole value, or deletes the entry, takes the tag away, and with it the
 * timer, without knowing of it. The record stays until it is due, or until a start looks whether its entry still names it.
 *
 * Invariant: a record that an entry of this thread's names is not given to another key before the entry is gone or names another. So
 * tags need no sequence number. Memory that was damaged, or copied by its addresses, may break it: the key of the record decides then.
 *
 * ```
 * heap       when each record is due (due_heap.ts)
 * keys       of each record, the bytes of its key (core/memory/key_rows.ts)
 * callbacks  of each record
 * maps       of each record, the handle that it was started on
 * ```
 */
export class Timers implements Schedule {
  readonly #host: CoreHost;
  /** Where the field is in the value. */
  readonly #offset: number;
  readonly #alarm: Alarm;
  readonly #heap = new DueHeap();
  readonly #keys: KeyRows;
  #callbacks: (TimerCallback | undefined)[] = [];
  #maps: (AnyHandle | undefined)[] = [];
  /** The next record to look at; below 0 while nobody looks. */
  #checked = -1;
  #checkAbove = CHECK_ABOVE;

  constructor(host: CoreHost, table: Table, offset: number, alarm: Alarm) {
    this.#host = host;
    this.#offset = offset;
    this.#alarm = alarm;
    this.#keys = new KeyRows(host, table);
  }

  get due(): number {
    return this.#heap.due(this.#heap.first);
  }

  get order(): number {
    return this.#heap.order(this.#heap.first);
  }

  /** How many records there are: of timers that wait, and of some whose entries are gone. */
  get count(): number {
    return this.#heap.count;
  }

  /** Bytes of the records, but for the lists of callbacks and maps. */
  get bytes(): number {
    return this.#heap.bytes + this.#keys.bytes;
  }

  /**
   * Starts the timer of a key. One that waits already gets the callback and the time of this call; work keeps its time.
   */
  start(
    map: AnyHandle,
    operation: Operation,
    key: unknown,
    ms: number,
    callback: TimerCallback,
    keepsTime: boolean,
  ): void {
    const due = this.#alarm.now() + ms;
    if (map.writing === 0) map.refuse(operation); // a clock of the caller's may have closed it
    this.#checkSome();
    const at = map.encodeKey(operation, key);
    this.#reserve(map, operation);
    this.#enter();
    try {
      const address = at === 0 ? 0 : map.live(at);
      if (address < ERRNO_LIMIT) throw this.#missed(map, operation, address);
      const { i32 } = this.#host;
      const word = (address + this.#offset) >>> 2;
      let record = this.#named(Atomics.load(i32, word), at);
      if (record < 0) {
        record = this.#heap.add(due, this.#alarm.nextOrder());
        this.#keys.take(record, at);
      } else if (!keepsTime) this.#heap.move(record, due, this.#alarm.nextOrder());
      this.#callbacks[record] = callback;
      this.#maps[record] = map;
      Atomics.store(i32, word, this.#tag(record));
    } finally {
      this.#leave();
    }
    this.#alarm.set(this, due);
  }

  /** Cancels the timer of a key, whichever thread has started it: whether one was waiting. */
  cancel(map: AnyHandle, operation: Operation, key: unknown): boolean {
    const at = map.encodeKey(operation, key);
    if (at === 0) return false;
    this.#enter();
    try {
      const address = map.live(at);
      if (address === 0) return false;
      if (address < ERRNO_LIMIT) map.fail(operation, address);
      const { i32 } = this.#host;
      const word = (address + this.#offset) >>> 2;
      const tag = Atomics.load(i32, word);
      if (tag === 0) return false;
      const record = this.#named(tag, at);
      const cancelled = Atomics.compareExchange(i32, word, tag, 0) === tag;
      if (record >= 0) this.#free(record);
      return cancelled && (record >= 0 || tag >>> RECORD_BITS !== this.#host.cpu);
    } finally {
      this.#leave();
    }
  }

  /** Calls back for the record that is due first, if its entry names it. */
  runFirst(): void {
    const record = this.#heap.first;
    const callback = this.#callbacks[record] as TimerCallback;
    const map = this.#maps[record] as AnyHandle;
    let key: unknown;
    try {
      const taken = this.#take(map, record);
      if (taken > 1) {
        const due = this.#alarm.now() + RETRY_MS;
        this.#heap.move(record, due, this.#alarm.nextOrder());
        this.#alarm.set(this, due);
        return;
      }
      this.#free(record);
      if (taken === 0) return;
      const { scratch, view } = this.#host;
      key = map.decodeKey("timer", view, scratch.key);
    } catch (error) {
      // The record may be there still: where memory is damaged.
      if (this.#callbacks[record] === callback) this.#free(record);
      reportError(error);
      return;
    }
    callBack(callback, key, map);
  }

  /** Lets all go. */
  release(): void {
    this.#empty();
  }

  /** Takes the tag of a record out of its entry: 1, 0 when the entry is gone or names another, or an errno. The key is in the scratch then. */
  #take(map: AnyHandle, record: number): number {
    this.#enter();
    try {
      const address = this.#find(map, record);
      if (address < ERRNO_LIMIT) return address;
      const word = (address + this.#offset) >>> 2;
      const tag = this.#tag(record);
      return Number(Atomics.compareExchange(this.#host.i32, word, tag, 0) === tag);
    } finally {
      this.#leave();
    }
  }

  /** Looks at some records, when there are many, and frees those whose entry is gone. */
  #checkSome(): void {
    if (this.#checked < 0) {
      if (this.#heap.count <= this.#checkAbove) return;
      this.#checked = 0;
    }
    for (let i = 0; i < CHECKS; i++) {
      if (this.#checked >= this.#heap.capacity) {
        this.#checked = -1;
        this.#checkAbove = Math.max(CHECK_ABOVE, 2 * this.#heap.count);
        return;
      }
      const record = this.#checked++;
      if (this.#heap.isUsed(record) && this.#isGone(record)) this.#free(record);
    }
  }

  #isGone(record: number): boolean {
    this.#enter();
    try {
      const address = this.#find(this.#maps[record] as AnyHandle, record);
      if (address < ERRNO_LIMIT) return address === 0;
      return Atomics.load(this.#host.i32, (address + this.#offset) >>> 2) !== this.#tag(record);
    } finally {
      this.#leave();
    }
  }

  #tag(record: number): number {
    return ((this.#host.cpu << RECORD_BITS) | 0) + record + 1;
  }

  /** The record of this thread that a tag names, if it is that of the key at an address; else below 0. */
  #named(tag: number, key: number): number {
    const record = (tag & RECORD_MASK) - 1;
    if (tag === 0 || tag >>> RECORD_BITS !== this.#host.cpu || !this.#heap.isUsed(record)) return -1;
    return this.#keys.has(record, key) ? record : -1;
  }

  #reserve(map: AnyHandle, operation: Operation): void {
    const heap = this.#heap;
    if (heap.count === MOST_RECORDS) map.fail(operation, ERRNO.ENOMEM);
    heap.reserve();
    this.#keys.reserve(heap.capacity);
  }

  /** The live value of the key of a record, whose bytes go to the scratch; 0 or an errno. */
  #find(map: AnyHandle, record: number): number {
    const { scratch } = this.#host;
    scratch.turn++;
    this.#keys.put(record, scratch.key);
    return map.live(scratch.key);
  }

  #free(record: number): void {
    this.#heap.remove(record);
    this.#callbacks[record] = undefined;
    this.#maps[record] = undefined;
    if (this.#heap.count === 0) this.#empty();
  }

  #empty(): void {
    this.#heap.clear();
    if (this.#heap.capacity === 0) this.#keys.clear();
    this.#callbacks.length = 0;
    this.#maps.length = 0;
    this.#checked = -1;
    this.#checkAbove = CHECK_ABOVE;
    this.#alarm.drop(this);
  }

  /** On a shared host, begins a section, in which the address of a value stays its address. */
  #enter(): void {
    if (!this.#host.shared) return;
    this.#host.core.enterSection();
    this.#host.registry.sections++;
  }

  #leave(): void {
    if (!this.#host.shared) return;
    this.#host.core.leaveSection();
    this.#host.registry.leaveSection();
  }

  #missed(map: AnyHandle, operation: Operation, errno: number): Error {
    if (errno !== 0) map.fail(operation, errno);
    return bpfError(ERRNO.ENOENT, operation, subjectOf(map), "has no entry with this key", "set() it first");
  }
}

/** Calls back, with a handle of its own when the one that the timer was started on is closed. */
function callBack(callback: TimerCallback, key: unknown, map: AnyHandle): void {
  try {
    const open = map.closed ? map.reopen(true) : map;
    try {
      callback(key as never, open as never);
    } finally {
      if (open !== map) open.close();
    }
  } catch (error) {
    reportError(error);
  }
}

/** What nobody catches, as what a callback of setTimeout throws. */
function reportError(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
