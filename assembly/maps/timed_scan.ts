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

const SCAN: u32 = 0;
const DRAIN: u32 = 1;
const DRAIN_ANY: u32 = 2;

/** As many live entries as there are, up to `room`, by one of the calls for all entries. `at`: its cursor or stage. */
function fill(table: usize, at: usize, keys: usize, values: usize, room: u32, by: u32): u32 {
  let done: u32 = 0;
  while (done < room) {
    const left = room - done;
    const keysAt = keys + <usize>done * field(table, KEY_SIZE);
    const valuesAt = values ? values + <usize>done * seenBytes(table) : 0;
    let entries: u32;
    if (by == SCAN) entries = scan(table, at, keysAt, valuesAt, left);
    else if (by == DRAIN) entries = drain(table, at, keysAt, valuesAt, left);
    else entries = drainAny(table, at, keysAt, valuesAt, left);
    const live = compact(table, keysAt, valuesAt, entries);
    if (by != SCAN) count(table, EXPIRED, entries - live);
    done += live;
    if (entries < left) break;
  }
  return done;
}

export function scanTimed(table: usize, cursor: usize, keys: usize, values: usize, room: u32): u32 {
  return fill(table, cursor, keys, values, room, SCAN);
}
export function drainTimed(table: usize, cursor: usize, keys: usize, values: usize, room: u32): u32 {
  return fill(table, cursor, keys, values, room, DRAIN);
}
export function drainAnyTimed(table: usize, stage: usize, keys: usize, values: usize, room: u32): u32 {
  return fill(table, stage, keys, values, room, DRAIN_ANY);
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
