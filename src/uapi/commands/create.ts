/**
 * MAP_CREATE: the checks of `map_create` and of the types' `map_alloc_check`, in the kernel's order.
 *
 * @module
 */
import type { Table } from "../../core/tables/table.ts";
import { BpfError } from "../../errors.ts";
import {
  entriesFor,
  NUMA_NO_NODE,
  refuseAttributes,
  refuseByType,
  refuseCapacity,
} from "../../maps/validate.ts";
import { BPF_ATTR_MAP_CREATE } from "../abi/attr.ts";
import {
  BPF_F_NO_PREALLOC,
  BPF_F_NUMA_NODE,
  BPF_F_RDONLY,
  BPF_F_TOKEN_FD,
  BPF_F_WRONLY,
  BPF_F_ZERO_SEED,
} from "../abi/constants.ts";
import { ERRNO } from "../abi/errno.ts";
import { mapType } from "../abi/types.ts";
import { type Call, openFile } from "./call.ts";

const { fields } = BPF_ATTR_MAP_CREATE;
const SHA256_BYTES = 32;
/** A host has the loopback interface of every machine, and no other. It takes no offloaded maps. */
const LOOPBACK = 1;

/** What `bpf_obj_name_cpy` takes: the kernel's `isalnum` is that of Latin-1 (lib/ctype.c). */
const NAME = /^[A-Za-z0-9_.\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff]*$/;

/** The name up to its NUL, in Latin-1; undefined when there is no NUL. */
function nameOf(call: Call): string | undefined {
  const bytes = call.bytes(fields.map_name);
  const end = bytes.indexOf(0);
  return end < 0 ? undefined : String.fromCharCode(...bytes.subarray(0, end));
}

/** The errno for a descriptor that should be a token or BTF: a host has neither. */
function notThatKind(call: Call, fd: number): number {
  const isOpen = call.host.descriptors.get(fd) !== undefined || call.host.descriptors.isStream(fd);
  return isOpen ? ERRNO.EINVAL : ERRNO.EBADF;
}

/** Type ids are checked one against the other before anything, and looked up when the map is there. */
function refuseTypeIds(call: Call): boolean {
  if (call.u32(fields.btf_vmlinux_value_type_id) !== 0) return true;
  return call.u32(fields.btf_key_type_id) !== 0 && call.u32(fields.btf_value_type_id) === 0;
}

function refuseNode(call: Call, flags: number): boolean {
  const node = call.u32(fields.numa_node);
  return (flags & BPF_F_NUMA_NODE) !== 0 && node !== 0 && node !== NUMA_NO_NODE;
}

/** What the kernel's RHASH insists on, and the library's own API does not (`rhtab_map_alloc_check`). */
function refuseRhashFlags(flags: number): boolean {
  return (flags & BPF_F_NO_PREALLOC) === 0 || (flags & BPF_F_ZERO_SEED) !== 0;
}

/** What is found out when the memory of the map is there: 0 or an errno. */
function refuseLate(call: Call, name: string | undefined): number {
  if (name === undefined || !NAME.test(name)) return ERRNO.EINVAL;
  if (call.u32(fields.btf_key_type_id) !== 0 || call.u32(fields.btf_value_type_id) !== 0) {
    return notThatKind(call, call.s32(fields.btf_fd));
  }
  const hash = call.u64(fields.excl_prog_hash);
  const hashSize = call.u32(fields.excl_prog_hash_size);
  if (hash === 0) return hashSize === 0 ? 0 : ERRNO.EINVAL;
  if (hashSize !== SHA256_BYTES) return ERRNO.EINVAL;
  // Which program alone may use the map: nothing here asks for it.
  return call.memory.mapped(hash, SHA256_BYTES) === SHA256_BYTES ? 0 : ERRNO.EFAULT;
}

export function mapCreate(call: Call): number {
  if (call.hasTail(fields.excl_prog_hash_size) || refuseTypeIds(call)) return -ERRNO.EINVAL;
  const flags = call.u32(fields.map_flags);
  const type = mapType(call.u32(fields.map_type));
  const name = nameOf(call);
  const unchecked = {
    type: type ?? "",
    name: name ?? "",
    keySize: call.u32(fields.key_size),
    valueSize: call.u32(fields.value_size),
    maxEntries: entriesFor(flags, call.u32(fields.max_entries), call.host.cpus),
    flags: (flags & ~BPF_F_TOKEN_FD) >>> 0,
    mapExtra: call.u64(fields.map_extra),
    numaNode: call.u32(fields.numa_node),
  };
  const early = refuseAttributes(unchecked);
  if (early !== undefined) return -early.errno;
  if (type === undefined || refuseNode(call, flags)) return -ERRNO.EINVAL;
  if (type === "rhash" && refuseRhashFlags(flags)) return -ERRNO.EINVAL;
  const attributes = { ...unchecked, type };
  const refusal = refuseByType(attributes);
  if (refusal !== undefined) return -refusal.errno;
  if ((flags & BPF_F_TOKEN_FD) !== 0) return -notThatKind(call, call.s32(fields.map_token_fd));
  const ifindex = call.u32(fields.map_ifindex);
  if (ifindex !== 0) {
    const offloads = type === "hash" || type === "array";
    return -(offloads && ifindex === LOOPBACK ? ERRNO.EOPNOTSUPP : ERRNO.EINVAL);
  }
  const capacity = refuseCapacity(attributes);
  if (capacity !== undefined) return -capacity.errno;
  const { registry } = call.host;
  let table: Table;
  try {
    table = registry.create(attributes, "createMap", "the map");
  } catch (error) {
    if (error instanceof BpfError) return -error.errno;
    throw error;
  }
  const late = refuseLate(call, name);
  const result = late !== 0 ? -late : openFile(call.host, table, flags & (BPF_F_RDONLY | BPF_F_WRONLY));
  registry.drop(table);
  return result;
}
