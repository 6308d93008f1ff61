/**
 * What a spec says of eviction.
 *
 * @module
 */
import { checkPlainFunction } from "../arguments/functions.ts";
import { describe } from "../arguments/mismatch.ts";
import type { Eviction, EvictionHook } from "../core/tables/map_types.ts";
import { evicts } from "../core/tables/registry.ts";
import type { TableType } from "../core/tables/table.ts";

/** What a spec may have for maps that evict, and for no others. */
export const EVICTION_OPTIONS = ["eviction", "onEvict"] as const;

/** What {@link takeEviction} takes. */
export interface GivenEviction {
  readonly eviction?: unknown;
  readonly onEvict?: unknown;
}

/** What it gives. */
export interface TakenEviction {
  readonly eviction: Eviction | undefined;
  readonly onEvict: EvictionHook<unknown, unknown> | undefined;
}

/** Takes the options of a caller's: checks them, and that the type evicts. */
export function takeEviction(what: string, type: TableType, given: GivenEviction): TakenEviction {
  const { eviction, onEvict } = given;
  const taken = { eviction, onEvict };
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
  return { eviction, onEvict: onEvict as EvictionHook<unknown, unknown> | undefined };
}
