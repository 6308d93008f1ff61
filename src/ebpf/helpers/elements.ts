/**
 * Elements of maps by the address of a key, as programs look them up, write and delete them: live values, and of per-CPU maps the slot of
 * the thread that runs the program.
 *
 * @module
 */
import { BPF_EXIST, BPF_NOEXIST } from "../../constants.ts";
import { sharedCore } from "../../core/memory/shared_core.ts";
import { isArray } from "../../core/tables/registry.ts";
import type { Table } from "../../core/tables/table.ts";
import { isNoted } from "../../core/tables/table_calls.ts";
import { ERRNO_LIMIT } from "../../core/wasm/exports.ts";
import { ERRNO } from "../../errors.ts";
import { TTL_OF_MAP } from "../../generated/abi.js";
import type { Host } from "../../host/host.ts";
import { deleteElement, updateElement } from "../../uapi/commands/map_ops.ts";
import { pastLowWater } from "../../uapi/commands/past_low_water.ts";
import type { BoundMap } from "./bound_map.ts";

/** A key where words can be read: programs may have theirs at any byte of the stack. */
function alignedKey(host: Host, table: Table, key: number): number {
  if ((key & 3) === 0) return key;
  const { scratch } = host;
  scratch.turn++;
  host.copy(scratch.key, key, table.keySize);
  return scratch.key;
}

/** Address of the live value of a key, 0 when it is absent. A lookup counts as a use. */
export function findLive(host: Host, { table, slotAt }: BoundMap, keyAt: number): number {
  const address = liveElement(host, table, alignedKey(host, table, keyAt)) >>> 0;
  // What could not be had in time is absent: a program has no other answer.
  return address < ERRNO_LIMIT ? 0 : address + slotAt;
}

function liveElement(host: Host, table: Table, key: number): number {
  const { core } = host;
  const m = table.handle;
  if (isArray(table.type)) return core.arrayElement(m, host.word(key));
  if (table.expiry !== undefined) host.expiry.touch();
  if (host.shared) return sharedCore(host).locate(m, key);
  if (isNoted(host, table)) {
    if (table.keySize === 4) return core.seek4(m, host.word(key), 1);
    return table.keySize === 8
      ? core.seek8(m, host.word(key), host.word(key + 4), 1)
      : core.seekAny(m, key, 1);
  }
  switch (table.keySize) {
    case 4:
      return core.lookup4(m, host.word(key));
    case 8:
      return core.lookup8(m, host.word(key), host.word(key + 4));
    case 16:
      return core.lookup16(m, key);
  }
  return core.lookupAny(m, key);
}

/** Writes the value at an address: 0 or an errno. `flags` may be any 64-bit number. */
export function writeElement(
  host: Host,
  bound: BoundMap,
  keyAt: number,
  value: number,
  flags: number,
): number {
  const { table } = bound;
  const key = alignedKey(host, table, keyAt);
  const errno = bound.isPerCpu
    ? writeSlot(host, bound, key, value, flags)
    : pastLowWater(host, table, 1, () =>
        updateElement(host, table, alignedKey(host, table, keyAt), withoutSpecial(host, table, value), flags),
      );
  table.listener?.deliver();
  return errno;
}

/** Locks and timers of a value are cleared before it is written: in a copy, what the program has is its own. */
function withoutSpecial(host: Host, table: Table, value: number): number {
  const { lockOffset, timerOffset, workqueueOffset } = table;
  if (lockOffset === undefined && timerOffset === undefined && workqueueOffset === undefined) return value;
  host.scratch.turn++;
  host.copy(host.scratch.value, value, table.valueBytes);
  return host.scratch.value;
}

/** Writes the slot of this thread. The others of a new key are zeros. */
function writeSlot(
  host: Host,
  { table, slotAt }: BoundMap,
  key: number,
  value: number,
  flags: number,
): number {
  if (flags > BPF_EXIST) return ERRNO.EINVAL;
  const m = table.handle;
  if (isArray(table.type)) {
    const index = host.word(key);
    if (index >= table.maxEntries) return ERRNO.E2BIG;
    if (flags === BPF_NOEXIST) return ERRNO.EEXIST;
    return copyTo(host, table, host.core.arrayObtain(m, index) >>> 0, slotAt, value);
  }
  if (table.expiry !== undefined) host.expiry.renew();
  if (host.shared) return sharedCore(host).localWrite(m, key, slotAt, table.valueSize, value, flags);
  const countAt = m + host.layout.count;
  const before = host.word(countAt);
  const address = obtain(host, table, key, flags) >>> 0;
  if (host.u8.length === 0) host.refresh();
  if (address >= ERRNO_LIMIT && host.word(countAt) !== before) {
    host.u8.fill(0, address, address + table.valueBytes);
  }
  return copyTo(host, table, address, slotAt, value);
}

function copyTo(host: Host, table: Table, address: number, slotAt: number, value: number): number {
  if (address < ERRNO_LIMIT) return address;
  host.copy(address + slotAt, value, table.valueSize);
  return 0;
}

/** Address of the value of a key, which is there afterwards, or an errno. */
function obtain(host: Host, table: Table, key: number, flags: number): number {
  const { core } = host;
  const m = table.handle;
  if (isNoted(host, table)) {
    return table.keySize === 4
      ? core.keep4(m, host.word(key), flags, TTL_OF_MAP)
      : core.keepAny(m, key, flags, TTL_OF_MAP);
  }
  switch (table.keySize) {
    case 4:
      return core.upsert4(m, host.word(key), flags);
    case 8:
      return core.upsert8(m, host.word(key), host.word(key + 4), flags);
    case 16:
      return core.upsert16(m, key, flags);
  }
  return core.upsertAny(m, key, flags);
}

/** Removes a key: 0 or an errno. */
export function removeElement(host: Host, { table }: BoundMap, key: number): number {
  return deleteElement(host, table, alignedKey(host, table, key));
}
