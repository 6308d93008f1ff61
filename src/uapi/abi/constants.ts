/**
 * Commands, map types and flags of bpf(2), with the names and values of `include/uapi/linux/bpf.h`.
 *
 * @module
 */
export * from "../../constants.ts";

export const BPF_MAP_CREATE = 0;
export const BPF_MAP_LOOKUP_ELEM = 1;
export const BPF_MAP_UPDATE_ELEM = 2;
export const BPF_MAP_DELETE_ELEM = 3;
export const BPF_MAP_GET_NEXT_KEY = 4;
export const BPF_OBJ_PIN = 6;
export const BPF_OBJ_GET = 7;
export const BPF_MAP_GET_NEXT_ID = 12;
export const BPF_MAP_GET_FD_BY_ID = 14;
export const BPF_OBJ_GET_INFO_BY_FD = 15;
export const BPF_MAP_LOOKUP_AND_DELETE_ELEM = 21;
export const BPF_MAP_FREEZE = 22;
export const BPF_MAP_LOOKUP_BATCH = 24;
export const BPF_MAP_LOOKUP_AND_DELETE_BATCH = 25;
export const BPF_MAP_UPDATE_BATCH = 26;
export const BPF_MAP_DELETE_BATCH = 27;

export const BPF_MAP_TYPE_HASH = 1;
export const BPF_MAP_TYPE_ARRAY = 2;
export const BPF_MAP_TYPE_PERCPU_HASH = 5;
export const BPF_MAP_TYPE_PERCPU_ARRAY = 6;
export const BPF_MAP_TYPE_LRU_HASH = 9;
export const BPF_MAP_TYPE_LRU_PERCPU_HASH = 10;
export const BPF_MAP_TYPE_SOCKMAP = 15;
export const BPF_MAP_TYPE_SOCKHASH = 18;
/** Linux 7.2. */
export const BPF_MAP_TYPE_RHASH = 35;

/** OBJ_PIN, OBJ_GET: `path_fd` is the folder that a relative path starts from. */
export const BPF_F_PATH_FD = 0x4000;
/** MAP_CREATE: `map_token_fd` is a BPF token. A host has none. */
export const BPF_F_TOKEN_FD = 0x10000;
/** Bytes of a map's name with its NUL. */
export const BPF_OBJ_NAME_LEN = 16;
