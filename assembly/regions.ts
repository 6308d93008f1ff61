// The fixed addresses of a host's linear memory. Everything else comes from the arena.
//
//      0 ..    63  never used, so that address 0 can mean "none"
//     64 ..   319  arena state                        (memory/arena.ts)
//    320 ..   383  host words: section depth          (sync/section.ts), table whose low-water mark may be passed, and at which limit (table/limit/low_water.ts),
//                  f64 clock in ms since the host's origin, and that origin    (table/notes/expiry.ts, shared_clock.ts); plain build: 8 bytes of
//                  a key, in the place of the origin                           (table/entries/keep.ts)
//    384 ..   415  counters of the counted build          (counting.ts)
//    640 ..   895  plain build: header of a table that is empty and frozen, for handles that are closed      (host/nobody.ts)
//   1024 ..  1551  secrets of the hash: 128 words of NH, 16 bytes that tail reads may touch   (hash/hash.ts)
//   2048 .. 10239  zeros, never written: what buckets read as before their segment exists     (table/layout/buckets.ts)
//  10240 .. 16383  texts that only builds without optimization carry      ("memoryBase" in asconfig.json)
//  16384 ..        bitmap of the arena, one bit per 64-byte granule of the address space; the heap follows it
//
// The shared build also has
//    416 ..   435  u32 CPU slots | u32 limit of waits in ms | u32 seed | u32 address of the journals | u32 whether the seed was given
//    448           lock of the arena
//    512 ..   543  registry of maps                   (host/registry.ts)
//    576 ..   587  u64 set of CPU slots in a section | u32 whether the next ones shall wait a little  (sync/section.ts)
//    592 ..   603  u32 "BPFM" | u32 "HOST" once the memory is set up | u32 version of its layout      (src/core/memory/shared_memory.ts)
//  16384 .. 49151  CPU slots, 512 bytes each          (sync/slot.ts)
//  49152 ..        bitmap, then a journal for each slot, then the heap
//
// Nothing here is a wasm global or a data segment: an instance that joins a shared memory must find the state, not reset it.
import { SHARED } from "./build";

export const ARENA: usize = 64;
export const SECTION_DEPTH: usize = 320;
export const LOW_WATER_PASS: usize = 324;
export const HOST_CLOCK: usize = 336;
/** Shared build. */
export const HOST_ORIGIN: usize = 344;
/** Plain build. */
export const KEY_WORDS: usize = 344;
export const COUNTERS: usize = 384;
export const NOBODY: usize = 640;
export const SECRETS: usize = 1024;
export const ZEROS: usize = 2048;
export const ZEROS_BYTES: u32 = 8192;
export const SLOTS: usize = 16384;
/** CPU slots that there is room for. */
export const MOST_CPUS: u32 = 64;
export const BITMAP: usize = SHARED ? 49152 : 16384;

export const HOST_CPUS: usize = 416;
export const HOST_TIMEOUT: usize = 420;
export const HOST_SEED: usize = 424;
export const HOST_LOGS: usize = 428;
/** 1 when the host was given its seed; otherwise the secrets of its hashes are drawn. */
export const HOST_IS_SEEDED: usize = 432;
export const ARENA_LOCK: usize = 448;
export const REGISTRY: usize = 512;
export const SECTION_MASK: usize = 576;
export const SECTION_DEBT: usize = 584;
export const HOST_MARK: usize = 592;
export const HOST_VERSION: usize = 600;
/** In HOST_VERSION. To be raised with every change of what threads find in a shared memory. */
export const LAYOUT_VERSION: u32 = 6;

/** Results below this are errnos, results from here on are addresses: the heap starts far above it. */
export const FIRST_ADDRESS: u32 = 4096;
