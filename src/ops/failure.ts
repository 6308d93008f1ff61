/**
 * Says why a call on a map failed: from the errno of the core and the state of the map to the likely cause.
 *
 * @module
 */
import { isOutOfRange, within } from "../arguments/mismatch.ts";
import { noMemory } from "../core/memory/scratch.ts";
import { lockTimeout } from "../core/memory/shared_core.ts";
import { isArray } from "../core/tables/registry.ts";
import { bpfError, ERRNO, mapSubject, type Operation } from "../errors.ts";
import type { MapHandle } from "./handle.ts";

type AnyMap = MapHandle<unknown, unknown>;

/** Calls that only ask for a key. One that its layout cannot hold cannot be there: to them it is absent, and no error. */
const LOOKUPS: ReadonlySet<Operation> = new Set<Operation>([
  "get",
  "has",
  "delete",
  "lookup",
  "remainingTtl",
  "lookupAndDelete",
  "lookupMany",
  "nextKey",
  "local.get",
  "local.lookup",
  "locked",
  "field.get",
  "field.set",
  "redirect",
  "timer.start",
  "timer.cancel",
  "workqueue.start",
]);

/** Whether an error of a key's codec means that the key is absent. */
export function isAbsentKey(operation: Operation, error: unknown): boolean {
  return isOutOfRange(error) && LOOKUPS.has(operation);
}

/** How messages call the map. */
export function subjectOf(map: AnyMap): string {
  const { name, type, id } = map.table;
  return mapSubject(name, type, id);
}

/** What is full: a map that takes no further key, or an array that has no such index. */
function tooBig(map: AnyMap): { cause: string; remedy: string } {
  const { maxEntries, type } = map.table;
  if (isArray(type) || type === "sockmap") {
    return { cause: `has the indices 0..${maxEntries - 1} and no other`, remedy: "grow() it" };
  }
  const grows = type === "rhash" || type === "sockhash";
  const remedy = grows ? "delete entries or grow() it" : "delete entries or create it larger";
  return { cause: `is full at maxEntries = ${maxEntries}`, remedy };
}

/** The error for an errno that the core gave to a call on an open map. */
export function coreError(map: AnyMap, operation: Operation, errno: number): Error {
  const subject = subjectOf(map);
  switch (errno) {
    case ERRNO.E2BIG: {
      const { cause, remedy } = tooBig(map);
      return bpfError(errno, operation, subject, cause, remedy);
    }
    case ERRNO.ENOMEM:
      return noMemory(map.host, operation, subject);
    case ERRNO.EPERM:
      return bpfError(errno, operation, subject, "is frozen", "only reading is allowed");
    case ERRNO.ENOENT:
      return bpfError(errno, operation, subject, "has no entry with this key, which BPF_EXIST asks for");
    case ERRNO.EEXIST:
      return bpfError(errno, operation, subject, "has an entry with this key, which BPF_NOEXIST forbids");
    case ERRNO.ETIMEDOUT:
      return lockTimeout(map.host, operation, subject);
    case ERRNO.EDEADLK: {
      const cause =
        "has a lock that this thread holds already: the call was made inside locked() for the same key";
      return bpfError(errno, operation, subject, cause);
    }
    case ERRNO.EBUSY: {
      const cause = "cannot give a further lock: this thread is inside locked() of four values";
      return bpfError(errno, operation, subject, cause);
    }
    default:
      return bpfError(errno, operation, subject, "was refused by the core");
  }
}

/** The error for an errno that ended a call on many entries; those before number `done` (from 0) are done. */
export function partError(
  map: AnyMap,
  operation: Operation,
  errno: number,
  done: number,
  count: number,
): Error {
  const subject = subjectOf(map);
  const where = `at entry ${done} of ${count}`;
  switch (errno) {
    case ERRNO.ETIMEDOUT:
      return lockTimeout(map.host, operation, `${subject}, ${where},`, done);
    case ERRNO.E2BIG: {
      const { cause, remedy } = tooBig(map);
      return bpfError(errno, operation, subject, `${cause}, ${where}`, remedy, done);
    }
    case ERRNO.ENOMEM: {
      const cause = `could not get memory ${where}: the host uses ${map.host.core.bytesInUse() >>> 0} of ${map.host.limit} bytes`;
      const remedy = "delete entries, close maps or create the host with a larger maxMemory";
      return bpfError(errno, operation, subject, cause, remedy, done);
    }
    case ERRNO.ENOENT:
      return bpfError(errno, operation, subject, `does not have the key ${where}`, undefined, done);
    case ERRNO.EEXIST:
      return bpfError(
        errno,
        operation,
        subject,
        `has the key ${where}, which BPF_NOEXIST forbids`,
        undefined,
        done,
      );
    default:
      return bpfError(errno, operation, subject, `refused the call ${where}`, undefined, done);
  }
}

/** The error for a call that the handle does not allow: it is closed, or it is open for the other direction only. */
export function handleError(map: AnyMap, operation: Operation): Error {
  const subject = subjectOf(map);
  if (map.closed) {
    return bpfError(
      ERRNO.EBADF,
      operation,
      subject,
      map.host.closed ? "is closed, with its host" : "is closed",
    );
  }
  const cause = map.writing === 0 ? "is read-only (BPF_F_RDONLY)" : "is write-only (BPF_F_WRONLY)";
  return bpfError(
    ERRNO.EPERM,
    operation,
    subject,
    cause,
    "pin it and open() the path for a handle with all rights",
  );
}

/**
 * The error for a key or value that could not be encoded.
 *
 * @param path where it stands
 * @param view the one that it was to be written into: another one now, when a getter made the memory grow or closed the host
 */
export function encodingError(
  map: AnyMap,
  operation: Operation,
  path: string,
  view: DataView,
  error: unknown,
): unknown {
  return map.host.view === view ? within(path, error) : reentryError(map, operation);
}

/** The error for a key or value whose getters called the library while it was being encoded. */
export function reentryError(map: AnyMap, operation: Operation): Error {
  const cause = "was called while a key or value was being read: a getter of it used a map of the same host";
  return bpfError(ERRNO.EBUSY, operation, subjectOf(map), cause, "pass a plain object");
}
