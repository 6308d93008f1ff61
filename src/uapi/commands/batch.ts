/**
 * The four batch commands: what they check before they look at an entry, and the two that write. Checks stand in the order of
 * `bpf_map_do_batch` and `generic_map_update_batch` in kernel/bpf/syscall.c.
 *
 * @module
 */

import { roundUp64 } from "../../core/memory/scratch.ts";
import { isArray } from "../../core/tables/registry.ts";
import { clearSpecial } from "../../core/tables/special_fields.ts";
import type { Table } from "../../core/tables/table.ts";
import { removeKeys, updateEntries } from "../../core/tables/table_calls.ts";
import { READ_AHEAD } from "../../generated/abi.js";
import type { Host } from "../../host/host.ts";
import { BPF_ATTR_BATCH } from "../abi/attr.ts";
import { ERRNO } from "../abi/errno.ts";
import { lookupArrayBatch } from "./batch_array.ts";
import { lookupHashBatch } from "./batch_hash.ts";
import { stagedEntries } from "./batch_output.ts";
import { type Call, hasOtherThanLock, lacksLock } from "./call.ts";
import { deleteElement, updateElement } from "./map_ops.ts";
import { pastLowWater } from "./past_low_water.ts";

const { keys, values, count, map_fd, elem_flags, flags } = BPF_ATTR_BATCH.fields;

/** The flags of an element: 0 or an errno. */
function checkElemFlags(call: Call, table: Table): number {
  if (hasOtherThanLock(call.u64(elem_flags))) return ERRNO.EINVAL;
  return lacksLock(table, call.u32(elem_flags)) ? ERRNO.EINVAL : 0;
}

export function lookupBatch(call: Call): number {
  if (call.hasTail(flags)) return -ERRNO.EINVAL;
  const file = call.file(call.u32(map_fd));
  if (typeof file === "number") return file;
  if (!file.readable) return -ERRNO.EPERM;
  const errno = checkElemFlags(call, file.table);
  if (errno !== 0) return -errno;
  return isArray(file.table.type)
    ? lookupArrayBatch(call, file.table)
    : lookupHashBatch(call, file.table, false);
}

export function lookupAndDeleteBatch(call: Call): number {
  if (call.hasTail(flags)) return -ERRNO.EINVAL;
  const file = call.file(call.u32(map_fd));
  if (typeof file === "number") return file;
  if (!file.readable || !call.canWrite(file)) return -ERRNO.EPERM;
  if (isArray(file.table.type)) return -ERRNO.ENOTSUPP;
  const errno = checkElemFlags(call, file.table);
  return errno !== 0 ? -errno : lookupHashBatch(call, file.table, true);
}

/**
 * Has a batch that writes done, group by group.
 *
 * @param mapped how many entries of it can be read: the first one that cannot is a fault
 * @param apply does up to `entries` from number `first` on: how many, and the errno of the one that failed
 */
function writeBatch(
  call: Call,
  mapped: number,
  apply: (first: number, entries: number) => { readonly done: number; readonly errno: number },
): number {
  const wanted = call.u32(count);
  if (wanted === 0) return 0;
  if (!call.put(count, 0)) return -ERRNO.EFAULT;
  let total = 0;
  let errno = 0;
  while (errno === 0 && total < mapped) {
    const result = apply(total, mapped - total);
    total += result.done;
    errno = result.errno;
  }
  if (errno === 0 && total < wanted) errno = ERRNO.EFAULT;
  call.put(count, total);
  return -errno;
}

/** Where the core's stage, the keys and the values of a group stand; undefined when there is no memory for it. */
function stageFor(
  host: Host,
  table: Table,
  room: number,
): { stage: number; keys: number; values: number } | undefined {
  const keysAt = roundUp64(host.layout.stageBytes);
  const valuesAt = keysAt + roundUp64(room * table.keySize + READ_AHEAD);
  const stage = host.scratch.stage(valuesAt + roundUp64(room * table.valueBytes + READ_AHEAD));
  return stage === 0 ? undefined : { stage, keys: stage + keysAt, values: stage + valuesAt };
}

export function updateBatch(call: Call): number {
  if (call.hasTail(flags)) return -ERRNO.EINVAL;
  const file = call.file(call.u32(map_fd));
  if (typeof file === "number") return file;
  if (!call.canWrite(file)) return -ERRNO.EPERM;
  const { table } = file;
  const refusal = checkElemFlags(call, table);
  if (refusal !== 0) return -refusal;
  const { host, memory } = call;
  const { core, scratch } = host;
  const from = { keys: call.u64(keys), values: call.u64(values) };
  const wanted = call.u32(count);
  const mapped = Math.min(
    memory.entries(from.keys, table.keySize, wanted),
    memory.entries(from.values, table.valueBytes, wanted),
  );
  return writeBatch(call, mapped, (first, entries) => {
    let done = 0;
    const errno = pastLowWater(host, table, entries, (most) => {
      const room = stagedEntries(table, most);
      const keysFrom = from.keys + (first + done) * table.keySize;
      const valuesFrom = from.values + (first + done) * table.valueBytes;
      const at = stageFor(host, table, room);
      if (at === undefined) {
        // A host close to its limit has room for one entry at least.
        if (!memory.read(keysFrom, scratch.key, table.keySize)) return ERRNO.EFAULT;
        if (!memory.read(valuesFrom, scratch.value, table.valueBytes)) return ERRNO.EFAULT;
        const failed = updateElement(host, table, scratch.key, scratch.value, 0);
        if (failed === 0) done++;
        return failed;
      }
      // A hook may have taken the caller's memory away: what is left of it goes first, then comes the fault.
      const left = Math.min(
        memory.entries(keysFrom, table.keySize, room),
        memory.entries(valuesFrom, table.valueBytes, room),
      );
      if (left === 0) return ERRNO.EFAULT;
      memory.read(keysFrom, at.keys, left * table.keySize);
      memory.read(valuesFrom, at.values, left * table.valueBytes);
      clearSpecial(host.u8, table, at.values, left);
      done += isArray(table.type)
        ? core.arrayUpdateMany(table.handle, at.keys, left, at.values, at.stage)
        : updateEntries(host, table, at.stage, at.keys, left, at.values, 0);
      if (host.u8.length === 0) host.refresh();
      return host.word(at.stage + core.STAGE_ERRNO.value);
    });
    return { done, errno };
  });
}

export function deleteBatch(call: Call): number {
  if (call.hasTail(flags)) return -ERRNO.EINVAL;
  const file = call.file(call.u32(map_fd));
  if (typeof file === "number") return file;
  if (!call.canWrite(file)) return -ERRNO.EPERM;
  const { table } = file;
  if (isArray(table.type)) return -ERRNO.ENOTSUPP;
  const refusal = checkElemFlags(call, table);
  if (refusal !== 0) return -refusal;
  const { host, memory } = call;
  const { core, scratch } = host;
  const from = call.u64(keys);
  const mapped = memory.entries(from, table.keySize, call.u32(count));
  return writeBatch(call, mapped, (first, entries) => {
    const room = stagedEntries(table, entries);
    const keysFrom = from + first * table.keySize;
    const at = stageFor(host, table, room);
    if (at === undefined) {
      if (!memory.read(keysFrom, scratch.key, table.keySize)) return { done: 0, errno: ERRNO.EFAULT };
      const errno = deleteElement(host, table, scratch.key);
      return { done: errno === 0 ? 1 : 0, errno };
    }
    if (!memory.read(keysFrom, at.keys, room * table.keySize)) return { done: 0, errno: ERRNO.EFAULT };
    const done = removeKeys(host, table, at.stage, at.keys, room);
    if (host.u8.length === 0) host.refresh();
    return { done, errno: host.word(at.stage + core.STAGE_ERRNO.value) };
  });
}
