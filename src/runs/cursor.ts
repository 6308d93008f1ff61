/**
 * Where a run of a program ended, so that another one may go on there.
 *
 * @module
 */
import { elementsOf, fixedBytes, isUint8Array } from "../arguments/byte_array.ts";
import { describe } from "../arguments/mismatch.ts";
import { isU32 } from "../core/memory/scalar.ts";

/**
 * A position in the order of the map's hashes, as a plain object: it may be kept, and sent to another thread. It stays good whatever
 * is inserted, deleted, grown or shrunk. Made by `process` of a map, and good for that map alone.
 */
export interface ProcessCursor {
  /** Where to go on. */
  readonly position: number;
  /** Where the entries end that {@link seen} is about. */
  readonly behind: number;
  /** Keys, one after the other, of entries from there on that were visited already: the run was stopped inside a bucket. */
  readonly seen: Uint8Array;
}

const NOTHING = new Uint8Array(0);

/** The start of a map. */
export const START: ProcessCursor = { position: 0, behind: 0, seen: NOTHING };

export function cursorAt(position: number): ProcessCursor {
  return { position, behind: position, seen: NOTHING };
}

/** A cursor of the caller's as it is now. Throws for anything but one of a map with keys of a size. */
export function takeCursor(what: string, cursor: ProcessCursor, keySize: number): ProcessCursor {
  const { position, behind, seen } = Object(cursor) as ProcessCursor;
  if (isU32(position) && isU32(behind) && isUint8Array(seen)) {
    const bytes = elementsOf(seen);
    if (bytes % keySize === 0) return { position, behind, seen: fixedBytes(seen, bytes).slice() };
    throw new RangeError(
      `${what}: is of another map: ${bytes} bytes are no whole number of keys of ${keySize}`,
    );
  }
  throw new TypeError(`${what}: expected the cursor of an earlier run, got ${describe(cursor)}`);
}

/** Where a position is in the order: 0 behind something is the end of it. */
function end(behind: number): number {
  return behind === 0 ? 2 ** 32 : behind;
}

/** The keys that a run must pass over, since the one before has seen them. */
export class SeenKeys {
  readonly #cursor: ProcessCursor;
  readonly #keySize: number;
  readonly #keys = new Set<string>();

  constructor(cursor: ProcessCursor, keySize: number) {
    const { seen } = cursor;
    this.#cursor = cursor;
    this.#keySize = keySize;
    for (let at = 0; at < seen.length; at += keySize) this.#keys.add(text(seen, at, keySize));
  }

  /** Whether there may be such keys at a position or behind it. */
  concerns(position: number): boolean {
    return this.#keys.size > 0 && position < end(this.#cursor.behind);
  }

  /** Whether the key at an address is one of them. */
  has(bytes: Uint8Array, at: number): boolean {
    return this.#keys.has(text(bytes, at, this.#keySize));
  }

  /** The cursor of a run that passed over them and came to `cursor`: the bucket may have been split, or left again half way. */
  kept(cursor: ProcessCursor): ProcessCursor {
    if (!this.concerns(cursor.position)) return cursor;
    const { behind, seen } = this.#cursor;
    const further: number[] = [];
    for (let at = 0; at < cursor.seen.length; at += this.#keySize) {
      if (!this.has(cursor.seen, at)) further.push(...cursor.seen.subarray(at, at + this.#keySize));
    }
    return {
      position: cursor.position,
      behind: end(behind) > end(cursor.behind) ? behind : cursor.behind,
      seen: Uint8Array.of(...seen, ...further),
    };
  }
}

/** A key as a string, to find it in a set. */
function text(bytes: Uint8Array, at: number, keySize: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + keySize));
}
