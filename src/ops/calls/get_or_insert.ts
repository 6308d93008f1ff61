/**
 * `getOrInsert` and `getOrInsertComputed`, as JavaScript's Map has them (ECMAScript 2026).
 *
 * @module
 */
import { describe } from "../../arguments/mismatch.ts";
import { BPF_ANY, BPF_NOEXIST } from "../../constants.ts";
import { BpfError, ERRNO } from "../../errors.ts";
import { subjectOf } from "../failure.ts";
import type { MapHandle } from "../handle.ts";

/** Calls that these are made of. */
export type Insertable<K, V> = MapHandle<K, V> & {
  get(key: K): V | undefined;
  write(operation: "getOrInsert" | "getOrInsertComputed", key: K, value: V, flags: number): void;
};

/** Inserts, unless another thread was faster; false then. */
function insert<K, V>(
  map: Insertable<K, V>,
  operation: "getOrInsert" | "getOrInsertComputed",
  key: K,
  value: V,
): boolean {
  try {
    map.write(operation, key, value, BPF_NOEXIST);
    return true;
  } catch (error) {
    if (error instanceof BpfError && error.errno === ERRNO.EEXIST) return false;
    throw error;
  }
}

/** The value of a key, which is inserted when it is absent. */
export function getOrInsert<K, V>(map: Insertable<K, V>, key: K, value: V): V {
  if (map.reading === 0 || map.writing === 0) map.refuse("getOrInsert");
  for (;;) {
    const found = map.get(key);
    if (found !== undefined) return found;
    // What the codec has made of it; or, when another thread has deleted it already, what it was.
    if (insert(map, "getOrInsert", key, value)) return map.get(key) ?? value;
  }
}

/** The same with a function that makes the value. */
export function getOrInsertComputed<K, V>(map: Insertable<K, V>, key: K, make: (key: K) => V): V {
  const operation = "getOrInsertComputed";
  if (map.reading === 0 || map.writing === 0) map.refuse(operation);
  if (typeof make !== "function") {
    throw new TypeError(`${operation}: ${subjectOf(map)}: expected a function, got ${describe(make)}`);
  }
  const found = map.get(key);
  if (found !== undefined) return found;
  const value = make(key);
  if (!map.host.shared) {
    // As Map does it: the result counts, also when the function has inserted the key itself.
    map.write(operation, key, value, BPF_ANY);
    return map.get(key) as V;
  }
  for (;;) {
    if (insert(map, operation, key, value)) return map.get(key) ?? value;
    const other = map.get(key);
    if (other !== undefined) return other;
  }
}
