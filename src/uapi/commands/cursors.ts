/**
 * The 4 bytes of a hash cursor, `in_batch` and `out_batch`.
 *
 * The core scans in the order of (bit-reversed hash, key), and its cursor is a position in that order: a u32 of the hash, and
 * inside a group of equal hashes the last key that was given (assembly/table/scan/scan.ts). Resizes leave that order alone. So the
 * u32 by itself says where to go on, and the host keeps nothing, as long as no batch ends inside such a group.
 *
 * When one does, the u32 is not enough: from it the group would be given again, and from the next one the rest of the group
 * never. Then the value is the number of a *bookmark*, which the host keeps for the map: position and key. Values from
 * FIRST_BOOKMARK on are bookmarks, except the last, which is the end. A plain position up there takes a bookmark too, so that
 * no value means two things. Equal cursors share a bookmark, so that a scan that is repeated takes none anew.
 *
 * Exactly once, therefore: an entry that stays is given by one batch only, since each batch gives exactly the entries between
 * two cursors, and the next batch starts at the very cursor that the last one ended at. The bound: of 65,535 bookmarks of a map
 * (fewer for keys above 1 KiB) a new one takes the place of the oldest. A scan would have to rest inside a group of equal
 * hashes while others stop at as many different entries inside such groups; of a million random keys 232 have a partner.
 *
 * @module
 */
import type { TableInfo } from "../../core/tables/table.ts";

/** A position of the core's cursor. */
export interface Cursor {
  readonly position: number;
  /** Of the entries at the position itself, only those with keys above this one are left; undefined: all of them. */
  readonly after: Uint8Array | undefined;
}

/** The scan is over. As a bucket number of the kernel's it is beyond every table. */
export const SCAN_END = 0xffff_ffff;
const FIRST_BOOKMARK = 0xffff_0000;
const BOOKMARKS_MAX = SCAN_END - FIRST_BOOKMARK;
/** Bytes that the keys of one map's bookmarks may take. */
const KEY_BYTES_MAX = 1 << 26;

function textOf(cursor: Cursor): string {
  return `${cursor.position}:${cursor.after === undefined ? "" : cursor.after.join()}`;
}

class Bookmarks {
  readonly #capacity: number;
  readonly #cursors: Cursor[] = [];
  readonly #numbers = new Map<string, number>();
  #next = 0;

  constructor(keySize: number) {
    this.#capacity = Math.max(1, Math.min(BOOKMARKS_MAX, Math.floor(KEY_BYTES_MAX / keySize)));
  }

  at(number: number): Cursor | undefined {
    return this.#cursors[number];
  }

  numberOf(cursor: Cursor): number {
    const text = textOf(cursor);
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const number = this.#next;
    this.#next = (number + 1) % this.#capacity;
    const oldest = this.#cursors[number];
    if (oldest !== undefined) this.#numbers.delete(textOf(oldest));
    this.#cursors[number] = cursor;
    this.#numbers.set(text, number);
    return number;
  }
}

/** All descriptors of a map share them, as a cursor of the kernel's is good for any. */
const bookmarks = new WeakMap<TableInfo, Bookmarks>();

/** The cursor of a value from `in_batch`; undefined when it stands at the end, or was never given. */
export function cursorOf(table: TableInfo, value: number): Cursor | undefined {
  if (value < FIRST_BOOKMARK) return { position: value, after: undefined };
  return bookmarks.get(table)?.at(value - FIRST_BOOKMARK);
}

/** The value for `out_batch` that {@link cursorOf} turns back into the cursor. */
export function valueOfCursor(table: TableInfo, cursor: Cursor): number {
  if (cursor.after === undefined && cursor.position < FIRST_BOOKMARK) return cursor.position;
  let book = bookmarks.get(table);
  if (book === undefined) {
    book = new Bookmarks(table.keySize);
    bookmarks.set(table, book);
  }
  return FIRST_BOOKMARK + book.numberOf(cursor);
}
