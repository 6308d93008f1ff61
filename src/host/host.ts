/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Hosts: one linear memory and the maps in it.
 *
 * @module
 */
import { describe } from "../arguments/mismatch.ts";
import { lockTimeout, sharedCore } from "../core/memory/shared_core.ts";
import type { Seat } from "../core/seat.ts";
import { Descriptors } from "../core/tables/descriptors.ts";
import type { EvictionType, HashType, MapType } from "../core/tables/map_types.ts";
import { checkPath } from "../core/tables/path.ts";
import { isSocketMap } from "../core/tables/registry.ts";
import { bpfError, ERRNO } from "../errors.ts";
import type { createKvOn, KvOpenSpec, KvSpec, openKvOn } from "../kv/create.ts";
import type { KvStore } from "../kv/kv_store.ts";
import type { StoreHandle } from "../kv/store/store_handle.ts";
import type { BpfMap } from "../maps/base/bpf_map.ts";
import type { EntryMap } from "../maps/base/entry_map.ts";
import type { MapClasses } from "../maps/classes.ts";
import { type AnyMapSpec, type AnyOpenSpec, createMapOn, openMapOn } from "../maps/create.ts";
import type { MapOf } from "../maps/map_of.ts";
import type { SockHash } from "../maps/sockets/sock_hash.ts";
import type { SockMap } from "../maps/sockets/sock_map.ts";
import type {
  OpenSockHashSpec,
  OpenSockMapSpec,
  SockHashSpec,
  SockMapSpec,
} from "../maps/sockets/socket_spec.ts";
import type { MapSpec, OpenSpec, SizedMapSpec } from "../maps/spec.ts";
import { problemsOfHost } from "../ops/verify.ts";
import { compareAsItself, hide } from "../print/hidden.ts";
import { INSPECT } from "../print/inspect.ts";
import { type HostJson, inspectHost, jsonOfHost } from "./print_host.ts";
import { HostThreads } from "./threads.ts";
import { warmUp } from "./warm_up.ts";

/**
 * What a host has besides maps. src/hosts.ts hands it in: so it may stand on the hosts, and a bundle of a program that only calls
 * {@link createMap} has none of it.
 */
export interface Services {
  /** Answers {@link Host.bpf}. */
  readonly bpf: (
    host: Host,
    command: number,
    attr: Uint8Array,
    memory: ArrayBufferLike | undefined,
  ) => number;
  readonly createKv: typeof createKvOn;
  readonly openKv: typeof openKvOn;
}

/**
 * One linear memory and every map in it. Made by {@link createHost}.
 *
 * `u8`, `u32`, `view` and the other views show the whole memory, to read and write values through the addresses that
 * {@link HashMap.lookup} gives. They are replaced when the memory grows, which any insert may cause: read them from the
 * host each time. The memory of a shared host never grows. Memory is little-endian.
 */
export class Host extends HostThreads {
  /** @internal */
  declare readonly descriptors: Descriptors;
  readonly #classes: MapClasses;
  #services: Services | undefined;

  /** @internal Use {@link createHost}. */
  constructor(seat: Seat, classes: MapClasses, services?: Services) {
    super(seat);
    this.#classes = classes;
    this.#services = services;
    hide<Host>(this, { descriptors: new Descriptors(this.registry) });
    compareAsItself(this);
  }

  /** @internal Hands in what a host was made without. */
  supply(services: Services): this {
    this.#services = services;
    return this;
  }

  /** Only {@link BpfMap.host} of a map of {@link createMap} is a host without them, and its type has none of this. */
  get #supplied(): Services {
    if (this.#services === undefined) {
      throw new TypeError("bpfmap: the host of createMap: ask defaultHost() for it");
    }
    return this.#services;
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
  createMap<T extends EvictionType, K, V, N extends string = string>(
    spec: SizedMapSpec<K, V, T, N>,
  ): MapOf<T, K, V, N>;
  createMap<T extends MapType, K, V, N extends string = string>(spec: MapSpec<K, V, T, N>): MapOf<T, K, V, N>;
  createMap(spec: AnyMapSpec): unknown {
    this.check("createMap");
    return createMapOn(this, this.#classes, spec);
  }

  /**
   * Makes `get`, `set`, `has` and `delete` of a map fast before they are called, for servers that want their first request fast: some
   * 60,000 calls on a scratch map of the same layout, with pauses in which the engine optimises them. The map is not touched. It takes
   * 50 to 200 ms, some 20 of them pauses; other events of the thread run in those.
   *
   * @param map a map of this host; maps of the same type with keys and values of the same layouts are fast with it
   * @throws TypeError for a map of another host, or one whose values are objects; BpfError ENOMEM when there is no room for the scratch
   *   map.
   * @example
   * ```ts
   * import { createHost, u32, u53 } from "bpfmap";
   *
   * const host = createHost();
   * const hits = host.createMap({ type: "rhash", key: u32, value: u53, maxEntries: 10_000 });
   * void host.warmUp(hits); // a server awaits it before it listens
   * ```
   */
  async warmUp(map: BpfMap<unknown, unknown>): Promise<void> {
    this.check("warmUp");
    if (map?.host !== this) throw new TypeError("warmUp: expected a map of this host");
    if (map.closed) map.refuse("warmUp");
    if (isSocketMap(map.type)) throw new TypeError(`warmUp: expected a map of values, got a ${map.type}`);
    await warmUp(map as EntryMap<unknown, unknown>, (spec) => createMapOn(this, this.#classes, spec));
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
    return this.#supplied.createKv(this, spec) as KvStore<T>;
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
    const table = this.registry.pinned(path);
    const subject = `the path ${JSON.stringify(path)}`;
    if (table === undefined) throw bpfError(ERRNO.ENOENT, "openKvStore", subject, "has no pinned KV store");
    try {
      if (table.type !== "kv") throw bpfError(ERRNO.EINVAL, "openKvStore", subject, "has a map", "open() it");
      return this.#supplied.openKv(this, table, spec) as KvStore<T>;
    } finally {
      this.registry.drop(table);
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
    if (!this.registry.pin(path, map.table)) {
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
    const table = this.registry.pinned(path);
    if (table === undefined) {
      throw bpfError(ERRNO.ENOENT, "open", `the path ${JSON.stringify(path)}`, "has no pinned map");
    }
    try {
      if (table.type === "kv") {
        const subject = `the path ${JSON.stringify(path)}`;
        throw bpfError(ERRNO.EINVAL, "open", subject, "has a KV store", "openKvStore() it");
      }
      return openMapOn(this, this.#classes, table, codecs);
    } finally {
      this.registry.drop(table);
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
    if (!this.registry.unpin(path)) {
      throw bpfError(ERRNO.ENOENT, "unpin", `the path ${JSON.stringify(path)}`, "has no pinned map");
    }
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
    return this.#supplied.bpf(this, cmd, attr, memory);
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
    if (this.shared && (this.registry.sections > 0 || this.pins.encodings > 0)) {
      const cause = `is in a ${this.registry.sections > 0 ? "section" : "call"} of this thread`;
      throw bpfError(ERRNO.EBUSY, "detach", "the host", cause, "let it end first");
    }
    this.descriptors.closeAll();
    this.registry.closeAll();
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
}
