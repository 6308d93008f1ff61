/**
 * One rollout of a store at a time: of this thread, and on shared hosts of all threads. The lock goes with its thread.
 *
 * @module
 */
import { lockTimeout } from "../../core/memory/shared_core.ts";
import type { Table } from "../../core/tables/table.ts";
import type { SharedExports } from "../../core/wasm/shared_exports.ts";
import { bpfError, ERRNO, type Operation } from "../../errors.ts";
import type { StoreHandle } from "../store/store_handle.ts";

/** Which of the two locks of a store (assembly/kv/manifest.ts). */
export const ROLLOUT = 0;
export const GATE = 1;

/** Stores that this thread is rolling out, by their tables, which all handles in a host share. */
const running = new WeakSet<Table>();

/** Takes a lock of a store on a shared host. */
export function hold(store: StoreHandle, operation: Operation, lock: typeof ROLLOUT | typeof GATE): void {
  if (!store.host.shared) return;
  const errno = (store.core as SharedExports).kvHold(store.handle, lock);
  if (errno === 0) return;
  if (errno === ERRNO.ETIMEDOUT) throw lockTimeout(store.host, operation, store.subject);
  const cause = "cannot take its lock: this thread holds as many locks of values as it may";
  throw bpfError(errno, operation, store.subject, cause);
}

export function letGo(store: StoreHandle, lock: typeof ROLLOUT | typeof GATE): void {
  if (store.host.shared) (store.core as SharedExports).kvRelease(store.handle, lock);
}

/** Runs something that no other rollout, undo or seal of the store may come into. */
export function exclusively<R>(store: StoreHandle, operation: Operation, run: () => R): R {
  store.check(operation);
  const { host, table } = store;
  if (running.has(table)) {
    const cause = "is being rolled out: the call was made inside of a conversion";
    throw bpfError(ERRNO.EBUSY, operation, store.subject, cause);
  }
  hold(store, operation, ROLLOUT);
  running.add(table);
  // The store, and on a shared host this thread's seat, must be there until the lock is released, whatever a conversion closes.
  host.registry.hold(table);
  host.registry.sections++;
  try {
    return run();
  } finally {
    running.delete(table);
    if (!host.closed) {
      letGo(store, ROLLOUT);
      host.registry.leaveSection();
      host.registry.drop(table);
    }
  }
}
