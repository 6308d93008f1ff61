/**
 * System calls that insert into a map with a low-water mark. The hook of a handle that this thread has open is called as by any
 * insert. A system call never throws: when the hook does, it fails with the errno of its BpfError, or else with EINVAL.
 *
 * @module
 */
import type { Table } from "../../core/tables/table.ts";
import { BpfError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import { LOW_WATER, passing } from "../../ops/low_water.ts";
import { ERRNO } from "../abi/errno.ts";

/** Calls the hook: 0 or an errno. */
function callHook(host: Host, table: Table): number {
  try {
    table.lowWater?.call(undefined);
  } catch (error) {
    return error instanceof BpfError ? error.errno : ERRNO.EINVAL;
  }
  return host.closed ? ERRNO.EBADF : 0;
}

/**
 * Does `insert`, which inserts up to `most` entries and answers 0 or an errno, and does it again after the hook, with the one
 * entry that was told. The table is kept until it is done, also when the hook closes the descriptor that the call came by. It reads
 * what it inserts anew: the hook may have used the scratch.
 */
export function pastLowWater(
  host: Host,
  table: Table,
  most: number,
  insert: (most: number) => number,
): number {
  let errno = insert(most);
  if (errno !== LOW_WATER) return errno;
  host.registry.hold(table);
  // It may also close what the call reads from, when that is in host memory.
  host.pins.calls++;
  try {
    while (errno === LOW_WATER) {
      const { maxEntries } = table;
      errno = callHook(host, table);
      if (host.closed) return errno;
      if (errno === 0) errno = passing(host, table, maxEntries, () => insert(1));
    }
  } finally {
    if (!host.closed) host.registry.drop(table);
    host.pins.letGo();
  }
  return errno;
}
