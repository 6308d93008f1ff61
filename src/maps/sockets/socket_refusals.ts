/**
 * What maps of sockets cannot do: whatever takes or gives values as bytes. To TypeScript it is not there; who calls it from
 * JavaScript, as code for all maps does, is told why.
 *
 * @module
 */
import { bpfError, ERRNO, type Operation } from "../../errors.ts";
import { subjectOf } from "../../ops/failure.ts";
import type { BpfMap } from "../base/bpf_map.ts";

/** What has no command in the kernel. Objects have no address, no bytes for a program to see, and are no counters. */
const METHODS = ["lookup", "add", "locked", "process", "iterator"] as const;
/** The batch commands, and what is made of them: ENOTSUPP in the kernel, too, whose sockmap has none. */
const BATCHES = [
  "createBatch",
  "batches",
  "lookupBatch",
  "lookupAndDeleteBatch",
  "updateBatch",
  "deleteBatch",
  "drain",
  "lookupMany",
  "found",
  "addMany",
] as const;

/** Has a prototype refuse what takes or gives bytes. */
export function refuseBytes(prototype: BpfMap<unknown, unknown>): void {
  const define = (name: string, property: PropertyDescriptor) =>
    Object.defineProperty(prototype, name, { ...property, configurable: true });
  for (const name of METHODS) define(name, { value: refusing(name, ERRNO.EOPNOTSUPP), writable: true });
  for (const name of BATCHES) define(name, { value: refusing(name, ERRNO.ENOTSUPP), writable: true });
  define("local", { get: refusing("local.get", ERRNO.EOPNOTSUPP) });
}

function refusing(operation: Operation, errno: number): (this: BpfMap<unknown, unknown>) => never {
  return function () {
    if (this.closed) this.refuse(operation);
    throw bpfError(errno, operation, subjectOf(this), "holds objects, which have no bytes in host memory");
  };
}
