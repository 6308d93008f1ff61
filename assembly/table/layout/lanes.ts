// Values of per-CPU maps on shared hosts: the slots of one CPU lie together, those of different CPUs on different cache lines. Side by
// side, as users see them, slots of 8 bytes would share a line, and threads that count the same keys would take it from each other
// all the time. Padding each slot to a line would cost 64 bytes per CPU and entry; here eight elements share the padding.
//
//   group of 8 elements, the record of the segmented array:
//     0 head[8]: u32 state | key | padded to 8 bytes      (elements.ts)
//     at VALUES: slots of CPU 0 [8], from LANE on those of CPU 1 [8], ...; where entries expire, then a lane whose slots begin with
//     u32 expiry (table/notes/expiry.ts)
//
// So a slot is `value + cpu * LANE`, and LANE is 8 times the bytes of a slot, a multiple of 64. What refers to an element is its address
// plus its place in the group, 0 to 7. Copies are packed, as everywhere: slot after slot.
//
// In tables without lanes an element is a record, its place is 0, and its value lies as users see it.
import { SHARED } from "../../build";
import { insist } from "../../damage";
import { copyBytes, zeroBytes } from "../../memory/bytes";
import { HOST_CPUS } from "../../regions";
import { logBytes } from "../../sync/journal";
import { ownCpu } from "../../sync/slot";
import { STEPPING, STEP_COPY, step } from "../../sync/step";
import { isReadable } from "../../sync/word";
import { ELEMENT_STRIDE, LANE, VALUES, VALUE_SIZE, field } from "./header";

const GROUP_SHIFT: u32 = 3;
const GROUP: u32 = 1 << GROUP_SHIFT;
const PLACES: u32 = GROUP - 1;
/** Slots of so many bytes have lines of their own wherever they lie. */
const LINE: u32 = 64;
/** The first entry takes a group: with keys of megabytes that would be much. */
const MOST_KEY: u32 = 512;

/**
 * Bytes from one CPU's slot to the next in values of `valueSize` bytes of all CPUs, and where they expire of a slot more; 0 where they lie
 * side by side.
 */
export function laneFor(perCpu: bool, keySize: u32, valueSize: u32, timed: bool): u32 {
  const cpus = load<u32>(HOST_CPUS);
  const slots = cpus + <u32>timed;
  if (!SHARED || !perCpu || cpus < 2 || valueSize >= slots * LINE || keySize > MOST_KEY) return 0;
  return (valueSize / slots) << GROUP_SHIFT;
}

@inline export function laneOf(table: usize): u32 {
  return SHARED ? field(table, LANE) : 0;
}

/** Bytes of a group whose heads have so many bytes each. */
export function groupBytes(head: u32, valueSize: u32): u32 {
  return (head + valueSize) << GROUP_SHIFT;
}

/** Where the values of a group begin. */
export function groupValues(head: u32): u32 {
  return head << GROUP_SHIFT;
}

/** Records that so many elements take. */
@inline export function recordsFor(table: usize, elements: u32): u32 {
  return laneOf(table) ? (elements + PLACES) >> GROUP_SHIFT : elements;
}

/** Which record an element is in. */
@inline export function recordOf(table: usize, index: u32): u32 {
  return laneOf(table) ? index >> GROUP_SHIFT : index;
}

/** What refers to an element, from the address of its record. */
@inline export function entryIn(table: usize, record: usize, index: u32): usize {
  if (!laneOf(table)) return record;
  const place = index & PLACES;
  return record + place * (field(table, VALUES) >> GROUP_SHIFT) + place;
}

/** The address of an element, from what refers to it. */
@inline export function elementOf(entry: usize): usize {
  return SHARED ? entry & ~(<usize>PLACES) : entry;
}

/** Its place in its group. */
@inline export function placeOf(entry: usize): u32 {
  return <u32>entry & PLACES;
}

/** The address of its value; of a value in lanes, of the slot of CPU 0. */
@inline export function valueOf(table: usize, entry: usize): usize {
  const values = field(table, VALUES);
  const lane = laneOf(table);
  if (!lane) return entry + values;
  return elementOf(entry) + values + placeOf(entry) * (<u32>(<i32>(lane - values) >> GROUP_SHIFT));
}

/** Whether there is memory where an element should be: without a lock, what refers to it may be anything. */
@inline export function isElementReadable(table: usize, entry: usize): bool {
  let record = elementOf(entry);
  if (laneOf(table)) record -= placeOf(entry) * (field(table, VALUES) >> GROUP_SHIFT);
  return isReadable(record, field(table, ELEMENT_STRIDE) + 8);
}

/** Bytes of a slot in lanes. Never 0, or loops over slots would not end. */
@inline function slotBytes(lane: u32): u32 {
  const bytes = lane >> GROUP_SHIFT;
  insist(bytes != 0);
  return bytes;
}

/** Copies a value out, packed. */
@inline export function copyValueOut(table: usize, target: usize, value: usize): void {
  if (laneOf(table)) gather(table, target, value);
  else copyBytes(target, value, field(table, VALUE_SIZE));
}

function gather(table: usize, target: usize, value: usize): void {
  const lane = field(table, LANE);
  const bytes = slotBytes(lane);
  const end = target + field(table, VALUE_SIZE);
  for (; target < end; target += bytes) {
    if (STEPPING) step(STEP_COPY);
    for (let at: u32 = 0; at < bytes; at += 8) store<u64>(target + at, load<u64>(value + at));
    value += lane;
  }
}

/**
 * Loads the lines of an element that a batch needs: of one that reads, all slots; else the thread's own. Those of other CPUs had better
 * stay in the caches of those.
 */
export function touchElement(table: usize, entry: usize, reading: bool): u32 {
  if (!isElementReadable(table, entry)) return 0;
  const lane = field(table, LANE);
  const value = valueOf(table, entry);
  let sum = load<u32>(elementOf(entry));
  if (!reading) return sum + load<u32>(value + ownCpu() * lane);
  for (let cpu = load<u32>(HOST_CPUS); cpu; cpu--) sum += load<u32>(value + (cpu - 1) * lane);
  return sum;
}

/** Writes a value in lanes from a packed one, journaled unless the entry is new. */
export function scatter(table: usize, value: usize, source: usize, fresh: bool): void {
  const lane = field(table, LANE);
  const bytes = slotBytes(lane);
  const end = source + field(table, VALUE_SIZE);
  for (; source < end; source += bytes) {
    if (!fresh) logBytes(value, bytes);
    copyBytes(value, source, bytes);
    value += lane;
  }
}

/** Notes a whole value. */
export function logValue(table: usize, value: usize): void {
  const lane = laneOf(table);
  const size = field(table, VALUE_SIZE);
  if (!lane) {
    logBytes(value, size);
    return;
  }
  const bytes = slotBytes(lane);
  for (let done: u32 = 0; done < size; done += bytes) {
    logBytes(value, bytes);
    value += lane;
  }
}

/** Makes the value of a new entry zeros. */
export function zeroValue(table: usize, value: usize): void {
  const lane = laneOf(table);
  const size = field(table, VALUE_SIZE);
  if (!lane) {
    zeroBytes(value, size);
    return;
  }
  const bytes = slotBytes(lane);
  for (let done: u32 = 0; done < size; done += bytes) {
    zeroBytes(value, bytes);
    value += lane;
  }
}
