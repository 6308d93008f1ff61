/**
 * Flags of the calls that read and write one value.
 *
 * @module
 */
import { checkInteger } from "../../arguments/integer.ts";
import { BPF_EXIST, BPF_F_LOCK } from "../../constants.ts";
import { bpfError, ERRNO, type Operation } from "../../errors.ts";
import { subjectOf } from "../failure.ts";
import type { EntryHandle } from "../handle.ts";

const U32_MAX = 0xffff_ffff;

/** Throws for flags that are no integer. */
export function checkFlags(map: EntryHandle<unknown, unknown>, operation: Operation, flags: number): void {
  if (flags >>> 0 === flags) return;
  checkInteger(`${operation}: ${subjectOf(map)}: flags`, flags, 0, Number.MAX_SAFE_INTEGER);
}

/** Throws for flags of a `get` that are neither 0 nor BPF_F_LOCK. */
export function checkGetFlags(map: EntryHandle<unknown, unknown>, flags: number): void {
  checkFlags(map, "get", flags);
  if (flags !== 0 && (flags !== BPF_F_LOCK || map.table.lockOffset === undefined))
    refuseFlags(map, "get", flags);
}

/** What the core is given as the flags of an update; or EPERM, EINVAL. */
export function updateFlags(map: EntryHandle<unknown, unknown>, operation: Operation, flags: number): number {
  const condition =
    map.table.lockOffset !== undefined && flags <= U32_MAX ? (flags & ~BPF_F_LOCK) >>> 0 : flags;
  // BPF_F_LOCK only says how to write, and on a plain host every write is under the lock of a single thread.
  if (condition <= BPF_EXIST) return map.host.shared ? flags : condition;
  // The kernel looks at the permission before the flags.
  if (map.frozen) map.fail(operation, ERRNO.EPERM);
  return refuseFlags(map, operation, flags);
}

function refuseFlags(map: EntryHandle<unknown, unknown>, operation: Operation, flags: number): never {
  const locked = (flags & BPF_F_LOCK) !== 0 && map.table.lockOffset === undefined;
  const cause = locked ? "has no spinLock in its value for BPF_F_LOCK" : `was given unknown flags ${flags}`;
  throw bpfError(ERRNO.EINVAL, operation, subjectOf(map), cause);
}
