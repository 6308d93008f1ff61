// Values that are one JavaScript number, in the layout "keys": they travel as f64 arguments and results, so that JavaScript
// neither reads nor writes the linear memory on the hot path. A typed-array access costs it more than the whole conversion
// here, and needs the view checked after every growth of the memory.
import { SHARED } from "../build";
import { EPERM } from "../errno";
import { hash4With } from "../hash/hash";
import { FIRST_ADDRESS } from "../regions";
import { inSection } from "../sync/section";
import { SLOT, WORD } from "../sync/slot";
import { afterRemoval } from "../table/entries/drop";
import { findInChain, remove, upsertFurther } from "../table/entries/entries";
import { F32, F64, I16, I32, MOST_U53, U16, U32, U53, U8 } from "../table/entries/scalar";
import { NOT_SURE, NOT_THERE, fetchWordSlowly, peekWord } from "../table/entries/shared_read";
import { finishWrite, obtain, prepareValue, removeLocked } from "../table/entries/shared_write";
import { BlockKeys, CELLS, USED } from "../table/layout/block_keys";
import { bucketAddress, bucketIndex, bucketOf } from "../table/layout/buckets";
import { admitSimply, isFiltered } from "../table/layout/filter";
import { COUNT, FROZEN, LEAN_MARK, MARK, SEEDS, VALUE_SIZE, VERSION, field, setField } from "../table/layout/header";

/** What `getNumber4` gives for an absent key: no integer, no f32, and an f64 that it never gives for a present one. */
export const ABSENT: f64 = -2.2250738585072014e-308;

/** What `setNumber4` answers beside errnos: all went well, but the memory grew and the caller's views are detached. */
export const GREW: u32 = 4095;
/** Nothing was done: the kind cannot hold the number. */
export const UNFIT: u32 = 4094;

/** Reads at CELLS behind an address. */
@inline function readNumber(at: usize, kind: u32): f64 {
  if (kind == F64) {
    const value = load<f64>(at, CELLS);
    return value == ABSENT ? NaN : value;
  }
  if (kind == U53) {
    const value = load<u64>(at, CELLS);
    return value > MOST_U53 ? NaN : <f64>value;
  }
  if (kind == U32) return <f64>load<u32>(at, CELLS);
  if (kind == I32) return <f64>load<i32>(at, CELLS);
  if (kind == F32) return <f64>load<f32>(at, CELLS);
  if (kind == U16) return <f64>(<u32>load<u16>(at, CELLS));
  if (kind == U8) return <f64>(<u32>load<u8>(at, CELLS));
  if (kind == I16) return <f64>(<i32>load<i16>(at, CELLS));
  return <f64>(<i32>load<i8>(at, CELLS)); // I8, which is 4
}

/** Whether a number is one of the kind: what the codec of the kind accepts (src/codec/scalars.ts). */
@inline export function fits(value: f64, kind: u32): bool {
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

/** Writes a number to an address. */
@inline export function writeNumber(at: usize, value: f64, kind: u32): void {
  writeCell(at - CELLS, value, kind);
}

/** Writes at CELLS behind an address. */
@inline function writeCell(at: usize, value: f64, kind: u32): void {
  if (kind == F64) store<f64>(at, value, CELLS);
  else if (kind == U53) store<u64>(at, <u64>value, CELLS);
  else if (kind == U32) store<u32>(at, <u32>value, CELLS);
  else if (kind == F32) store<f32>(at, <f32>value, CELLS);
  else if (kind == I32) store<i32>(at, <i32>value, CELLS);
  else if (kind == U16 || kind == I16) store<u16>(at, <u16>(<i32>value), CELLS);
  else store<u8>(at, <u8>(<i32>value), CELLS);
}

/** Where the value of a slot is for who reads and writes at CELLS behind it: with that offset in the instruction. */
@inline function cellOf(bucket: usize, slots: u32): usize {
  return bucket + (<usize>ctz(slots) << 3);
}

@inline export function hashOf(table: usize, key: u32): u32 {
  return hash4With(key, load<u64>(table, SEEDS), load<u64>(table, SEEDS + 8), load<u64>(table, SEEDS + 16));
}

/**
 * The number of a 4-byte key. ABSENT for an absent key, NaN where only the codec can tell what the bytes are: NaN itself, a u53
 * beyond 2^53 - 1, and the one f64 that means "absent" here.
 */
@inline function get(table: usize, key: u32, kind: u32): f64 {
  const hash = hashOf(table, key);
  if (SHARED) {
    const word = peekWord(table, key, hash);
    if (word - NOT_SURE > 1) return numberOf(word, kind);
    return word == NOT_THERE ? ABSENT : getSlowly(table, key, hash, kind);
  }
  return getIn(table, bucketOf<BlockKeys>(table, hash), key, hash, kind);
}

@inline export function getIn(table: usize, bucket: usize, key: u32, hash: u32, kind: u32): f64 {
  const slots = changetype<BlockKeys>(bucket).find<u32>(table, key, hash, true);
  if (slots) return readNumber(cellOf(bucket, slots), kind);
  const block = changetype<BlockKeys>(bucket).link(true);
  return block ? getInChain(table, block, key, kind) : ABSENT;
}

function getInChain(table: usize, block: usize, key: u32, kind: u32): f64 {
  const at = findInChain<BlockKeys, u32>(table, block, key, 0);
  return at ? readNumber(at - CELLS, kind) : ABSENT;
}

// One export for each kind that is common, so that nothing goes by the kind when they are called, and one for all.
export function getF64(table: usize, key: u32): f64 {
  return get(table, key, F64);
}
export function getU53(table: usize, key: u32): f64 {
  return get(table, key, U53);
}
export function getU32(table: usize, key: u32): f64 {
  return get(table, key, U32);
}
export function getI32(table: usize, key: u32): f64 {
  return get(table, key, I32);
}
export function getF32(table: usize, key: u32): f64 {
  return get(table, key, F32);
}
export function getNumber4(table: usize, key: u32, kind: u32): f64 {
  return get(table, key, kind);
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
  return found == 1 ? readNumber(SLOT + WORD - CELLS, kind) : found ? NaN : ABSENT;
}

/** Sets the number of a 4-byte key: 0, GREW, UNFIT or an errno. */
@inline function set(table: usize, key: u32, value: f64, kind: u32): u32 {
  if (!fits(value, kind)) return UNFIT;
  if (SHARED) {
    const entry = obtain<BlockKeys, u32>(table, key, hashOf(table, key), 0);
    if (entry < FIRST_ADDRESS) return <u32>entry;
    prepareValue(entry, field(table, VALUE_SIZE));
    writeCell(entry - CELLS, value, kind);
    return finishWrite<BlockKeys>(table);
  }
  if (field(table, FROZEN)) return EPERM;
  const hash = hashOf(table, key);
  const bucket = bucketOf<BlockKeys>(table, hash);
  const slots = changetype<BlockKeys>(bucket).find<u32>(table, key, hash, true);
  if (slots) {
    writeCell(cellOf(bucket, slots), value, kind);
    return 0;
  }
  const here = changetype<BlockKeys>(bucket).insertHere(table, key);
  if (here) {
    writeCell(here - CELLS, value, kind);
    return 0;
  }
  return insert(table, bucket, key, hash, value, kind);
}

@inline function insert(table: usize, bucket: usize, key: u32, hash: u32, value: f64, kind: u32): u32 {
  const pages = memory.size();
  const at = upsertFurther<BlockKeys, u32>(table, bucket, key, hash, 0);
  if (at < FIRST_ADDRESS) return <u32>at;
  writeCell(at - CELLS, value, kind);
  return memory.size() == pages ? 0 : GREW;
}

export function setF64(table: usize, key: u32, value: f64): u32 {
  return set(table, key, value, F64);
}
export function setU53(table: usize, key: u32, value: f64): u32 {
  return set(table, key, value, U53);
}
export function setU32(table: usize, key: u32, value: f64): u32 {
  return set(table, key, value, U32);
}
export function setI32(table: usize, key: u32, value: f64): u32 {
  return set(table, key, value, I32);
}
export function setF32(table: usize, key: u32, value: f64): u32 {
  return set(table, key, value, F32);
}
/**
 * The one for all kinds, and for tables with a filter of absent keys (table/layout/filter.ts). It writes in one place, since to go by
 * the kind is long.
 */
export function setNumber4(table: usize, key: u32, value: f64, kind: u32): u32 {
  if (SHARED) return set(table, key, value, kind);
  if (!fits(value, kind)) return UNFIT;
  if (field(table, FROZEN)) return EPERM;
  const hash = hashOf(table, key);
  const index = bucketIndex(table, hash);
  const bucket = bucketAddress<BlockKeys>(table, index);
  const slots = changetype<BlockKeys>(bucket).find<u32>(table, key, hash, true);
  const pages = memory.size();
  let at = cellOf(bucket, slots) + CELLS;
  if (!slots) {
    const filtered = isFiltered<BlockKeys>(table);
    const isSimple = !filtered || admitSimply(table, index, hash, changetype<BlockKeys>(bucket).occupied(table, true));
    at = isSimple ? changetype<BlockKeys>(bucket).insertHere(table, key, filtered ? LEAN_MARK : MARK) : 0;
    if (!at) at = upsertFurther<BlockKeys, u32>(table, bucket, key, hash, 0);
    if (at < FIRST_ADDRESS) return <u32>at;
  }
  writeCell(at - CELLS, value, kind);
  return memory.size() == pages ? 0 : GREW;
}

/** Removes a 4-byte key from a table of the layout "keys": 0, ENOENT, EPERM or another errno. */
export function removeNumber4(table: usize, key: u32): u32 {
  const hash = hashOf(table, key);
  if (SHARED) return removeLocked<BlockKeys, u32>(table, key, hash, 0);
  if (field(table, FROZEN)) return EPERM;
  const bucket = bucketOf<BlockKeys>(table, hash);
  const found = changetype<BlockKeys>(bucket).find<u32>(table, key, hash, true);
  if (!found || inSection()) return removeSlowly(table, key, hash);
  store<u32>(bucket, load<u32>(bucket, USED) ^ found, USED);
  const entries = field(table, COUNT) - 1;
  setField(table, COUNT, entries);
  setField(table, VERSION, field(table, VERSION) + 1);
  afterRemoval<BlockKeys>(table, bucket, entries);
  return 0;
}

/** Where the key is not in a slot of its bucket, or a section keeps what was there. */
function removeSlowly(table: usize, key: u32, hash: u32): u32 {
  return remove<BlockKeys, u32>(table, key, hash, 0);
}
