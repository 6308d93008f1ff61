/**
 * What hash-like maps have beyond all others: the table of the core behind them, entries that expire, growth.
 *
 * @module
 */
import { checkInteger } from "../../arguments/integer.ts";
import type { Codec } from "../../codec/codec.ts";
import type { FieldOf, FieldPath } from "../../codec/path.ts";
import { type KeyWords, keyWordsOf } from "../../codec/words.ts";
import type { CoreHost } from "../../core/core_host.ts";
import { evicts } from "../../core/tables/registry.ts";
import type { Table } from "../../core/tables/table.ts";
import { columnsOf, keyAfter, scanTable } from "../../core/tables/table_calls.ts";
import { ERRNO_LIMIT } from "../../core/wasm/exports.ts";
import { bpfError, ERRNO, type Operation } from "../../errors.ts";
import type { DeltaArray } from "../../ops/batch/add_many.ts";
import type { KeyArray } from "../../ops/batch/key_array.ts";
import type { AddArguments, Count, FieldDeltas } from "../../ops/calls/counter.ts";
import type { Field } from "../../ops/calls/field.ts";
import type { Part } from "../../ops/calls/part.ts";
import { takeKey } from "../../ops/calls/take_key.ts";
import type { SetOptions } from "../../ops/calls/ttl.ts";
import { subjectOf } from "../../ops/failure.ts";
import { growTo } from "../../ops/grow.ts";
import { isPerCpu, LocalSlot } from "../../ops/percpu.ts";
import { hide } from "../../print/hidden.ts";
import type { CountingMap } from "../base/counting_map.ts";
import type { FieldMap } from "../base/field_map.ts";
import { DeletableMap } from "./deletable_map.ts";

/** Bytes of a key that the core takes as arguments. */
const ARGUMENT_BYTES = 8;
const RHASH_ENTRIES_MAX = 2 ** 31;
/** Buckets that `sweep` looks at when it is not told. */
const SWEPT = 64;

/**
 * A BPF hash map with the interface of a JavaScript `Map`. Made by {@link createMap} or {@link Host.createMap}; holds host
 * memory until it is closed.
 *
 * Every method throws BpfError EBADF once the map or its host is closed, and EPERM when the map's flags or `freeze` forbid
 * what it does. A key or value of the wrong type is a TypeError, one that its codec has no room for a RangeError, but to calls that only
 * ask for a key it is absent: `get`, `has`, `lookup`, `lookupMany`, `delete`, `lookupAndDelete`, `locked`, and `nextKey`. A call that throws has
 * changed nothing, but for the entries that the `count` of a BpfError counts.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the methods are those of InPlaceMap and EntryMap, which say nothing of their types.
export abstract class HashMap<K, V> extends DeletableMap<K, V> {
  /** @internal The calling thread's slot of per-CPU values: {@link PercpuHashMap.local}. */
  declare readonly local: LocalSlot<K, unknown> | undefined;
  /** @internal Takes keys of more than 8 bytes apart; where there are fewer, the class of the map does. */
  declare readonly longWords: KeyWords | undefined;

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
    hide<HashMap<K, V>>(this, {
      local: isPerCpu(value) ? this.localSlot() : undefined,
      longWords: key.size > ARGUMENT_BYTES ? keyWordsOf(key) : undefined,
    });
  }

  /** @internal By words where it can: without what protects the scratch from a codec of the caller. */
  override encodeKey(operation: Operation, key: K): number {
    const { longWords: words } = this;
    if (words === undefined || !takeKey(this, operation, words, key)) return super.encodeKey(operation, key);
    return this.host.scratch.putKey(words.first, words.second, words.third, words.fourth);
  }

  /** @internal Tells the `onEvict` hooks of this thread what has gone for the call. */
  protected told(): this {
    this.table.listener?.deliver();
    return this;
  }

  /** @internal */
  protected localSlot(): LocalSlot<K, unknown> {
    return new LocalSlot<K, unknown>(this as never);
  }

  /**
   * As {@link get}, but a map that evicts does not count the entry as used by it; nor does it by `has`, iteration and batches that follow
   * a cursor.
   */
  peek(key: K): V | undefined {
    if (this.reading === 0) this.refuse("peek");
    const { host } = this;
    const at = this.encodeKey("peek", key);
    if (at === 0) return undefined;
    const address = this.find(this.reading, at);
    if (address < ERRNO_LIMIT) return this.missed("peek", address);
    return this.decodeValue("peek", host.view, address);
  }

  /**
   * Inserts or overwrites, as {@link update} with BPF_ANY.
   *
   * @param options of a map with a `ttl`: `ttl`, ms until this entry expires, `Infinity` or 0 for never; by default the ttl of the map
   * @throws BpfError E2BIG when the key is new and the map full; ENOMEM when host memory is used up; RangeError for a ttl that is negative or
   *   longer than the map can count; TypeError for a ttl in a map without.
   * @example
   * ```ts
   * import { createHost, u32 } from "bpfmap";
   *
   * let now = 0;
   * const host = createHost({ clock: () => now });
   * const sessions = host.createMap({ type: "hash", key: u32, value: u32, maxEntries: 100, ttl: 60_000 });
   * sessions.set(1, 10).set(2, 20, { ttl: 1000 });
   * now = 1000;
   * host.tick();
   * console.log(sessions.get(1), sessions.get(2)); // 10 undefined
   * ```
   */
  abstract override set(key: K, value: V, options?: SetOptions): this;

  /** @internal Throws for options of `set` in a map without a ttl. */
  refuseTtl(): never {
    throw new TypeError(`set: ${subjectOf(this)}: expected no options: the map has no ttl`);
  }

  /**
   * ms until an entry expires: `Infinity` when it never does, 0 when the key is absent.
   *
   * @example
   * ```ts
   * import { createHost, u32 } from "bpfmap";
   *
   * const host = createHost({ clock: () => 0 });
   * const map = host.createMap({ type: "hash", key: u32, value: u32, maxEntries: 100, ttl: 60_000 });
   * map.set(1, 10).set(2, 20, { ttl: Infinity });
   * console.log(map.remainingTtl(1), map.remainingTtl(2), map.remainingTtl(3)); // 60000 Infinity 0
   * ```
   */
  remainingTtl(key: K): number {
    if (this.reading === 0) this.refuse("remainingTtl");
    const { host, table } = this;
    if (table.expiry === undefined) return this.has(key) ? Number.POSITIVE_INFINITY : 0;
    const at = this.encodeKey("remainingTtl", key);
    if (at === 0) return 0;
    host.expiry.touch();
    const ms = host.core.remainingTtl(this.reading, at);
    // Of a shared host: the core gave up, and another look says why.
    return Number.isNaN(ms) ? Number(this.has(key)) && this.remainingTtl(key) : ms;
  }

  /**
   * Removes what has expired from the next buckets, which writes do by themselves, one or two buckets at a time; {@link Host.tick} does this
   * for all maps of a host. Call it for a map that has few writes.
   *
   * @param buckets how many to look at; default 64, each at most once
   * @returns how many entries went
   * @example
   * ```ts
   * import { createHost, u32 } from "bpfmap";
   *
   * let now = 0;
   * const host = createHost({ clock: () => now });
   * const map = host.createMap({ type: "hash", key: u32, value: u32, maxEntries: 100, ttl: 1000 });
   * map.set(1, 10);
   * now = 1000;
   * host.tick(); // as sweep() does
   * console.log(map.size, map.sweep()); // 0 0
   * ```
   */
  sweep(buckets: number = SWEPT): number {
    if (this.writing === 0) this.refuse("sweep");
    const { host, table } = this;
    checkInteger(`sweep: ${subjectOf(this)}: buckets`, buckets, 0, 2 ** 32 - 1);
    if (table.expiry === undefined) return 0;
    host.expiry.touch();
    const swept = host.core.sweepExpired(this.writing, buckets) >>> 0;
    this.told();
    return swept;
  }

  override get absent(): number {
    return ERRNO.ENOENT;
  }

  override put(key: number, value: number, condition: number): number {
    return this.host.core.update(this.writing, key, value, condition);
  }

  override scan(cursor: number, keys: number, values: number, room: number): number {
    return scanTable(this.host, this.table, cursor, keys, values, room);
  }

  override columns(state: number, addresses: number, keys: number, room: number): number {
    return columnsOf(this.host, this.table, state, addresses, keys, room);
  }

  override lookupKeys(stage: number, keys: number, count: number, values: number, found: number): number {
    return this.host.core.lookupMany(this.reading, stage, keys, count, values, found);
  }

  override writeEntries(
    stage: number,
    keys: number,
    count: number,
    values: number,
    condition: number,
  ): number {
    try {
      return this.core.updateMany(this.writing, stage, keys, count, values, condition);
    } catch (trap) {
      throw this.trapped("updateBatch", trap);
    }
  }

  override addDeltas(
    stage: number,
    keys: number,
    count: number,
    deltas: number,
    width: number,
    offset: number,
  ): number {
    try {
      return this.core.addMany(this.writing, stage, keys, count, deltas, width, offset);
    } catch (trap) {
      throw this.trapped("addMany", trap);
    }
  }

  /** @internal A part that is no number. */
  protected fetchPart(key: K, part: Part): unknown {
    return super.getPart(key, part);
  }

  override nextKey(key?: K): K | undefined {
    if (this.reading === 0) this.refuse("nextKey");
    const { host } = this;
    const { scratch } = host;
    const from = key === undefined ? 0 : this.encodeKey("nextKey", key);
    scratch.turn++;
    const errno = keyAfter(host, this.table, from, scratch.out);
    if (errno === 0) return this.decodeKey("nextKey", host.view, scratch.out);
    if (errno !== ERRNO.ENOENT) this.fail("nextKey", errno);
    return undefined;
  }

  /**
   * Raises the limit of the entry count of an rhash. It allocates nothing: the table grows with its entries.
   *
   * @throws BpfError EINVAL for types other than rhash, whose size is fixed, and for a limit below the present one; E2BIG beyond 2^31.
   * @example
   * ```ts
   * import { createMap, u32 } from "bpfmap";
   *
   * const map = createMap({ type: "rhash", key: u32, value: u32, maxEntries: 1 });
   * map.set(1, 10);
   * map.grow(2);
   * console.log(map.info.maxEntries); // 2
   * ```
   */
  grow(maxEntries: number): void {
    if (this.writing === 0) this.refuse("grow");
    const { table } = this;
    if (table.type !== "rhash") {
      const cause = `is fixed at maxEntries = ${table.maxEntries}: ${evicts(table.type) ? "an" : "a"} ${table.type} never grows`;
      throw bpfError(ERRNO.EINVAL, "grow", subjectOf(this), cause, 'create it with type "rhash"');
    }
    growTo(this, maxEntries, RHASH_ENTRIES_MAX);
  }
}

export interface HashMap<K, V> extends CountingMap<K, V>, FieldMap<K, V> {
  add(key: K, ...count: AddArguments<V, Count<V, number>>): Count<V, number>;
  add(key: K, ...count: AddArguments<V, Count<V, bigint>>): Count<V, bigint>;
  addMany(
    keys: KeyArray<K>,
    ...counts: AddArguments<V, Count<V, number>, DeltaArray<Count<V, number>>>
  ): void;
  addMany(
    keys: KeyArray<K>,
    ...counts: AddArguments<V, Count<V, bigint>, DeltaArray<Count<V, bigint>>>
  ): void;
  field<P extends FieldPath<V>>(path: P): Field<K, FieldOf<V, P>>;
  addFields(key: K, deltas: FieldDeltas<V>): void;
}
