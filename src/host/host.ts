/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Hosts: one linear memory and the maps in it.
 *
 * @module
 */
import { describe } from "../codec/mismatch.ts";
import { bpfError, ERRNO, type Operation } from "../errors.ts";
import type { BpfMap } from "../maps/bpf_map.ts";
import { createMapOn, type MapOf, openMapOn } from "../maps/create.ts";
import type { HashType, MapSpec, MapType, OpenSpec } from "../maps/spec.ts";
import { tableBytes } from "../maps/stats.ts";
import { Descriptors } from "./descriptors.ts";
import type { ResolvedOptions } from "./options.ts";
import { Scratch } from "./scratch.ts";
import { Tables } from "./tables.ts";
import { type CoreExports, instantiateCore } from "./wasm.ts";

/** Options of {@link createHost}. */
export interface HostOptions {
  /**
   * u32 that all hash seeds of the host come from. The same seed and the same calls give the same layout and order.
   * Default: random, so that nobody can choose keys that collide.
   */
  seed?: number | undefined;
  /** Bytes, hard limit of the linear memory; rounded down to 64 KiB pages. Default 4 GiB - 64 KiB. */
  maxMemory?: number | undefined;
  /** Slots of per-CPU values: how many threads may attach. Default: as many as the machine runs at once. */
  cpus?: number | undefined;
}

/** One map in {@link HostMemory}. */
export interface MapMemory {
  readonly id: number;
  readonly name: string;
  readonly type: MapType;
  /** Bytes of the table with all its structures. */
  readonly bytes: number;
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

const NO_MEMORY = new ArrayBuffer(0);

/**
 * One linear memory and every map in it. Made by {@link createHost}.
 *
 * `u8`, `u32`, `view` and the other views show the whole memory, to read and write values through the addresses that
 * {@link HashMap.lookup} gives. They are replaced when the memory grows, which any insert may cause: read them from the
 * host each time. Memory is little-endian.
 */
export class Host {
  /** Slots of per-CPU values. */
  readonly cpus: number;
  u8!: Uint8Array;
  u16!: Uint16Array;
  u32!: Uint32Array;
  i32!: Int32Array;
  f32!: Float32Array;
  f64!: Float64Array;
  view!: DataView;
  /** @internal */
  readonly core: CoreExports;
  /** @internal */
  readonly scratch: Scratch;
  /** @internal */
  readonly tables: Tables;
  /** @internal */
  readonly descriptors: Descriptors;
  /** @internal Bytes the memory may grow to. */
  readonly limit: number;
  /** @internal Values of the core's exported constants. */
  readonly layout: {
    readonly count: number;
    readonly version: number;
    readonly frozen: number;
    readonly cursorBytes: number;
    readonly stageBytes: number;
    readonly stageErrno: number;
    readonly arrayData: number;
  };
  /** @internal */
  closed = false;
  #memory: WebAssembly.Memory;
  #syscall: Syscall;

  /** @internal Use {@link createHost}. */
  constructor(options: ResolvedOptions, syscall: Syscall) {
    this.#syscall = syscall;
    this.cpus = options.cpus;
    this.limit = options.maxMemory;
    try {
      this.#memory = new WebAssembly.Memory({ initial: 1, maximum: options.maxMemory / 65536 });
    } catch (error) {
      // Engines reserve the address space of the maximum at once, and some refuse 4 GiB.
      if (!(error instanceof RangeError)) throw error;
      const cause = `cannot reserve maxMemory = ${options.maxMemory} bytes of address space`;
      throw bpfError(ERRNO.ENOMEM, "createHost", "the host", cause, "ask for less");
    }
    this.core = instantiateCore(this.#memory);
    const errno = this.core.initHost(options.maxMemory, options.seed);
    if (errno !== 0) {
      const cause = `cannot start in maxMemory = ${options.maxMemory} bytes`;
      throw bpfError(errno, "createHost", "the host", cause, "ask for more");
    }
    this.layout = {
      count: this.core.COUNT_OFFSET.value,
      version: this.core.VERSION_OFFSET.value,
      frozen: this.core.FROZEN_OFFSET.value,
      cursorBytes: this.core.CURSOR_BYTES.value,
      stageBytes: this.core.STAGE_BYTES.value,
      stageErrno: this.core.STAGE_ERRNO.value,
      arrayData: this.core.ARRAY_DATA_OFFSET.value,
    };
    this.scratch = new Scratch(this);
    this.tables = new Tables(this, options.seed);
    this.descriptors = new Descriptors(this.tables);
    this.refresh();
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
  createMap<T extends MapType, K, V>(spec: MapSpec<K, V, T>): MapOf<T, K, V> {
    this.check("createMap");
    return createMapOn(this, spec);
  }

  /**
   * Gives a map a path, under which {@link open} finds it and which keeps it alive when all handles are closed
   * (`bpf_obj_pin`).
   *
   * @throws BpfError EEXIST when the path is taken; TypeError for a map of another host.
   */
  pin(path: string, map: BpfMap<unknown, unknown>): void {
    this.check("pin");
    checkPath("pin", path);
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
   *   which follows that of the result; TypeScript takes the map for a hash or rhash without it
   * @throws BpfError ENOENT when nothing is pinned there; RangeError when a size or the type differs.
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
  open<K, V, T extends MapType = HashType>(path: string, codecs: OpenSpec<K, V, T>): MapOf<T, K, V> {
    this.check("open");
    checkPath("open", path);
    const table = this.tables.pinned(path);
    if (table === undefined) {
      throw bpfError(ERRNO.ENOENT, "open", `the path ${JSON.stringify(path)}`, "has no pinned map");
    }
    return openMapOn(this, table, codecs);
  }

  /**
   * Takes a path back. The map goes with it when it has no other pin and no open handle.
   *
   * @throws BpfError ENOENT when nothing is pinned there.
   */
  unpin(path: string): void {
    this.check("unpin");
    checkPath("unpin", path);
    if (!this.tables.unpin(path)) {
      throw bpfError(ERRNO.ENOENT, "unpin", `the path ${JSON.stringify(path)}`, "has no pinned map");
    }
  }

  /**
   * Runs `fn`; nothing that an address of {@link HashMap.lookup} points at moves or is reused until it returns (an RCU read
   * side). Sections nest. An rhash postpones its resize meanwhile.
   *
   * @returns what `fn` returns
   * @throws TypeError when `fn` is async, a generator, or returns a promise: it would go on after the section's end.
   * @example
   * ```ts
   * import { createHost, u32 } from "bpfmap";
   *
   * const host = createHost();
   * const map = host.createMap({ type: "rhash", key: u32, value: u32, maxEntries: 1000 });
   * map.set(1, 5);
   * host.section(() => {
   *   const address = map.lookup(1);
   *   for (let key = 2; key < 100; key++) map.set(key, 0);
   *   host.u32[address >>> 2]++;
   * });
   * console.log(map.get(1)); // 6
   * ```
   */
  section<T>(fn: () => T): T {
    this.check("section");
    if (typeof fn !== "function") throw new TypeError(`section: expected a function, got ${describe(fn)}`);
    if (Object.prototype.toString.call(fn) !== "[object Function]") {
      throw new TypeError(
        "section: expected a plain function: an async function or a generator outlives the section",
      );
    }
    this.core.enterSection();
    this.tables.sections++;
    let result: T;
    try {
      result = fn();
    } finally {
      this.core.leaveSection();
      this.tables.leaveSection();
    }
    if (typeof (result as { then?: unknown } | null | undefined)?.then === "function") {
      throw new TypeError("section: the function returned a promise, which outlives the section");
    }
    return result;
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
    const maps: MapMemory[] = [];
    for (const table of this.tables.all()) {
      const { id, name, type, handle } = table;
      const entries = this.u32[(handle + this.layout.count) >>> 2];
      maps.push({ id, name, type, bytes: tableBytes(this, handle), entries });
    }
    return { bytes: this.core.bytesInUse() >>> 0, limit: this.limit, maps };
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
   * const update = (attr) => host.bpf(uapi.BPF_MAP_UPDATE_ELEM, uapi.writeStruct(uapi.BPF_ATTR_ELEM, attr), memory);
   * console.log(update({ map_fd: fd, key: 8, value: 16 })); // 0
   * console.log(update({ map_fd: fd, key: 8, value: 60 })); // -14
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

  /** Closes every handle and descriptor, removes every pin and gives the memory back. Calling it again does nothing. */
  close(): void {
    if (this.closed) return;
    this.descriptors.closeAll();
    this.tables.closeAll();
    this.closed = true;
    // Dropped here, so that the memory can be collected while somebody still holds the host's views.
    this.#setViews(NO_MEMORY);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal Takes new views after the memory has grown. `memory.buffer` costs 80-240 ns, so only then. */
  refresh(): void {
    this.#setViews(this.#memory.buffer);
  }

  #setViews(buffer: ArrayBuffer): void {
    this.u8 = new Uint8Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.f32 = new Float32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.view = new DataView(buffer);
  }

  /** @internal A block of host memory, or 0 when there is none. */
  allocate(bytes: number): number {
    // The core counts in 32 bits.
    if (bytes > this.limit) return 0;
    const address = this.core.allocate(bytes) >>> 0;
    if (this.u8.length === 0) this.refresh();
    return address;
  }

  /** @internal Copies bytes within host memory. */
  copy(target: number, source: number, bytes: number): void {
    // copyWithin is a call into C++ (14-17 ns); words one by one are 5-13 ns up to this size (Node 20).
    if (bytes <= 64 && ((target | source | bytes) & 3) === 0) {
      const { u32 } = this;
      const shift = (target >>> 2) - (source >>> 2);
      const end = (source + bytes) >>> 2;
      for (let i = source >>> 2; i < end; i++) u32[i + shift] = u32[i];
    } else this.u8.copyWithin(target, source, source + bytes);
  }

  /** @internal Throws EBADF when the host is closed. */
  check(operation: Operation): void {
    if (this.closed) throw bpfError(ERRNO.EBADF, operation, "the host", "is closed");
  }
}

function checkPath(operation: Operation, path: unknown): void {
  if (typeof path !== "string" || path === "") {
    throw new TypeError(`${operation}: path: expected a non-empty string, got ${describe(path)}`);
  }
}
