/**
 * What the kernel checks when a map is created: in its order (`map_create` in kernel/bpf/syscall.c, `htab_map_alloc_check` and
 * `rhtab_map_alloc_check` in kernel/bpf/hashtab.c), with its errno.
 *
 * @module
 */
import {
  BPF_F_NO_COMMON_LRU,
  BPF_F_NO_PREALLOC,
  BPF_F_NUMA_NODE,
  BPF_F_RDONLY,
  BPF_F_RDONLY_PROG,
  BPF_F_WRONLY,
  BPF_F_WRONLY_PROG,
  BPF_F_ZERO_SEED,
} from "../constants.ts";
import { ERRNO } from "../errors.ts";
import type { MapType } from "./spec.ts";

/** The attributes of MAP_CREATE, as the kernel sees them. */
export interface MapAttributes {
  readonly type: MapType;
  readonly name: string;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly mapExtra: number;
  /** Whether the value has a `bpf_spin_lock`. */
  readonly hasLock: boolean;
}

/** Why a map cannot be created. */
export interface Refusal {
  readonly errno: number;
  /** Predicate for the error message. */
  readonly cause: string;
}

const NAME_MAX = 15;
/** HTAB_CREATE_FLAG_MASK; NO_COMMON_LRU is in it and refused afterwards, for all but LRU maps. */
const FLAG_MASK =
  BPF_F_NO_PREALLOC |
  BPF_F_NO_COMMON_LRU |
  BPF_F_NUMA_NODE |
  BPF_F_RDONLY |
  BPF_F_WRONLY |
  BPF_F_RDONLY_PROG |
  BPF_F_WRONLY_PROG |
  BPF_F_ZERO_SEED;
/** KMALLOC_MAX_SIZE - sizeof(struct htab_elem). */
const ENTRY_BYTES_END = 4 * 1024 * 1024 - 48;
/** An rhashtable keeps the key length and the size hint in 16 bits. */
const RHASH_KEY_MAX = 0xffff;
const RHASH_HINT_MAX = 0xffff;
/** Buckets are rounded up to a power of two, and 16 bytes for each must be countable in 32 bits. */
const HASH_ENTRIES_MAX = 2 ** 27;
/** Limit of an rhashtable's element count. */
const RHASH_ENTRIES_MAX = 2 ** 31;

function both(flags: number, pair: number): boolean {
  return (flags & pair) === pair;
}

/** rhtab_map_alloc_check; the library sets NO_PREALLOC and allows ZERO_SEED, since its tables keep their seed. */
function refuseRhash(a: MapAttributes): Refusal | undefined {
  if (a.keySize > RHASH_KEY_MAX) {
    return {
      errno: ERRNO.E2BIG,
      cause: `has keys of ${a.keySize} bytes; an rhash takes up to ${RHASH_KEY_MAX}`,
    };
  }
  if (a.mapExtra > 0xffff_ffff) {
    return { errno: ERRNO.EINVAL, cause: `has mapExtra = ${a.mapExtra}; its upper 32 bits must be 0` };
  }
  if (a.mapExtra > RHASH_HINT_MAX) {
    return {
      errno: ERRNO.E2BIG,
      cause: `has mapExtra = ${a.mapExtra}; the hint goes up to ${RHASH_HINT_MAX}`,
    };
  }
  if (a.mapExtra > a.maxEntries) {
    const cause = `has mapExtra = ${a.mapExtra}, a hint above maxEntries = ${a.maxEntries}`;
    return { errno: ERRNO.EINVAL, cause };
  }
  return undefined;
}

/** htab_map_alloc_check. */
function refuseHash(a: MapAttributes): Refusal | undefined {
  const unknown = (a.flags & ~FLAG_MASK) >>> 0;
  if (unknown !== 0)
    return { errno: ERRNO.EINVAL, cause: `has flags 0x${unknown.toString(16)}, unknown to this type` };
  if (both(a.flags, BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG)) {
    return { errno: ERRNO.EINVAL, cause: "has both BPF_F_RDONLY_PROG and BPF_F_WRONLY_PROG" };
  }
  if ((a.flags & BPF_F_NO_COMMON_LRU) !== 0) {
    return { errno: ERRNO.EINVAL, cause: "has BPF_F_NO_COMMON_LRU, which is for LRU maps" };
  }
  if (a.maxEntries === 0) return { errno: ERRNO.EINVAL, cause: "has maxEntries = 0" };
  if (a.keySize === 0) return { errno: ERRNO.EINVAL, cause: "has keys of 0 bytes" };
  if (a.valueSize === 0) return { errno: ERRNO.EINVAL, cause: "has values of 0 bytes" };
  if (a.keySize + a.valueSize >= ENTRY_BYTES_END) {
    const cause = `has entries of ${a.keySize + a.valueSize} bytes; key and value take up to ${ENTRY_BYTES_END - 1}`;
    return { errno: ERRNO.E2BIG, cause };
  }
  return undefined;
}

/** What {@link refuseCreate} takes: a type that may be unknown. */
export type UncheckedAttributes = Omit<MapAttributes, "type"> & { readonly type: string };

/** The first of the kernel's checks that fails, or undefined when the map may be created. */
export function refuseCreate(attributes: UncheckedAttributes): Refusal | undefined {
  const { type, name, mapExtra, flags, maxEntries } = attributes;
  if (mapExtra !== 0 && type !== "rhash") {
    return { errno: ERRNO.EINVAL, cause: `has mapExtra = ${mapExtra}, which is for rhash` };
  }
  if (name.length > NAME_MAX || !/^[A-Za-z0-9_.]*$/.test(name)) {
    return { errno: ERRNO.EINVAL, cause: `needs a name of at most ${NAME_MAX} characters of [A-Za-z0-9_.]` };
  }
  if (type !== "hash" && type !== "rhash") {
    return {
      errno: ERRNO.EINVAL,
      cause: `has an unknown type ${JSON.stringify(type)}; known are "hash" and "rhash"`,
    };
  }
  const known: MapAttributes = { ...attributes, type };
  const refusal = (type === "rhash" ? refuseRhash(known) : undefined) ?? refuseHash(known);
  if (refusal !== undefined) return refusal;
  const entriesMax = type === "hash" ? HASH_ENTRIES_MAX : RHASH_ENTRIES_MAX;
  if (maxEntries > entriesMax) {
    return { errno: ERRNO.E2BIG, cause: `has maxEntries = ${maxEntries}; ${type} takes up to ${entriesMax}` };
  }
  if (attributes.hasLock && (flags & BPF_F_RDONLY_PROG) !== 0) {
    return {
      errno: ERRNO.EACCES,
      cause: "has a spinLock in its value, which BPF_F_RDONLY_PROG would keep from being taken",
    };
  }
  // The kernel finds this last, when it makes the file descriptor.
  if (both(flags, BPF_F_RDONLY | BPF_F_WRONLY)) {
    return { errno: ERRNO.EINVAL, cause: "has both BPF_F_RDONLY and BPF_F_WRONLY" };
  }
  return undefined;
}
