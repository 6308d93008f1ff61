/**
 * A map as everything sees it that is done to maps whatever their type: below the public classes, which are made of it.
 *
 * @module
 */
import type { Codec, ScalarKind } from "../codec/codec.ts";
import type { CoreHost } from "../core/core_host.ts";
import type { AnyMapType, MapInfo } from "../core/tables/map_types.ts";
import type { MapStats } from "../core/tables/stats.ts";
import type { Table } from "../core/tables/table.ts";
import type { CoreExports } from "../core/wasm/exports.ts";
import type { Operation } from "../errors.ts";

/** What every map has: see {@link BpfMap}. */
export interface MapHandle<K, V> {
  readonly host: CoreHost;
  readonly name: string;
  readonly type: AnyMapType;
  readonly info: MapInfo;
  memoryUsage(): number;
  stats(): MapStats;
  verify(): string[];
  freeze(): void;
  close(): void;
  /** @internal The host's bare one. */
  readonly core: CoreExports;
  /** @internal */
  readonly table: Table;
  /** @internal The core's handle for calls that read: 0 when closed or write-only. */
  readonly reading: number;
  /** @internal The core's handle for calls that write: 0 when closed or read-only. */
  readonly writing: number;
  /** @internal */
  readonly closed: boolean;
  /** @internal */
  readonly keyCodec: Codec<K>;
  /** @internal */
  readonly valueCodec: Codec<V>;
  /** @internal */
  readonly keyScalar: ScalarKind;
  /** @internal */
  readonly valueScalar: ScalarKind;
  /** @internal What to close with the handle. */
  readonly resources: Set<{ close(): void }>;
  /** @internal Another handle of the map, for reading, or writing too: it keeps the map when this one is closed. */
  reopen(writable?: boolean): this;
  /** @internal Throws for a handle that is closed, or open for the other direction only. */
  refuse(operation: Operation): never;
  /** @internal What to throw for what a call of the bare core has thrown. */
  trapped(operation: Operation, thrown: unknown): unknown;
  /** @internal Throws for an errno of the core. */
  fail(operation: Operation, errno: number): never;
  /** @internal Encodes a key into the scratch; where, or 0 for one that is absent. */
  encodeKey(operation: Operation, key: K): number;
  /** @internal Encodes a value, or a part of one, into the scratch; where. */
  encodeValue(operation: Operation, value: unknown, codec?: Codec<unknown>): number;
  /** @internal */
  decodeKey(operation: Operation, view: DataView, offset: number): K;
  /** @internal */
  decodeValue<T = V>(operation: Operation, view: DataView, offset: number, codec?: Codec<unknown>): T;
}

/** A map whose entries can be scanned, looked up by address, and shown. */
export interface Scannable<K, V> extends MapHandle<K, V> {
  readonly size: number;
  /** Address of the value of the key at an address, 0 when absent; on shared hosts, of a copy, or an errno. */
  find(handle: number, key: number): number;
  /** The next entries from a cursor, packed; how many. */
  scan(cursor: number, keys: number, values: number, room: number): number;
  /** Throws when a scan that gave so many entries has ended early, since shared memory was locked too long. */
  checkScan(operation: Operation, count: number): void;
}

/** A map that iterators walk over, where its host is not shared. */
export interface Walkable<K, V> extends Scannable<K, V> {
  /** The next entries of an iterator, as columns; how many, 0 at the end. */
  columns(state: number, addresses: number, keys: number, room: number): number;
}

/** A map of keys and values: see {@link EntryMap}. */
export interface EntryHandle<K, V> extends Walkable<K, V> {
  /** Whether `freeze` was called. */
  readonly frozen: boolean;
  /** The errno for an update with BPF_EXIST of a key that is not there. */
  readonly absent: number;
  /** Update and copy the value, both at addresses; 0 | errno. */
  put(key: number, value: number, condition: number): number;
  /** Address of the value of a key, 0 when absent; whatever the handle allows. */
  locate(operation: Operation, key: K): number;
  /** Address of the value of a key, for writing; a new one is zeros. Throws what the core answers. */
  obtain(operation: Operation, key: K): number;
  /** Multi-get; how many were found. */
  lookupKeys(stage: number, keys: number, count: number, values: number, found: number): number;
  /** Writes entries; how many, with the errno that ended it in the stage. */
  writeEntries(stage: number, keys: number, count: number, values: number, condition: number): number;
  /** Adds to a field of values; how many, with the errno that ended it in the stage. */
  addDeltas(
    stage: number,
    keys: number,
    count: number,
    deltas: number,
    width: number,
    offset: number,
  ): number;
}
