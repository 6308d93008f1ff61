/**
 * The tables of a host: who refers to them, and when they go.
 *
 * @module
 */
import { BPF_F_NO_PREALLOC, BPF_F_RDONLY, BPF_F_WRONLY, BPF_F_ZERO_SEED } from "../constants.ts";
import { bpfError, ERRNO, type Operation } from "../errors.ts";
import type { BpfMap } from "../maps/bpf_map.ts";
import type { MapType } from "../maps/spec.ts";
import type { MapAttributes } from "../maps/validate.ts";
import type { Host } from "./host.ts";
import { noMemory } from "./scratch.ts";
import type { Table } from "./table.ts";
import { ERRNO_LIMIT } from "./wasm.ts";

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

/** Bytes of one value as user space sees it (`bpf_map_value_size`): per-CPU maps have one slot for each CPU. */
export function valueBytesOf(type: MapType, valueSize: number, cpus: number): number {
  return type === "percpu_hash" || type === "percpu_array" ? roundUp8(valueSize) * cpus : valueSize;
}

/** Whether each index of the map is there from the start. */
export function isArray(type: MapType): boolean {
  return type === "array" || type === "percpu_array";
}

export class Tables {
  /** How many sections are running. */
  sections = 0;
  #host: Host;
  #seed: number;
  #nextId = 1;
  #tables = new Map<number, Table>();
  #pins = new Map<string, Table>();
  /** All open handles: `close` of the host closes them. */
  #handles = new Set<BpfMap<unknown, unknown>>();
  /** Tables to destroy when the section ends: addresses in it may point at their entries. */
  #dying: Table[] = [];

  constructor(host: Host, seed: number) {
    this.#host = host;
    this.#seed = seed;
  }

  /** Creates a table from attributes that were checked; one reference is the caller's. Throws ENOMEM. */
  create(attributes: MapAttributes, operation: Operation, subject: string): Table {
    const { core, scratch } = this.#host;
    const { type, name, keySize, valueSize, maxEntries, mapExtra, hasLock, lockOffset } = attributes;
    const valueBytes = valueBytesOf(type, valueSize, this.#host.cpus);
    const growable = type === "rhash";
    // RDONLY and WRONLY are properties of the file descriptor that MAP_CREATE returns, not of the map.
    const flags = (attributes.flags & ~(BPF_F_RDONLY | BPF_F_WRONLY)) | (growable ? BPF_F_NO_PREALLOC : 0);
    const id = this.#nextId;
    // A seed for each map: entries copied from one map to another come in hash order, and with the same seed they would
    // all meet in the buckets that the smaller table has split so far.
    const seed = (flags & BPF_F_ZERO_SEED) !== 0 ? 0 : mix32(this.#seed + Math.imul(id, 0x9e3779b1));
    const prealloc = (flags & BPF_F_NO_PREALLOC) === 0 ? 1 : 0;
    let handle: number;
    // The core counts bytes in 32 bits: what cannot fit is refused before it wraps around.
    if (valueBytes > this.#host.limit) handle = ERRNO.ENOMEM;
    else if (isArray(type)) {
      const fits = roundUp8(valueBytes) * maxEntries <= this.#host.limit;
      handle = fits ? core.createArray(valueBytes, maxEntries) >>> 0 : ERRNO.ENOMEM;
    } else {
      handle =
        core.createTable(growable ? 1 : 0, keySize, valueBytes, maxEntries, prealloc, mapExtra, seed) >>> 0;
    }
    if (this.#host.u8.length === 0) this.#host.refresh();
    if (handle >= ERRNO_LIMIT && !scratch.reserve(keySize, valueBytes)) {
      core.destroyTable(handle);
      if (this.#tables.size === 0) scratch.release();
      handle = ERRNO.ENOMEM;
    }
    if (handle === ERRNO.ENOMEM) throw noMemory(this.#host, operation, subject);
    if (handle < ERRNO_LIMIT) throw bpfError(handle, operation, subject, "was refused by the core");
    this.#nextId++;
    const table = {
      id,
      type,
      name,
      keySize,
      valueSize,
      valueBytes,
      flags,
      mapExtra,
      hasLock,
      lockOffset,
      handle,
      maxEntries,
      references: 0,
    };
    this.#tables.set(id, table);
    return table;
  }

  /** All tables that something refers to, by ascending id. */
  all(): Iterable<Table> {
    return this.#tables.values();
  }

  byId(id: number): Table | undefined {
    return this.#tables.get(id);
  }

  /** Counts a reference that is neither a handle nor a pin: a file descriptor. */
  hold(table: Table): void {
    table.references++;
  }

  /** Takes a reference of {@link hold} back. */
  drop(table: Table): void {
    this.#dereference(table);
  }

  /** Counts a new handle of a table. */
  addHandle(map: BpfMap<unknown, unknown>): void {
    this.#handles.add(map);
    map.table.references++;
  }

  /** A handle was closed. */
  removeHandle(map: BpfMap<unknown, unknown>): void {
    if (this.#handles.delete(map)) this.#dereference(map.table);
  }

  /** False when the path is taken. */
  pin(path: string, table: Table): boolean {
    if (this.#pins.has(path)) return false;
    this.#pins.set(path, table);
    table.references++;
    return true;
  }

  pinned(path: string): Table | undefined {
    return this.#pins.get(path);
  }

  /** False when nothing is pinned there. */
  unpin(path: string): boolean {
    const table = this.#pins.get(path);
    if (table === undefined) return false;
    this.#pins.delete(path);
    this.#dereference(table);
    return true;
  }

  leaveSection(): void {
    if (--this.sections > 0) return;
    for (const table of this.#dying.splice(0)) this.#destroy(table);
  }

  closeAll(): void {
    for (const map of [...this.#handles]) map.close();
    for (const path of [...this.#pins.keys()]) this.unpin(path);
  }

  #dereference(table: Table): void {
    if (--table.references > 0) return;
    this.#tables.delete(table.id);
    if (this.sections > 0) this.#dying.push(table);
    else this.#destroy(table);
    if (this.#tables.size === 0) this.#host.scratch.release();
  }

  #destroy(table: Table): void {
    this.#host.core.destroyTable(table.handle);
  }
}
