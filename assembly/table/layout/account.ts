// Memory of a table: every structure that hangs on a header is taken and given back here, so that BYTES is exact.
import { SHARED } from "../../build";
import { allocate, allocationSize, release } from "../../memory/arena";
import { ARENA_LOCK } from "../../regions";
import { acquireOnce } from "../../sync/lock";
import { BYTES, field, setField } from "./header";

export function tableAllocate(table: usize, bytes: u32): usize {
  const block = allocate(bytes);
  if (block) setField(table, BYTES, field(table, BYTES) + allocationSize(bytes));
  return block;
}

export function tableRelease(table: usize, block: usize, bytes: u32): void {
  // BYTES is written under the arena's lock, too.
  if (SHARED && !acquireOnce(ARENA_LOCK)) return;
  setField(table, BYTES, field(table, BYTES) - allocationSize(bytes));
  release(block, bytes);
}

/** Where a block has the address of the word of a header that leads to it, so that the checks see when that word leads elsewhere. */
export const BACK: usize = 12;

/** Has a new block lead back to a word of a header. Shared build. */
@inline export function leadBack(block: usize, word: usize): void {
  store<u32>(block, <u32>word, BACK);
}

export function leadsBack(block: usize, word: usize): bool {
  return load<u32>(block, BACK) == <u32>word;
}
