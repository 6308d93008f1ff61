/**
 * Limits of tables that are given in bytes.
 *
 * @module
 */

import type { Operation } from "../../errors.ts";
import { PLAIN_HEADER_BYTES, SHARED_HEADER_BYTES } from "../../generated/abi.js";
import { noBlock, type ScratchMemory } from "../memory/scratch.ts";

/**
 * The most entries, up to `most`, that a full table has in so many bytes; 0 when there is not room for one.
 *
 * @param bytesOf what the core says of a table with so many entries, given room for a header
 */
export function entriesWithin(
  host: ScratchMemory,
  maxBytes: number,
  most: number,
  bytesOf: (header: number, entries: number) => number,
  operation: Operation,
  subject: string,
): number {
  const room = host.shared ? SHARED_HEADER_BYTES : PLAIN_HEADER_BYTES;
  const header = host.allocate(room);
  if (header === 0) throw noBlock(host, operation, subject);
  try {
    let [fits, above] = [0, most + 1];
    while (above - fits > 1) {
      const middle = Math.floor((fits + above) / 2);
      if (bytesOf(header, middle) <= maxBytes) fits = middle;
      else above = middle;
    }
    return fits;
  } finally {
    host.release(header, room);
  }
}
