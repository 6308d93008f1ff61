/**
 * Running a function under the spinLock of a value.
 *
 * @module
 */
import { checkNoPromise, checkPlainFunction } from "../../arguments/functions.ts";
import { bpfError, ERRNO } from "../../errors.ts";
import { subjectOf } from "../failure.ts";
import type { EntryHandle } from "../handle.ts";

/** A map with values that may have a spinLock. */
export interface Lockable<K, V> extends EntryHandle<K, V> {
  /** Takes the lock of the value of the key at an address, and enters a section: the value's address, 0 when absent. */
  lockValue(key: number): number;
  /** Ends what {@link lockValue} began. */
  unlockValue(address: number): void;
  /** The value of the key in the scratch, whose lock is held. */
  decodeLocked(address: number): V;
  /** Writes the value in the scratch over that of the key in the scratch, whose lock is held; if it is still there. */
  writeLocked(address: number): void;
}

/** See {@link LockableMap.locked}. */
export function locked<K, V>(
  map: Lockable<K, V>,
  key: K,
  fn: (value: V, address: number) => V | undefined,
): V | undefined {
  if (map.reading === 0 || map.writing === 0) map.refuse("locked");
  const { host, table } = map;
  if (table.lockOffset === undefined) {
    throw bpfError(ERRNO.EINVAL, "locked", subjectOf(map), "has no spinLock in its value");
  }
  checkPlainFunction(`locked: ${subjectOf(map)}`, fn);
  const at = map.encodeKey("locked", key);
  if (at === 0) return undefined;
  // Calls in `fn` use the scratch.
  const bytes = host.u8.slice(at, at + table.keySize);
  const address = map.lockValue(at);
  if (address === 0) return undefined;
  try {
    const result = fn(map.decodeLocked(address), address);
    checkNoPromise(`locked: ${subjectOf(map)}`, result);
    if (result !== undefined && map.writing !== 0) {
      map.encodeValue("locked", result);
      host.scratch.turn++;
      host.u8.set(bytes, host.scratch.key);
      map.writeLocked(address);
    }
    return result;
  } finally {
    map.unlockValue(address);
  }
}
