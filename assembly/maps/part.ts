// Numbers that are parts of values: a member of a struct, which is read without the rest. They are f64 results, as those of
// maps/number.ts.
import { SHARED } from "../build";
import { Key16, KeyAny, KeyText, hashKey } from "../hash/key";
import { SLOT, WORD } from "../sync/slot";
import { F32, F64, I16, I32, I8, MOST_U53, U16, U32, U53, widthOf } from "../table/entries/scalar";
import { byKey, layoutOf } from "../table/layout/by_layout";
import { KEY_SIZE, SEEDS, field } from "../table/layout/header";
import { Find, u64Of } from "./access";
import { ABSENT } from "./number";
import { FetchPart } from "./shared_access";

/** The kinds that most counters are, straight away. */
@inline export function numberAt(at: usize, kind: u32): f64 {
  if (kind == U53) {
    const value = load<u64>(at);
    return value > MOST_U53 ? NaN : <f64>value;
  }
  return kind == U32 ? <f64>load<u32>(at) : otherNumberAt(at, kind);
}

function otherNumberAt(at: usize, kind: u32): f64 {
  switch (kind) {
    case F64: {
      const value = load<f64>(at);
      return value == ABSENT ? NaN : value;
    }
    case I32: return <f64>load<i32>(at);
    case U16: return <f64>(<u32>load<u16>(at));
    case I16: return <f64>(<i32>load<i16>(at));
    case F32: return <f64>load<f32>(at);
    case I8: return <f64>(<i32>load<i8>(at));
    default: return <f64>(<u32>load<u8>(at)); // U8
  }
}

/**
 * The number `offset` bytes into the value of a key. ABSENT for an absent key; NaN where only the codec can tell what the bytes are,
 * and in the shared build where the call gave up: then `localRead` says why.
 */
@inline function partOf<K>(table: usize, key: K, offset: u32, kind: u32): f64 {
  const hash = hashKey<K>(table + SEEDS, key, field(table, KEY_SIZE));
  const layout = layoutOf(table);
  if (SHARED) {
    const found = byKey<FetchPart, K>(layout, table, key, hash, offset, widthOf(kind), SLOT + WORD);
    return found == 1 ? numberAt(SLOT + WORD, kind) : found ? NaN : ABSENT;
  }
  const value = byKey<Find, K>(layout, table, key, hash);
  return value ? numberAt(value + offset, kind) : ABSENT;
}

export function getPart4(table: usize, key: u32, offset: u32, kind: u32): f64 {
  return partOf<u32>(table, key, offset, kind);
}
export function getPart8(table: usize, low: u32, high: u32, offset: u32, kind: u32): f64 {
  return partOf<u64>(table, u64Of(low, high), offset, kind);
}
export function getPart16(table: usize, key: usize, offset: u32, kind: u32): f64 {
  return partOf<Key16>(table, changetype<Key16>(key), offset, kind);
}
export function getPartAny(table: usize, key: usize, offset: u32, kind: u32): f64 {
  return partOf<KeyAny>(table, changetype<KeyAny>(key), offset, kind);
}
export function getPartText(table: usize, key: usize, offset: u32, kind: u32): f64 {
  return partOf<KeyText>(table, changetype<KeyText>(key), offset, kind);
}
