// Scans over tables whose entries expire: those of batch/scan.ts, without what has expired. They write values as they are stored, so the
// buffers of their callers have room for that. Behind them the entries are compacted in place, values as users see them: those take
// less room, so each goes to where nothing is that is still to come.
import { copyBytes } from "../memory/bytes";
import { seekAt } from "./noted";
import { seenBytes } from "../table/entries/seek";
import { KEY_SIZE, VALUE_SIZE, field } from "../table/layout/header";
import { EXPIRED, count } from "../table/notes/book";
import { hasCopyExpired, hasExpired } from "../table/notes/expiry";
import { columns, drain, drainAny, scan } from "../batch/scan";

/** Entries that have not expired move to the front. How many. */
function compact(table: usize, keys: usize, values: usize, entries: u32): u32 {
  const keySize = field(table, KEY_SIZE);
  const stored = field(table, VALUE_SIZE);
  const seen = seenBytes(table);
  let left: u32 = 0;
  let key = keys;
  let value = values;
  for (let i: u32 = 0; i < entries; i++) {
    if (values ? !hasCopyExpired(table, value) : seekAt(table, key, 0) != 0) {
      if (key != keys) copyBytes(keys, key, keySize);
      if (values) {
        memory.copy(values, value, seen);
        values += seen;
      }
      keys += keySize;
      left++;
    }
    key += keySize;
    value += stored;
  }
  return left;
}

/** `scan`: as many entries as there are, up to `room`. */
export function scanTimed(table: usize, cursor: usize, keys: usize, values: usize, room: u32): u32 {
  let done: u32 = 0;
  while (done < room) {
    const keysAt = keys + <usize>done * field(table, KEY_SIZE);
    const valuesAt = values ? values + <usize>done * seenBytes(table) : 0;
    const entries = scan(table, cursor, keysAt, valuesAt, room - done);
    const isEnd = entries < room - done;
    done += compact(table, keysAt, valuesAt, entries);
    if (isEnd) break;
  }
  return done;
}

/** `drain`, the same way. */
export function drainTimed(table: usize, cursor: usize, keys: usize, values: usize, room: u32): u32 {
  let done: u32 = 0;
  while (done < room) {
    const keysAt = keys + <usize>done * field(table, KEY_SIZE);
    const valuesAt = values + <usize>done * seenBytes(table);
    const entries = drain(table, cursor, keysAt, valuesAt, room - done);
    const isEnd = entries < room - done;
    const left = compact(table, keysAt, valuesAt, entries);
    count(table, EXPIRED, entries - left);
    done += left;
    if (isEnd) break;
  }
  return done;
}

/** `drainAny`, the same way. */
export function drainAnyTimed(table: usize, stage: usize, keys: usize, values: usize, room: u32): u32 {
  let done: u32 = 0;
  while (done < room) {
    const keysAt = keys + <usize>done * field(table, KEY_SIZE);
    const valuesAt = values + <usize>done * seenBytes(table);
    const entries = drainAny(table, stage, keysAt, valuesAt, room - done);
    const isEnd = entries < room - done;
    const left = compact(table, keysAt, valuesAt, entries);
    count(table, EXPIRED, entries - left);
    done += left;
    if (isEnd) break;
  }
  return done;
}

/** `columns`. */
export function columnsTimed(table: usize, state: usize, addresses: usize, keys: usize, room: u32): u32 {
  const keySize = field(table, KEY_SIZE);
  while (true) {
    const entries = columns(table, state, addresses, keys, room);
    let left: u32 = 0;
    for (let i: u32 = 0; i < entries; i++) {
      const value = load<u32>(addresses + (<usize>i << 2));
      if (hasExpired(table, value)) continue;
      store<u32>(addresses + (<usize>left << 2), value);
      if (left != i) copyBytes(keys + <usize>left * keySize, keys + <usize>i * keySize, keySize);
      left++;
    }
    if (left || !entries) return left;
  }
}
