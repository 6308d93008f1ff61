/**
 * The commands on one element: MAP_LOOKUP_ELEM, MAP_UPDATE_ELEM, MAP_DELETE_ELEM, MAP_GET_NEXT_KEY,
 * MAP_LOOKUP_AND_DELETE_ELEM. Checks stand in the order of kernel/bpf/syscall.c.
 *
 * @module
 */
import { isArray } from "../../core/tables/registry.ts";
import { clearTimers } from "../../core/tables/special_fields.ts";
import type { Table } from "../../core/tables/table.ts";
import { takeEntry } from "../../core/tables/table_calls.ts";
import { ERRNO_LIMIT } from "../../core/wasm/exports.ts";
import { BPF_ATTR_ELEM } from "../abi/attr.ts";
import { ERRNO } from "../abi/errno.ts";
import { type Call, hasOtherThanLock, lacksLock } from "./call.ts";
import { deleteElement, findElement, nextElement, updateElement } from "./map_ops.ts";
import { pastLowWater } from "./past_low_water.ts";

const { map_fd, key, value, next_key, flags } = BPF_ATTR_ELEM.fields;

export function lookupElem(call: Call): number {
  if (call.hasTail(flags)) return -ERRNO.EINVAL;
  if (hasOtherThanLock(call.u64(flags))) return -ERRNO.EINVAL;
  const file = call.file(call.u32(map_fd));
  if (typeof file === "number") return file;
  if (!file.readable) return -ERRNO.EPERM;
  const { host, memory } = call;
  const { table } = file;
  if (lacksLock(table, call.u32(flags))) return -ERRNO.EINVAL;
  if (!memory.read(call.u64(key), host.scratch.key, table.keySize)) return -ERRNO.EFAULT;
  const address = findElement(host, table, host.scratch.key, call.u32(flags));
  if (address === 0) return -ERRNO.ENOENT;
  if (address < ERRNO_LIMIT) return -address;
  return writeValue(call, table, address);
}

/** Writes a value to the caller's memory, its timers as zeros: 0 or -EFAULT. */
function writeValue(call: Call, table: Table, address: number): number {
  const { host, memory } = call;
  let from = address;
  if (table.timerOffset !== undefined || table.workqueueOffset !== undefined) {
    from = host.scratch.value;
    if (from !== address) host.copy(from, address, table.valueBytes);
    clearTimers(host.u8, table, from, 1);
  }
  return memory.write(call.u64(value), from, table.valueBytes) ? 0 : -ERRNO.EFAULT;
}

export function updateElem(call: Call): number {
  if (call.hasTail(flags)) return -ERRNO.EINVAL;
  const file = call.file(call.u32(map_fd));
  if (typeof file === "number") return file;
  if (!call.canWrite(file)) return -ERRNO.EPERM;
  const { host, memory } = call;
  const { table } = file;
  if (lacksLock(table, call.u32(flags))) return -ERRNO.EINVAL;
  const { scratch } = host;
  return -pastLowWater(host, table, 1, () => {
    if (!memory.read(call.u64(key), scratch.key, table.keySize)) return ERRNO.EFAULT;
    if (!memory.read(call.u64(value), scratch.value, table.valueBytes)) return ERRNO.EFAULT;
    return updateElement(host, table, scratch.key, scratch.value, call.u64(flags));
  });
}

export function deleteElem(call: Call): number {
  if (call.hasTail(key)) return -ERRNO.EINVAL;
  const file = call.file(call.u32(map_fd));
  if (typeof file === "number") return file;
  if (!call.canWrite(file)) return -ERRNO.EPERM;
  const { host, memory } = call;
  if (!memory.read(call.u64(key), host.scratch.key, file.table.keySize)) return -ERRNO.EFAULT;
  return -deleteElement(host, file.table, host.scratch.key);
}

export function getNextKey(call: Call): number {
  if (call.hasTail(next_key)) return -ERRNO.EINVAL;
  const file = call.file(call.u32(map_fd));
  if (typeof file === "number") return file;
  if (!file.readable) return -ERRNO.EPERM;
  const { host, memory } = call;
  const { table } = file;
  const { scratch } = host;
  const pointer = call.u64(key);
  if (pointer !== 0 && !memory.read(pointer, scratch.key, table.keySize)) return -ERRNO.EFAULT;
  const errno = nextElement(host, table, pointer === 0 ? 0 : scratch.key, scratch.out);
  if (errno !== 0) return -errno;
  return memory.write(call.u64(next_key), scratch.out, table.keySize) ? 0 : -ERRNO.EFAULT;
}

export function lookupAndDeleteElem(call: Call): number {
  if (call.hasTail(flags)) return -ERRNO.EINVAL;
  if (hasOtherThanLock(call.u64(flags))) return -ERRNO.EINVAL;
  const file = call.file(call.u32(map_fd));
  if (typeof file === "number") return file;
  if (!file.readable || !call.canWrite(file)) return -ERRNO.EPERM;
  const { host, memory } = call;
  const { table } = file;
  if (lacksLock(table, call.u32(flags))) return -ERRNO.EINVAL;
  const { scratch } = host;
  if (!memory.read(call.u64(key), scratch.key, table.keySize)) return -ERRNO.EFAULT;
  if (isArray(table.type)) return -ERRNO.ENOTSUPP;
  const errno = takeEntry(host, table, scratch.key, scratch.value);
  if (errno !== 0) return -errno;
  // The element is gone also when its value can be written nowhere.
  return writeValue(call, table, scratch.value);
}
