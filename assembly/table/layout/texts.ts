// Elements of a table whose keys are texts of any length. Outside of the table such a key has a room of a fixed size (hash/key.ts); an
// element has as many bytes as its own key needs, rounded up to a size class. Each class has a pool: an array of elements as that of a
// table with keys of one size (elements.ts), with its own words.
//
//   element: 0 u32 state | 4 u32 hash | 8 value | at TEXT_KEY = 8 + value size, rounded up to 4: u32 bytes of the text, the text
//   classes: elements of 8, 16, 24 ... 128 bytes, then eight for each doubling: at most an eighth of an element is lost
//   pools:   0 three words of nothing | 12 u32 address of POOLS in the header (layout/account.ts) | 16 pools
//   pool:    the words of a header from ELEMENT_SEGMENTS to FREE_ELEMENT, and in the shared build ELEMENT_SEGMENTS_HELD; `pool` is the
//            address that their offsets are added to
//
// The hash is kept, so that a text is hashed once: splits, merges and scans read it there, and a look-up compares it before the text.
// Readers without a lock may find anything in the place of a length: it is bound by the room, and by the memory.
import { SHARED } from "../../build";
import { insist } from "../../damage";
import { KeyText, TEXT, storeKey, textBytes } from "../../hash/key";
import { compareRuns, copyBytes, equalRuns, zeroBytes } from "../../memory/bytes";
import { logBytes } from "../../sync/journal";
import { acquireOnce } from "../../sync/lock";
import { inSection } from "../../sync/section";
import { isReadable } from "../../sync/word";
import { leadBack, tableAllocate, tableRelease } from "./account";
import { freeElement, newElement, sweep, trimElements } from "./elements";
import {
  DEAD_ELEMENTS, ELEMENT_SEGMENTS, ELEMENT_STRIDE, FIRST_CLASS, KEY_SIZE, POOLS, POOLS_TO_SWEEP, POOL_COUNT, POOL_LOCK, TEXT_KEY, VALUES,
  VALUE_SIZE, field, setField,
} from "./header";

const HASH: usize = 4;
const VALUE: u32 = 8;
const HEAD: u32 = 16;
const POOL_BYTES: u32 = SHARED ? 40 : 32;
const SEGMENT_SHIFT: u32 = 16; // segments of 64 KiB, unless one element is larger

/** Number of the class of elements that hold so many bytes, which are more than 0. */
export function classFor(bytes: u32): u32 {
  const units = ((bytes + 7) >> 3) - 1;
  if (units < 16) return units;
  const shift: u32 = 28 - <u32>clz(units);
  return (units >> shift) + (shift << 3);
}

/** Bytes of the elements of a class. */
export function classBytes(size: u32): u32 {
  if (size < 16) return (size + 1) << 3;
  const shift = (size >> 3) - 1;
  return ((size & 7) + 9) << shift << 3;
}

/** Bytes of an element before the text. */
@inline function bytesBefore(table: usize): u32 {
  return field(table, TEXT_KEY) + <u32>TEXT;
}

/** Writes the measures of a table of texts into its header; the sizes of keys and values are there. */
export function setTexts(table: usize): void {
  setField(table, VALUES, VALUE);
  setField(table, TEXT_KEY, (VALUE + field(table, VALUE_SIZE) + 3) & ~3);
  const first = classFor(bytesBefore(table));
  setField(table, ELEMENT_STRIDE, classBytes(first));
  setField(table, FIRST_CLASS, first);
  setField(table, POOL_COUNT, classFor(field(table, TEXT_KEY) + field(table, KEY_SIZE)) - first + 1);
}

/** Bytes of the block of all pools. */
@inline export function poolsBytes(table: usize): u32 {
  return HEAD + field(table, POOL_COUNT) * POOL_BYTES;
}

/** A pool by its number; none before `openPools`. */
@inline export function poolAt(table: usize, index: u32): usize {
  return <usize>(field(table, POOLS) + HEAD + index * POOL_BYTES) - ELEMENT_SEGMENTS;
}

/** How many pools there are. */
@inline export function poolsOf(table: usize): u32 {
  return field(table, POOLS) ? field(table, POOL_COUNT) : 0;
}

/** Gives a table its pools, without elements. False without memory. */
export function openPools(table: usize): bool {
  const block = tableAllocate(table, poolsBytes(table));
  if (!block) return false;
  zeroBytes(block, poolsBytes(table));
  leadBack(block, table + POOLS);
  setField(table, POOLS, <u32>block);
  for (let index: u32 = 0; index < field(table, POOL_COUNT); index++) {
    const pool = poolAt(table, index);
    store<u32>(pool, strideOfPool(table, index), ELEMENT_STRIDE);
    store<u32>(pool + ELEMENT_SEGMENTS, shiftOfPool(table, index), 4);
  }
  return true;
}

export function strideOfPool(table: usize, index: u32): u32 {
  return classBytes(field(table, FIRST_CLASS) + index);
}

export function shiftOfPool(table: usize, index: u32): u32 {
  const log: u32 = 32 - <u32>clz(strideOfPool(table, index) - 1);
  return log < SEGMENT_SHIFT ? SEGMENT_SHIFT - log : 0;
}

/** Gives the block of the pools back, which have no elements any more. */
export function closePools(table: usize): void {
  const block = <usize>field(table, POOLS);
  if (!block) return;
  setField(table, POOLS, 0);
  tableRelease(table, block, poolsBytes(table));
}

/** Gives the memory of the elements back when no entry is left: shared build, with no lock held. */
export function trimPools(table: usize): void {
  for (let index: u32 = 0; index < poolsOf(table); index++) trimElements(table, poolAt(table, index));
}

/** The pool for a text of so many bytes. */
@inline function poolFor(table: usize, bytes: u32): usize {
  return poolAt(table, classFor(bytesBefore(table) + bytes) - field(table, FIRST_CLASS));
}

/** The pool that an element belongs to. */
@inline export function poolOf(table: usize, element: usize): usize {
  const bytes = load<u32>(element + field(table, TEXT_KEY));
  insist(bytes <= field(table, KEY_SIZE) - <u32>TEXT);
  return poolFor(table, bytes);
}

/** Looks for elements that died inside a section in the pools that no write comes to, a few for each write. */
function sweepPools<B>(table: usize): void {
  if (inSection()) return;
  const index = field(table, POOLS_TO_SWEEP) - 1;
  insist(index < field(table, POOL_COUNT));
  const pool = poolAt(table, index);
  if (field(pool, DEAD_ELEMENTS)) sweep<B>(table, pool);
  else setField(table, POOLS_TO_SWEEP, index);
}

@unmanaged export class Texts {
  @inline isOneArray(): bool {
    return false;
  }

  /** Whether there is memory for an element up to its text. */
  @inline isThere(table: usize, element: usize): bool {
    return isReadable(element, bytesBefore(table));
  }

  @inline matches<K>(table: usize, element: usize, key: K, hash: u32, size: u32): bool {
    if (load<u32>(element, HASH) != hash) return false;
    const at = element + field(table, TEXT_KEY);
    const bytes = textBytes(changetype<usize>(key), size);
    if (load<u32>(at) != bytes || (SHARED && !isReadable(at, <u32>TEXT + bytes))) return false;
    return equalRuns(at + TEXT, changetype<usize>(key) + TEXT, bytes);
  }

  @inline keyAt(table: usize, element: usize): usize {
    return element + field(table, TEXT_KEY);
  }

  @inline hashOf(table: usize, element: usize): u32 {
    return load<u32>(element, HASH);
  }

  /** By length first; of one length in any order. */
  @inline order(a: usize, b: usize, size: u32): i32 {
    const bytes = load<u32>(a);
    const others = load<u32>(b);
    if (bytes != others) return bytes < others ? -1 : 1;
    return compareRuns(a + TEXT, b + TEXT, bytes);
  }

  @inline copyKey(table: usize, element: usize, target: usize): void {
    copyText(table, element, target);
  }

  @inline valueAt(table: usize, element: usize): usize {
    return element + VALUE;
  }

  @inline copyValue(table: usize, target: usize, value: usize): void {
    copyBytes(target, value, field(table, VALUE_SIZE));
  }

  @inline newEntry<B, K>(table: usize, key: K): usize {
    return newText<B>(table, changetype<KeyText>(key));
  }

  @inline note(element: usize, hash: u32): void {
    store<u32>(element, hash, HASH);
  }

  /** Notes the bytes of an element that is about to be freed. */
  @inline log(table: usize, element: usize): void {
    const bytes = load<u32>(element + field(table, TEXT_KEY));
    insist(bytes <= field(table, KEY_SIZE) - <u32>TEXT);
    logBytes(element + HASH, bytesBefore(table) + bytes - <u32>HASH);
  }

  @inline free<B>(table: usize, element: usize): void {
    freeText<B>(table, element);
  }
}

function copyText(table: usize, element: usize, target: usize): void {
  const at = element + field(table, TEXT_KEY);
  const bytes = load<u32>(at);
  const most = field(table, KEY_SIZE) - <u32>TEXT;
  if (SHARED) {
    if (bytes > most || !isReadable(at, <u32>TEXT + bytes)) return;
  } else insist(bytes <= most);
  store<u32>(target, bytes);
  copyBytes(target + TEXT, at + TEXT, bytes);
}

function newText<B>(table: usize, key: KeyText): usize {
  if (SHARED && !acquireOnce(table + POOL_LOCK)) return 0;
  if (field(table, POOLS_TO_SWEEP)) sweepPools<B>(table); // first: it moves no element that has no slot yet
  const size = field(table, KEY_SIZE);
  const element = newElement<B>(table, poolFor(table, textBytes(changetype<usize>(key), size)));
  if (element) storeKey<KeyText>(element + field(table, TEXT_KEY), key, size);
  return element;
}

function freeText<B>(table: usize, element: usize): void {
  if (SHARED && !acquireOnce(table + POOL_LOCK)) return; // the operation fails at its end
  const pool = poolOf(table, element);
  freeElement<B>(table, pool, element);
  if (field(pool, DEAD_ELEMENTS)) setField(table, POOLS_TO_SWEEP, field(table, POOL_COUNT));
  if (field(table, POOLS_TO_SWEEP)) sweepPools<B>(table);
}
