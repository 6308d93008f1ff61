/**
 * `union bpf_attr`, one struct for each family of commands, and `struct bpf_map_info`: names and offsets of
 * `include/uapi/linux/bpf.h` as of Linux 6.18.
 *
 * @module
 */
import type { UapiStruct } from "./struct.ts";

/** Bytes of the whole union: what comes behind must be 0. */
export const BPF_ATTR_BYTES = 168;

/** MAP_CREATE. */
export const BPF_ATTR_MAP_CREATE = {
  size: 92,
  fields: {
    map_type: ["u32", 0],
    key_size: ["u32", 4],
    value_size: ["u32", 8],
    max_entries: ["u32", 12],
    map_flags: ["u32", 16],
    inner_map_fd: ["u32", 20],
    numa_node: ["u32", 24],
    map_name: ["name", 28],
    map_ifindex: ["u32", 44],
    btf_fd: ["u32", 48],
    btf_key_type_id: ["u32", 52],
    btf_value_type_id: ["u32", 56],
    btf_vmlinux_value_type_id: ["u32", 60],
    map_extra: ["u64", 64],
    value_type_btf_obj_fd: ["s32", 72],
    map_token_fd: ["s32", 76],
    excl_prog_hash: ["u64", 80],
    excl_prog_hash_size: ["u32", 88],
  },
} as const satisfies UapiStruct;

/** MAP_LOOKUP_ELEM, MAP_UPDATE_ELEM, MAP_DELETE_ELEM, MAP_GET_NEXT_KEY (`next_key` is at the place of `value`),
 * MAP_LOOKUP_AND_DELETE_ELEM, MAP_FREEZE (`map_fd` alone). */
export const BPF_ATTR_ELEM = {
  size: 32,
  fields: {
    map_fd: ["u32", 0],
    key: ["u64", 8],
    value: ["u64", 16],
    next_key: ["u64", 16],
    flags: ["u64", 24],
  },
} as const satisfies UapiStruct;

/** The four batch commands. */
export const BPF_ATTR_BATCH = {
  size: 56,
  fields: {
    in_batch: ["u64", 0],
    out_batch: ["u64", 8],
    keys: ["u64", 16],
    values: ["u64", 24],
    count: ["u32", 32],
    map_fd: ["u32", 36],
    elem_flags: ["u64", 40],
    flags: ["u64", 48],
  },
} as const satisfies UapiStruct;

/** OBJ_PIN and OBJ_GET. */
export const BPF_ATTR_OBJ = {
  size: 20,
  fields: {
    pathname: ["u64", 0],
    bpf_fd: ["u32", 8],
    file_flags: ["u32", 12],
    path_fd: ["s32", 16],
  },
} as const satisfies UapiStruct;

/** MAP_GET_NEXT_ID (`start_id` in, `next_id` out) and MAP_GET_FD_BY_ID (`map_id` at the place of `start_id`). */
export const BPF_ATTR_ID = {
  size: 12,
  fields: {
    start_id: ["u32", 0],
    map_id: ["u32", 0],
    next_id: ["u32", 4],
    open_flags: ["u32", 8],
  },
} as const satisfies UapiStruct;

/** OBJ_GET_INFO_BY_FD. */
export const BPF_ATTR_INFO = {
  size: 16,
  fields: {
    bpf_fd: ["u32", 0],
    info_len: ["u32", 4],
    info: ["u64", 8],
  },
} as const satisfies UapiStruct;

/** `struct bpf_map_info`, what OBJ_GET_INFO_BY_FD fills. */
export const BPF_MAP_INFO = {
  size: 104,
  fields: {
    type: ["u32", 0],
    id: ["u32", 4],
    key_size: ["u32", 8],
    value_size: ["u32", 12],
    max_entries: ["u32", 16],
    map_flags: ["u32", 20],
    name: ["name", 24],
    ifindex: ["u32", 40],
    btf_vmlinux_value_type_id: ["u32", 44],
    netns_dev: ["u64", 48],
    netns_ino: ["u64", 56],
    btf_id: ["u32", 64],
    btf_key_type_id: ["u32", 68],
    btf_value_type_id: ["u32", 72],
    btf_vmlinux_id: ["u32", 76],
    map_extra: ["u64", 80],
    hash: ["u64", 88],
    hash_size: ["u32", 96],
  },
} as const satisfies UapiStruct;
