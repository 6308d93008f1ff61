/**
 * Flag constants of the BPF map commands, with the values of `include/uapi/linux/bpf.h`.
 *
 * @module
 */
import { UPDATE_EXIST, UPDATE_LOCK, UPDATE_NOEXIST } from "./generated/abi.js";

/** Update: create the entry or overwrite it. */
export const BPF_ANY = 0;
/** Update: create the entry; `EEXIST` when the key is there. */
export const BPF_NOEXIST = UPDATE_NOEXIST;
/** Update: overwrite the entry; `ENOENT` when the key is not there. */
export const BPF_EXIST = UPDATE_EXIST;
/** Update: write in place under the value's `bpf_spin_lock`; `EINVAL` when the value has none. */
export const BPF_F_LOCK = UPDATE_LOCK;

/** {@link SocketMap.redirect}: nothing was sent, since no open socket is there. */
export const SK_DROP = 0;
/** {@link SocketMap.redirect}: the socket has taken the data. */
export const SK_PASS = 1;
/** {@link SocketMap.redirect}: the socket has taken the data, and wants no more until its `drain` event. The kernel has no such verdict. */
export const SK_BUSY = 2;

/** Creation: allocate entries when they are inserted instead of all at once. `rhash` sets it itself. */
export const BPF_F_NO_PREALLOC = 0x1;
/** Creation: one LRU list per CPU. Only for LRU maps. */
export const BPF_F_NO_COMMON_LRU = 0x2;
/** Creation: allocate on one NUMA node. Accepted where the kernel accepts it; host memory has one node. */
export const BPF_F_NUMA_NODE = 0x4;
/** Creation: the handle may read only (`EPERM` for writes). */
export const BPF_F_RDONLY = 0x8;
/** Creation: the handle may write only (`EPERM` for reads). */
export const BPF_F_WRONLY = 0x10;
/**
 * Creation: hash seed 0. The order is the same on every host (of keys above 4 bytes, on every host with the same `seed`), and
 * anybody can choose keys that collide.
 */
export const BPF_F_ZERO_SEED = 0x40;
/** Creation: programs may read only. */
export const BPF_F_RDONLY_PROG = 0x80;
/** Creation: programs may write only. */
export const BPF_F_WRONLY_PROG = 0x100;
/** Creation: user space may map the values of an array. Only for `array`. */
export const BPF_F_MMAPABLE = 0x400;
/** Creation: maps of different `maxEntries` may take this one's place in a map of maps. Only for `array`. */
export const BPF_F_INNER_MAP = 0x1000;

/** What a program does with an entry ({@link HashMap.process}); the bits may be combined. */
export const ACT_KEEP = 0;
/** Unlink it, show it to the dumper, free it. */
export const ACT_DELETE = 1;
/** End the run behind it. */
export const ACT_STOP = 2;
