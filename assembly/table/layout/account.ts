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
