// What readers without a lock need beside loads.
import { SLOT, ZERO } from "./slot";

/** Blocks are 64-byte aligned: the low bits of a bucket's link hold its width. */
export const WIDTH_BITS: u32 = 63;
/** Width of a bucket that a merge has taken away: no bucket of a table in 32-bit memory has so many bits. */
export const GONE_WIDTH: u32 = 32;

/** Whether memory of so many bytes is there. Readers check it for addresses that may be anything (table/entries/shared_read.ts). */
@inline export function isReadable(address: usize, bytes: u32): bool {
  return address <= (<usize>memory.size() << 16) - bytes;
}

/**
 * 0, but no compiler can know that. Anded with what was read and added to the address of a load, it keeps that load from being done
 * before: an address dependency, which ARM respects and x86 does not need. A fence would cost 8 ns, and keep the misses of
 * consecutive reads from overlapping; V8 checks bounds and alignment of every atomic load.
 */
@inline export function hiddenZero(): u32 {
  return load<u32>(SLOT + ZERO);
}
