/**
 * What the kernel checks when a map is created: in its order (`map_create` in kernel/bpf/syscall.c, `htab_map_alloc_check` and
 * `rhtab_map_alloc_check` in kernel/bpf/hashtab.c, `array_map_alloc_check` in kernel/bpf/arraymap.c), with its errno.
 *
 * @module
 */
import {
  BPF_F_INNER_MAP,
  BPF_F_MMAPABLE,
  BPF_F_NO_COMMON_LRU,
  BPF_F_NO_PREALLOC,
  BPF_F_NUMA_NODE,
  BPF_F_RDONLY,
  BPF_F_RDONLY_PROG,
  BPF_F_WRONLY,
  BPF_F_WRONLY_PROG,
  BPF_F_ZERO_SEED,
} from "../constants.ts";
import { type AnyMapType, type MapAttributes, specialOf } from "../core/tables/map_types.ts";
import { evicts, isPercpuHash } from "../core/tables/registry.ts";
import { ERRNO } from "../errors.ts";

/** Why a map cannot be created. */
export interface Refusal {
  readonly errno: number;
  /** Predicate for the error message. */
  readonly cause: string;
}

/** As good as no BPF_F_NUMA_NODE at all. */
export const NUMA_NO_NODE = 0xffff_ffff;

const NAME_MAX = 15;
/** HTAB_CREATE_FLAG_MASK; NO_COMMON_LRU is in it and refused afterwards, for all but LRU maps, as is NO_PREALLOC for those. */
const HASH_FLAGS =
  BPF_F_NO_PREALLOC |
  BPF_F_NO_COMMON_LRU |
  BPF_F_NUMA_NODE |
  BPF_F_RDONLY |
  BPF_F_WRONLY |
  BPF_F_RDONLY_PROG |
  BPF_F_WRONLY_PROG |
  BPF_F_ZERO_SEED;
/** ARRAY_CREATE_FLAG_MASK, without PRESERVE_ELEMS, which is for arrays of perf events. */
const PERCPU_ARRAY_FLAGS =
  BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY | BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG;
const ARRAY_FLAGS = PERCPU_ARRAY_FLAGS | BPF_F_MMAPABLE | BPF_F_INNER_MAP;
/** PCPU_MIN_UNIT_SIZE: one slot of a per-CPU value comes out of one unit of the per-CPU allocator. */
const SLOT_BYTES_MAX = 32768;
const INT_MAX = 0x7fff_ffff;
/** SOCK_CREATE_FLAG_MASK */
const SOCKET_FLAGS = BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY;
/** MAX_BPF_STACK: a program has the key of a sockhash on its stack. */
const SOCKET_KEY_MAX = 512;
/** KMALLOC_MAX_SIZE - sizeof(struct htab_elem). */
const ENTRY_BYTES_END = 4 * 1024 * 1024 - 48;
/** An rhashtable keeps the key length and the size hint in 16 bits. */
const RHASH_KEY_MAX = 0xffff;
const RHASH_HINT_MAX = 0xffff;
/** Buckets are rounded up to a power of two, and 16 bytes for each must be countable in 32 bits. */
export const HASH_ENTRIES_MAX = 2 ** 27;
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

function unknownFlags(flags: number, known: number): Refusal | undefined {
  const unknown = (flags & ~known) >>> 0;
  if (unknown === 0) return undefined;
  return { errno: ERRNO.EINVAL, cause: `has flags 0x${unknown.toString(16)}, unknown to this type` };
}

function contradictingFlags(flags: number): Refusal | undefined {
  if (!both(flags, BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG)) return undefined;
  return { errno: ERRNO.EINVAL, cause: "has both BPF_F_RDONLY_PROG and BPF_F_WRONLY_PROG" };
}

function isPerCpu(type: AnyMapType): boolean {
  return isPercpuHash(type) || type === "percpu_array";
}

/** Why LRU maps take no NO_PREALLOC, and only they NO_COMMON_LRU. */
function refuseLruFlags({ type, flags }: MapAttributes): Refusal | undefined {
  if (!evicts(type)) {
    if ((flags & BPF_F_NO_COMMON_LRU) === 0) return undefined;
    return { errno: ERRNO.EINVAL, cause: "has BPF_F_NO_COMMON_LRU, which is for LRU maps" };
  }
  if ((flags & BPF_F_NO_PREALLOC) === 0) return undefined;
  return { errno: ERRNO.ENOTSUPP, cause: "has BPF_F_NO_PREALLOC, which is not for LRU maps" };
}

/** A value of a per-CPU map is on every node, and so are the lists of entries by CPU. */
function refuseNode(a: MapAttributes): Refusal | undefined {
  if ((a.flags & BPF_F_NUMA_NODE) === 0 || a.numaNode === NUMA_NO_NODE) return undefined;
  if (isPerCpu(a.type)) {
    return { errno: ERRNO.EINVAL, cause: "has BPF_F_NUMA_NODE, which is not for per-CPU maps" };
  }
  if (!evicts(a.type) || (a.flags & BPF_F_NO_COMMON_LRU) === 0) return undefined;
  return { errno: ERRNO.EINVAL, cause: "has both BPF_F_NUMA_NODE and BPF_F_NO_COMMON_LRU" };
}

function refuseSlot(a: MapAttributes): Refusal | undefined {
  if (!isPerCpu(a.type) || a.valueSize <= SLOT_BYTES_MAX) return undefined;
  const cause = `has values of ${a.valueSize} bytes; a per-CPU value takes up to ${SLOT_BYTES_MAX}`;
  return { errno: ERRNO.E2BIG, cause };
}

/** htab_map_alloc_check. */
function refuseHash(a: MapAttributes): Refusal | undefined {
  const refusal = unknownFlags(a.flags, HASH_FLAGS) ?? contradictingFlags(a.flags);
  if (refusal !== undefined) return refusal;
  const special = refuseLruFlags(a) ?? refuseNode(a);
  if (special !== undefined) return special;
  if (a.maxEntries === 0) return { errno: ERRNO.EINVAL, cause: "has maxEntries = 0" };
  if (a.keySize === 0) return { errno: ERRNO.EINVAL, cause: "has keys of 0 bytes" };
  if (a.valueSize === 0) return { errno: ERRNO.EINVAL, cause: "has values of 0 bytes" };
  if (a.keySize + a.valueSize >= ENTRY_BYTES_END) {
    const cause = `has entries of ${a.keySize + a.valueSize} bytes; key and value take up to ${ENTRY_BYTES_END - 1}`;
    return { errno: ERRNO.E2BIG, cause };
  }
  return refuseSlot(a);
}

/** array_map_alloc_check. */
function refuseArray(a: MapAttributes): Refusal | undefined {
  if (a.maxEntries === 0) return { errno: ERRNO.EINVAL, cause: "has maxEntries = 0" };
  if (a.keySize !== 4) {
    return { errno: ERRNO.EINVAL, cause: `has keys of ${a.keySize} bytes; the index of an array takes 4` };
  }
  if (a.valueSize === 0) return { errno: ERRNO.EINVAL, cause: "has values of 0 bytes" };
  const refusal =
    unknownFlags(a.flags, a.type === "array" ? ARRAY_FLAGS : PERCPU_ARRAY_FLAGS) ??
    contradictingFlags(a.flags) ??
    refuseNode(a);
  if (refusal !== undefined) return refusal;
  if (a.valueSize > INT_MAX) {
    return { errno: ERRNO.E2BIG, cause: `has values of ${a.valueSize} bytes; they take up to ${INT_MAX}` };
  }
  return refuseSlot(a);
}

/** sock_map_alloc and sock_hash_alloc, which tell apart less. */
function refuseSockets(a: MapAttributes): Refusal | undefined {
  if (a.maxEntries === 0) return { errno: ERRNO.EINVAL, cause: "has maxEntries = 0" };
  if (a.type === "sockmap" && a.keySize !== 4) {
    return { errno: ERRNO.EINVAL, cause: `has keys of ${a.keySize} bytes; the index of a sockmap takes 4` };
  }
  const refusal = unknownFlags(a.flags, SOCKET_FLAGS);
  if (refusal !== undefined) return refusal;
  if (a.keySize <= SOCKET_KEY_MAX) return undefined;
  const cause = `has keys of ${a.keySize} bytes; a sockhash takes up to ${SOCKET_KEY_MAX}`;
  return { errno: ERRNO.E2BIG, cause };
}

/** What {@link refuseCreate} takes: a type that may be unknown. */
export type UncheckedAttributes = Omit<MapAttributes, "type"> & { readonly type: string };

const TYPES: readonly string[] = [
  "hash",
  "rhash",
  "lru_hash",
  "percpu_hash",
  "lru_percpu_hash",
  "array",
  "percpu_array",
  "sockmap",
  "sockhash",
] satisfies AnyMapType[];

/** What `map_create` itself checks before it asks the type. */
export function refuseAttributes(a: UncheckedAttributes): Refusal | undefined {
  if (a.mapExtra !== 0 && a.type !== "rhash") {
    return { errno: ERRNO.EINVAL, cause: `has mapExtra = ${a.mapExtra}, which is for rhash` };
  }
  if (both(a.flags, BPF_F_RDONLY | BPF_F_WRONLY)) {
    return { errno: ERRNO.EINVAL, cause: "has both BPF_F_RDONLY and BPF_F_WRONLY" };
  }
  if (!TYPES.includes(a.type)) {
    const known = TYPES.map((type) => JSON.stringify(type)).join(", ");
    return {
      errno: ERRNO.EINVAL,
      cause: `has an unknown type ${JSON.stringify(a.type)}; known are ${known}`,
    };
  }
  return undefined;
}

/** What the type's `map_alloc_check` finds. */
export function refuseByType(a: MapAttributes): Refusal | undefined {
  switch (a.type) {
    case "array":
    case "percpu_array":
      return refuseArray(a);
    case "sockmap":
    case "sockhash":
      return refuseSockets(a);
    case "rhash":
      return refuseRhash(a) ?? refuseHash(a);
    default:
      return refuseHash(a);
  }
}

/** `maxEntries` as `htab_map_alloc` takes it: with NO_COMMON_LRU every CPU has as many of the entries as any other. */
export function entriesFor(flags: number, maxEntries: number, cpus: number): number {
  return (flags & BPF_F_NO_COMMON_LRU) === 0 ? maxEntries : Math.ceil(maxEntries / cpus) * cpus;
}

/** What the type's `map_alloc` refuses before it asks for memory. */
export function refuseCapacity(a: MapAttributes): Refusal | undefined {
  if (a.type === "array" || a.type === "percpu_array") return undefined;
  const follows = a.type === "rhash" || a.type === "sockmap" || a.type === "sockhash";
  const most = follows ? RHASH_ENTRIES_MAX : HASH_ENTRIES_MAX;
  if (a.maxEntries <= most) return undefined;
  return { errno: ERRNO.E2BIG, cause: `has maxEntries = ${a.maxEntries}; ${a.type} takes up to ${most}` };
}

export function refuseName(name: string): Refusal | undefined {
  if (name.length <= NAME_MAX && /^[A-Za-z0-9_.]*$/.test(name)) return undefined;
  return { errno: ERRNO.EINVAL, cause: `needs a name of at most ${NAME_MAX} characters of [A-Za-z0-9_.]` };
}

/** `map_check_btf`. */
function refuseSpecial(a: MapAttributes): Refusal | undefined {
  const name = specialOf(a);
  if (name === undefined) return undefined;
  if ((a.flags & BPF_F_RDONLY_PROG) !== 0) {
    const use = name === "spinLock" ? "taken" : "started";
    const cause = `has a ${name} in its value, which BPF_F_RDONLY_PROG would keep from being ${use}`;
    return { errno: ERRNO.EACCES, cause };
  }
  if (isPerCpu(a.type) || (name === "spinLock" && evicts(a.type))) {
    return {
      errno: ERRNO.EOPNOTSUPP,
      cause: `has a ${name} in its value, which ${a.type} maps cannot have`,
    };
  }
  return undefined;
}

/** The first of the kernel's checks that fails, or undefined when the map may be created. */
export function refuseCreate(attributes: UncheckedAttributes): Refusal | undefined {
  const refusal = refuseAttributes(attributes);
  if (refusal !== undefined) return refusal;
  const known = attributes as MapAttributes;
  return refuseByType(known) ?? refuseCapacity(known) ?? refuseName(known.name) ?? refuseSpecial(known);
}
