/**
 * The iterators of maps: which of them a map has.
 *
 * @module
 */
import { Scalar } from "../../codec/codec.ts";
import { EntryIterator } from "../entry_iterator.ts";
import type { Walkable } from "../handle.ts";
import type { ValueIterator } from "../iterator_base.ts";
import { EntriesAny, forEachAny, KeysAny, ValuesAny } from "./any.ts";
import { EntriesF64, forEachF64, ValuesF64 } from "./f64.ts";
import { EntriesU32, forEachU32, KeysU32, ValuesU32 } from "./u32.ts";
import { EntriesU53, forEachU53, ValuesU53 } from "./u53.ts";

const { F64, U32, U53 } = Scalar;

// On a shared host other threads write meanwhile, and the addresses of a walk hold for no moment.

export function keysOf<K, V>(map: Walkable<K, V>): ValueIterator<K> {
  if (map.host.shared) return new EntryIterator<K, V, K>(map, "keys", "keys");
  return map.keyScalar === U32 ? new KeysU32(map) : new KeysAny(map);
}

export function valuesOf<K, V>(map: Walkable<K, V>): ValueIterator<V> {
  if (map.host.shared) return new EntryIterator<K, V, V>(map, "values", "values");
  const { valueScalar } = map;
  if (valueScalar === U32) return new ValuesU32(map);
  if (valueScalar === U53) return new ValuesU53(map);
  if (valueScalar === F64) return new ValuesF64(map);
  return new ValuesAny(map);
}

export function entriesOf<K, V>(map: Walkable<K, V>): ValueIterator<[K, V]> {
  if (map.host.shared) return new EntryIterator<K, V, [K, V]>(map, "entries", "entries");
  const valueScalar = map.keyScalar === U32 ? map.valueScalar : undefined;
  if (valueScalar === U32) return new EntriesU32(map);
  if (valueScalar === U53) return new EntriesU53(map);
  if (valueScalar === F64) return new EntriesF64(map);
  return new EntriesAny(map);
}

export function forEachOf<K, V, M extends Walkable<K, V>>(
  map: M,
  callback: (value: V, key: K, map: M) => void,
  thisArg: unknown,
): void {
  if (map.host.shared) {
    const entries = new EntryIterator<K, V, [K, V]>(map, "entries", "forEach");
    for (const [key, value] of entries) callback.call(thisArg, value, key, map);
    return;
  }
  const valueScalar = map.keyScalar === U32 ? map.valueScalar : undefined;
  if (valueScalar === U32) forEachU32(map, callback, thisArg);
  else if (valueScalar === U53) forEachU53(map, callback, thisArg);
  else if (valueScalar === F64) forEachF64(map, callback, thisArg);
  else forEachAny(map, callback, thisArg);
}
