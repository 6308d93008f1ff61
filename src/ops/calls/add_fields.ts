/**
 * `addFields`: several counters of one value.
 *
 * @module
 */
import { describe } from "../../arguments/mismatch.ts";
import { subjectOf } from "../failure.ts";
import type { MapHandle } from "../handle.ts";
import { badDelta, type Counter, type Counters, fitsDelta } from "./counter.ts";

/** A map as `addFields` sees it. */
export interface CountingHandle<K> extends MapHandle<K, unknown> {
  readonly counters: Counters;
  /** What `addFields` has kept for its next call. */
  spareAdditions: Additions | undefined;
  /** Adds to several integers of the value of a key, or to none. */
  countAll(key: K, additions: Additions): void;
}

/** What a call of `addFields` has been told. Kept for the next one, which mostly names the same fields. */
export class Additions {
  readonly counters: Counter[] = [];
  readonly deltas: (number | bigint)[] = [];
  count = 0;

  /** Reads and checks all that the call was given. */
  read<K>(map: CountingHandle<K>, given: object): void {
    const { counters, deltas } = this;
    let i = 0;
    for (const path in given) {
      if (i >= counters.length || counters[i].field !== path) {
        counters[i] = map.counters.at(map, "addFields", path);
      }
      const delta: unknown = given[path as never];
      if (!fitsDelta(counters[i], delta)) {
        throw badDelta(counters[i], `addFields: ${subjectOf(map)}: ${path}`, delta);
      }
      deltas[i++] = delta as number | bigint;
    }
    this.count = i;
  }
}

/** What `map.addFields` does: it reads and checks all that it is given before it adds anything. */
export function addFields<K>(map: CountingHandle<K>, key: K, given: unknown): void {
  if (map.reading === 0 || map.writing === 0) map.refuse("addFields");
  if (typeof given !== "object" || given === null) {
    throw new TypeError(`addFields: ${subjectOf(map)}: expected an object of fields, got ${describe(given)}`);
  }
  // A getter of `given` or a low-water hook may come here while this call waits for it.
  const additions = map.spareAdditions ?? new Additions();
  map.spareAdditions = undefined;
  try {
    additions.read(map, given);
    // A getter may have closed it.
    if (map.reading === 0 || map.writing === 0) map.refuse("addFields");
    map.countAll(key, additions);
  } finally {
    map.spareAdditions = additions;
  }
}
