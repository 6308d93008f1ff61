// The programs whose loops are measured. Each goes through the keys of its inbox once, in order, does one thing with each, and
// leaves a result: bounded loops without bpf_loop or callbacks, which would need BTF. Values are integers, since BPF has no others.
import {
  add,
  assemble,
  call,
  elementOf,
  exit,
  HELPER,
  jump,
  jumpIf,
  label,
  load,
  mapOf,
  move,
  r0,
  r1,
  r2,
  r3,
  r4,
  r5,
  r6,
  r7,
  r8,
  r9,
  r10,
  shiftRight,
  store,
} from "./assembler.mjs";

// The verifier follows one path more per iteration, and gives up when 8192 are left to be followed
// (BPF_COMPLEXITY_LIMIT_JMP_SEQ of kernel/bpf/verifier.c).
export const MAX_KEYS = 2048;

/** As in the kernel's own bpf-hashmap-lookup. */
const MAX_KEY_SIZE = 1024;

//  The inbox, the one element of an array map:
//  +--------+-------+-------+----------- - - ----+----------- - - ----+------ - - ----+
//  | result | first | bytes | numbers, u32 each  | writes, u32 each   | key           |
//  +--------+-------+-------+----------- - - ----+----------- - - ----+------ - - ----+
//  `bytes` of numbers are there. A number is the first 4 bytes of a key, whose others stay as they are; the value that belongs to
//  the number at place i is first + i. Of `writes` only `mixed` takes notice.
export const INBOX = { result: 0, first: 8, bytes: 16, numbers: 24 };
INBOX.writes = INBOX.numbers + 4 * MAX_KEYS;
INBOX.key = INBOX.writes + 4 * MAX_KEYS;
INBOX.size = INBOX.key + MAX_KEY_SIZE;

/** Where on the stack a value is. */
const VALUE = -8;

/**
 * r6 is the place in the numbers, in bytes; r7 their end; r8 the result; r9 the inbox. `body` finds the key ready, its number in r1,
 * and goes on to the label "next".
 *
 * The fallthrough of the last jump leaves the loop: what the verifier follows first then ends at once, instead of piling up.
 */
function loop(inbox, body) {
  return assemble([
    elementOf(r9, inbox),
    move(r8, 0),
    move(r6, 0),
    load("u64", r7, r9, INBOX.bytes),
    jumpIf(r7, ">", 4 * MAX_KEYS, "end"),
    jump("test"),

    label("body"),
    move(r1, r9),
    add(r1, r6),
    load("u32", r1, r1, INBOX.numbers),
    store("u32", r9, INBOX.key, r1),
    body,
    label("next"),
    add(r6, 4),
    label("test"),
    jumpIf(r6, "<", r7, "body"),

    label("end"),
    store("u64", r9, INBOX.result, r8),
    move(r0, 0),
    exit(),
  ]);
}

/** Arguments of the helpers. */
const mapAndKey = (map) => [mapOf(r1, map), move(r2, r9), add(r2, INBOX.key)];
const valueAndAny = [move(r3, r10), add(r3, VALUE), move(r4, 0)]; // BPF_ANY is 0

/** The loop, and no call: what the other figures hold besides the map's work. Result: sum of the numbers. */
export const nothing = (inbox) => loop(inbox, [add(r8, r1)]);

/** Result: sum of the values of those that are there. */
export const lookup = (inbox, map) =>
  loop(inbox, [
    mapAndKey(map),
    call(HELPER.mapLookupElem),
    jumpIf(r0, "==", 0, "next"),
    load("u64", r1, r0, 0),
    add(r8, r1),
  ]);

/** Result: how many are there. */
export const count = (inbox, map) =>
  loop(inbox, [mapAndKey(map), call(HELPER.mapLookupElem), jumpIf(r0, "==", 0, "next"), add(r8, 1)]);

/** The value that belongs to the number at this place, on the stack. */
const valueOfPlace = [
  move(r1, r6),
  shiftRight(r1, 2),
  load("u64", r2, r9, INBOX.first),
  add(r1, r2),
  store("u64", r10, VALUE, r1),
];

/** Result: how many calls gave `counted`, 0 or -errno. */
export const update = (inbox, map, counted) =>
  loop(inbox, [
    valueOfPlace,
    mapAndKey(map),
    valueAndAny,
    call(HELPER.mapUpdateElem),
    jumpIf(r0, "!=", counted, "next"),
    add(r8, 1),
  ]);

/** Puts what is not there. Result: how many were there. */
export const readThrough = (inbox, map) =>
  loop(inbox, [
    mapAndKey(map),
    call(HELPER.mapLookupElem),
    jumpIf(r0, "==", 0, "put"),
    add(r8, 1),
    jump("next"),
    label("put"),
    valueOfPlace,
    mapAndKey(map),
    valueAndAny,
    call(HELPER.mapUpdateElem),
  ]);

/** Result: how many were there. */
export const remove = (inbox, map) =>
  loop(inbox, [mapAndKey(map), call(HELPER.mapDeleteElem), jumpIf(r0, "!=", 0, "next"), add(r8, 1)]);

/**
 * Looks up or updates, as the lowest bit of the key's word in `writes` says; the others are the value to be written. Result: sum
 * of the values that were looked up.
 */
export const mixed = (inbox, map) =>
  loop(inbox, [
    move(r1, r9),
    add(r1, r6),
    load("u32", r5, r1, INBOX.writes),
    mapAndKey(map),
    jumpIf(r5, "&", 1, "write"),
    call(HELPER.mapLookupElem),
    jumpIf(r0, "==", 0, "next"),
    load("u64", r1, r0, 0),
    add(r8, r1),
    jump("next"),
    label("write"),
    shiftRight(r5, 1),
    store("u64", r10, VALUE, r5),
    valueAndAny,
    call(HELPER.mapUpdateElem),
  ]);
