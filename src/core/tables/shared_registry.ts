/**
 * The tables of a shared memory, as one thread sees them. What they are and who refers to them stands in the memory itself
 * (assembly/host/registry.ts); here are those that this thread has open. The thread refers to each of them once in the memory,
 * however many handles and descriptors it has.
 *
 * @module
 */

import { bpfError, damagedError, ERRNO, mapSubject, type Operation } from "../../errors.ts";
import {
  DYING_TABLES,
  LAYOUT_TEXTS,
  META_EVICTION,
  META_FLAGS,
  META_ID,
  META_KEY_SIZE,
  META_LOCK_OFFSET,
  META_MAP_EXTRA,
  META_NAME,
  META_NAME_LENGTH,
  META_PRIVATE,
  META_RENEWS,
  META_RESOLUTION,
  META_TIMER_OFFSET,
  META_TTL,
  META_TYPE,
  META_VALUE_SIZE,
  META_WORKQUEUE_OFFSET,
  NO_LOCK,
  TABLE_LAYOUT,
} from "../../generated/abi.js";
import { noBlock, noMemory, type ScratchMemory } from "../memory/scratch.ts";
import { lockTimeout, sharedCore } from "../memory/shared_core.ts";
import { ERRNO_LIMIT } from "../wasm/exports.ts";
import type { SharedExports } from "../wasm/shared_exports.ts";
import type { Eviction, Expiry } from "./map_types.ts";
import { evicts, isArray, isSocketMap, Registry, storedBytesOf, valueBytesOf } from "./registry.ts";
import type { Table, TableHooks, TableInfo, TableSockets, TableTimers, TableType } from "./table.ts";

/** Numbers of the types in the memory. */
const TYPES: readonly TableType[] = [
  "hash",
  "rhash",
  "percpu_hash",
  "array",
  "percpu_array",
  "sockmap",
  "sockhash",
  "kv",
  "lru_hash",
  "lru_percpu_hash",
];

/** A table as its header describes it. */
class SharedTable implements Table {
  readonly id: number;
  readonly type: TableType;
  readonly name: string;
  readonly keySize: number;
  readonly valueSize: number;
  readonly valueBytes: number;
  readonly storedBytes: number;
  readonly flags: number;
  readonly mapExtra: number;
  readonly lockOffset: number | undefined;
  readonly timerOffset: number | undefined;
  readonly workqueueOffset: number | undefined;
  readonly eviction: Eviction | undefined;
  readonly expiry: Expiry | undefined;
  readonly texts: boolean;
  readonly handle: number;
  references = 0;
  sockets?: TableSockets;
  timers?: TableTimers;
  direct: number;
  lowWater: TableHooks | undefined;
  readonly #words: Uint32Array;
  readonly #maxEntries: number;

  constructor(host: ScratchMemory, handle: number) {
    const core = sharedCore(host);
    const { u32 } = host;
    const start = handle + core.META_OFFSET.value;
    const word = (offset: number) => u32[(start + offset) >>> 2];
    this.handle = handle;
    this.id = word(META_ID);
    this.type = TYPES[word(META_TYPE)];
    this.keySize = word(META_KEY_SIZE);
    this.valueSize = word(META_VALUE_SIZE);
    this.valueBytes = valueBytesOf(this.type, this.valueSize, host.cpus);
    this.flags = word(META_FLAGS);
    this.mapExtra = word(META_MAP_EXTRA);
    const offset = (at: number) => (word(at) === NO_LOCK ? undefined : word(at));
    this.lockOffset = offset(META_LOCK_OFFSET);
    this.timerOffset = offset(META_TIMER_OFFSET);
    this.workqueueOffset = offset(META_WORKQUEUE_OFFSET);
    this.eviction = evicts(this.type) ? (word(META_EVICTION) === 1 ? "recency" : "value") : undefined;
    const resolution = word(META_RESOLUTION);
    const ttl = host.f64[(start + META_TTL) >>> 3];
    this.expiry = resolution === 0 ? undefined : { ttl, resolution, renews: word(META_RENEWS) === 1 };
    this.storedBytes = storedBytesOf(this, host.cpus);
    this.texts = u32[(handle + TABLE_LAYOUT) >>> 2] === LAYOUT_TEXTS;
    this.name = String.fromCharCode(
      ...host.u8.subarray(start + META_NAME, start + META_NAME + word(META_NAME_LENGTH)),
    );
    this.direct = isArray(this.type) ? u32[(handle + core.ARRAY_BASE_OFFSET.value) >>> 2] : 0;
    this.#words = u32;
    this.#maxEntries = (handle + core.MAX_ENTRIES_OFFSET.value) >>> 2;
  }

  /** Another thread may have raised it. */
  get maxEntries(): number {
    return this.#words[this.#maxEntries];
  }

  set maxEntries(_entries: number) {
    // The core has written it.
  }
}

/** Has the header of a new table say what it is. */
function describeTable(host: ScratchMemory, core: SharedExports, info: TableInfo): void {
  const start = info.handle + core.META_OFFSET.value;
  const put = (offset: number, word: number) => {
    host.u32[(start + offset) >>> 2] = word;
  };
  put(META_ID, info.id);
  put(META_TYPE, TYPES.indexOf(info.type));
  put(META_KEY_SIZE, info.keySize);
  put(META_VALUE_SIZE, info.valueSize);
  put(META_FLAGS, info.flags);
  put(META_MAP_EXTRA, info.mapExtra);
  put(META_LOCK_OFFSET, info.lockOffset ?? NO_LOCK);
  put(META_TIMER_OFFSET, info.timerOffset ?? NO_LOCK);
  put(META_WORKQUEUE_OFFSET, info.workqueueOffset ?? NO_LOCK);
  put(META_NAME_LENGTH, info.name.length);
  put(META_PRIVATE, isSocketMap(info.type) ? 1 : 0);
  put(META_EVICTION, info.eviction === "recency" ? 1 : 0);
  put(META_RESOLUTION, info.expiry?.resolution ?? 0);
  put(META_RENEWS, info.expiry?.renews === true ? 1 : 0);
  host.f64[(start + META_TTL) >>> 3] = info.expiry?.ttl ?? 0;
  // A name is Latin-1.
  for (let i = 0; i < info.name.length; i++) host.u8[start + META_NAME + i] = info.name.charCodeAt(i);
  core.setLockOffset(info.handle, info.lockOffset ?? NO_LOCK);
}

/** The error for what only the thread can do that has the objects of a map. */
function notOwner({ name, type, id }: TableInfo, operation: Operation): Error {
  const cause = "holds objects of the thread that made it, which no other thread can reach";
  const remedy = "if that thread is gone, reap() its CPU slot";
  return bpfError(ERRNO.EOPNOTSUPP, operation, mapSubject(name, type, id), cause, remedy);
}

export class SharedRegistry extends Registry {
  readonly #core: SharedExports;
  /** What this thread has open, by id. */
  readonly #open = new Map<number, SharedTable>();
  /** Pins of maps that nobody else can open. This thread refers to each by its pin, too: it has the objects that belong to it. */
  readonly #ownPins = new Map<string, Table>();

  constructor(host: ScratchMemory, seed: number | undefined) {
    super(host, seed);
    this.#core = sharedCore(host);
  }

  /** Goes on inside a section from the first table to the last, so that none of them can go meanwhile. */
  override *all(): Iterable<TableInfo> {
    this.#core.enterSection();
    try {
      let id = 0;
      while (true) {
        const handle = this.#checked(this.#core.tableAfter(id) >>> 0, "memoryUsage", "the host");
        if (handle === 0) return;
        const table = new SharedTable(this.host, handle);
        // Ids ascend, or this would not end.
        if (table.id <= id) throw damagedError("memoryUsage", "the host");
        yield table;
        id = table.id;
      }
    } finally {
      this.#core.leaveSection();
    }
  }

  override byId(id: number): Table | undefined {
    return this.#opened(this.#core.holdTable(id) >>> 0, "open", `the map with id ${id}`);
  }

  override pinned(path: string): Table | undefined {
    const subject = `the path ${JSON.stringify(path)}`;
    const handle = this.#withPath(path, "open", (at, length) => this.#core.holdPinned(at, length) >>> 0);
    return this.#opened(handle, "open", subject);
  }

  override pin(path: string, table: Table): boolean {
    const errno = this.#withPath(path, "pin", (at, length) => this.#core.pinTable(table.handle, at, length));
    if (errno === ERRNO.EEXIST) return false;
    this.#succeed(errno, "pin", `the path ${JSON.stringify(path)}`);
    if (isSocketMap(table.type)) {
      this.#ownPins.set(path, table);
      this.hold(table);
    }
    return true;
  }

  override unpin(path: string): boolean {
    this.#checkOwner(path);
    const errno = this.#withPath(path, "unpin", (at, length) => this.#core.unpinTable(at, length));
    if (errno === ERRNO.ENOENT) return false;
    this.#succeed(errno, "unpin", `the path ${JSON.stringify(path)}`);
    const own = this.#ownPins.get(path);
    this.#ownPins.delete(path);
    if (own !== undefined) this.drop(own);
    return true;
  }

  override closeAll(): void {
    super.closeAll();
    // The core takes the pins back with the references, when the thread detaches.
    for (const table of this.#ownPins.values()) table.sockets?.release();
    this.#ownPins.clear();
  }

  override hold(table: Table): void {
    table.references++;
  }

  override drop(table: Table): void {
    if (--table.references > 0) return;
    this.#open.delete(table.id);
    table.sockets?.release();
    table.timers?.release();
    if (this.isEmpty) this.host.scratch.release();
    this.host.pins.release(() => this.#succeed(this.#core.dropTable(table.handle), "close", "the host"));
  }

  override leaveSection(): void {
    this.sections--;
    if (this.host.u32[DYING_TABLES >>> 2] !== 0) this.#core.sweepTables();
  }

  protected override takeId(operation: Operation, subject: string): number {
    const id = this.#core.takeMapId();
    if (id === 0) throw lockTimeout(this.host, operation, subject);
    return id;
  }

  protected override register(info: TableInfo, operation: Operation, subject: string): Table {
    describeTable(this.host, this.#core, info);
    this.#succeed(this.#core.registerTable(info.handle), operation, subject);
    const table = new SharedTable(this.host, info.handle);
    table.references = 1;
    this.#open.set(table.id, table);
    return table;
  }

  protected override get isEmpty(): boolean {
    return this.#open.size === 0;
  }

  /** The table of a handle that the core has counted a reference for. */
  #opened(handle: number, operation: Operation, subject: string): Table | undefined {
    if (this.#checked(handle, operation, subject) === 0) return undefined;
    const found = new SharedTable(this.host, handle);
    const known = this.#open.get(found.id);
    if (known !== undefined) {
      known.references++;
      // This thread refers to it already, and once is enough.
      this.#succeed(this.#core.dropTable(handle), operation, subject);
      return known;
    }
    if (isSocketMap(found.type)) {
      this.#core.dropTable(handle);
      throw notOwner(found, operation);
    }
    if (found.expiry !== undefined) this.host.expiry.open(found.expiry.resolution);
    if (!this.host.scratch.reserve(found.keySize, found.storedBytes)) {
      const error = noBlock(this.host, operation, subject);
      this.#core.dropTable(handle);
      throw error;
    }
    found.references = 1;
    this.#open.set(found.id, found);
    return found;
  }

  /** Throws when the map that a path leads to belongs to another thread. */
  #checkOwner(path: string): void {
    const subject = `the path ${JSON.stringify(path)}`;
    const handle = this.#withPath(path, "unpin", (at, length) => this.#core.holdPinned(at, length) >>> 0);
    if (this.#checked(handle, "unpin", subject) === 0) return;
    const table = new SharedTable(this.host, handle);
    this.#succeed(this.#core.dropTable(handle), "unpin", subject);
    if (isSocketMap(table.type) && !this.#open.has(table.id)) throw notOwner(table, "unpin");
  }

  /** Puts a path into host memory for a call of the core. */
  #withPath(path: string, operation: Operation, call: (at: number, length: number) => number): number {
    const { host } = this;
    const bytes = new TextEncoder().encode(path);
    const block = host.allocate(bytes.length);
    // On a full host the stage of a thread that has a map open may have room.
    const at = block === 0 ? host.scratch.stage(bytes.length) : block;
    if (at === 0) throw noBlock(host, operation, `the path ${JSON.stringify(path)}`);
    host.u8.set(bytes, at);
    const result = call(at, bytes.length);
    if (block !== 0) host.core.release(block, bytes.length);
    return result;
  }

  /** Throws what the core could not do. */
  #succeed(errno: number, operation: Operation, subject: string): void {
    if (errno === 0) return;
    if (errno === ERRNO.ETIMEDOUT) throw lockTimeout(this.host, operation, subject);
    if (errno === ERRNO.ENOMEM) throw noMemory(this.host, operation, subject);
    throw bpfError(errno, operation, subject, "was refused by the core");
  }

  /** An address or 0; throws an errno. */
  #checked(address: number, operation: Operation, subject: string): number {
    if (address !== 0 && address < ERRNO_LIMIT) this.#succeed(address, operation, subject);
    return address;
  }
}
