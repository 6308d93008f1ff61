/**
 * How long an entry is to stay.
 *
 * @module
 */
import { checkKnown } from "../../arguments/known.ts";
import { describe } from "../../arguments/mismatch.ts";
import { MOST_EXPIRY, TTL_OF_MAP } from "../../generated/abi.js";
import { subjectOf } from "../failure.ts";
import type { MapHandle } from "../handle.ts";

/** Options of `set`. */
export interface SetOptions {
  /** ms until the entry expires; `Infinity` or 0: never. Default: the `ttl` of the map. */
  readonly ttl?: number | undefined;
}

const SET_OPTIONS = ["ttl"];

/**
 * Checks a ttl, in units of `resolution` ms from the time `now` of the host's on: as the core takes it, where 0 is for ever.
 *
 * @throws TypeError for what is no number, RangeError for one that is negative or too long
 */
export function checkTtl(what: string, ttl: unknown, now: number, resolution: number): number {
  if (typeof ttl !== "number" || Number.isNaN(ttl)) {
    throw new TypeError(`${what}: expected ms as a number, got ${describe(ttl)}`);
  }
  if (ttl === Number.POSITIVE_INFINITY) return 0;
  if (ttl >= 0 && Math.ceil((now + ttl) / resolution) <= MOST_EXPIRY) return ttl;
  const most = MOST_EXPIRY * resolution - now;
  throw new RangeError(`${what}: expected 0..${most} ms or Infinity, got ${ttl}`);
}

/**
 * The ttl that options of `set` say, as the core takes it. Messages only for what fails: building them costs more than the call.
 *
 * @throws TypeError, RangeError
 */
export function ttlOf<K, V>(map: MapHandle<K, V>, options: object, now: number, resolution: number): number {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`set: ${subjectOf(map)}: expected { ttl }, got ${describe(options)}`);
  }
  const { ttl } = options as SetOptions;
  if (ttl === undefined) {
    checkKnown(`set: ${subjectOf(map)}`, options, SET_OPTIONS);
    return TTL_OF_MAP;
  }
  if (typeof ttl === "number" && ttl >= 0 && Math.ceil((now + ttl) / resolution) <= MOST_EXPIRY) return ttl;
  return checkTtl(`set: ${subjectOf(map)}: ttl`, ttl, now, resolution);
}
