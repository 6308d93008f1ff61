/**
 * How hosts print.
 *
 * @module
 */
import type { CoreHost } from "../core/core_host.ts";
import { mapSubject } from "../errors.ts";
import { MOST_PRINTED, printList } from "../print/inspect.ts";

/** What `JSON.stringify(host)` gives. */
export interface HostJson {
  readonly shared: boolean;
  readonly cpus: number;
  /** Bytes of everything allocated; undefined of a host that is closed. */
  readonly bytes: number | undefined;
  /** Bytes the memory may grow to. */
  readonly limit: number;
  /** How many maps and KV stores. */
  readonly maps: number | undefined;
}

export function jsonOfHost(host: CoreHost): HostJson {
  const { shared, cpus, limit } = host;
  if (host.closed) return { shared, cpus, bytes: undefined, limit, maps: undefined };
  const { bytes, maps } = host.memoryUsage();
  return { shared, cpus, bytes, limit, maps: maps.length };
}

/** `Host(2 maps, 4352 bytes) { map "flows" (rhash, 3 entries), ... }`. */
export function inspectHost(host: CoreHost, depth: number | undefined): string {
  const title = host.shared ? "shared Host" : "Host";
  if (host.closed) return `${title} (closed)`;
  if (depth !== undefined && depth < 0) return `[${title}]`;
  const { bytes, maps } = host.memoryUsage();
  const parts = maps
    .slice(0, MOST_PRINTED)
    .map(({ name, type, id, entries }) => `${mapSubject(name, type, id)}: ${entries} entries`);
  return printList(`${title}(${maps.length} maps, ${bytes} bytes)`, parts, maps.length - parts.length);
}
