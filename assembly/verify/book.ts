// Checks the book of a table that evicts or whose entries expire (table.ts). Marks and ghosts may be anything.
import { SHARED } from "../build";
import { HEAD } from "../memory/owned";
import { BOOK, BUCKETS, MAX_ENTRIES, VALUE_SIZE, field } from "../table/layout/header";
import {
  EXPIRY_AT, HAND, LISTENER, MOST_SMALL, NOW, PER_TICK, SEEN, TTL, UNIT, bookBytes, bookOf, evicts, isNoted, isTimed, perTickFor, word,
} from "../table/notes/book";
import { EVENTS, EVENT_BYTES, EVENT_COUNT, EVENT_ROOM, EVENT_VALUE } from "../table/notes/events";
import { expiryAt } from "../table/notes/expiry";
import { STAMP } from "../table/notes/marks";
import { isInUse } from "./arena";
import { BOOK_WORDS, broken } from "./invariants";

/** Bytes of the book of a table, 0 without one. */
export function bytesOfBook(table: usize): u32 {
  return isNoted(table) ? bookBytes(table, field(table, BUCKETS)) : 0;
}

export function verifyBook(table: usize, out: usize): u32 {
  const book = bookOf(table);
  const bytes = bytesOfBook(table);
  if (!bytes) return book ? broken(out, BOOK_WORDS, <u32>BOOK, <u32>book, 0, 0) : 0;
  if (!isInUse(book, bytes)) return broken(out, BOOK_WORDS, <u32>BOOK, <u32>book, bytes, 0);
  const most = field(table, MAX_ENTRIES);
  const perTick = perTickFor(most);
  if (load<u32>(book, PER_TICK) != perTick) return broken(out, BOOK_WORDS, <u32>PER_TICK, load<u32>(book, PER_TICK), perTick, 0);
  if (evicts(table) && most <= MOST_SMALL && load<u32>(book, NOW) > STAMP) return broken(out, BOOK_WORDS, <u32>NOW, load<u32>(book, NOW), STAMP, 0);
  return isTimed(table) ? verifyClock(table, book, out) : 0;
}

/** The words of who evicts and sweeps. In the shared build the lines that they are in are checked before. */
export function verifyOwnWords(table: usize, out: usize): u32 {
  if (!isNoted(table)) return 0;
  const hand = word(table, HAND);
  if (evicts(table) && hand >= field(table, BUCKETS)) return broken(out, BOOK_WORDS, <u32>HAND, hand, field(table, BUCKETS), 0);
  const buffer = <usize>word(table, LISTENER);
  return buffer && !isBuffer(table, buffer) ? broken(out, BOOK_WORDS, <u32>LISTENER, <u32>buffer, field(table, VALUE_SIZE), 0) : 0;
}

/** Whether a buffer for events has its memory, and events in it fit their values. */
function isBuffer(table: usize, buffer: usize): bool {
  // On a shared host it is a block of its thread's, which begins with a head (memory/owned.ts).
  const ahead: u32 = SHARED ? HEAD : 0;
  const block = buffer - ahead;
  if (!isInUse(block, <u64>EVENTS + ahead)) return false;
  const room = load<u32>(buffer, EVENT_ROOM);
  const bytes = load<u32>(buffer, EVENT_BYTES);
  if (<u64>load<u32>(buffer, EVENT_VALUE) + field(table, VALUE_SIZE) > bytes || load<u32>(buffer, EVENT_COUNT) > room) return false;
  return isInUse(block, <u64>EVENTS + <u64>room * bytes + ahead);
}

/** Compares the words that expiry goes by with what the handles of the table know: as verifyCreated (header.ts). */
export function verifyExpiry(table: usize, unit: f64, ttl: f64, valueBytes: u32, renews: u32, out: usize): u32 {
  const book = bookOf(table);
  const seen = (valueBytes << 1) | renews;
  if (load<u32>(book, SEEN) != seen) return broken(out, BOOK_WORDS, <u32>SEEN, load<u32>(book, SEEN), seen, 0);
  if (load<f64>(book, UNIT) != unit) return broken(out, BOOK_WORDS, <u32>UNIT, load<u32>(book, UNIT), load<u32>(book, UNIT + 4), 0);
  if (load<f64>(book, TTL) != ttl) return broken(out, BOOK_WORDS, <u32>TTL, load<u32>(book, TTL), load<u32>(book, TTL + 4), 0);
  return 0;
}

/** The words that expiry goes by. */
function verifyClock(table: usize, book: usize, out: usize): u32 {
  const seen = load<u32>(book, SEEN) >> 1;
  if (!seen || seen + 4 > field(table, VALUE_SIZE)) return broken(out, BOOK_WORDS, <u32>SEEN, seen, field(table, VALUE_SIZE), 0);
  const at = load<u32>(book, EXPIRY_AT);
  if (at != expiryAt(table)) return broken(out, BOOK_WORDS, <u32>EXPIRY_AT, at, expiryAt(table), 0);
  if (!(load<f64>(book, UNIT) > 0)) return broken(out, BOOK_WORDS, <u32>UNIT, load<u32>(book, UNIT), load<u32>(book, UNIT + 4), 0);
  if (!(load<f64>(book, TTL) >= 0)) return broken(out, BOOK_WORDS, <u32>TTL, load<u32>(book, TTL), load<u32>(book, TTL + 4), 0);
  return 0;
}
