/**
 * What a spec says of eviction.
 *
 * @module
 */
import { checkPlainFunction } from "../arguments/functions.ts";
import { checkInteger } from "../arguments/integer.ts";
import { describe } from "../arguments/mismatch.ts";
import { BPF_F_NO_COMMON_LRU } from "../constants.ts";
import type { CoreHost } from "../core/core_host.ts";
import type { Eviction, EvictionHook, MapAttributes } from "../core/tables/map_types.ts";
import { evicts } from "../core/tables/registry.ts";
import type { TableType } from "../core/tables/table.ts";

/** What a spec may have for maps that evict, and for no others. */
export const EVICTION_OPTIONS = ["eviction", "maxBytes", "onEvict"] as const;

/** What {@link takeEviction} takes. */
export interface GivenEviction {
  readonly eviction?: unknown;
  readonly maxBytes?: unknown;
  readonly onEvict?: unknown;
}

/** What it gives. */
export interface TakenEviction {
  readonly eviction: Eviction | undefined;
  readonly maxBytes: number | undefined;
  readonly onEvict: EvictionHook<unknown, unknown> | undefined;
}

/** Takes the options of a caller's: checks them, and that the type evicts. */
export function takeEviction(what: string, type: TableType, given: GivenEviction): TakenEviction {
  const { eviction, maxBytes, onEvict } = given;
  const taken = { eviction, maxBytes, onEvict };
  for (const name of EVICTION_OPTIONS) {
    if (taken[name] !== undefined && !evicts(type)) {
      throw new TypeError(
        `${what}: ${name}: an lru_hash or lru_percpu_hash has it, not a map of type ${type}`,
      );
    }
  }
  if (eviction !== undefined && eviction !== "value" && eviction !== "recency") {
    throw new TypeError(`${what}: eviction: expected "value" or "recency", got ${describe(eviction)}`);
  }
  if (onEvict !== undefined) checkPlainFunction(`${what}: onEvict`, onEvict, "operation");
  if (maxBytes !== undefined) checkInteger(`${what}: maxBytes`, maxBytes, 1, Number.MAX_SAFE_INTEGER);
  return {
    eviction,
    maxBytes: maxBytes as number | undefined,
    onEvict: onEvict as EvictionHook<unknown, unknown> | undefined,
  };
}

/** Attributes whose limit is lowered to what `maxBytes` leaves room for. They were checked. */
export function withinBytes<A extends MapAttributes>(
  host: CoreHost,
  subject: string,
  attributes: A,
  maxBytes: number,
): A {
  const { registry, cpus } = host;
  if (attributes.texts === true) {
    throw new TypeError(
      `createMap: ${subject}: maxBytes: texts take the bytes that they have: give maxEntries`,
    );
  }
  const room = registry.entriesWithin(attributes, maxBytes, "createMap", subject);
  // With a part for each CPU, all have the same.
  const maxEntries = (attributes.flags & BPF_F_NO_COMMON_LRU) === 0 ? room : room - (room % cpus);
  if (maxEntries === 0) {
    throw new RangeError(
      `createMap: ${subject}: maxBytes: ${maxBytes} bytes have no room for a map with an entry`,
    );
  }
  return { ...attributes, maxEntries };
}
