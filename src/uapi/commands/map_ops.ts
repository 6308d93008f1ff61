/**
 * Single elements of a table, by the address of a key in host memory. Arrays and hashes side by side, as `map->ops` has them.
 *
 * @module
 */
import { sharedCore } from "../../core/memory/shared_core.ts";
import { isArray } from "../../core/tables/registry.ts";
import { clearSpecial } from "../../core/tables/special_fields.ts";
import type { Table } from "../../core/tables/table.ts";
import { isNoted, keyAfter, updateEntry } from "../../core/tables/table_calls.ts";
import { ERRNO_LIMIT } from "../../core/wasm/exports.ts";
import type { Host } from "../../host/host.ts";
import { BPF_EXIST, BPF_F_LOCK, BPF_NOEXIST } from "../abi/constants.ts";
import { ERRNO } from "../abi/errno.ts";

/** As {@link findElement} on a shared host, with the value copied out of the map. */
function copyElement(host: Host, table: Table, key: number, flags: number): number {
  const core = sharedCore(host);
  const { copy } = host.scratch;
  const found = isArray(table.type)
    ? core.arrayGet(table.handle, host.word(key), copy, flags)
    : core.fetch(table.handle, key, copy, flags);
  return found === 1 ? copy : found;
}

/** The same of a table that evicts, or whose entries expire: a lookup by a system call does not count as a use. */
function findNoted(host: Host, table: Table, key: number): number {
  const { core } = host;
  host.expiry.touch();
  return (
    (table.keySize === 4
      ? core.seek4(table.handle, host.word(key), 0)
      : core.seekAny(table.handle, key, 0)) >>> 0
  );
}

/** Address of the value of a key, 0 when it is absent, or an errno. `flags`: 0 or BPF_F_LOCK. */
export function findElement(host: Host, table: Table, key: number, flags: number): number {
  if (host.shared) {
    if (table.expiry !== undefined) host.expiry.touch();
    return copyElement(host, table, key, flags);
  }
  const { core } = host;
  const m = table.handle;
  if (isArray(table.type)) {
    return core.arrayElement(m, host.word(key)) >>> 0;
  }
  if (isNoted(host, table)) return findNoted(host, table, key);
  switch (table.keySize) {
    case 4:
      return core.lookup4(m, host.word(key)) >>> 0;
    case 8:
      return core.lookup8(m, host.word(key), host.word(key + 4)) >>> 0;
    case 16:
      return core.lookup16(m, key) >>> 0;
    default:
      return core.lookupAny(m, key) >>> 0;
  }
}

/** `bpf_map_update_value`: writes the value at an address. `flags` may be any 64-bit number; 0 or an errno. */
export function updateElement(host: Host, table: Table, key: number, value: number, flags: number): number {
  const condition = flags > 0xff ? flags : flags & ~BPF_F_LOCK;
  if (condition > BPF_EXIST) return ERRNO.EINVAL;
  // Only the shared core knows of locks.
  const lock = host.shared ? flags & BPF_F_LOCK : 0;
  clearSpecial(host.u8, table, value, 1);
  if (!isArray(table.type)) {
    const errno = updateEntry(host, table, key, value, condition | lock);
    if (host.u8.length === 0) host.refresh();
    return errno;
  }
  const index = host.word(key);
  if (condition === BPF_NOEXIST) return index < table.maxEntries ? ERRNO.EEXIST : ERRNO.E2BIG;
  if (host.shared) return sharedCore(host).arraySet(table.handle, index, value, lock);
  const address = host.core.arrayObtain(table.handle, index) >>> 0;
  if (address < ERRNO_LIMIT) return address;
  host.copy(address, value, table.valueBytes);
  return 0;
}

/** Removes a key; 0 or an errno. Elements of arrays cannot be removed. */
export function deleteElement(host: Host, table: Table, key: number): number {
  if (isArray(table.type)) return ERRNO.EINVAL;
  const { core } = host;
  const m = table.handle;
  if (isNoted(host, table)) {
    host.expiry.touch();
    return table.keySize === 4 ? core.discard4(m, host.word(key)) : core.discardAny(m, key);
  }
  switch (table.keySize) {
    case 4:
      return core.remove4(m, host.word(key));
    case 8:
      return core.remove8(m, host.word(key), host.word(key + 4));
    case 16:
      return core.remove16(m, key);
    default:
      return core.removeAny(m, key);
  }
}

/** The key after the one at an address (0: the first) to `out`; 0 or ENOENT. After an absent key comes the first one. */
export function nextElement(host: Host, table: Table, key: number, out: number): number {
  if (!isArray(table.type)) return keyAfter(host, table, key, out);
  const index = key === 0 ? table.maxEntries : host.word(key);
  if (index === table.maxEntries - 1) return ERRNO.ENOENT;
  host.putWord(out, index < table.maxEntries ? index + 1 : 0);
  return 0;
}
