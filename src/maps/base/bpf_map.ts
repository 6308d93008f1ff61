/// <reference lib="esnext.disposable" preserve="true" />
/**
 * What every map has, whatever its type: a handle of a table in a host, codecs, and the errors that name it.
 *
 * @module
 */
import { within } from "../../arguments/mismatch.ts";
import type { RunCodec } from "../../codec/bytes.ts";
import type { Codec, ScalarKind } from "../../codec/codec.ts";
import type { CoreHost } from "../../core/core_host.ts";
import { type AnyMapType, type MapInfo, specialOf } from "../../core/tables/map_types.ts";
import { type MapStats, tableBytes, tableStats } from "../../core/tables/stats.ts";
import type { Table } from "../../core/tables/table.ts";
import type { CoreExports } from "../../core/wasm/exports.ts";
import { trapError } from "../../core/wasm/guard.ts";
import { bpfError, damagedError, ERRNO, type Operation } from "../../errors.ts";
import {
  coreError,
  encodingError,
  handleError,
  isAbsentKey,
  reentryError,
  subjectOf,
} from "../../ops/failure.ts";
import { callLowWater, LOW_WATER, passing } from "../../ops/low_water.ts";
import { contentsOfMap, inspectMap, jsonOfMap, kindOf, type MapJson } from "../../ops/print_map.ts";
import { problemsOfTable } from "../../ops/verify.ts";
import { compareBy, hide } from "../../print/hidden.ts";
import { INSPECT, type Inspect } from "../../print/inspect.ts";

/**
 * A handle of a map. It holds host memory until {@link close}.
 *
 * Every method throws BpfError EBADF once the map or its host is closed, and EPERM when the map's flags or `freeze` forbid
 * what it does. A key or value of the wrong type is a TypeError, one that its codec has no room for a RangeError; but to
 * calls that only ask for a key, such a key is absent. A call that throws has changed
 * nothing.
 */
export abstract class BpfMap<K, V> {
  declare readonly host: CoreHost;
  /** @internal The host's bare one, for the calls that every nanosecond counts in: they catch its traps, with {@link trapped}. */
  declare readonly core: CoreExports;
  /** @internal */
  declare readonly table: Table;
  /** @internal The core's handle for calls that read: 0 when closed or write-only. */
  declare reading: number;
  /** @internal The core's handle for calls that write: 0 when closed or read-only. */
  declare writing: number;
  /** @internal */
  declare closed: boolean;
  /** @internal */
  declare readonly keyCodec: Codec<K>;
  /** @internal */
  declare readonly valueCodec: Codec<V>;
  /** @internal */
  declare readonly keyScalar: ScalarKind;
  /** @internal */
  declare readonly valueScalar: ScalarKind;
  /** @internal What to close with the handle. */
  declare held: Set<{ close(): void }> | undefined;

  /** @internal Use {@link createMap}. */
  constructor(
    host: CoreHost,
    table: Table,
    key: Codec<K>,
    value: Codec<V>,
    readable: boolean,
    writable: boolean,
  ) {
    hide<BpfMap<K, V>>(this, {
      reading: readable ? table.handle : 0,
      writing: writable ? table.handle : 0,
      host,
      core: host.bare,
      table,
      keyScalar: key.scalar,
      valueScalar: value.scalar,
      keyCodec: key,
      valueCodec: value,
      closed: false,
      held: undefined,
    });
    compareBy(this, contentsOfMap);
  }

  /** @internal Most maps have none, and so no set of them. */
  get resources(): Set<{ close(): void }> {
    this.held ??= new Set();
    return this.held;
  }

  get name(): string {
    return this.table.name;
  }

  get type(): AnyMapType {
    return this.table.type as AnyMapType; // whoever makes a map has seen to that
  }

  /** What the kernel calls `bpf_map_info`: id, type, name, sizes in bytes, limit and flags. */
  get info(): MapInfo {
    if (this.closed) this.refuse("info");
    const { id, name, keySize, valueSize, maxEntries, flags, mapExtra, absentFilter, eviction, expiry } =
      this.table;
    const info = { id, type: this.type, name, keySize, valueSize, maxEntries, flags, mapExtra };
    if (absentFilter === true) return { ...info, absentFilter };
    const evicting = eviction === undefined ? info : { ...info, eviction };
    return expiry === undefined ? evicting : { ...evicting, ttl: expiry.ttl };
  }

  /** Bytes of the map with all its structures. Batches and the host's scratch are counted in {@link Host.memoryUsage}. */
  memoryUsage(): number {
    if (this.closed) this.refuse("memoryUsage");
    return tableBytes(this.host, this.table.handle);
  }

  /** Counters of the structure: buckets, load, bytes per entry, work done by resizing. */
  stats(): MapStats {
    if (this.closed) this.refuse("stats");
    return tableStats(this.host, this.table.handle);
  }

  /**
   * Checks every invariant of the map's structures; for tests, and after a thread was killed. On a shared host nobody may write
   * to the map meanwhile.
   *
   * @returns what is wrong; empty when all is well
   * @example
   * ```ts
   * import { createMap, u32 } from "bpfmap";
   *
   * const map = createMap({ type: "rhash", key: u32, value: u32, maxEntries: 100 });
   * console.log(map.set(1, 1).verify()); // []
   * ```
   */
  verify(): string[] {
    if (this.closed) this.refuse("verify");
    return problemsOfTable(this.host, this.table);
  }

  /**
   * Makes the map read-only for good.
   *
   * @throws BpfError EPERM when it is frozen already; ENOTSUPP when the value has a spinLock, a timer or a workqueue.
   */
  freeze(): void {
    if (this.closed) this.refuse("freeze");
    const { host, table } = this;
    const special = specialOf(table);
    if (special !== undefined) {
      const cause = `has a ${special} in its value, which must stay writable`;
      throw bpfError(ERRNO.ENOTSUPP, "freeze", subjectOf(this), cause);
    }
    if (this.writing === 0) this.refuse("freeze");
    if (host.word(table.handle + host.layout.frozen) !== 0) this.fail("freeze", ERRNO.EPERM);
    host.core.freeze(table.handle);
  }

  /**
   * Closes this handle. The map and its memory go when its last handle is closed and its last pin removed. Calling it again
   * does nothing.
   */
  close(): void {
    if (this.closed) return;
    if (this.held !== undefined) for (const resource of this.held) resource.close();
    this.closed = true;
    this.reading = 0;
    this.writing = 0;
    this.host.scratch.turn++;
    this.host.scratch.columns.clear(); // iterators look again whether the map is open
    this.host.registry.removeHandle(this);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** `HashMap`, `ArrayMap`, ... as in `Object.prototype.toString.call(map)`. */
  get [Symbol.toStringTag](): string {
    return kindOf(this);
  }

  /**
   * @internal Has Jest and vitest compare maps by `size`, `has` and `get` whatever their order, which the hash decides. They ask for this
   * mark of Immutable.js collections, and for nothing else that is not a Map.
   */
  get "@@__IMMUTABLE_KEYED__@@"(): boolean {
    return true;
  }

  /** What `JSON.stringify` gives: what the map is, without its entries. Those are `JSON.stringify([...map])`. */
  toJSON(): MapJson {
    return jsonOfMap(this);
  }

  /** @internal */
  [INSPECT](depth?: number, options: object = {}, inspect?: Inspect): string {
    return inspectMap(this, depth, options, inspect);
  }

  /** @internal Another handle of the map, for reading, or writing too: it keeps the map when this one is closed. */
  reopen(writable = false): this {
    const Handle = this.constructor as new (...args: ConstructorParameters<typeof BpfMap<K, V>>) => this;
    const map = new Handle(this.host, this.table, this.keyCodec, this.valueCodec, true, writable);
    this.host.registry.addHandle(map);
    return map;
  }

  /** @internal Throws for a handle that is closed, or open for the other direction only. */
  refuse(operation: Operation): never {
    throw handleError(this, operation);
  }

  /** @internal What to throw for what a call of the bare core has thrown. */
  trapped(operation: Operation, thrown: unknown): unknown {
    const error = trapError(this.core, operation, subjectOf(this), thrown);
    this.host.refreshDetached();
    return error;
  }

  /** @internal Throws for an errno of the core. */
  fail(operation: Operation, errno: number): never {
    throw coreError(this, operation, errno);
  }

  /**
   * @internal What an errno of the core asks for: the low-water hook and the method `again`, or an error. Not a closure: a function
   * that makes one in any of its branches allocates what it captures in every call.
   */
  refused<A extends unknown[], T>(
    operation: Operation,
    errno: number,
    again: (...args: A) => T,
    ...args: A
  ): T {
    if (errno !== LOW_WATER) this.fail(operation, errno);
    const maxEntries = callLowWater(this, operation);
    return passing(this.host, this.table, maxEntries, () => again.apply(this, args));
  }

  /**
   * @internal Encodes a key into the scratch; where. Encode the value first: see {@link Scratch.turn}. For a call that only asks for a key, 0
   * when the layout cannot hold it, so that it is absent.
   */
  encodeKey(operation: Operation, key: K): number {
    const { scratch, pins, view } = this.host;
    // Many programs ask for a key and set it then.
    if (scratch.textTurn === scratch.turn && this.keyCodec === scratch.textCodec && key === scratch.text)
      return scratch.key;
    const turn = ++scratch.turn;
    pins.encodings++;
    try {
      this.keyCodec.encode(key, view, scratch.key);
    } catch (error) {
      if (scratch.turn === turn && isAbsentKey(operation, error)) return 0;
      throw encodingError(this, operation, `${operation}: ${subjectOf(this)}: key`, view, error);
    } finally {
      pins.encoded();
    }
    if (scratch.turn !== turn) throw reentryError(this, operation);
    if (typeof key === "string" && (this.keyCodec as Partial<RunCodec<unknown>>).run === "text") {
      scratch.text = key;
      scratch.textCodec = this.keyCodec;
      scratch.textTurn = turn;
    }
    return scratch.key;
  }

  /** @internal Encodes a value, or a part of one, into the scratch; where. */
  encodeValue(operation: Operation, value: unknown, codec: Codec<unknown> = this.valueCodec): number {
    const { scratch, pins, view } = this.host;
    const turn = ++scratch.turn;
    pins.encodings++;
    try {
      codec.encode(value, view, scratch.value);
    } catch (error) {
      throw encodingError(this, operation, `${operation}: ${subjectOf(this)}: value`, view, error);
    } finally {
      pins.encoded();
    }
    if (scratch.turn !== turn) throw reentryError(this, operation);
    if (scratch.textTurn === turn - 1) scratch.textTurn = turn; // the key stays where it is
    return scratch.value;
  }

  /** @internal */
  decodeKey(operation: Operation, view: DataView, offset: number): K {
    try {
      return this.keyCodec.decode(view, offset);
    } catch (error) {
      throw within(`${operation}: ${subjectOf(this)}: key`, error);
    }
  }

  /** @internal */
  decodeValue<T = V>(
    operation: Operation,
    view: DataView,
    offset: number,
    codec: Codec<unknown> = this.valueCodec,
  ): T {
    // Where the core says that a value is, there is memory.
    if (offset + codec.size > view.byteLength) throw damagedError(operation, subjectOf(this));
    try {
      return codec.decode(view, offset) as T;
    } catch (error) {
      throw within(`${operation}: ${subjectOf(this)}: value`, error);
    }
  }
}
