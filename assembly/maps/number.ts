// Values that are one JavaScript number, in the layout "keys": they travel as f64 arguments and results, so that JavaScript
// neither reads nor writes the linear memory on the hot path. A typed-array access costs it more than the whole conversion
// here, and needs the view checked after every growth of the memory.
import { SHARED } from "../build";
import { hash4 } from "../hash/hash";
import { memoryEnd } from "../memory/arena";
import { FIRST_ADDRESS } from "../regions";
import { SLOT, WORD } from "../sync/slot";
import { find, upsert } from "../table/entries/entries";
import { F32, F64, I16, I32, MOST_U53, U16, U32, U53, U8 } from "../table/entries/scalar";
import { NOT_SURE, NOT_THERE, fetchWordSlowly, peekWord } from "../table/entries/shared_read";
import { finishWrite, obtain, prepareValue } from "../table/entries/shared_write";
import { BlockKeys } from "../table/layout/block_keys";
import { SEEDS, VALUE_SIZE, field } from "../table/layout/header";

/** What `getNumber4` gives for an absent key: no integer, no f32, and an f64 that it never gives for a present one. */
export const ABSENT: f64 = -2.2250738585072014e-308;

/** What `setNumber4` answers beside errnos: all went well, but the memory grew and the caller's views are detached. */
export const GREW: u32 = 4095;
/** Nothing was done: the kind cannot hold the number. */
export const UNFIT: u32 = 4094;

@inline function readNumber(at: usize, kind: u32): f64 {
  if (kind == F64) {
    const value = load<f64>(at);
    return value == ABSENT ? NaN : value;
  }
  if (kind == U53) {
    const value = load<u64>(at);
    return value > MOST_U53 ? NaN : <f64>value;
  }
  if (kind == U32) return <f64>load<u32>(at);
  if (kind == I32) return <f64>load<i32>(at);
  if (kind == F32) return <f64>load<f32>(at);
  if (kind == U16) return <f64>(<u32>load<u16>(at));
  if (kind == U8) return <f64>(<u32>load<u8>(at));
  if (kind == I16) return <f64>(<i32>load<i16>(at));
  return <f64>(<i32>load<i8>(at)); // I8, which is 4
}

/** Whether a number is one of the kind: what the codec of the kind accepts (src/codec/scalars.ts). */
@inline function fits(value: f64, kind: u32): bool {
  if (kind == F64) return true;
  if (kind == U32) return <f64>(<u32>value) == value;
  if (kind == I32) return <f64>(<i32>value) == value;
  if (kind == U53) return <f64>(<u64>value) == value && value <= <f64>MOST_U53;
  // Infinity and NaN pass, a finite number beyond the largest float does not.
  if (kind == F32) return abs(<f64>(<f32>value)) != Infinity || abs(value) == Infinity;
  if (kind == U16) return <f64>(<u32>value & 0xffff) == value;
  if (kind == U8) return <f64>(<u32>value & 0xff) == value;
  const whole = <i32>value;
  if (kind == I16) return <f64>((whole << 16) >> 16) == value;
  return <f64>((whole << 24) >> 24) == value;
}

@inline function writeNumber(at: usize, value: f64, kind: u32): void {
  if (kind == F64) store<f64>(at, value);
  else if (kind == U53) store<u64>(at, <u64>value);
  else if (kind == U32) store<u32>(at, <u32>value);
  else if (kind == F32) store<f32>(at, <f32>value);
  else if (kind == I32) store<i32>(at, <i32>value);
  else if (kind == U16 || kind == I16) store<u16>(at, <u16>(<i32>value));
  else store<u8>(at, <u8>(<i32>value));
}

/**
 * The number of a 4-byte key. ABSENT for an absent key, NaN where only the codec can tell what the bytes are: NaN itself, a u53
 * beyond 2^53 - 1, and the one f64 that means "absent" here.
 */
export function getNumber4(table: usize, key: u32, kind: u32): f64 {
  if (SHARED) {
    const hash = hash4(table + SEEDS, key);
    const word = peekWord(table, key, hash);
    if (word - NOT_SURE > 1) return numberOf(word, kind);
    return word == NOT_THERE ? ABSENT : getSlowly(table, key, hash, kind);
  }
  const at = find<BlockKeys, u32>(table, key, hash4(table + SEEDS, key));
  return at ? readNumber(at, kind) : ABSENT;
}

/** `readNumber` for a value that is in a register already. */
@inline function numberOf(word: u64, kind: u32): f64 {
  if (kind == F64) {
    const value = reinterpret<f64>(word);
    return value == ABSENT ? NaN : value;
  }
  if (kind == U53) return word > MOST_U53 ? NaN : <f64>word;
  if (kind == U32) return <f64>(<u32>word);
  if (kind == I32) return <f64>(<i32>word);
  if (kind == F32) return <f64>reinterpret<f32>(<u32>word);
  if (kind == U16) return <f64>(<u32>word & 0xffff);
  if (kind == U8) return <f64>(<u32>word & 0xff);
  if (kind == I16) return <f64>(<i32>(<i16>word));
  return <f64>(<i32>(<i8>word)); // I8
}

/** Where one look at the bucket did not do. NaN also when it gave up: then the ordinary lookup says why. */
function getSlowly(table: usize, key: u32, hash: u32, kind: u32): f64 {
  const found = fetchWordSlowly(table, key, hash, SLOT + WORD, 8);
  return found == 1 ? readNumber(SLOT + WORD, kind) : found ? NaN : ABSENT;
}

/** Sets the number of a 4-byte key: 0, GREW, UNFIT or an errno. */
export function setNumber4(table: usize, key: u32, value: f64, kind: u32): u32 {
  if (!fits(value, kind)) return UNFIT;
  if (SHARED) {
    const entry = obtain<BlockKeys, u32>(table, key, hash4(table + SEEDS, key), 0);
    if (entry < FIRST_ADDRESS) return <u32>entry;
    prepareValue(entry, field(table, VALUE_SIZE));
    writeNumber(entry, value, kind);
    return finishWrite<BlockKeys>(table);
  }
  const end = memoryEnd();
  const at = upsert<BlockKeys, u32>(table, key, hash4(table + SEEDS, key), 0);
  if (at < FIRST_ADDRESS) return <u32>at;
  writeNumber(at, value, kind);
  return memoryEnd() == end ? 0 : GREW;
}
