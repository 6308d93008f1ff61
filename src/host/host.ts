/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Hosts: one linear memory and the maps in it.
 *
 * @module
 */
import { describe } from "../arguments/mismatch.ts";
import { HostThreads } from "../core/core_host.ts";
import { Pins } from "../core/memory/pins.ts";
import { Scratch } from "../core/memory/scratch.ts";
import { clearSlotErrno, lockTimeout, sharedCore } from "../core/memory/shared_core.ts";
import type { Seat } from "../core/seat.ts";
import { Descriptors } from "../core/tables/descriptors.ts";
import { checkPath } from "../core/tables/path.ts";
import { PlainTables } from "../core/tables/plain_tables.ts";
import { SharedTables } from "../core/tables/shared_tables.ts";
import { tableBytes, tableEntries } from "../core/tables/stats.ts";
import type { Tables } from "../core/tables/tables.ts";
import { bpfError, ERRNO } from "../errors.ts";
import { createKvOn, type KvOpenSpec, type KvSpec, openKvOn } from "../kv/create.ts";
import type { KvStore } from "../kv/kv_store.ts";
import type { StoreHandle } from "../kv/store_handle.ts";
import type { BpfMap } from "../maps/base/bpf_map.ts";
import { type AnyMapSpec, type AnyOpenSpec, createMapOn, type MapOf, openMapOn } from "../maps/create.ts";
import type { SockHash } from "../maps/sockets/sock_hash.ts";
import type { SockMap } from "../maps/sockets/sock_map.ts";
import type {
  OpenSockHashSpec,
  OpenSockMapSpec,
  SockHashSpec,
  SockMapSpec,
} from "../maps/sockets/socket_spec.ts";
import type { AnyMapType, HashType, MapSpec, MapType, OpenSpec } from "../maps/spec.ts";
import { problemsOfHost } from "../ops/verify.ts";
import { compareAsItself, hide } from "../print/hidden.ts";
import { INSPECT } from "../print/inspect.ts";
import { type HostJson, inspectHost, jsonOfHost } from "./print_host.ts";

/** Options of {@link createHost}. */
export interface HostOptions {
  /**
   * u32 from which the secrets of all hashes of the host are expanded: the same seed and the same calls give the same layout and
   * order. For tests and for results that can be repeated only: who sees some thirty keys in their order finds it by trying all.
   * Default: no seed; 192 bits for each map and 4096 for the host are drawn from the system, so that nobody can choose keys that collide.
   */
  seed?: number | undefined;
  /**
   * Bytes, hard limit of the linear memory; rounded down to 64 KiB pages. Default 4 GiB - 64 KiB, or 1 GiB when shared: that
   * much address space is reserved at once, and pages of it are used when something is written to them.
   */
  maxMemory?: number | undefined;
  /**
   * Slots of per-CPU values, and of a shared host how many threads may be attached at a time, up to 64. Default: as many as the
   * machine runs at once.
   */
  cpus?: number | undefined;
  /** Whether other threads may attach to the memory, with {@link Host.share} and `attachHost`. Default false. */
  shared?: boolean | undefined;
  /** Of shared hosts: ms after which a call that waits for a lock throws a `LockTimeoutError`. Default 5000. */
  lockTimeout?: number | undefined;
}

/** One map, or KV store, in {@link HostMemory}. */
export interface MapMemory {
  readonly id: number;
  readonly name: string;
  /** `"kv"`: a KV store. */
  readonly type: AnyMapType | "kv";
  /** Bytes of the table with all its structures. */
  readonly bytes: number;
  /** Of a KV store, keys with a value. */
  readonly entries: number;
}

/** Result of {@link Host.memoryUsage}. */
export interface HostMemory {
  /** Bytes of everything allocated in host memory: tables, batches, and the scratch that calls share. */
  readonly bytes: number;
  /** Bytes the linear memory may grow to. */
  readonly limit: number;
  readonly maps: readonly MapMemory[];
}

/** What answers {@link Host.bpf}. src/hosts.ts hands it in: the syscall stands on the hosts, not the other way round. */
export type Syscall = (
  host: Host,
  command: number,
  attr: Uint8Array,
  memory: ArrayBufferLike | undefined,
) => number;

/**
 * One linear memory and every map in it. Made by {@link createHost}.
 *
 * `u8`, `u32`, `view` and the other views show the whole memory, to read and write values through the addresses that
 * {@link HashMap.lookup} gives. They are replaced when the memory grows, which any insert may cause: read them from the
 * host each time. The memory of a shared host never grows. Memory is little-endian.
 */
export class Host extends HostThreads {
  /** @internal */
  declare readonly scratch: Scratch;
  /** @internal */
  readonly pins = new Pins();
  /** @internal */
  declare readonly tables: Tables;
  /** @internal */
  declare readonly descriptors: Descriptors;
  /** @internal Bytes the memory may grow to. */
  declare readonly limit: number;
  /** @internal Values of the core's exported constants. */
  declare readonly layout: {
    readonly count: number;
    readonly version: number;
    readonly frozen: number;
    readonly cursorBytes: number;
    readonly stageBytes: number;
    readonly stageErrno: number;
    readonly arrayData: number;
    readonly arrayBase: number;
    readonly lowFree: number;
  };
  readonly #syscall: Syscall;

  /** @internal Use {@link createHost}. */
  constructor(seat: Seat, syscall: Syscall) {
    super(seat);
    const { core } = seat;
    this.#syscall = syscall;
    const layout = {
      count: core.COUNT_OFFSET.value,
      version: core.VERSION_OFFSET.value,
      frozen: core.FROZEN_OFFSET.value,
      cursorBytes: core.CURSOR_BYTES.value,
      stageBytes: core.STAGE_BYTES.value,
      stageErrno: core.STAGE_ERRNO.value,
      arrayData: core.ARRAY_DATA_OFFSET.value,
      arrayBase: core.ARRAY_BASE_OFFSET.value,
      lowFree: core.LOW_FREE_OFFSET.value,
    };
    hide<Host>(this, { layout, scratch: new Scratch(this), limit: seat.limit });
    const tables = this.shared ? new SharedTables(this, seat.seed) : new PlainTables(this, seat.seed);
    hide<Host>(this, { tables, descriptors: new Descriptors(tables) });
    compareAsItself(this);
  }

  /**
   * Creates a map in this host. The types of keys and values follow from the codecs.
   *
   * @throws TypeError or RangeError for a spec of the wrong form; BpfError (`map_create`) with the kernel's errno for one
   *   that the kernel refuses, ENOMEM when the host's memory is used up.
   * @example
   * ```ts
   * import { createHost, struct, u32, u53 } from "bpfmap";
   *
   * const host = createHost();
   * const flows = host.createMap({
   *   type: "rhash",
   *   name: "flows",
   *   key: struct({ source: u32, target: u32 }),
   *   value: struct({ packets: u53, bytes: u53 }),
   *   maxEntries: 1_000_000,
   * });
   * flows.set({ source: 1, target: 2 }, { packets: 1, bytes: 60 });
   * console.log(flows.get({ source: 1, target: 2 })); // { packets: 1, bytes: 60 }
   * ```
   */
  createMap<V extends object>(spec: SockMapSpec<V>): SockMap<V>;
  createMap<K, V extends object>(spec: SockHashSpec<K, V>): SockHash<K, V>;
  createMap<T extends MapType, K, V, N extends string = string>(spec: MapSpec<K, V, T, N>): MapOf<T, K, V, N>;
  createMap(spec: AnyMapSpec): unknown {
    this.check("createMap");
    return createMapOn(this, spec);
  }

  /**
   * Creates a KV store in this host: values of 1 to 4096 bytes by integer keys, and with a manifest, pairs with names and types, which
   * start with their defaults. On a shared host other threads open it by its path ({@link pin}, {@link openKvStore}); one that is not
   * pinned belongs to this thread, and goes with it.
   *
   * @throws TypeError or RangeError for a spec of the wrong form; BpfError EINVAL for a name, E2BIG for a pair of more than 4096 bytes; ENOSPC
   *   when the pairs do not fit; ENOMEM when the host's memory is used up.
   * @example
   * ```ts
   * import { createHost, cstring, u32 } from "bpfmap";
   *
   * const host = createHost();
   * const settings = host.createKvStore({
   *   name: "settings",
   *   manifest: { pairs: { retries: { codec: u32, default: 3 }, region: { codec: cstring(16), default: "eu" } } },
   * });
   * const retries = settings.pair("retries");
   * retries.set(retries.get() + 1);
   * console.log(settings.read()); // { retries: 4, region: 'eu' }
   * ```
   */
  createKvStore<T = unknown>(spec: KvSpec<T> = {}): KvStore<T> {
    this.check("createKvStore");
    return createKvOn(this, spec);
  }

  /**
   * A new handle of a pinned KV store.
   *
   * @param spec `manifest`: the one that must be in force
   * @throws BpfError ENOENT when nothing is pinned there; EINVAL when a map is; {@link ManifestMismatchError} with all differences when
   *   another manifest is in force.
   * @example
   * ```ts
   * import { createHost, u32 } from "bpfmap";
   *
   * const host = createHost();
   * const manifest = { pairs: { retries: { codec: u32, default: 3 } } };
   * host.pin("/settings", host.createKvStore({ manifest }));
   * console.log(host.openKvStore("/settings", { manifest }).pair("retries").get()); // 3
   * ```
   */
  openKvStore<T = unknown>(path: string, spec: KvOpenSpec<T> = {}): KvStore<T> {
    this.check("openKvStore");
    checkPath("openKvStore: path", path);
    const table = this.tables.pinned(path);
    const subject = `the path ${JSON.stringify(path)}`;
    if (table === undefined) throw bpfError(ERRNO.ENOENT, "openKvStore", subject, "has no pinned KV store");
    try {
      if (table.type !== "kv") throw bpfError(ERRNO.EINVAL, "openKvStore", subject, "has a map", "open() it");
      return openKvOn(this, table, spec);
    } finally {
      this.tables.drop(table);
    }
  }

  /**
   * Gives a map or a KV store a path, under which {@link open} or {@link openKvStore} finds it and which keeps it alive when all handles are closed
   * (`bpf_obj_pin`). On a shared host every thread finds it there.
   *
   * @throws BpfError EEXIST when the path is taken; TypeError for a map or store of another host.
   */
  pin(path: string, map: BpfMap<unknown, unknown> | StoreHandle): void {
    this.check("pin");
    checkPath("pin: path", path);
    if (map?.host !== this) throw new TypeError(`pin: ${describe(path)}: expected a map of this host`);
    if (map.closed) map.refuse("pin");
    if (!this.tables.pin(path, map.table)) {
      throw bpfError(ERRNO.EEXIST, "pin", `the path ${JSON.stringify(path)}`, "is taken", "unpin it first");
    }
  }

  /**
   * A new handle of a pinned map (`bpf_obj_get`), for reading and writing, whatever the flags of the handle that pinned it.
   *
   * @param codecs layouts of key and value; their sizes must be those of the map. `type`: the type that the map must be of, from
   *   which follows that of the result; TypeScript takes the map for a hash or rhash without it. `lowWater`: a hook for what this
   *   thread inserts; see {@link MapSpec}
   * @throws BpfError ENOENT when nothing is pinned there; RangeError when a size, the type or the mark differs; EINVAL for a hook
   *   on a map that cannot grow.
   * @example
   * ```ts
   * import { createHost, u32 } from "bpfmap";
   *
   * const host = createHost();
   * const map = host.createMap({ type: "hash", key: u32, value: u32, maxEntries: 8 });
   * host.pin("/counters", map);
   * map.set(1, 2).close();
   * console.log(host.open("/counters", { key: u32, value: u32 }).get(1)); // 2
   * ```
   */
  open<V extends object>(path: string, spec: OpenSockMapSpec): SockMap<V>;
  open<K, V extends object>(path: string, spec: OpenSockHashSpec<K>): SockHash<K, V>;
  open<K, V, T extends MapType = HashType, N extends string = string>(
    path: string,
    codecs: OpenSpec<K, V, T, N>,
  ): MapOf<T, K, V, N>;
  open(path: string, codecs: AnyOpenSpec): unknown {
    this.check("open");
    checkPath("open: path", path);
    const table = this.tables.pinned(path);
    if (table === undefined) {
      throw bpfError(ERRNO.ENOENT, "open", `the path ${JSON.stringify(path)}`, "has no pinned map");
    }
    try {
      if (table.type === "kv") {
        const subject = `the path ${JSON.stringify(path)}`;
        throw bpfError(ERRNO.EINVAL, "open", subject, "has a KV store", "openKvStore() it");
      }
      return openMapOn(this, table, codecs);
    } finally {
      this.tables.drop(table);
    }
  }

  /**
   * Takes a path back. The map goes with it when it has no other pin and no open handle.
   *
   * @throws BpfError ENOENT when nothing is pinned there.
   */
  unpin(path: string): void {
    this.check("unpin");
    checkPath("unpin: path", path);
    if (!this.tables.unpin(path)) {
      throw bpfError(ERRNO.ENOENT, "unpin", `the path ${JSON.stringify(path)}`, "has no pinned map");
    }
  }

  /**
   * Exact bytes in use, every structure counted; 0 when all maps are closed.
   *
   * @example
   * ```ts
   * import { createHost, u32 } from "bpfmap";
   *
   * const host = createHost();
   * const map = host.createMap({ type: "rhash", name: "m", key: u32, value: u32, maxEntries: 100 });
   * map.set(1, 1);
   * console.log(host.memoryUsage().maps[0].entries); // 1
   * map.close();
   * console.log(host.memoryUsage().bytes); // 0
   * ```
   */
  memoryUsage(): HostMemory {
    this.check("memoryUsage");
    const bytes = this.core.bytesInUse() >>> 0;
    const maps: MapMemory[] = [];
    for (const { id, name, type, handle } of this.tables.all()) {
      maps.push({ id, name, type, bytes: tableBytes(this, handle), entries: tableEntries(this, handle) });
    }
    return { bytes, limit: this.limit, maps };
  }

  /**
   * Checks every invariant of the memory and of all maps in it, whoever has them open; for tests, and after a thread was killed.
   * Takes as long as reading everything once. Other threads may be attached, but in no call meanwhile, or it reports what they have
   * half done: writing to a map, or taking and giving back memory, as attaching and detaching do.
   *
   * @returns what is wrong; empty when all is well
   * @example
   * ```ts
   * import { createHost, u32 } from "bpfmap";
   *
   * const host = createHost();
   * host.createMap({ type: "rhash", key: u32, value: u32, maxEntries: 100 }).set(1, 1);
   * console.log(host.verify()); // []
   * ```
   */
  verify(): string[] {
    this.check("verify");
    return this.scratch.borrow("verify", () => problemsOfHost(this));
  }

  /**
   * The system call bpf(2): one command of the map family, with its attributes in the kernel's byte layout
   * (`union bpf_attr`). Answers as Linux 6.18 does, check by check; `docs/uapi.md` lists the commands and what differs.
   * `bpfmap/uapi` has the constants, writers of attributes, and a function for each command.
   *
   * @param cmd `BPF_MAP_CREATE`, `BPF_MAP_LOOKUP_ELEM`, ...
   * @param attr the attributes, as long as the `size` argument of the system call; results such as `batch.count` and
   *   `info.info_len` are written back to it
   * @param memory what the pointers in `attr` point into, as byte offsets from its start. Offset 0 is NULL. Default: the
   *   host's own memory, where the buffers of a `Batch` and the addresses of `map.lookup` are
   * @returns 0 or more (a file descriptor, for the commands that open one), or -errno. It never throws.
   * @example
   * ```ts
   * import { createHost } from "bpfmap";
   * import * as uapi from "bpfmap/uapi";
   *
   * const host = createHost();
   * const create = { map_type: uapi.BPF_MAP_TYPE_HASH, key_size: 4, value_size: 8, max_entries: 100 };
   * const fd = host.bpf(uapi.BPF_MAP_CREATE, uapi.writeStruct(uapi.BPF_ATTR_MAP_CREATE, create));
   * const memory = new ArrayBuffer(64);
   * new Uint32Array(memory)[2] = 7; // the key, at byte 8; the value is at 16
   * const good = uapi.writeStruct(uapi.BPF_ATTR_ELEM, { map_fd: fd, key: 8, value: 16 });
   * const bad = uapi.writeStruct(uapi.BPF_ATTR_ELEM, { map_fd: fd, key: 8, value: 60 }); // its last bytes are beyond the memory
   * console.log(host.bpf(uapi.BPF_MAP_UPDATE_ELEM, good, memory)); // 0
   * console.log(host.bpf(uapi.BPF_MAP_UPDATE_ELEM, bad, memory)); // -14
   * console.log(host.closeFd(fd)); // 0
   * ```
   */
  bpf(cmd: number, attr: Uint8Array, memory?: ArrayBufferLike): number {
    return this.#syscall(this, cmd, attr, memory);
  }

  /**
   * Closes a file descriptor that {@link bpf} gave. The map goes with it when no other descriptor, handle or pin is left.
   *
   * @returns 0, or -EBADF (-9) when it is not open
   */
  closeFd(fd: number): number {
    return this.descriptors.close(fd) ? 0 : -ERRNO.EBADF;
  }

  /**
   * Closes every handle and descriptor, removes every pin and gives the memory back. Of a shared host: {@link detach}; its pins
   * stay, and the memory goes when no thread has it any more. Calling it again does nothing.
   */
  override close(): void {
    if (this.closed) return;
    if (this.shared && (this.tables.sections > 0 || this.pins.encodings > 0)) {
      const cause = `is in a ${this.tables.sections > 0 ? "section" : "call"} of this thread`;
      throw bpfError(ERRNO.EBUSY, "detach", "the host", cause, "let it end first");
    }
    this.descriptors.closeAll();
    this.tables.closeAll();
    this.pins.flush();
    if (this.shared && sharedCore(this).detach() !== 0) throw lockTimeout(this, "detach", "the host");
    this.closed = true;
    this.dropViews();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  get [Symbol.toStringTag](): string {
    return "Host";
  }

  /** What `JSON.stringify` gives: its size, and how many maps it has. */
  toJSON(): HostJson {
    return jsonOfHost(this);
  }

  /** @internal */
  [INSPECT](depth?: number): string {
    return inspectHost(this, depth);
  }

  /** @internal A block of host memory, or 0 when there is none. */
  allocate(bytes: number): number {
    // The core counts in 32 bits.
    if (bytes > this.limit) {
      if (this.shared) clearSlotErrno(this);
      return 0;
    }
    const address = this.core.allocate(bytes) >>> 0;
    if (this.u8.length === 0) this.refresh();
    return address;
  }

  /** @internal Gives a block back; not before a call that may still hold its address is done. */
  release(address: number, bytes: number): void {
    if (this.pins.isHeld) this.pins.release(() => this.core.release(address, bytes));
    else this.core.release(address, bytes);
  }
}
