/**
 * The low-water mark of a map of objects: when its hook is called.
 *
 * @module
 */
import { checkNoPromise, checkPlainFunction } from "../../arguments/functions.ts";
import { checkInteger } from "../../arguments/integer.ts";
import { checkSlips } from "../../arguments/known.ts";
import { describe } from "../../arguments/mismatch.ts";
import type { LowWater } from "../../core/tables/map_types.ts";
import { HOOK_OPTIONS } from "../low_water.ts";

/**
 * A crossing is an insert that finds as many free slots as the mark says and takes one. So the hook is called once for each crossing
 * without a flag to remember it by: below the mark no insert finds as many, until deletes or growth bring them back.
 */
export class LowWaterMark<M> {
  readonly #free: number;
  readonly #what: string;
  readonly #spec: LowWater<M>;
  #running = false;

  /**
   * @param what the start of messages: `createMap: map "m": lowWater`
   * @throws TypeError, RangeError for a spec that is none.
   */
  constructor(what: string, spec: LowWater<M>, maxEntries: number) {
    if (typeof spec !== "object" || spec === null) {
      throw new TypeError(`${what}: expected { free, grow }, got ${describe(spec)}`);
    }
    checkSlips(what, spec, HOOK_OPTIONS);
    this.#free = checkInteger(`${what}.free`, spec.free, 1, maxEntries);
    checkPlainFunction(`${what}.grow`, spec.grow, "operation");
    this.#what = `${what}.grow`;
    this.#spec = spec;
  }

  /** Whether an insert that finds so many free slots has to call {@link run} first. What the hook itself inserts never does. */
  isCrossed(free: number): boolean {
    return !this.#running && free === this.#free;
  }

  /** Whether the hook may be called. */
  get idle(): boolean {
    return !this.#running;
  }

  run(map: M): void {
    this.#running = true;
    try {
      checkNoPromise(this.#what, this.#spec.grow(map), "operation");
    } finally {
      this.#running = false;
    }
  }
}
