/**
 * Maps of live objects (`BPF_MAP_TYPE_SOCKMAP`, `BPF_MAP_TYPE_SOCKHASH`), after net/core/sock_map.c: what those by index and those
 * by key have in common.
 *
 * @module
 */
import { checkInteger } from "../../arguments/integer.ts";
import { describe } from "../../arguments/mismatch.ts";
import type { Codec } from "../../codec/codec.ts";
import { BPF_ANY, BPF_EXIST, BPF_NOEXIST, SK_DROP } from "../../constants.ts";
import type { CoreHost } from "../../core/core_host.ts";
import { slotErrno } from "../../core/memory/shared_core.ts";
import type { Table } from "../../core/tables/table.ts";
import { bpfError, ERRNO, type Operation } from "../../errors.ts";
import { getOrInsert, getOrInsertComputed } from "../../ops/calls/get_or_insert.ts";
import { EntryIterator } from "../../ops/entry_iterator.ts";
import { subjectOf } from "../../ops/failure.ts";
import type { ValueIterator } from "../../ops/iterator_base.ts";
import { isOver } from "../../ops/sockets/close_watch.ts";
import { type SkAction, sendTo } from "../../ops/sockets/redirect.ts";
import { SocketEntry, type Sockets } from "../../ops/sockets/sockets.ts";
import { hide } from "../../print/hidden.ts";
import { BpfMap } from "../base/bpf_map.ts";
import { refuseBytes } from "./socket_refusals.ts";

/** Calls that put an object under a key. */
type SocketWrite = "set" | "update" | "getOrInsert" | "getOrInsertComputed";

const U32_MAX = 0xffff_ffff;
const ENTRIES_MAX = 2 ** 31;

/**
 * A map whose values are objects of this thread: sockets, MessagePorts, WebSockets, any object. Made by {@link createMap}.
 *
 * An object that closes leaves the map by itself, with its `close` event (a worker's `exit`) and before other listeners hear of
 * it. Until then, or until it is deleted or replaced, the map keeps it alive; an object may be under many keys and in many maps.
 * Host memory holds the keys; it is what {@link memoryUsage} counts.
 *
 * Other threads cannot reach the objects. On a shared host they see the map in `host.memoryUsage()`, and `open` of its path is
 * EOPNOTSUPP there; when its thread detaches or is reaped, the map and its pins go.
 *
 * Every method throws BpfError EBADF once the map or its host is closed, and EPERM when the map's flags or `freeze` forbid what it
 * does. A call that throws has changed nothing.
 */
export abstract class SocketMap<K, V> extends BpfMap<K, V> {
  static {
    refuseBytes(SocketMap.prototype);
  }

  /** @internal */
  declare readonly sockets: Sockets;

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
    hide<SocketMap<K, V>>(this, { sockets: table.sockets as Sockets });
  }

  /** The object under a key; undefined when there is none. */
  get(key: K): V | undefined {
    return this.#find("get", key) as V | undefined;
  }

  has(key: K): boolean {
    return this.#find("has", key) !== undefined;
  }

  /**
   * Puts an object under a key, in place of the one that is there: as {@link update} with BPF_ANY.
   *
   * @throws as {@link update}.
   */
  set(key: K, value: V): this {
    this.write("set", key, value, BPF_ANY);
    return this;
  }

  /**
   * Puts an object under a key, under a condition (`bpf_map_update_elem`, `bpf_sock_hash_update`). A low-water mark that this
   * crosses is acted on first.
   *
   * @param flags `BPF_ANY`, `BPF_NOEXIST` or `BPF_EXIST`
   * @throws TypeError for what is no object; BpfError EINVAL for an object that is closed, and for other flags; EEXIST, ENOENT as
   *   the flags say; E2BIG when the key is new and the map full, or the index too large; ENOMEM; what the low-water hook throws.
   * @example
   * ```ts
   * import { BPF_NOEXIST, BpfError, createMap, u32 } from "bpfmap";
   *
   * const map = createMap({ type: "sockhash", key: u32, maxEntries: 8 });
   * map.update(1, { name: "first" }, BPF_NOEXIST);
   * try {
   *   map.update(1, { name: "second" }, BPF_NOEXIST);
   * } catch (error) {
   *   if (!(error instanceof BpfError)) throw error;
   *   console.log(error.code, map.get(1)); // EEXIST { name: 'first' }
   * }
   * ```
   */
  update(key: K, value: V, flags: number = BPF_ANY): void {
    this.write("update", key, value, flags);
  }

  /** The object under a key, after putting `value` there when there is none. */
  getOrInsert(key: K, value: V): V {
    return getOrInsert(this, key, value);
  }

  /** {@link getOrInsert} with a function that makes the object, which is called when there is none. */
  getOrInsertComputed(key: K, make: (key: K) => V): V {
    return getOrInsertComputed(this, key, make);
  }

  /** Takes an object out; false when there is none. (The kernel answers ENOENT, and a sockmap EINVAL.) */
  delete(key: K): boolean {
    return this.#take("delete", key) !== undefined;
  }

  /** Takes an object out and gives it; undefined when there is none. */
  lookupAndDelete(key: K): V | undefined {
    if (this.reading === 0) this.refuse("lookupAndDelete");
    return this.#take("lookupAndDelete", key) as V | undefined;
  }

  /** How many objects are in the map. */
  get size(): number {
    if (this.closed) this.refuse("size");
    return this.sockets.count;
  }

  /** Takes all objects out. */
  clear(): void {
    this.#checkWritable("clear");
    const errno = this.sockets.clear();
    if (errno !== 0) this.fail("clear", -errno);
  }

  /**
   * Sends data to the object under a key, as `bpf_msg_redirect_hash` and `bpf_sk_redirect_map` do: by its `write` (streams), else its
   * `postMessage` (ports, workers), else its `send` (WebSockets).
   *
   * @param data whatever that method takes
   * @returns `SK_PASS` (1): taken. `SK_BUSY` (2): taken, and the buffer is full now, as when `write` gives false: send no more before
   *   the object's `drain` event. `SK_DROP` (0): not sent, since no object is there, or it has been closed or ended, or is a
   *   WebSocket that is not open yet.
   * @throws BpfError EOPNOTSUPP for an object without these methods; what the method throws, for data that it does not take.
   * @example
   * ```ts
   * import { createMap, cstring, SK_DROP, SK_PASS } from "bpfmap";
   *
   * const map = createMap({ type: "sockhash", key: cstring(16), maxEntries: 8 });
   * const lines: string[] = [];
   * map.set("log", { send: (line: string) => lines.push(line) });
   * console.log(map.redirect("log", "hello") === SK_PASS, lines); // true [ 'hello' ]
   * console.log(map.redirect("nobody", "hello") === SK_DROP); // true
   * ```
   */
  redirect(key: K, data: unknown): SkAction {
    const object = this.#find("redirect", key);
    if (object === undefined) return SK_DROP;
    const action = sendTo(object, data);
    if (action !== undefined) return action;
    const cause = "has an object there that cannot send: it has no write, postMessage or send";
    throw bpfError(ERRNO.EOPNOTSUPP, "redirect", subjectOf(this), cause);
  }

  /** The key after `key`, as `get_next_key` does it. */
  abstract nextKey(key?: K): K | undefined;

  /** Calls `callback(object, key, map)` for each entry; see {@link entries} for what it may meet. */
  forEach(callback: (value: V, key: K, map: this) => void, thisArg?: unknown): void {
    if (typeof callback !== "function")
      throw new TypeError(`forEach: ${subjectOf(this)}: expected a function`);
    for (const [key, value] of this.each("forEach")) callback.call(thisArg, value, key, this);
  }

  keys(): ValueIterator<K> {
    return select(this.each("keys"), ([key]) => key);
  }

  values(): ValueIterator<V> {
    return select(this.each("values"), ([, value]) => value);
  }

  /**
   * Iterates over the entries: a sockhash in an order that the hash decides, a sockmap by ascending index. The map may be changed
   * meanwhile, and sockets may close: an entry present from start to end comes exactly once, one that is gone before it is reached does
   * not come.
   */
  entries(): ValueIterator<[K, V]> {
    return this.each("entries");
  }

  [Symbol.iterator](): ValueIterator<[K, V]> {
    return this.entries();
  }

  /**
   * Raises the limit: of the entry count, or of the indices. Nothing moves and nothing is allocated: the table grows with its
   * entries, as far as the memory of the host goes.
   *
   * @throws BpfError EINVAL for a limit below the present one; E2BIG beyond 2^31.
   * @example
   * ```ts
   * import { createMap } from "bpfmap";
   *
   * const map = createMap({
   *   type: "sockmap",
   *   maxEntries: 2,
   *   lowWater: { free: 1, grow: (map) => map.grow(2 * map.info.maxEntries) },
   * });
   * for (let i = 0; i < 10; i++) map.set(i, { number: i });
   * console.log(map.size, map.info.maxEntries); // 10 16
   * ```
   */
  grow(maxEntries: number): void {
    if (this.writing === 0) this.refuse("grow");
    const { host, table } = this;
    const subject = subjectOf(this);
    checkInteger(`grow: ${subject}: maxEntries`, maxEntries, 0, U32_MAX);
    if (maxEntries < table.maxEntries) {
      const cause = `has maxEntries = ${table.maxEntries} already, more than ${maxEntries}`;
      throw bpfError(ERRNO.EINVAL, "grow", subject, cause);
    }
    if (maxEntries > ENTRIES_MAX) {
      const cause = `cannot have maxEntries = ${maxEntries}; the limit is 2^31`;
      throw bpfError(ERRNO.E2BIG, "grow", subject, cause);
    }
    this.#checkWritable("grow");
    const errno = host.core.setMaxEntries(table.handle, maxEntries);
    if (errno !== 0) this.fail("grow", errno);
    table.maxEntries = maxEntries;
  }

  /**
   * Makes the map read-only for good. Objects that close leave it nevertheless.
   *
   * @throws BpfError EPERM when it is frozen already.
   */
  override freeze(): void {
    this.#checkWritable("freeze");
    this.sockets.frozen = true;
  }

  override verify(): string[] {
    return [...super.verify(), ...this.sockets.problems().map((problem) => `${subjectOf(this)}: ${problem}`)];
  }

  /** @internal What an iterator asks of a map. */
  find(handle: number, key: number): number {
    return this.sockets.addressOf(handle, key);
  }

  /** @internal */
  scan(cursor: number, keys: number, values: number, room: number): number {
    return this.host.core.scan(this.reading, cursor, keys, values, room);
  }

  /** @internal */
  checkScan(operation: Operation, count: number): void {
    const errno = this.host.shared && count === 0 ? slotErrno(this.host) : 0;
    if (errno !== 0) this.fail(operation, errno);
  }

  /** @internal The object of a slot whose number is at an address. */
  override decodeValue<T = V>(_operation: Operation, view: DataView, offset: number): T {
    return this.sockets.objectIn(view.getUint32(offset, true)) as T;
  }

  /** @internal The entries, in the map's order. Throws at once when it may not be read. */
  protected each(operation: Operation): ValueIterator<[K, V]> {
    return present(new EntryIterator<K, V, [K, V]>(this, "entries", operation));
  }

  /** @internal Whether the key at an address is an index that is too large. */
  protected isBeyond(_key: number): boolean {
    return false;
  }

  #find(operation: Operation, key: K): object | undefined {
    if (this.reading === 0) this.refuse(operation);
    const at = this.encodeKey(operation, key);
    if (at === 0) return undefined;
    const slot = this.sockets.slotOf(at);
    if (slot >= 0) return this.sockets.objectIn(slot);
    if (slot !== -ERRNO.ENOENT) this.fail(operation, -slot);
    return undefined;
  }

  #take(operation: Operation, key: K): object | undefined {
    this.#checkWritable(operation);
    const at = this.encodeKey(operation, key);
    if (at === 0) return undefined;
    const taken = this.sockets.take(at);
    if (typeof taken === "number") this.fail(operation, -taken);
    return taken;
  }

  /** @internal */
  write(operation: SocketWrite, key: K, value: V, flags: number): void {
    this.#checkWritable(operation);
    const subject = subjectOf(this);
    checkInteger(`${operation}: ${subject}: flags`, flags, 0, Number.MAX_SAFE_INTEGER);
    if (flags > BPF_EXIST)
      throw bpfError(ERRNO.EINVAL, operation, subject, `was given unknown flags ${flags}`);
    if ((typeof value !== "object" || value === null) && typeof value !== "function") {
      throw new TypeError(`${operation}: ${subject}: value: expected an object, got ${describe(value)}`);
    }
    if (isOver(value)) this.#refuseClosed(operation);
    // Makes room. What still cannot be removed is in the way of a full map only.
    this.sockets.retry();
    // It listens from here on: an object may close while the low-water hook runs.
    const entry = new SocketEntry(this.sockets, value);
    let done = false;
    try {
      this.#put(operation, key, entry, flags);
      done = true;
    } finally {
      if (!done) entry.leave();
    }
  }

  #put(operation: SocketWrite, key: K, entry: SocketEntry, flags: number): void {
    const { sockets } = this;
    this.#checkWritable(operation); // the object was asked whether it has closed, and is listened to: that is code of the caller's
    let at = this.encodeKey(operation, key);
    if (this.#asksForMore(operation, at, flags)) {
      sockets.lowWater!.run(this);
      if (entry.over || isOver(entry.object)) this.#refuseClosed(operation);
      this.#checkWritable(operation);
      at = this.encodeKey(operation, key);
      // The hook may have put something under the key.
      this.#checkCondition(operation, at, flags);
    }
    if (this.isBeyond(at)) this.fail(operation, ERRNO.E2BIG);
    const errno = sockets.put(at, entry);
    if (errno !== 0) this.fail(operation, -errno);
  }

  /** Whether the low-water hook has to run before an object is put under the key at an address. */
  #asksForMore(operation: SocketWrite, at: number, flags: number): boolean {
    const { sockets, table } = this;
    if (this.isBeyond(at)) {
      if (flags === BPF_EXIST) this.fail(operation, ERRNO.E2BIG);
      return sockets.lowWater?.idle === true;
    }
    if (this.#checkCondition(operation, at, flags)) return false;
    return sockets.lowWater?.isCrossed(table.maxEntries - sockets.count) === true;
  }

  /** Whether there is an object under the key at an address; throws when that is not what the flags ask for. */
  #checkCondition(operation: SocketWrite, at: number, flags: number): boolean {
    const slot = this.sockets.slotOf(at);
    if (slot < 0 && slot !== -ERRNO.ENOENT) this.fail(operation, -slot);
    const exists = slot >= 0 && this.sockets.objectIn(slot) !== undefined;
    if (exists && flags === BPF_NOEXIST) this.fail(operation, ERRNO.EEXIST);
    if (!exists && flags === BPF_EXIST) this.fail(operation, ERRNO.ENOENT);
    return exists;
  }

  #checkWritable(operation: Operation): void {
    if (this.writing === 0) this.refuse(operation);
    if (this.sockets.frozen) this.fail(operation, ERRNO.EPERM);
  }

  #refuseClosed(operation: Operation): never {
    throw bpfError(ERRNO.EINVAL, operation, subjectOf(this), "was given an object that is closed");
  }
}

/** Leaves out entries whose object has closed while it was on its way. */
function* present<K, V>(entries: Iterable<[K, V]>): Generator<[K, V], undefined> {
  for (const entry of entries) if (entry[1] !== undefined) yield entry;
}

function* select<K, V, T>(entries: Iterable<[K, V]>, part: (entry: [K, V]) => T): Generator<T, undefined> {
  for (const entry of entries) yield part(entry);
}
