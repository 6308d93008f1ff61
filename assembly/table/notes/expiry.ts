// Expiry: from when on an entry counts as absent. It is a u32 behind the value, in the last bytes of what the table takes for the value:
// so splits, merges, journals and snapshots carry it along, and no layout knows of it.
//
//   value as stored: what users see | from EXPIRY_AT on u32 expiry, in units since the origin of the host; 0 never | padded to 8 bytes
//   of a per-CPU table, users see a slot for each CPU, and the expiry is the first word of one more; in lanes (table/layout/lanes.ts), that of a
//   lane more. Copies of values are packed in any case: expiryIn says where it is in one
//
// The clock is one word of the host's memory, an f64 of ms since the host's origin, which never goes back: JavaScript raises it
// (src/core/memory/expiry_clock.ts; of a shared host each thread does, shared_clock.ts). An entry has expired when the clock has come to its expiry, which is rounded up: never early.
import { SHARED } from "../../build";
import { HOST_CLOCK, HOST_CPUS } from "../../regions";
import { laneOf } from "../layout/lanes";
import { EXPIRY_AT, SEEN, TTL, UNIT, bookOf, isTimed } from "./book";

/**
 * In the place of a ttl in ms: that of the map; what it has, of a new entry that of the map. 0: it never expires. With a
 * fraction, so that they cross the border as what they are (scripts/abi.mjs).
 */
export const TTL_OF_MAP: f64 = -0.5;
export const TTL_AS_IS: f64 = -1.5;

/** In the place of an expiry: what the entry has, of a new one that of the map. */
export const AS_IS: u32 = 0xffffffff;
export const MOST_EXPIRY: u32 = 0xfffffffe;
/** A hit renews an expiry when that makes it later by this part of the ttl. */
const RENEW_SHIFT: u32 = 4;

/** Notes when entries of a new table expire: ms in a unit, the ttl of the map in ms or 0, bytes of a value that users see. */
export function openExpiry(table: usize, unit: f64, ttl: f64, valueBytes: u32, renews: u32): void {
  const book = bookOf(table);
  store<f64>(book, unit, UNIT);
  store<f64>(book, ttl, TTL);
  store<u32>(book, (valueBytes << 1) | renews, SEEN);
  store<u32>(book, expiryAt(table), EXPIRY_AT);
}

/** How far from its beginning a value has its expiry. */
export function expiryAt(table: usize): u32 {
  return laneOf(table) ? load<u32>(HOST_CPUS) * laneOf(table) : copiedAt(table);
}

/** The same in a copy. */
@inline function copiedAt(table: usize): u32 {
  return ((load<u32>(bookOf(table), SEEN) >> 1) + 3) & ~3;
}

@inline export function expiryOf(table: usize, value: usize): usize {
  return value + load<u32>(bookOf(table), EXPIRY_AT);
}

/** Where the expiry is in a copy of a value, as it is stored. */
@inline export function expiryIn(table: usize, copy: usize): usize {
  return SHARED ? copy + copiedAt(table) : expiryOf(table, copy);
}

/** ms since the origin of the host. */
@inline function clock(): f64 {
  return SHARED ? reinterpret<f64>(atomic.load<u64>(HOST_CLOCK)) : load<f64>(HOST_CLOCK);
}

/** Whether a value of a timed table has expired. */
@inline export function hasExpired(table: usize, value: usize): bool {
  return isPast(table, load<u32>(expiryOf(table, value)));
}

/** Whether an expiry has come. A product, since a quotient takes three times as long. */
@inline export function isPast(table: usize, expiry: u32): bool {
  return expiry != 0 && <f64>expiry * load<f64>(bookOf(table), UNIT) <= clock();
}

/** The expiry of an entry that is written now. */
export function expiryFor(table: usize, ttl: f64): u32 {
  const book = bookOf(table);
  const ms = ttl < 0 ? load<f64>(book, TTL) : ttl;
  return ms ? <u32>min(ceil((clock() + ms) / load<f64>(book, UNIT)), <f64>MOST_EXPIRY) : 0;
}

/** The expiry, or AS_IS, that a ttl from outside stands for. 0 where nothing expires. */
@inline export function expiryFrom(table: usize, ttl: f64): u32 {
  if (!isTimed(table)) return 0;
  return ttl == TTL_AS_IS ? AS_IS : expiryFor(table, ttl);
}

/** The same of a copy. */
@inline export function hasCopyExpired(table: usize, copy: usize): bool {
  return isPast(table, load<u32>(expiryIn(table, copy)));
}

/** Ms until an entry expires whose value was found, or copied; infinite when it never does. */
export function remainingIn(table: usize, value: usize): f64 {
  const expiry = load<u32>(expiryIn(table, value));
  return expiry ? <f64>expiry * load<f64>(bookOf(table), UNIT) - clock() : Infinity;
}

/** Whether a hit is to write a new expiry, which it then is; 0 when not. Of an entry that expires, the ttl of the map begins anew. */
@inline export function renewed(table: usize, value: usize): u32 {
  return renewedFrom(table, load<u32>(expiryOf(table, value)));
}

/** The same of its expiry. */
@inline export function renewedFrom(table: usize, expiry: u32): u32 {
  return load<u32>(bookOf(table), SEEN) & 1 ? laterThan(table, expiry) : 0;
}

function laterThan(table: usize, expiry: u32): u32 {
  if (!expiry) return 0;
  const later = expiryFor(table, TTL_OF_MAP);
  const least = <u32>(load<f64>(bookOf(table), TTL) / load<f64>(bookOf(table), UNIT)) >> RENEW_SHIFT;
  return later > expiry && later - expiry > least ? later : 0;
}
