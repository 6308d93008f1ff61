/**
 * Calls that change values where they are: counts and other fields, and what a value may have beside data, spin locks, timers and
 * workqueues.
 *
 * @module
 */
import { type Codec, Scalar } from "../../codec/codec.ts";
import { BPF_EXIST } from "../../constants.ts";
import type { CoreHost } from "../../core/core_host.ts";
import { addTo, addToAny, addU32, addU53, fitsU53 } from "../../core/memory/add.ts";
import { readScalar, writeScalar } from "../../core/memory/scalar.ts";
import { plainSpans } from "../../core/tables/special_fields.ts";
import type { Table } from "../../core/tables/table.ts";
import type { Operation } from "../../errors.ts";
import { type Additions, addFields } from "../../ops/calls/add_fields.ts";
import { type AddOptions, type Counter, Counters, checkDelta, outOfU53 } from "../../ops/calls/counter.ts";
import { Field } from "../../ops/calls/field.ts";
import { checkGetFlags } from "../../ops/calls/flags.ts";
import { locked } from "../../ops/calls/locked.ts";
import type { Part } from "../../ops/calls/part.ts";
import { subjectOf } from "../../ops/failure.ts";
import { slotCodec } from "../../ops/percpu.ts";
import { MapTimer, MapWorkqueue } from "../../ops/timers/map_timers.ts";
import { hide } from "../../print/hidden.ts";
import { KeyedMap } from "./keyed_map.ts";
import type { LockableMap } from "./lockable_map.ts";
import type { TimedMap } from "./timed_map.ts";

/** A map whose values can be changed in place: see {@link EntryMap}. */
export abstract class InPlaceMap<K, V> extends KeyedMap<K, V> implements LockableMap<K, V>, TimedMap<K> {
  /** @internal */
  declare readonly counters: Counters;
  /** @internal What `addFields` has kept for its next call. */
  declare spareAdditions: Additions | undefined;

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
    hide<InPlaceMap<K, V>>(this, { counters: new Counters(slotCodec(value)), spareAdditions: undefined });
  }

  /** @internal See {@link CountingMap.add}: {@link HashMap} and {@link ArrayMap} have its type. */
  add(key: K, delta?: unknown, options?: AddOptions<unknown>): unknown {
    if (this.reading === 0 || this.writing === 0) this.refuse("add");
    return this.count("add", key, this.counters.find(this, "add", options), delta);
  }

  /** @internal Adds to one integer of a value; the new count. */
  count(operation: Operation, key: K, counter: Counter, delta: unknown): unknown {
    checkDelta(this, operation, counter, delta);
    const { scalar, offset } = counter;
    if (scalar === Scalar.U32)
      return addU32(this.host, this.obtain(operation, key) + offset, delta as number);
    if (scalar === Scalar.U53) return this.#addU53(operation, key, counter, delta as number);
    return addTo(this.host, scalar, this.obtain(operation, key) + offset, delta as number | bigint);
  }

  #addU53(operation: Operation, key: K, counter: Counter, delta: number): number {
    // A new one starts at 0, so that a negative delta is refused before the key is inserted.
    const absent = delta < 0 && this.locate(operation, key) === 0;
    const count = absent ? -1 : addU53(this.host, this.obtain(operation, key) + counter.offset, delta);
    if (count < 0) throw outOfU53(counter, `${operation}: ${subjectOf(this)}: `, delta);
    return count;
  }

  /** @internal See {@link FieldMap.addFields}. */
  addFields(key: K, deltas: unknown): void {
    addFields(this, key, deltas);
  }

  /** @internal Adds to several integers of a value, or to none. */
  countAll(key: K, { counters, deltas, count }: Additions): void {
    const { host } = this;
    // As in #addU53.
    let mayRefuse = false;
    for (let i = 0; i < count; i++) mayRefuse ||= counters[i].scalar === Scalar.U53 && deltas[i] < 0;
    const absent = mayRefuse && this.locate("addFields", key) === 0;
    const address = absent ? 0 : this.obtain("addFields", key);
    for (let i = 0; i < count; i++) {
      if (counters[i].scalar !== Scalar.U53) continue;
      const delta = deltas[i] as number;
      if (absent ? delta >= 0 : fitsU53(host, address + counters[i].offset, delta)) continue;
      throw outOfU53(counters[i], `addFields: ${subjectOf(this)}: `, delta);
    }
    for (let i = 0; i < count; i++) {
      addToAny(host, counters[i].scalar, address + counters[i].offset, deltas[i]);
    }
  }

  /** @internal See {@link FieldMap.field}. */
  field(path: string): Field<K, unknown> {
    return new Field<K, unknown>(this, path);
  }

  /** @internal A part of the value of a key; undefined when it is absent. */
  getPart(key: K, part: Part): unknown {
    if (this.reading === 0) this.refuse("field.get");
    const address = this.locate("field.get", key);
    if (address === 0) return undefined;
    const { host } = this;
    const at = address + part.offset;
    return readScalar(host, part.scalar, at) ?? this.decodeValue("field.get", host.view, at, part.codec);
  }

  /** @internal Writes a number that fits, or else what is in the scratch, to a part of the value of a key: whether it was there. */
  setPart(key: K, part: Part, fits: boolean, x: unknown): boolean {
    if (this.locate("field.set", key) === 0) return false;
    this.storePart(this.obtain("field.set", key), part, fits, x);
    return true;
  }

  /** @internal */
  protected storePart(address: number, part: Part, fits: boolean, x: unknown): void {
    const { host } = this;
    if (fits) writeScalar(host, part.scalar, address + part.offset, x);
    else host.copy(address + part.offset, host.scratch.value, part.codec.size);
  }

  locked(key: K, fn: (value: V, address: number) => V | undefined): V | undefined {
    return locked(this, key, fn);
  }

  timer(key: K): MapTimer<K, this> {
    return new MapTimer(this, key);
  }

  workqueue(key: K): MapWorkqueue<K, this> {
    return new MapWorkqueue(this, key);
  }

  /** Writes a value but for its timers, which others may start and cancel meanwhile: 0 or an errno. */
  #putAround(key: number, value: number): number {
    for (const [start, end] of plainSpans(this.table)) {
      const errno = this.putPart(key, start, end - start, value + start);
      if (errno !== 0) return errno;
    }
    return 0;
  }

  /** @internal Writes a part of the value of the key at an address; 0 or an errno. */
  protected putPart(key: number, offset: number, bytes: number, source: number): number {
    const address = this.live(key);
    if (address === 0) return this.absent;
    this.host.copy(address + offset, source, bytes);
    return 0;
  }

  /** @internal Address of the live value of the key at an address: see {@link TimedHandle}. */
  live(key: number): number {
    return this.find(this.table.handle, key);
  }

  /** @internal {@link get} with flags. */
  protected getWith(key: K, flags: number): V | undefined {
    checkGetFlags(this, flags);
    return flags === 0 ? this.get(key) : this.getLocked(key);
  }

  /** @internal {@link get} under the value's lock. A host of one thread holds every lock already. */
  protected getLocked(key: K): V | undefined {
    return this.get(key);
  }

  /** @internal Takes the lock of the value of the key at an address, and enters a section: the value's address, 0 when absent. */
  lockValue(key: number): number {
    const address = this.find(this.writing, key);
    if (address === 0) return 0;
    this.host.core.enterSection();
    this.host.registry.sections++;
    return address;
  }

  /** @internal Ends what {@link lockValue} began. */
  unlockValue(_address: number): void {
    this.host.core.leaveSection();
    this.host.registry.leaveSection();
  }

  /** @internal The value of the key in the scratch, whose lock is held. */
  decodeLocked(address: number): V {
    return this.decodeValue("locked", this.host.view, address);
  }

  /** @internal Writes the value in the scratch over that of the key in the scratch, whose lock is held; if it is still there. */
  writeLocked(_address: number): void {
    const { key, value } = this.host.scratch;
    const { table } = this;
    const timed = table.timerOffset !== undefined || table.workqueueOffset !== undefined;
    const errno = timed ? this.#putAround(key, value) : this.put(key, value, BPF_EXIST);
    if (errno !== 0 && errno !== this.absent) this.fail("locked", errno);
  }
}
