/** Numbers and layouts of bpf(2), from include/uapi/linux/bpf.h of Linux 6.18. */

export const CMD = {
  MAP_CREATE: 0,
  LOOKUP: 1,
  UPDATE: 2,
  DELETE: 3,
  NEXT_KEY: 4,
  GET_FD_BY_ID: 14,
  INFO: 15,
  LOOKUP_AND_DELETE: 21,
  FREEZE: 22,
  LOOKUP_BATCH: 24,
  LOOKUP_AND_DELETE_BATCH: 25,
  UPDATE_BATCH: 26,
  DELETE_BATCH: 27,
} as const;

export const COMMAND_NAMES = new Map<number, string>(Object.entries(CMD).map(([name, cmd]) => [cmd, name]));

export const TYPE = {
  HASH: 1,
  ARRAY: 2,
  PERCPU_HASH: 5,
  PERCPU_ARRAY: 6,
  LRU_HASH: 9,
  LRU_PERCPU_HASH: 10,
} as const;
/** Types that evict. */
export const LRU_TYPES: readonly number[] = [TYPE.LRU_HASH, TYPE.LRU_PERCPU_HASH];
/** Types whose keys come and go. */
export const HASH_TYPES: readonly number[] = [TYPE.HASH, TYPE.PERCPU_HASH, ...LRU_TYPES];
/** Types with a value for each CPU. */
export const PERCPU_TYPES: readonly number[] = [TYPE.PERCPU_HASH, TYPE.PERCPU_ARRAY, TYPE.LRU_PERCPU_HASH];

export const FLAG = {
  NO_PREALLOC: 1,
  NO_COMMON_LRU: 2,
  NUMA_NODE: 4,
  RDONLY: 8,
  WRONLY: 0x10,
  ZERO_SEED: 0x40,
  MMAPABLE: 0x400,
} as const;

/** Offsets in union bpf_attr of the commands on elements, of batches and of OBJ_GET_INFO_BY_FD. */
export const ELEMENT = { fd: 0, key: 8, value: 16, flags: 24, end: 32 } as const;
export const BATCH = {
  in: 0,
  out: 8,
  keys: 16,
  values: 24,
  count: 32,
  fd: 36,
  elemFlags: 40,
  flags: 48,
  end: 56,
} as const;
export const INFO = { fd: 0, length: 4, info: 8, end: 16 } as const;
/** sizeof(union bpf_attr), and where the fields of MAP_CREATE end. */
export const ATTR_SIZE = 168;
export const CREATE_END = 92;

/** Names of errnos that can be answered, for messages. */
const ERRNO_NAMES: Readonly<Record<number, string>> = {
  1: "EPERM",
  2: "ENOENT",
  7: "E2BIG",
  9: "EBADF",
  11: "EAGAIN",
  12: "ENOMEM",
  13: "EACCES",
  14: "EFAULT",
  16: "EBUSY",
  17: "EEXIST",
  22: "EINVAL",
  28: "ENOSPC",
  38: "ENOSYS",
  77: "EBADFD",
  95: "EOPNOTSUPP",
  524: "ENOTSUPP",
};

export const E = {
  PERM: 1,
  NOENT: 2,
  NOMEM: 12,
  FAULT: 14,
  INVAL: 22,
  NOSPC: 28,
  NOTSUPP: 524,
  BADF: 9,
  TOOBIG: 7,
  EXIST: 17,
} as const;

/** A result as a message shows it. */
export function showResult(result: number): string {
  return result >= 0 ? `${result}` : `-${ERRNO_NAMES[-result] ?? -result}`;
}
