/**
 * Makes hosts. They come with `host.bpf` and KV stores, so this stands above all of them, and hands them to each host that it makes.
 * Passing them as values, instead of registering them in a global when a module loads, keeps every module of the package free of
 * side effects: bundlers drop what is not used. {@link createMap} uses neither of them, nor anything of shared hosts.
 *
 * @module
 */
import { type AttachOptions, type HostOptions, resolveOptions } from "./core/options.ts";
import { attachedSeat, type HostHandle, plainSeat, sharedSeat } from "./core/seat.ts";
import type { EvictionType, MapType } from "./core/tables/map_types.ts";
import { Host, type Services } from "./host/host.ts";
import { createKvOn, openKvOn } from "./kv/create.ts";
import { PLAIN_CLASSES } from "./maps/classes.ts";
import type { AnyMapSpec } from "./maps/create.ts";
import type { MapOf } from "./maps/map_of.ts";
import { SHARED_CLASSES } from "./maps/shared_classes.ts";
import type { SockHash } from "./maps/sockets/sock_hash.ts";
import type { SockMap } from "./maps/sockets/sock_map.ts";
import type { SockHashSpec, SockMapSpec } from "./maps/sockets/socket_spec.ts";
import type { MapSpec, SizedMapSpec } from "./maps/spec.ts";
import { bpf } from "./uapi/syscall.ts";

const SERVICES: Services = { bpf, createKv: createKvOn, openKv: openKvOn };

/**
 * Creates a host: a linear memory of its own for maps; with `shared: true`, one that other threads may attach to.
 *
 * @throws TypeError or RangeError for options of the wrong type or range; BpfError ENOMEM when the engine cannot reserve
 *   `maxMemory`; Error when WebAssembly may not be compiled here (see {@link useWasm}); {@link NotIsolatedError} for a shared
 *   host in a page that is not cross-origin isolated.
 * @example
 * ```ts
 * import { createHost, u32 } from "bpfmap";
 *
 * using host = createHost({ seed: 1, maxMemory: 64 * 1024 * 1024 });
 * const map = host.createMap({ type: "hash", key: u32, value: u32, maxEntries: 100 });
 * map.set(1, 2);
 * console.log(host.memoryUsage().limit); // 67108864
 * ```
 */
export function createHost(options: HostOptions = {}): Host {
  const resolved = resolveOptions(options);
  if (resolved.shared) return new Host(sharedSeat(resolved), SHARED_CLASSES, SERVICES);
  return new Host(plainSeat(resolved), PLAIN_CLASSES, SERVICES);
}

/**
 * Attaches to a shared host, in another thread or the same one. It takes a CPU slot, which {@link Host.detach} frees. Maps that
 * another thread has pinned are found with {@link Host.open}.
 *
 * @param handle what {@link Host.share} gave in the other thread
 * @param options `clock`: what time it is for this thread, as {@link createHost} takes it
 * @throws TypeError for anything else; {@link NoFreeSlotError} when as many threads are attached as the host has `cpus`;
 *   {@link NotIsolatedError} in a page that is not cross-origin isolated.
 * @example
 * ```ts
 * import { attachHost, createHost, u32 } from "bpfmap";
 *
 * const host = createHost({ shared: true, cpus: 4, maxMemory: 16 * 1024 * 1024 });
 * host.pin("/hits", host.createMap({ type: "percpu_hash", key: u32, value: u32, maxEntries: 100 }));
 * // In a worker: attachHost(workerData)
 * const attached = attachHost(host.share());
 * const hits = attached.open("/hits", { type: "percpu_hash", key: u32, value: u32 });
 * hits.add(80, 1);
 * console.log(hits.get(80)); // [ 0, 1, 0, 0 ]
 * attached.detach();
 * ```
 */
export function attachHost(handle: HostHandle, options: AttachOptions = {}): Host {
  return new Host(attachedSeat(handle, options), SHARED_CLASSES, SERVICES);
}

let made: Host | undefined;

/** The default host as it is made: with maps, and nothing else. */
function bareHost(): Host {
  if (made === undefined || made.closed) made = new Host(plainSeat(resolveOptions({})), PLAIN_CLASSES);
  return made;
}

/**
 * The host of the maps that {@link createMap} makes: to pin and open them, to inspect or close it. It is made on first use, and anew
 * after it was closed.
 *
 * @example
 * ```ts
 * import { createMap, defaultHost, u32 } from "bpfmap";
 *
 * const hits = createMap({ type: "hash", key: u32, value: u32, maxEntries: 100 });
 * defaultHost().pin("/hits", hits.set(80, 1));
 * console.log(defaultHost().open("/hits", { key: u32, value: u32 }).get(80)); // 1
 * ```
 */
export function defaultHost(): Host {
  return bareHost().supply(SERVICES);
}

/**
 * Creates a map on the {@link defaultHost}; otherwise as {@link Host.createMap}.
 *
 * @example
 * ```ts
 * import { createMap, cstring, u53 } from "bpfmap";
 *
 * const hits = createMap({ type: "rhash", name: "hits", key: cstring(64), value: u53, maxEntries: 10_000 });
 * hits.set("/index.html", 1);
 * console.log([...hits]); // [ [ '/index.html', 1 ] ]
 * ```
 */
export function createMap<V extends object>(spec: SockMapSpec<V>): SockMap<V>;
export function createMap<K, V extends object>(spec: SockHashSpec<K, V>): SockHash<K, V>;
export function createMap<T extends EvictionType, K, V, N extends string = string>(
  spec: SizedMapSpec<K, V, T, N>,
): MapOf<T, K, V, N>;
export function createMap<T extends MapType, K, V, N extends string = string>(
  spec: MapSpec<K, V, T, N>,
): MapOf<T, K, V, N>;
export function createMap(spec: AnyMapSpec): unknown {
  return bareHost().createMap(spec as MapSpec<unknown, unknown>);
}
