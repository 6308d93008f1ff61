/**
 * The tables of a host: who refers to them, and when they go. What hosts of their own and those of shared memory have in common;
 * the rest is in plain_registry.ts and shared_registry.ts.
 *
 * @module
 */
import { BPF_F_NO_PREALLOC, BPF_F_RDONLY, BPF_F_WRONLY, BPF_F_ZERO_SEED } from "../../constants.ts";
import { bpfError, ERRNO, type Operation } from "../../errors.ts";
import {
  KIND_EVICTS,
  KIND_FILTERED,
  KIND_GROWABLE,
  KIND_RECENCY,
  KIND_TEXTS,
  KIND_TIMED,
} from "../../generated/abi.js";
import { noBlock, noMemory, type ScratchMemory } from "../memory/scratch.ts";
import { drawTableSecrets } from "../memory/secrets.ts";
import { lockTimeout } from "../memory/shared_core.ts";
import { ERRNO_LIMIT } from "../wasm/exports.ts";
import type { EvictionType, MapAttributes, SocketMapType } from "./map_types.ts";
import { entriesWithin } from "./max_bytes.ts";
import type { Table, TableInfo, TableType } from "./table.ts";

/** MurmurHash3's finalizer (Appleby): every bit of the input reaches every bit of the result. */
function mix32(word: number): number {
  let h = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A slot of a per-CPU value starts at a multiple of 8 bytes, as does an element of an array. */
export function roundUp8(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

/** Whether each key has a value for each CPU. */
export function isPercpuHash(type: TableType): boolean {
  return type === "percpu_hash" || type === "lru_percpu_hash";
}

/** Bytes of one value as user space sees it (`bpf_map_value_size`): per-CPU maps have one slot for each CPU. */
export function valueBytesOf(type: TableType, valueSize: number, cpus: number): number {
  return isPercpuHash(type) || type === "percpu_array" ? roundUp8(valueSize) * cpus : valueSize;
}

/** Bytes of one value in a table: where entries expire, with when it does (assembly/table/notes/expiry.ts). */
export function storedBytesOf(
  { type, valueSize, expiry }: Pick<TableAttributes, "type" | "valueSize" | "expiry">,
  cpus: number,
): number {
  const valueBytes = valueBytesOf(type, valueSize, cpus);
  if (expiry === undefined) return valueBytes;
  return roundUp8(Math.ceil(valueBytes / 4) * 4 + (isPercpuHash(type) ? roundUp8(valueSize) : 4));
}

/** Whether an insert into a full map evicts. */
export function evicts(type: TableType): type is EvictionType {
  return type === "lru_hash" || type === "lru_percpu_hash";
}

/** Whether the values are objects of the thread that made the map. */
export function isSocketMap(type: TableType): type is SocketMapType {
  return type === "sockmap" || type === "sockhash";
}

/** Whether buckets come and go with the entries. */
export function isGrowable(type: TableType): boolean {
  return type === "rhash" || isSocketMap(type);
}

/** What the core is told of what a table is, as bits. */
export function kindOf(
  table: Pick<TableAttributes, "type" | "absentFilter" | "eviction" | "expiry" | "texts">,
): number {
  return (
    (isGrowable(table.type) ? KIND_GROWABLE : 0) |
    (table.absentFilter === true ? KIND_FILTERED : 0) |
    (evicts(table.type) ? KIND_EVICTS : 0) |
    (table.eviction === "recency" ? KIND_RECENCY : 0) |
    (table.expiry === undefined ? 0 : KIND_TIMED) |
    (table.texts === true ? KIND_TEXTS : 0)
  );
}

/** Whether each index of the map is there from the start. */
export function isArray(type: TableType): boolean {
  return type === "array" || type === "percpu_array";
}

/** What {@link Registry.create} makes a table from. */
export type TableAttributes = Omit<MapAttributes, "type"> & { readonly type: TableType };

/** A handle of a table, whatever it is. */
export interface TableHandle {
  readonly table: Table;
  close(): void;
}

/**
 * References are counted: `create`, `byId` and `pinned` give one to their caller, who takes it back with `drop` when it has made
 * its own or needs none.
 */
export abstract class Registry {
  /** How many sections are running. */
  sections = 0;
  protected readonly host: ScratchMemory;
  readonly #seed: number | undefined;
  /** All open handles: `close` of the host closes them. */
  readonly #handles = new Set<TableHandle>();

  constructor(host: ScratchMemory, seed: number | undefined) {
    this.host = host;
    this.#seed = seed;
  }

  /** Tables to look at, by ascending id. */
  abstract all(): Iterable<TableInfo>;
  abstract byId(id: number): Table | undefined;
  abstract pinned(path: string): Table | undefined;
  /** False when the path is taken. */
  abstract pin(path: string, table: Table): boolean;
  /** False when nothing is pinned there. */
  abstract unpin(path: string): boolean;
  /** Counts one more reference. */
  abstract hold(table: Table): void;
  /** Takes a reference back. */
  abstract drop(table: Table): void;
  /** The section that was entered last ends. */
  abstract leaveSection(): void;

  /** The id for a table that is about to be created. */
  protected abstract takeId(operation: Operation, subject: string): number;
  /** Makes a table known that the core has created, with a reference. The caller destroys it when this throws. */
  protected abstract register(table: Table, operation: Operation, subject: string): Table;
  /** Whether there are no tables any more that would need the scratch. */
  protected abstract get isEmpty(): boolean;

  /** Creates a table from attributes that were checked. Throws ENOMEM. */
  create(attributes: TableAttributes, operation: Operation, subject: string): Table {
    const { scratch } = this.host;
    const { type, keySize, valueSize, maxEntries } = attributes;
    const valueBytes = valueBytesOf(type, valueSize, this.host.cpus);
    const { expiry } = attributes;
    const storedBytes = storedBytesOf(attributes, this.host.cpus);
    if (expiry !== undefined) this.host.expiry.open(expiry.resolution); // asks a clock of the caller's, which may throw
    // RDONLY and WRONLY are properties of the file descriptor that MAP_CREATE returns, not of the map.
    const flags =
      (attributes.flags & ~(BPF_F_RDONLY | BPF_F_WRONLY)) | (type === "rhash" ? BPF_F_NO_PREALLOC : 0);
    const id = this.takeId(operation, subject);
    const handle = this.#allocate(attributes, storedBytes, flags, id);
    if (this.host.u8.length === 0) this.host.refresh();
    if (handle >= ERRNO_LIMIT && !scratch.reserve(keySize, storedBytes)) {
      const error = noBlock(this.host, operation, subject);
      this.#discard(handle);
      throw error;
    }
    if (handle === ERRNO.ENOMEM) throw noMemory(this.host, operation, subject);
    if (handle === ERRNO.ETIMEDOUT) throw lockTimeout(this.host, operation, subject);
    if (handle < ERRNO_LIMIT) throw bpfError(handle, operation, subject, "was refused by the core");
    if (expiry !== undefined) {
      this.host.core.setExpiry(handle, expiry.resolution, expiry.ttl, valueBytes, Number(expiry.renews));
    }
    const {
      name,
      mapExtra,
      lockOffset,
      timerOffset,
      workqueueOffset,
      absentFilter,
      texts = false,
    } = attributes;
    const eviction = evicts(type) ? (attributes.eviction ?? "value") : undefined;
    const table: Table = {
      id,
      type,
      name,
      keySize,
      valueSize,
      valueBytes,
      flags,
      mapExtra,
      lockOffset,
      timerOffset,
      workqueueOffset,
      absentFilter,
      eviction,
      expiry,
      storedBytes,
      texts,
      handle,
      maxEntries,
      references: 1,
      direct: maxEntries,
      lowWater: undefined,
    };
    try {
      return this.register(table, operation, subject);
    } catch (error) {
      this.#discard(handle);
      throw error;
    }
  }

  /** The most entries, up to the limit of the attributes, that a table which evicts may have to stay below a number of bytes. */
  entriesWithin(
    attributes: TableAttributes,
    maxBytes: number,
    operation: Operation,
    subject: string,
  ): number {
    const { host } = this;
    const { type, keySize, maxEntries } = attributes;
    const storedBytes = storedBytesOf(attributes, host.cpus);
    const [kind, perCpu] = [kindOf(attributes), Number(isPercpuHash(type))];
    const bytesOf = (header: number, entries: number) =>
      host.core.fullBytes(header, kind, keySize, storedBytes, entries, perCpu);
    return entriesWithin(host, maxBytes, maxEntries, bytesOf, operation, subject);
  }

  /** Has the core allocate a table: its handle, or an errno. */
  #allocate(attributes: TableAttributes, storedBytes: number, flags: number, id: number): number {
    const { core, limit } = this.host;
    const { type, keySize, maxEntries, mapExtra } = attributes;
    // The core counts bytes in 32 bits: what cannot fit is refused before it wraps around.
    if (storedBytes > limit) return ERRNO.ENOMEM;
    if (type === "kv") return core.createKv(maxEntries, mapExtra) >>> 0;
    if (isArray(type)) {
      const fits = roundUp8(storedBytes) * maxEntries <= limit;
      return fits ? core.createArray(storedBytes, maxEntries) >>> 0 : ERRNO.ENOMEM;
    }
    // Secrets for each map: entries copied from one map to another come in hash order, and with the same ones they would
    // all meet in the buckets that the smaller table has split so far.
    const isZero = (flags & BPF_F_ZERO_SEED) !== 0;
    const seed = isZero || this.#seed === undefined ? 0 : mix32(this.#seed + Math.imul(id, 0x9e3779b1));
    const secrets = isZero || this.#seed !== undefined ? undefined : drawTableSecrets();
    const prealloc = !isGrowable(type) && (flags & BPF_F_NO_PREALLOC) === 0;
    const handle =
      core.createTable(
        kindOf(attributes),
        keySize,
        storedBytes,
        maxEntries,
        Number(prealloc),
        mapExtra,
        seed,
        Number(isPercpuHash(type)),
      ) >>> 0;
    if (secrets !== undefined && handle >= ERRNO_LIMIT) {
      if (this.host.u8.length === 0) this.host.refresh();
      this.host.u8.set(secrets, handle + core.SEEDS_OFFSET.value);
    }
    return handle;
  }

  /** Destroys a table that never got known. */
  #discard(handle: number): void {
    this.host.core.destroyTable(handle);
    if (this.isEmpty) this.host.scratch.release();
  }

  /** Counts a new handle of a table. */
  addHandle(map: TableHandle): void {
    this.#handles.add(map);
    this.hold(map.table);
  }

  /** A handle was closed. */
  removeHandle(map: TableHandle): void {
    if (this.#handles.delete(map)) this.drop(map.table);
  }

  /** Closes what this thread has open. */
  closeAll(): void {
    for (const map of [...this.#handles]) map.close();
  }
}
