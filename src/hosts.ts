/**
 * Makes hosts. They come with `host.bpf`, so this stands above both the hosts and the syscall: it hands {@link bpf} to each
 * host it makes. Passing it as a value, instead of registering it in a global when a module loads, keeps every module of the
 * package free of side effects, so that bundlers may drop what is not used.
 *
 * @module
 */
import { Host, type HostOptions } from "./host/host.ts";
import { resolveOptions } from "./host/options.ts";
import type { MapOf } from "./maps/create.ts";
import type { MapSpec, MapType } from "./maps/spec.ts";
import { bpf } from "./uapi/syscall.ts";

/**
 * Creates a host: a linear memory of its own for maps.
 *
 * @throws TypeError or RangeError for options of the wrong type or range; BpfError ENOMEM when the engine cannot reserve
 *   `maxMemory`; Error when WebAssembly may not be compiled here (see {@link useWasm}).
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
  return new Host(resolveOptions(options), bpf);
}

let defaultHost: Host | undefined;

/**
 * Creates a map on the default host, which is made on first use; otherwise as {@link Host.createMap}.
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
export function createMap<T extends MapType, K, V>(spec: MapSpec<K, V, T>): MapOf<T, K, V> {
  if (defaultHost === undefined || defaultHost.closed) defaultHost = createHost();
  return defaultHost.createMap(spec);
}
