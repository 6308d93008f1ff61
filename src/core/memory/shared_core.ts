/**
 * The core of shared hosts, and how its calls give up.
 *
 * @module
 */

import { type LockTimeoutError, lockTimeoutError, type Operation } from "../../errors.ts";
import { HOST_TIMEOUT, SLOT_ERRNO } from "../../generated/abi.js";
import type { CoreExports } from "../wasm/exports.ts";
import type { SharedExports } from "../wasm/shared_exports.ts";
import { blockedBy, slotAddress } from "./shared_memory.ts";

/** The core of a shared host. */
export function sharedCore(host: { readonly core: CoreExports }): SharedExports {
  return host.core as SharedExports;
}

/** The error for ETIMEDOUT: whom the last call waited for. */
export function lockTimeout(
  host: { readonly u32: Uint32Array; readonly cpu: number },
  operation: Operation,
  subject: string,
  count?: number,
): LockTimeoutError {
  const owner = blockedBy(host.u32, slotAddress(host.cpu));
  return lockTimeoutError(operation, subject, owner, host.u32[HOST_TIMEOUT >>> 2], count);
}

/** Why the last call gave up that has no other way to say it: 0 or an errno. */
export function slotErrno(host: { readonly u32: Uint32Array; readonly cpu: number }): number {
  return host.u32[(slotAddress(host.cpu) + SLOT_ERRNO) >>> 2];
}

/** For calls that set {@link slotErrno} and do not clear it. */
export function clearSlotErrno(host: { readonly u32: Uint32Array; readonly cpu: number }): void {
  host.u32[(slotAddress(host.cpu) + SLOT_ERRNO) >>> 2] = 0;
}
