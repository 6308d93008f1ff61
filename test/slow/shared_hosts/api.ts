// The package as it is, but that hosts are shared ones, with this thread as the only one that is attached.
import {
  createHost as createHostOf,
  type Host,
  type HostOptions,
  type MapOf,
  type MapSpec,
  type MapType,
} from "../../../src/index.ts";

export * from "../../../src/index.ts";

export function createHost(options: HostOptions = {}): Host {
  const wrong = typeof options !== "object" || options === null;
  return createHostOf(wrong ? options : { shared: true, ...options });
}

let made: Host | undefined;

export function defaultHost(): Host {
  if (made === undefined || made.closed) made = createHost();
  return made;
}

export function createMap<T extends MapType, K, V>(spec: MapSpec<K, V, T>): MapOf<T, K, V> {
  return defaultHost().createMap(spec);
}
