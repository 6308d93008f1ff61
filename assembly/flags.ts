// Flags of updates and lookups, as in include/uapi/linux/bpf.h. Without any an update inserts or overwrites.

/** Update: only when the key is absent. */
export const NOEXIST: u32 = 1;
/** Update: only when the key is there. */
export const EXIST: u32 = 2;
/** Update, lookup: under the spin lock of the value. */
export const LOCK: u32 = 4;
