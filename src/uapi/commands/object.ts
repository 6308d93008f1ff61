/**
 * The commands on a whole map: MAP_FREEZE and OBJ_GET_INFO_BY_FD.
 *
 * @module
 */

import { specialOf } from "../../core/tables/map_types.ts";
import { roundUp8 } from "../../core/tables/registry.ts";
import type { Table } from "../../core/tables/table.ts";
import type { Host } from "../../host/host.ts";
import { BPF_ATTR_ELEM, BPF_ATTR_INFO, BPF_MAP_INFO } from "../abi/attr.ts";
import { ERRNO } from "../abi/errno.ts";
import { endOf } from "../abi/struct.ts";
import { mapTypeNumber } from "../abi/types.ts";
import { type Call, PAGE_BYTES } from "./call.ts";
import { sha256 } from "./sha256.ts";

const { map_fd } = BPF_ATTR_ELEM.fields;
const { bpf_fd, info_len, info } = BPF_ATTR_INFO.fields;
const { fields } = BPF_MAP_INFO;
const SHA256_BYTES = 32;

export function mapFreeze(call: Call): number {
  if (call.hasTail(map_fd)) return -ERRNO.EINVAL;
  const file = call.file(call.u32(map_fd));
  if (typeof file === "number") return file;
  if (specialOf(file.table) !== undefined) return -ERRNO.ENOTSUPP;
  // A frozen map has lost the right to write that this asks for: the second time is EPERM, not EBUSY.
  if (!call.canWrite(file)) return -ERRNO.EPERM;
  call.host.core.freeze(file.table.handle);
  return 0;
}

/** Answers a request for the hash of a map's contents, `info.hash`: 0 or an errno. Frozen arrays have one. */
function putHash(call: Call, table: Table, pointer: number, size: number): number {
  if (pointer === 0) return size === 0 ? 0 : ERRNO.EINVAL;
  if (table.type !== "array" || size !== SHA256_BYTES) return ERRNO.EINVAL;
  if (!call.isFrozen(table)) return ERRNO.EPERM;
  const { host } = call;
  return call.memory.put(pointer, sha256(contentsOf(host, table))) ? 0 : ERRNO.EFAULT;
}

/** The elements of an array, one behind the other: a copy, unless they lie so. */
function contentsOf(host: Host, table: Table): Uint8Array {
  const stride = roundUp8(table.valueBytes);
  const parts: Uint8Array[] = [];
  for (let first = 0; first < table.maxEntries; ) {
    const start = host.core.arrayElement(table.handle, first) >>> 0;
    const count = host.core.arrayRun(table.handle, first) >>> 0;
    parts.push(host.u8.subarray(start, start + count * stride));
    first += count;
  }
  if (parts.length === 1) return parts[0];
  const all = new Uint8Array(table.maxEntries * stride);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Overwrites the fields that a map has. The others keep what the caller passed, as in the kernel. */
function fill(bytes: Uint8Array, table: Table): void {
  const view = new DataView(bytes.buffer);
  const put = (field: readonly [string, number], value: number) => view.setUint32(field[1], value, true);
  put(fields.type, mapTypeNumber(table.type));
  put(fields.id, table.id);
  put(fields.key_size, table.keySize);
  put(fields.value_size, table.valueSize);
  put(fields.max_entries, table.maxEntries);
  put(fields.map_flags, table.flags);
  put(fields.btf_vmlinux_value_type_id, 0);
  view.setBigUint64(fields.map_extra[1], BigInt(table.mapExtra), true);
  bytes.fill(0, fields.name[1], endOf(fields.name));
  // A name is Latin-1.
  for (let i = 0; i < table.name.length; i++) bytes[fields.name[1] + i] = table.name.charCodeAt(i);
}

export function objGetInfoByFd(call: Call): number {
  if (call.hasTail(info)) return -ERRNO.EINVAL;
  const file = call.file(call.u32(bpf_fd));
  // This command alone says EBADFD.
  if (typeof file === "number") return file === -ERRNO.EBADF ? -ERRNO.EBADFD : file;
  const { table } = file;
  const pointer = call.u64(info);
  const asked = call.u32(info_len);
  if (asked > PAGE_BYTES) return -ERRNO.E2BIG;
  const given = asked === 0 ? new Uint8Array(0) : call.memory.take(pointer, asked);
  if (given === undefined) return -ERRNO.EFAULT;
  // Behind the last field stands padding, which counts as unknown already.
  if (given.subarray(endOf(fields.hash_size)).some((byte) => byte !== 0)) return -ERRNO.E2BIG;
  const bytes = new Uint8Array(BPF_MAP_INFO.size);
  const length = Math.min(asked, bytes.length);
  bytes.set(given.subarray(0, length));
  fill(bytes, table);
  const view = new DataView(bytes.buffer);
  const hash = view.getUint32(fields.hash[1] + 4, true) * 2 ** 32 + view.getUint32(fields.hash[1], true);
  const errno = putHash(call, table, hash, view.getUint32(fields.hash_size[1], true));
  if (errno !== 0) return -errno;
  if (length > 0 && !call.memory.put(pointer, bytes.subarray(0, length))) return -ERRNO.EFAULT;
  return call.put(info_len, length) ? 0 : -ERRNO.EFAULT;
}
