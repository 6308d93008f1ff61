// Which layout a table gets, and its measures. Inline entries save a page access (a TLB miss and a cache miss) per lookup and
// cost free slots; up to 32 bytes of key and value they take no more memory than elements of their own would.
import { SHARED } from "../build";
import { KEYS_BUCKET_BYTES, KEYS_OVERFLOW_BYTES, KEYS_OVERFLOW_SLOTS, KEYS_SLOTS } from "../table/layout/block_keys";
import { REFS_BUCKET_BYTES, REFS_SLOTS, refsOverflowBytes } from "../table/layout/block_refs";
import { TAGS_BUCKET_MOST, TAGS_ENTRY_MOST, TAGS_KEYS, tagOverflowBytes, tagOverflowSlots, tagSlots } from "../table/layout/block_tags";
import { ELEMENT_KEY } from "../table/layout/elements";
import {
  BUCKET_BYTES, ELEMENT_SEGMENTS, ELEMENT_STRIDE, KEY_SIZE, LANE, LAYOUT, LAYOUT_KEYS, LAYOUT_REFS, LAYOUT_TAGS, LAYOUT_TEXTS, LOAD16,
  OVERFLOW_BYTES, OVERFLOW_MASK, OVERFLOW_SLOTS, OVERFLOW_VALUES, SLOTS, SLOT_MASK, VALUES, VALUE_SIZE, setField,
} from "../table/layout/header";
import { groupBytes, groupValues, laneFor } from "../table/layout/lanes";
import { setTexts } from "../table/layout/texts";
import { isTimed } from "../table/notes/book";

const LINE: u32 = 64;
const FEWEST_SLOTS: u32 = 4;
const SEGMENT_SHIFT: u32 = 16; // segments of elements are 64 KiB unless one element is larger

@inline function round8(bytes: u32): u32 {
  return (bytes + 7) & ~7;
}

/** Entries per bucket, times 16, at which a table is full: 6.5 of 10 slots of the layout "keys", 5.5 of 9, 8 of 11 (docs/core.md). */
@inline function loadTarget(slots: u32): u32 {
  if (SHARED) return slots == KEYS_SLOTS ? 11 << 3 : (slots * 128) / 11;
  return slots == KEYS_SLOTS ? 13 << 3 : (slots * 128) / 11;
}

/** The same of 9 slots in a table that evicts: it is always full, and a bucket that overflows evicts from itself before long. */
const EVICTING_LOAD: u32 = 100;

function setSlots(table: usize, bucket: u32, slots: u32, overflow: u32, overflowSlots: u32): void {
  setField(table, BUCKET_BYTES, bucket);
  setField(table, SLOTS, slots);
  setField(table, SLOT_MASK, (1 << slots) - 1);
  setField(table, LOAD16, loadTarget(slots));
  setField(table, OVERFLOW_BYTES, overflow);
  setField(table, OVERFLOW_SLOTS, overflowSlots);
  setField(table, OVERFLOW_MASK, (1 << overflowSlots) - 1);
}

/** Tags: the block with the fewest bytes per entry at its load target. */
function setTags(table: usize, keySize: u32, valueSize: u32, evicts: bool): void {
  let best: u32 = 0;
  for (let block = LINE; block <= TAGS_BUCKET_MOST; block += LINE) {
    const slots = tagSlots(block, keySize, valueSize);
    if (slots < FEWEST_SLOTS) continue;
    if (!best || block * loadTarget(tagSlots(best, keySize, valueSize)) < best * loadTarget(slots)) best = block;
  }
  const slots = tagSlots(best, keySize, valueSize);
  const overflow = tagOverflowBytes(keySize, valueSize, evicts);
  const overflowSlots = tagOverflowSlots(overflow, keySize, valueSize, evicts);
  setField(table, LAYOUT, LAYOUT_TAGS);
  setSlots(table, best, slots, overflow, overflowSlots);
  setField(table, VALUES, round8(TAGS_KEYS + slots * keySize));
  setField(table, OVERFLOW_VALUES, round8(TAGS_KEYS + overflowSlots * keySize));
}

/** Chooses the layout for a key and a value size, or for texts in rooms of the key size, and writes its measures into the header, which has the flags. */
export function setLayout(table: usize, keySize: u32, valueSize: u32, perCpu: bool, texts: bool, evicts: bool): void {
  const lane = laneFor(perCpu, keySize, valueSize, isTimed(table));
  setField(table, KEY_SIZE, keySize);
  setField(table, VALUE_SIZE, valueSize);
  if (texts) {
    setField(table, LAYOUT, LAYOUT_TEXTS);
    setSlots(table, REFS_BUCKET_BYTES, REFS_SLOTS, refsOverflowBytes(evicts), REFS_SLOTS);
    setTexts(table);
    return;
  }
  if (keySize == 4 && valueSize <= 8) {
    setField(table, LAYOUT, LAYOUT_KEYS);
    setSlots(table, KEYS_BUCKET_BYTES, KEYS_SLOTS, KEYS_OVERFLOW_BYTES, KEYS_OVERFLOW_SLOTS);
    if (SHARED && evicts) setField(table, LOAD16, EVICTING_LOAD);
    return;
  }
  if (!lane && keySize <= TAGS_ENTRY_MOST && valueSize <= TAGS_ENTRY_MOST && keySize + valueSize <= TAGS_ENTRY_MOST) {
    setTags(table, keySize, valueSize, evicts);
    return;
  }
  setField(table, LAYOUT, LAYOUT_REFS);
  setSlots(table, REFS_BUCKET_BYTES, REFS_SLOTS, refsOverflowBytes(evicts), REFS_SLOTS);
  const head = round8(<u32>ELEMENT_KEY + keySize);
  const stride = lane ? groupBytes(head, valueSize) : round8(head + valueSize);
  if (SHARED) setField(table, LANE, lane);
  setField(table, VALUES, lane ? groupValues(head) : head);
  setField(table, ELEMENT_STRIDE, stride);
  const log: u32 = 32 - <u32>clz(stride - 1);
  setField(table, ELEMENT_SEGMENTS + 4, log < SEGMENT_SHIFT ? SEGMENT_SHIFT - log : 0);
}
