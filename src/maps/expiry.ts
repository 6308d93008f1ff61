/**
 * What a spec says of expiry.
 *
 * @module
 */
import { checkInteger } from "../arguments/integer.ts";
import { describe } from "../arguments/mismatch.ts";
import type { Expiry } from "../core/tables/map_types.ts";
import { isArray, isSocketMap } from "../core/tables/registry.ts";
import type { TableType } from "../core/tables/table.ts";
import { checkTtl } from "../ops/calls/ttl.ts";

/** What a spec may have for maps whose entries expire. */
export const EXPIRY_OPTIONS = ["ttl", "ttlResolution", "updateAgeOnGet"] as const;

/** What {@link takeExpiry} takes. */
export interface GivenExpiry {
  readonly ttl?: unknown;
  readonly ttlResolution?: unknown;
  readonly updateAgeOnGet?: unknown;
}

/** ms: 2^32 units are 497 days. */
const DEFAULT_RESOLUTION = 10;
const MOST_RESOLUTION = 1000;

/** Takes the options of a caller's: checks them, and that a map of the type can have them. Undefined without a ttl. */
export function takeExpiry(what: string, type: TableType, given: GivenExpiry): Expiry | undefined {
  const { ttl, ttlResolution, updateAgeOnGet } = given;
  if (ttl === undefined) {
    const taken = { ttl, ttlResolution, updateAgeOnGet };
    for (const name of EXPIRY_OPTIONS) {
      if (taken[name] !== undefined)
        throw new TypeError(`${what}: ${name}: a map has it that has a ttl, too`);
    }
    return undefined;
  }
  if (isArray(type) || isSocketMap(type)) {
    throw new TypeError(`${what}: ttl: entries of hashes expire, not those of a map of type ${type}`);
  }
  const renews = updateAgeOnGet ?? false;
  if (typeof renews !== "boolean") {
    throw new TypeError(`${what}: updateAgeOnGet: expected a boolean, got ${describe(updateAgeOnGet)}`);
  }
  const resolution = checkInteger(
    `${what}: ttlResolution`,
    ttlResolution ?? DEFAULT_RESOLUTION,
    1,
    MOST_RESOLUTION,
  );
  return { ttl: checkTtl(`${what}: ttl`, ttl, 0, resolution), resolution, renews };
}
