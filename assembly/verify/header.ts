// Checks the header of a table (table.ts): what follows from its sizes, its layout and the number of its buckets.
import { SHARED } from "../build";
import { TEXT } from "../hash/key";
import { allocationSize } from "../memory/arena";
import { KEYS_BUCKET_BYTES, KEYS_OVERFLOW_BYTES, KEYS_OVERFLOW_SLOTS, KEYS_SLOTS } from "../table/layout/block_keys";
import { REFS_BUCKET_BYTES, REFS_SLOTS, refsOverflowBytes } from "../table/layout/block_refs";
import { TAGS_BUCKET_MOST, TAGS_ENTRY_MOST, TAGS_KEYS, tagOverflowBytes, tagOverflowSlots, tagSlots } from "../table/layout/block_tags";
import { ELEMENT_KEY } from "../table/layout/elements";
import { classBytes, classFor } from "../table/layout/texts";
import {
  BUCKETS, BUCKET_BYTES, DRAIN_AT, ELEMENT_STRIDE, FILTERED, FIRST_CLASS, FLAGS, FROZEN, GROWABLE, GROW_ABOVE, KEY_SIZE, LANE, LAYOUT,
  LAYOUT_KEYS, LAYOUT_REFS, LAYOUT_TEXTS, LEAN_MARK, LIMITED, LOAD16, LOCK_OFFSET, MARK, MASK, MAX_ENTRIES, NOTED, NO_LOCK, OVERFLOW_BYTES,
  OVERFLOW_MASK, OVERFLOW_SLOTS, OVERFLOW_VALUES, OWES, OWES_MERGES, PER_CPU, POOL_COUNT, PREALLOCATED, RECENCY, SHRINK_BELOW, SLOTS, SLOT_MASK, TEXT_KEY,
  VALUES, VALUE_SIZE, field, isGrowable,
} from "../table/layout/header";
import { groupBytes, groupValues, laneFor, laneOf } from "../table/layout/lanes";
import { markFor } from "../table/limit/low_water";
import { flagsOf } from "../maps/create";
import { flatFor } from "../table/layout/bucket_array";
import { evicts, isTimed } from "../table/notes/book";
import { bucketsHeld, entriesFor, growAbove } from "../table/resize/resize";
import { AS_CREATED, BUCKET_COUNT, DRAIN_POSITION, FLAG_WORDS, LIMITS, MEASURES, broken } from "./invariants";

const LINE: u32 = 64;
export const NEVER: u32 = 0xffffffff;

/**
 * Compares what the header says with what the handles of the table know: 0, or AS_CREATED. Nothing in memory says it a second time,
 * so a damaged size may fit everything else there.
 */
export function verifyCreated(
  table: usize, kind: u32, prealloc: u32, keySize: u32, valueSize: u32, maxEntries: u32, out: usize,
): u32 {
  const expected = flagsOf(kind, prealloc != 0);
  const flags = field(table, FLAGS) & ~OWES_MERGES;
  if (flags != expected) return broken(out, AS_CREATED, <u32>FLAGS, flags, expected, 0);
  return (
    expect(table, AS_CREATED, KEY_SIZE, keySize, out) ||
    expect(table, AS_CREATED, VALUE_SIZE, valueSize, out) ||
    expect(table, AS_CREATED, MAX_ENTRIES, maxEntries, out)
  );
}

/** Checks a word that is a set of flags. */
@inline function verifyFlags(table: usize, offset: usize, bits: u32, out: usize): u32 {
  const word = field(table, offset);
  return word & ~bits ? broken(out, FLAG_WORDS, <u32>offset, word, bits, 0) : 0;
}

/** The words of flags that every table has. */
export function verifyWords(table: usize, out: usize): u32 {
  const filtered = !SHARED && field(table, LAYOUT) == LAYOUT_KEYS ? FILTERED : 0;
  return verifyFlags(table, FROZEN, 1, out) || verifyFlags(table, FLAGS, GROWABLE | PREALLOCATED | OWES_MERGES | NOTED | RECENCY | filtered, out) || (SHARED ? verifySharedWords(table, out) : 0);
}

function verifySharedWords(table: usize, out: usize): u32 {
  const lock = field(table, LOCK_OFFSET);
  if (lock != NO_LOCK && (lock & 3 || <u64>lock + 4 > <u64>field(table, VALUE_SIZE))) {
    return broken(out, MEASURES, <u32>LOCK_OFFSET, lock, NO_LOCK, 0);
  }
  const lane = laneFor(field(table, PER_CPU) != 0, field(table, KEY_SIZE), field(table, VALUE_SIZE), isTimed(table));
  if (field(table, LANE) != lane) return broken(out, MEASURES, <u32>LANE, field(table, LANE), lane, 0);
  return verifyFlags(table, LIMITED, 1, out) || verifyFlags(table, PER_CPU, 1, out) || verifyFlags(table, OWES, 1, out);
}

/** The plain build notes up to where an insert need not look further. */
export function verifyMark(table: usize, out: usize): u32 {
  if (SHARED) return 0;
  const filtered = (field(table, FLAGS) & FILTERED) != 0;
  const mark = markFor(table);
  return expect(table, LIMITS, MARK, filtered ? 0 : mark, out) || expect(table, LIMITS, LEAN_MARK, filtered ? mark : 0, out);
}

/** Compares a word of the header. */
@inline export function expect(table: usize, invariant: u32, offset: usize, expected: u32, out: usize): u32 {
  return field(table, offset) == expected ? 0 : broken(out, invariant, <u32>offset, field(table, offset), expected, 0);
}

@inline export function round8(bytes: u32): u32 {
  return (bytes + 7) & ~7;
}

export function verifyMeasures(table: usize, out: usize): u32 {
  const slots = field(table, SLOTS);
  const overflowSlots = field(table, OVERFLOW_SLOTS);
  return (
    expect(table, MEASURES, SLOT_MASK, (1 << slots) - 1, out) ||
    expect(table, MEASURES, OVERFLOW_MASK, (1 << overflowSlots) - 1, out) ||
    verifyLayout(table, slots, overflowSlots, out)
  );
}

/** The measures that each layout fixes by itself. */
function verifyLayout(table: usize, slots: u32, overflowSlots: u32, out: usize): u32 {
  const keySize = field(table, KEY_SIZE);
  const valueSize = field(table, VALUE_SIZE);
  const layout = field(table, LAYOUT);
  if (layout == LAYOUT_KEYS) {
    return (
      expect(table, MEASURES, KEY_SIZE, 4, out) ||
      expect(table, MEASURES, SLOTS, KEYS_SLOTS, out) ||
      expect(table, MEASURES, OVERFLOW_SLOTS, KEYS_OVERFLOW_SLOTS, out) ||
      expect(table, MEASURES, OVERFLOW_BYTES, KEYS_OVERFLOW_BYTES, out) ||
      expect(table, MEASURES, BUCKET_BYTES, KEYS_BUCKET_BYTES, out)
    );
  }
  if (layout == LAYOUT_REFS) {
    const head = round8(<u32>ELEMENT_KEY + keySize);
    const lane = laneOf(table);
    return (
      expect(table, MEASURES, SLOTS, REFS_SLOTS, out) ||
      expect(table, MEASURES, OVERFLOW_SLOTS, REFS_SLOTS, out) ||
      expect(table, MEASURES, OVERFLOW_BYTES, refsOverflowBytes(evicts(table)), out) ||
      expect(table, MEASURES, BUCKET_BYTES, REFS_BUCKET_BYTES, out) ||
      expect(table, MEASURES, VALUES, lane ? groupValues(head) : head, out) ||
      expect(table, MEASURES, ELEMENT_STRIDE, lane ? groupBytes(head, valueSize) : round8(head + valueSize), out)
    );
  }
  return layout == LAYOUT_TEXTS ? verifyTexts(table, out) : verifyTags(table, slots, overflowSlots, out);
}

function verifyTexts(table: usize, out: usize): u32 {
  const keySize = field(table, KEY_SIZE);
  if (keySize < <u32>TEXT || keySize & 3) return broken(out, MEASURES, <u32>KEY_SIZE, keySize, <u32>TEXT, 0);
  const key = (8 + field(table, VALUE_SIZE) + 3) & ~3;
  const first = classFor(key + <u32>TEXT);
  return (
    expect(table, MEASURES, SLOTS, REFS_SLOTS, out) ||
    expect(table, MEASURES, OVERFLOW_SLOTS, REFS_SLOTS, out) ||
    expect(table, MEASURES, OVERFLOW_BYTES, refsOverflowBytes(evicts(table)), out) ||
    expect(table, MEASURES, BUCKET_BYTES, REFS_BUCKET_BYTES, out) ||
    expect(table, MEASURES, VALUES, 8, out) ||
    expect(table, MEASURES, TEXT_KEY, key, out) ||
    expect(table, MEASURES, ELEMENT_STRIDE, classBytes(first), out) ||
    expect(table, MEASURES, FIRST_CLASS, first, out) ||
    expect(table, MEASURES, POOL_COUNT, classFor(key + keySize) - first + 1, out)
  );
}

/** Blocks of the layout "tags" have as many slots as fit, and overflow blocks are no larger than one slot needs. */
function verifyTags(table: usize, slots: u32, overflowSlots: u32, out: usize): u32 {
  const keySize = field(table, KEY_SIZE);
  const valueSize = field(table, VALUE_SIZE);
  const bytes = field(table, BUCKET_BYTES);
  if (keySize > TAGS_ENTRY_MOST) return broken(out, MEASURES, <u32>KEY_SIZE, keySize, TAGS_ENTRY_MOST, 0);
  if (valueSize > TAGS_ENTRY_MOST - keySize) {
    return broken(out, MEASURES, <u32>VALUE_SIZE, valueSize, TAGS_ENTRY_MOST - keySize, 0);
  }
  if (bytes & (LINE - 1) || bytes > TAGS_BUCKET_MOST) {
    return broken(out, MEASURES, <u32>BUCKET_BYTES, bytes, allocationSize(min(bytes, TAGS_BUCKET_MOST)), 0);
  }
  const overflow = tagOverflowBytes(keySize, valueSize, evicts(table));
  return (
    expect(table, MEASURES, SLOTS, tagSlots(bytes, keySize, valueSize), out) ||
    expect(table, MEASURES, OVERFLOW_BYTES, overflow, out) ||
    expect(table, MEASURES, OVERFLOW_SLOTS, tagOverflowSlots(overflow, keySize, valueSize, evicts(table)), out) ||
    expect(table, MEASURES, VALUES, round8(TAGS_KEYS + slots * keySize), out) ||
    expect(table, MEASURES, OVERFLOW_VALUES, round8(TAGS_KEYS + overflowSlots * keySize), out)
  );
}

/** The number of buckets, and what follows from it. */
export function verifyCounts(table: usize, out: usize): u32 {
  const buckets = field(table, BUCKETS);
  const mask: u32 = buckets > 1 ? <u32>(((<u64>2) << (31 - clz(buckets))) - 1) : 1;
  if (!buckets || (!SHARED && mask != field(table, MASK))) return broken(out, BUCKET_COUNT, buckets, field(table, MASK), mask, 0);
  let above = NEVER;
  let below: u32 = 0;
  if (isGrowable(table)) {
    const full = entriesFor(table, buckets);
    above = growAbove(buckets, SHARED ? bucketsHeld(table, buckets) : flatFor(table, buckets), full);
    below = buckets > 1 ? full >> 1 : 0;
  }
  if (field(table, DRAIN_AT) >= buckets) return broken(out, DRAIN_POSITION, field(table, DRAIN_AT), buckets, 0, 0);
  return (
    expect(table, LIMITS, GROW_ABOVE, above, out) || expect(table, LIMITS, SHRINK_BELOW, below, out)
  );
}
