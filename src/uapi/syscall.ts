/**
 * bpf(2): finds the function of a command.
 *
 * @module
 */
import { elementsOf, fixedBytes, isUint8Array } from "../arguments/byte_array.ts";
import { BpfError } from "../errors.ts";
import type { Host } from "../host/host.ts";
import { BPF_ATTR_BYTES } from "./abi/attr.ts";
import {
  BPF_MAP_CREATE,
  BPF_MAP_DELETE_BATCH,
  BPF_MAP_DELETE_ELEM,
  BPF_MAP_FREEZE,
  BPF_MAP_GET_FD_BY_ID,
  BPF_MAP_GET_NEXT_ID,
  BPF_MAP_GET_NEXT_KEY,
  BPF_MAP_LOOKUP_AND_DELETE_BATCH,
  BPF_MAP_LOOKUP_AND_DELETE_ELEM,
  BPF_MAP_LOOKUP_BATCH,
  BPF_MAP_LOOKUP_ELEM,
  BPF_MAP_UPDATE_BATCH,
  BPF_MAP_UPDATE_ELEM,
  BPF_OBJ_GET,
  BPF_OBJ_GET_INFO_BY_FD,
  BPF_OBJ_PIN,
} from "./abi/constants.ts";
import { ERRNO } from "./abi/errno.ts";
import { deleteBatch, lookupAndDeleteBatch, lookupBatch, updateBatch } from "./commands/batch.ts";
import { Call, PAGE_BYTES } from "./commands/call.ts";
import { mapCreate } from "./commands/create.ts";
import { deleteElem, getNextKey, lookupAndDeleteElem, lookupElem, updateElem } from "./commands/elem.ts";
import { mapGetFdById, mapGetNextId, objGet, objPin } from "./commands/names.ts";
import { mapFreeze, objGetInfoByFd } from "./commands/object.ts";

function dispatch(call: Call, command: number): number {
  switch (command) {
    case BPF_MAP_CREATE:
      return mapCreate(call);
    case BPF_MAP_LOOKUP_ELEM:
      return lookupElem(call);
    case BPF_MAP_UPDATE_ELEM:
      return updateElem(call);
    case BPF_MAP_DELETE_ELEM:
      return deleteElem(call);
    case BPF_MAP_GET_NEXT_KEY:
      return getNextKey(call);
    case BPF_OBJ_PIN:
      return objPin(call);
    case BPF_OBJ_GET:
      return objGet(call);
    case BPF_MAP_GET_NEXT_ID:
      return mapGetNextId(call);
    case BPF_MAP_GET_FD_BY_ID:
      return mapGetFdById(call);
    case BPF_OBJ_GET_INFO_BY_FD:
      return objGetInfoByFd(call);
    case BPF_MAP_LOOKUP_AND_DELETE_ELEM:
      return lookupAndDeleteElem(call);
    case BPF_MAP_FREEZE:
      return mapFreeze(call);
    case BPF_MAP_LOOKUP_BATCH:
      return lookupBatch(call);
    case BPF_MAP_LOOKUP_AND_DELETE_BATCH:
      return lookupAndDeleteBatch(call);
    case BPF_MAP_UPDATE_BATCH:
      return updateBatch(call);
    case BPF_MAP_DELETE_BATCH:
      return deleteBatch(call);
    default:
      return -ERRNO.EINVAL;
  }
}

/** What `host.bpf` does; hosts get it from src/hosts.ts. */
export function bpf(
  host: Host,
  command: number,
  attr: Uint8Array,
  memory: ArrayBufferLike | undefined,
): number {
  if (host.closed) return -ERRNO.EBADF;
  try {
    if (!isUint8Array(attr)) return -ERRNO.EFAULT;
    // bpf_check_uarg_tail_zero. The command is looked at after the size.
    const length = elementsOf(attr);
    if (length > PAGE_BYTES) return -ERRNO.E2BIG;
    for (let i = BPF_ATTR_BYTES; i < length; i++) if (attr[i] !== 0) return -ERRNO.E2BIG;
    // A key or value of the typed API may be half encoded in the scratch, when one of its getters calls this.
    host.scratch.turn++;
    // A command negates the errno it has: of 0 that makes -0.
    return dispatch(new Call(host, fixedBytes(attr, length), memory), command) || 0;
  } catch (error) {
    // A map of objects that belongs to another thread.
    if (error instanceof BpfError && error.errno === ERRNO.EOPNOTSUPP) return -ERRNO.EOPNOTSUPP;
    // Attributes or memory that are none, or of a core whose own structures the caller has overwritten through pointers into
    // host memory: all that a process would get a fault for.
    return -ERRNO.EFAULT;
  }
}
