/**
 * What the core's `verify` and `verifyArena` check, in words. Numbers and texts come from assembly/verify/invariants.ts; what the four
 * words of detail mean stands here.
 *
 * @module
 */
import { INVARIANTS, KV_MOST_PAGES, LOCK_OWNER, LOCK_OWNER_MASK } from "../generated/abi.js";

type Name = keyof typeof INVARIANTS;

/** A sentence from the four words of detail that the core gives when an invariant does not hold. */
type Detail = (a: number, b: number, c: number, d: number) => string;

export const hex = (word: number): string => `0x${word.toString(16)}`;

/** Where an entry is: the words that the invariants of entries begin with. */
const slotAt = (bucket: number, block: number, slot: number): string =>
  `bucket ${bucket}, slot ${slot} of the block at ${hex(block)}`;

const headerWord = (offset: number, found: number, expected: number): string =>
  `the word at ${offset} of the header is ${found} instead of ${expected}`;

const DIRECTORIES = ["buckets", "elements"];

const DETAILS: Readonly<Record<Name, Detail>> = {
  MEASURES: headerWord,
  BUCKET_COUNT: (buckets, mask, expected) =>
    `${buckets} buckets have the mask ${hex(mask)} instead of ${hex(expected)}`,
  LIMITS: headerWord,
  DIRECTORY: (array, segment, address, bytes) =>
    `segment ${segment} of the ${DIRECTORIES[array]} is ${bytes} bytes at ${hex(address)}`,
  DRAIN_POSITION: (at, buckets) => `it would at bucket ${at} of ${buckets}`,
  ENTRY_COUNT: (found, count) => `there are ${found} and it counts ${count}`,
  CAPACITY: (entries, most) => `there are ${entries}, the limit is ${most}`,
  OVERFLOW_BLOCKS: (found, count) => `there are ${found} and it counts ${count}`,
  RESERVE: (first, blocks) =>
    blocks === 0xffff_ffff
      ? `the list at ${hex(first)} leads astray`
      : `${blocks} blocks at ${hex(first)} belong to no such table`,
  TABLE_BYTES: (found, bytes) => `they take ${found} and it says ${bytes}`,
  ARRAY_VALUES: (data, bytes) => `${bytes} bytes at ${hex(data)} are not in use`,
  CHAIN_LINK: (bucket, block, next) =>
    `bucket ${bucket}: the block at ${hex(block)} links ${hex(next)}, where none can be`,
  CHAIN_END: (bucket, block, next) =>
    `bucket ${bucket}: the block at ${hex(block)} leads back to the one at ${hex(next)}`,
  SLOT_MARKS: (bucket, block, bits) =>
    `bucket ${bucket}: the block at ${hex(block)} has the marks ${hex(bits)} too many`,
  HASH_BUCKET: (bucket, block, slot, hash) =>
    `${slotAt(bucket, block, slot)}: the hash ${hex(hash)} belongs to another one`,
  FINDABLE: (bucket, block, slot, hash) =>
    `${slotAt(bucket, block, slot)}: a search with the hash ${hex(hash)} misses it`,
  ONE_OF_A_KEY: (bucket, block, slot, found) =>
    `${slotAt(bucket, block, slot)}: its key is in slot ${found & 63} of the block at ${hex((found & ~63) >>> 0)}, too`,
  ELEMENT_REFERENCE: (bucket, block, slot, element) =>
    `${slotAt(bucket, block, slot)}: there is none at ${hex(element)}`,
  ELEMENT_STATE: (index, element, state) => `element ${index} at ${hex(element)} has the state ${hex(state)}`,
  LIVE_COUNT: (live, entries, counted, shared) =>
    `there are ${live} elements and ${entries} entries${shared === 1 ? `, and the table counts ${counted}` : ""}`,
  ELEMENT_OWNER: (index, element, slots) => `${slots} slots refer to element ${index} at ${hex(element)}`,
  DEAD_COUNT: (found, count) => `there are ${found} and it counts ${count}`,
  SWEEP_POSITION: (index, sweep, elements) =>
    `it is at ${sweep} of ${elements}, element ${index} is behind it`,
  FREE_ELEMENTS: (listed, free, next) =>
    `${free} elements are free, the list has ${listed}${next === 0 ? "" : ` and goes on at ${hex(next)}`}`,
  BOUNDS: (heap, end, most, pages) =>
    `the heap is ${hex(heap)} to ${hex(end)}, the limit ${hex(most)}, and the memory has ${pages} pages`,
  FREE_BLOCK: (block, order, previous) =>
    `${hex(block)}, after ${hex(previous)} in the list of order ${order}, is no such block`,
  FREE_BACK: (block, order, named, previous) =>
    `${hex(block)} of order ${order} comes after ${hex(previous)} and names ${hex(named)}`,
  FREE_ORDERS: (orders, order, first) =>
    `the set is ${hex(orders)}, the list of order ${order} begins with ${hex(first)}`,
  FREE_MARKS: (marks, blocks) => `there are ${marks} marks and ${blocks} blocks`,
  FREE_APART: (before, bytes, block) => `${hex(block)} is within the ${bytes} bytes at ${hex(before)}`,
  BUDDIES: (block, buddy, order) => `${hex(block)} and ${hex(buddy)}, both of order ${order}, are free`,
  HEAP_BYTES: (free, used, heap, end) => `of ${end - heap} bytes ${free} are free and ${used} accounted for`,
  ZERO_BYTES: (address, word) => `the word at ${hex(address)} is ${hex(word)}`,
  UNLOCKED: (address, word) =>
    `the lock at ${hex(address)} is ${hex(word)}: CPU slot ${(word >>> LOCK_OWNER) & LOCK_OWNER_MASK} has it`,
  WIDTH: (bucket, address, width, expected) =>
    `bucket ${bucket} at ${hex(address)} knows of ${width} instead of ${expected}`,
  OWN_LINES: (address, bytes, locks) =>
    `the ${bytes} bytes of ${locks === 1 ? "locks" : "lines"} at ${hex(address)} are not there`,
  FROZEN_CREDITS: (cpu, word) => `those of CPU slot ${cpu} are not, their word is ${hex(word)}`,
  OLD_DIRECTORIES: (old, oldRoom, directory, room) =>
    `the one at ${hex(directory)} with room for ${room} names ${hex(old)} with room for ${oldRoom}`,
  HELD_SEGMENTS: (held, needed, elements) => `it has ${held}, and ${elements} elements need ${needed}`,
  RETIRED_MEMORY: (address, bytes, nodes) =>
    `${bytes} bytes at ${hex(address)}, number ${nodes} in the list, are not in use`,
  IDLE_SLOTS: (cpu, offset, word) => `the word at ${offset} of CPU slot ${cpu} is ${hex(word)}`,
  OWNED_BLOCKS: (cpu, first, journals, counted) =>
    first === 0
      ? `the journals of CPU slot ${cpu} take ${journals} bytes and it counts ${counted}`
      : `those of CPU slot ${cpu}, from ${hex(first)} on, are no such list`,
  BELONGINGS: (used, tables, owned, pins) =>
    `of ${used} bytes ${tables} belong to tables, ${owned} to slots and ${pins} to pins`,
  KV_REGIONS: (offset, address, bytes) =>
    `the word at ${offset} of the header is ${hex(address)}, where ${bytes} bytes should be`,
  KV_PAGES: (page, a, b) =>
    page === KV_MOST_PAGES
      ? `there are ${a} and it counts ${b}`
      : `those of page ${page} are at ${hex(a)} and ${hex(b)}`,
  KV_VALUE: (key, word, at) => `that of key ${key}, whose word is ${hex(word)}, does not, at byte ${at}`,
  KV_SPACE: (page, sizes, marked, used) =>
    sizes === marked && marked === used && sizes > 0
      ? `on page ${page} values have ${sizes}, as many as are marked, but two lie over each other`
      : `on page ${page} values have ${sizes}, ${marked} are marked and it counts ${used}`,
  KV_RUN: (page, longest, known) => `page ${page} has one of ${longest} bytes and knows of ${known}`,
  KV_COUNT: (found, count) => `there are ${found} and it counts ${count}`,
  KV_OWNER: (key, owner, word) => `that of key ${key} has the owner ${owner} and the word ${hex(word)}`,
  ARRAY_ROOM: (index, address) => `that of element ${index} at ${hex(address)} does not`,
  FLAG_WORDS: (offset, word, bits) =>
    `the word at ${offset} of the header is ${hex(word)}, its bits are ${hex(bits)}`,
  AS_CREATED: headerWord,
  FLAT_PART: (room, expected, address, bytes) =>
    `it has room for ${room} buckets instead of ${expected}, ${bytes} bytes at ${hex(address)}`,
  NOBODYS: (offset, word) => `the word at ${offset} of its header is ${hex(word)}`,
  FILTER_ARRAY: (segment, address, bytes) => `segment ${segment} is ${bytes} bytes at ${hex(address)}`,
  FILTER_BITS: (bucket, block, slot, hash) =>
    `${slotAt(bucket, block, slot)}: that of the hash ${hex(hash)} does not`,
  OPEN_SECTIONS: (cpu, high, low, depth) =>
    `the set is 0x${(high * 2 ** 32 + low).toString(16)}, CPU slot ${cpu} is in ${depth === 0 ? "none" : depth}`,
  CPU_COUNT: (cpus, most, logs, expected) =>
    `there are ${cpus} of ${most}, with journals at ${hex(logs)} instead of ${hex(expected)}`,
  SLOT_STATES: (cpu, state, room) =>
    `CPU slot ${cpu} has the state ${hex(state)} and room for ${room} entries`,
  JOURNALS: (cpu, log, room) => `that of CPU slot ${cpu}, ${room} entries at ${hex(log)}, is neither`,
  SPIN_LOCKS: (cpu, count, word) =>
    word === 0 ? `CPU slot ${cpu} notes ${count}` : `CPU slot ${cpu} does not hold the one at ${hex(word)}`,
  REGISTRY_LISTS: (list, at, position, id) =>
    `the list at ${hex(list)} goes on at ${hex(at)} after ${position}${id === 0 ? "" : `, with the id ${id}`}`,
  REFERENCE_COUNTS: (table, cpu, found, expected) => {
    if (cpu === 0xffff_fffe) return `nobody refers to the one at ${hex(table)}`;
    const who = cpu === 0xffff_ffff ? "its count of pins" : `that of CPU slot ${cpu}`;
    return `of the one at ${hex(table)} ${who} is ${found} instead of ${expected}`;
  },
  PARTS_APART: (address, bytes, other, others) =>
    `${bytes} bytes at ${hex(address)} meet ${others} at ${hex(other)}`,
  POOL_BLOCK: (block, index, found, expected) =>
    `of those at ${hex(block)} number ${index} has ${found} instead of ${expected}`,
  POOL_SWEEP: (sweep, pools, index, dead) =>
    `${sweep} of ${pools} are, and pool ${index} has ${dead} dead elements`,
  TEXT_ELEMENT: (index, element, found, expected) =>
    `element ${index} at ${hex(element)} has ${hex(found)}, where ${hex(expected)} belongs`,
  BOOK_WORDS: (offset, found, expected) =>
    `word ${offset} of the book or of what leads to it is ${found}, expected of ${expected}`,
};

/**
 * Says what is broken.
 *
 * @param code what `verify` or `verifyArena` answered
 * @param details the four words that it wrote
 */
export function problemOf(code: number, details: ArrayLike<number>): string {
  const names = Object.keys(INVARIANTS) as Name[];
  const name = names.find((name) => INVARIANTS[name].code === code);
  if (name === undefined) return "all invariants hold: nothing is broken";
  const detail = DETAILS[name](details[0], details[1], details[2], details[3]);
  return `invariant ${code}, ${INVARIANTS[name].text}: ${detail}`;
}
