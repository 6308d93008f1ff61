/**
 * What the core exports, as the calls of this package see it.
 *
 * @module
 */
import type { WasmGlobal } from "./wasm_types.ts";

/** A result of the core below ERRNO_LIMIT is an errno, any other an address. CURSOR_ENDED: a cursor's second word after the scan. */
export { CURSOR_ENDED, ERRNO_LIMIT } from "../../generated/abi.js";

/**
 * What the core exports. All parameters and results are i32: an address comes back negative above 2 GiB and needs `>>> 0`.
 * "address | errno" is an errno when below ERRNO_LIMIT. `m` is the handle of a table. Whatever allocates may grow
 * the memory, after which the views of the host are detached.
 */
export interface CoreExports {
  /** Once per memory. `maxBytes` 0 = 4 GiB - 64 KiB; the hash's secrets of the host are expanded from `seed`. 0 | errno. */
  initHost(maxBytes: number, seed: number): number;
  /** A block aligned to 64 bytes; address | 0. */
  allocate(bytes: number): number;
  release(address: number, bytes: number): void;
  /** Bytes of all live allocations. */
  bytesInUse(): number;
  /** Limits the bytes in use below what the memory could hold, 0 lifts the limit; for tests of ENOMEM. */
  setLimit(bytes: number): void;
  enterSection(): void;
  leaveSection(): void;
  /**
   * handle | errno. `kind`: KIND_GROWABLE for rhash; KIND_FILTERED with a filter of absent keys; KIND_TEXTS for keys that are u32 bytes and
   * so many of them, in a room of `keySize`, of which the table keeps no more than that. `perCpu` 1: `valueSize` is that of a slot for each
   * CPU. Sizes are validated before. The hash's secrets are expanded from `seed`.
   */
  createTable(
    kind: number,
    keySize: number,
    valueSize: number,
    maxEntries: number,
    prealloc: number,
    hint: number,
    seed: number,
    perCpu: number,
  ): number;
  destroyTable(m: number): void;
  /** Bytes of such a table when it is full, about; `header`: room for a header. Of tables that evict, and not of texts. */
  fullBytes(
    header: number,
    kind: number,
    keySize: number,
    valueSize: number,
    maxEntries: number,
    perCpu: number,
  ): number;

  /** lookup*: address of the value | 0. The numbered exports are valid only for keys of that size, `Text` for those of tables of texts, `Any` for all others. */
  lookup4(m: number, key: number): number;
  lookup8(m: number, low: number, high: number): number;
  lookup16(m: number, key: number): number;
  lookupAny(m: number, key: number): number;
  lookupText(m: number, key: number): number;
  /** upsert*: address of the value | errno. The value of a new entry is undefined until written. */
  upsert4(m: number, key: number, flags: number): number;
  upsert8(m: number, low: number, high: number, flags: number): number;
  upsert16(m: number, key: number, flags: number): number;
  upsertAny(m: number, key: number, flags: number): number;
  upsertText(m: number, key: number, flags: number): number;
  /** remove*: 0 | ENOENT | EPERM. */
  remove4(m: number, key: number): number;
  remove8(m: number, low: number, high: number): number;
  remove16(m: number, key: number): number;
  removeAny(m: number, key: number): number;
  removeText(m: number, key: number): number;

  /**
   * The number of a key of 4 bytes, in a table whose values have one of the kinds of {@link Scalar} up to U53. ABSENT or NaN:
   * see assembly/maps/number.ts.
   */
  getNumber4(m: number, key: number, kind: number): number;
  getF64(m: number, key: number): number;
  getU53(m: number, key: number): number;
  getU32(m: number, key: number): number;
  getI32(m: number, key: number): number;
  getF32(m: number, key: number): number;
  /** getNumber4, lookup4 and getPart4 of a table with a filter of absent keys. */
  getFiltered4(m: number, key: number, kind: number): number;
  lookupFiltered4(m: number, key: number): number;
  getPartFiltered4(m: number, key: number, offset: number, kind: number): number;
  /** 0 | GREW | UNFIT | errno. */
  setNumber4(m: number, key: number, value: number, kind: number): number;
  setF64(m: number, key: number, value: number): number;
  setU53(m: number, key: number, value: number): number;
  setU32(m: number, key: number, value: number): number;
  setI32(m: number, key: number, value: number): number;
  setF32(m: number, key: number, value: number): number;
  /** As remove4, of a table of the layout "keys". */
  removeNumber4(m: number, key: number): number;
  /** The number `offset` bytes into the value of a key, of a kind up to U53. ABSENT or NaN as `getNumber4`. */
  getPart4(m: number, key: number, offset: number, kind: number): number;
  getPart8(m: number, low: number, high: number, offset: number, kind: number): number;
  getPart16(m: number, key: number, offset: number, kind: number): number;
  getPartAny(m: number, key: number, offset: number, kind: number): number;
  getPartText(m: number, key: number, offset: number, kind: number): number;

  /**
   * The same for tables that evict or whose entries expire: expired is absent, and with `use` 1 the entry counts as used. `ttl`: ms, 0
   * never, TTL_OF_MAP or TTL_AS_IS. The value of a new entry is zeros. Keys of 16 bytes go by `Any`.
   */
  seek4(m: number, key: number, use: number): number;
  seek8(m: number, low: number, high: number, use: number): number;
  seekAny(m: number, key: number, use: number): number;
  seekText(m: number, key: number, use: number): number;
  keep4(m: number, key: number, flags: number, ttl: number): number;
  keep8(m: number, low: number, high: number, flags: number, ttl: number): number;
  keepAny(m: number, key: number, flags: number, ttl: number): number;
  keepText(m: number, key: number, flags: number, ttl: number): number;
  getNoted4(m: number, key: number, kind: number, use: number): number;
  setNoted4(m: number, key: number, value: number, kind: number, ttl: number): number;
  updateNoted(m: number, key: number, value: number, flags: number, ttl: number): number;
  /** As remove*. */
  discard4(m: number, key: number): number;
  discard8(m: number, low: number, high: number): number;
  discardAny(m: number, key: number): number;
  discardText(m: number, key: number): number;
  /** As `take` and `nextKey`. */
  takeNoted(m: number, key: number, value: number): number;
  nextKeyNoted(m: number, key: number, out: number): number;
  /** As `lookupMany` and its like; values are packed as users see them. */
  lookupManyNoted(m: number, keys: number, count: number, values: number, found: number, use: number): number;
  updateManyNoted(
    m: number,
    stage: number,
    keys: number,
    count: number,
    values: number,
    flags: number,
    ttl: number,
  ): number;
  removeManyNoted(m: number, stage: number, keys: number, count: number): number;
  addManyNoted(
    m: number,
    stage: number,
    keys: number,
    count: number,
    deltas: number,
    width: number,
    offset: number,
  ): number;
  /**
   * Of tables whose entries expire, whose `valueSize` is that of a value as it is stored. Once, before anything is written: ms in a
   * unit, the ttl of the map in ms or 0, bytes of a value as users see it, whether a hit renews its expiry.
   */
  setExpiry(m: number, unit: number, ttl: number, valueBytes: number, renews: number): void;
  /** ms until the entry of a key at an address expires: Infinity when never, 0 when it is absent. */
  remainingTtl(m: number, key: number): number;
  /** Removes what has expired from the next buckets; how many entries. */
  sweepExpired(m: number, buckets: number): number;
  /** As `scan` and its like, without what has expired; `values` has room for values as they are stored, and gets them as users see them. */
  scanTimed(m: number, cursor: number, keys: number, values: number, room: number): number;
  drainTimed(m: number, cursor: number, keys: number, values: number, room: number): number;
  drainAnyTimed(m: number, stage: number, keys: number, values: number, room: number): number;
  columnsTimed(m: number, state: number, addresses: number, keys: number, room: number): number;

  /** The next ones take keys of any size by address. Update and copy the value; 0 | errno. */
  update(m: number, key: number, value: number, flags: number): number;
  /** Lookup and delete; 0 | errno. */
  take(m: number, key: number, value: number): number;
  /** The key after `key` (0: the first) to `out`; 0 | ENOENT. An absent key restarts at the first. */
  nextKey(m: number, key: number, out: number): number;
  /** The next entries from a cursor, packed; how many. `values` 0: keys only. */
  scan(m: number, cursor: number, keys: number, values: number, room: number): number;
  /**
   * The next entries of an iterator: keys packed, and the addresses of their values, u32 each; how many, 0 at the end. They hold as
   * long as the version of the table stays. `state`: COLUMNS_STATE + keySize bytes, zeros before the first call.
   */
  columns(m: number, state: number, addresses: number, keys: number, room: number): number;
  /** As `scan`, and removes them. Does not look at the frozen flag. */
  drain(m: number, cursor: number, keys: number, values: number, room: number): number;
  /** Multi-get; how many were found. `stage`: STAGE_BYTES of host memory; `found`: one byte per key. */
  lookupMany(m: number, stage: number, keys: number, count: number, values: number, found: number): number;
  /**
   * Batches that write; how many were done. The first key that fails ends them: its errno, else 0, is the word at
   * `stage` + STAGE_ERRNO. `stage`: STAGE_BYTES of host memory.
   */
  updateMany(m: number, stage: number, keys: number, count: number, values: number, flags: number): number;
  removeMany(m: number, stage: number, keys: number, count: number): number;
  /**
   * Adds modulo 2^(8 * width) to the field of `width` (1, 2, 4, 8) bytes at `offset` of each value; an absent key starts as
   * zeroes. A delta takes 8 bytes when width is 8, else 4.
   */
  addMany(
    m: number,
    stage: number,
    keys: number,
    count: number,
    deltas: number,
    width: number,
    offset: number,
  ): number;
  /** Removes and copies out entries in the order that costs least, without a cursor. Not in a section. How many. */
  drainAny(m: number, stage: number, keys: number, values: number, room: number): number;
  /** A table with all indices below `maxEntries`, zeroed; handle | errno. Values stand at multiples of 8 bytes. */
  createArray(valueSize: number, maxEntries: number): number;
  /** Copies indices and values from index `from` on, packed; how many. */
  arrayScan(m: number, from: number, keys: number, values: number, room: number): number;
  /** The array form of `columns`. */
  arrayColumns(m: number, state: number, addresses: number, keys: number, room: number): number;
  /** The array forms of `lookupMany`, `updateMany` and `addMany`. An index out of range is absent, or E2BIG for writes. */
  arrayLookupMany(m: number, keys: number, count: number, values: number, found: number): number;
  arrayUpdateMany(m: number, keys: number, count: number, values: number, stage: number): number;
  arrayAddMany(
    m: number,
    keys: number,
    count: number,
    deltas: number,
    width: number,
    offset: number,
    stage: number,
  ): number;
  /** Address of an element | 0. */
  arrayElement(m: number, index: number): number;
  /** Address of an element for writing | EPERM | E2BIG | LOW_WATER. */
  arrayObtain(m: number, index: number): number;
  /** How many elements lie side by side in memory from an index on; 0 beyond the end. */
  arrayRun(m: number, index: number): number;
  /** 0 | EPERM. */
  arrayClear(m: number): number;
  /** 0 | EPERM. */
  clear(m: number): number;
  freeze(m: number): void;
  /** 0 | EINVAL when it would shrink or cannot grow | ENOMEM for an array. */
  setMaxEntries(m: number, maxEntries: number): number;
  /**
   * Runs of programs, with their record in host memory (assembly/programs/run.ts). Buckets planned; with the addresses of their
   * entries written to the rows of the run; 0 when its outcome says why.
   */
  programPlan(m: number, run: number, most: number): number;
  programEntries(m: number, run: number, most: number): number;
  /** Of a table whose entries expire, before these two: removes what has expired from the buckets that they will plan; how many entries. */
  programSweep(m: number, run: number, most: number): number;
  /** Goes behind the first `count` buckets of the plan. */
  programAdvance(m: number, run: number, count: number): void;
  /** Unlinks the entry at these addresses: 0 | ENOENT | errno. */
  programUnlink(m: number, run: number, key: number, value: number): number;
  /** For compiled programs: unlinks the entries in slots (a bit mask) of a block; notes where one stops. */
  programDrop(m: number, run: number, block: number, first: number, slots: number): void;
  programStop(m: number, run: number, bucket: number, block: number, slot: number): void;
  /** The same of the elements in the first `count` rows of a run. */
  programUnlinkRows(m: number, run: number, count: number): void;
  /** After a run: frees and merges what it has left to do; the merges of so many deletes, and whether there are more to do. */
  programSettle(m: number, unlinked: number): void;
  programRepay(m: number, calls: number): number;
  /**
   * Inserts are answered LOW_WATER, once, where they would leave fewer than `free` slots free; 0: never. 0 | errno. See
   * `low_water.ts`.
   */
  setLowWater(m: number, free: number): number;
  /** Lets the next insert into `m` pass the mark, if its limit still is `maxEntries`; 0 takes that back. */
  passLowWater(m: number, maxEntries: number): void;
  /** The insert that was answered LOW_WATER will not come: the next one is to be told. */
  rearmLowWater(m: number): void;
  /** Writes the words that `stats.ts` names to `out`. */
  tableStats(m: number, out: number): void;
  /** Writes how many entries were evicted, how many expired and were swept, and how many buckets evictions have looked at: u32 each. */
  noteStats(m: number, out: number): void;
  /** Has this thread told of what it evicts and sweeps, in a buffer (assembly/table/notes/events.ts); 0: no more. */
  listen(m: number, buffer: number): void;
  /** Checks the invariants of a table: 0, or the number of one that is broken, with 4 words about it at `out`. */
  verify(m: number, out: number): number;
  /** Compares a header with what the handles know of the table; as `verify`. `kind` as in `createTable`; `prealloc`: of a table with buckets. */
  verifyCreated(
    m: number,
    kind: number,
    prealloc: number,
    keySize: number,
    valueSize: number,
    maxEntries: number,
    out: number,
  ): number;
  /** Compares when entries of a table expire with what the handles know: as `setExpiry`. */
  verifyExpiry(m: number, unit: number, ttl: number, valueBytes: number, renews: number, out: number): number;
  /** The same for the allocator. */
  verifyArena(out: number): number;

  /** A KV store (assembly/kv/): handle | errno. Its `m` is `kv` here. */
  createKv(maxKeys: number, maxPages: number): number;
  /** Puts 1..4096 bytes. `generation`: of the manifest that the caller knows, 0 none, -1 for a key that is staged or retained. 0 | errno. */
  kvPut(kv: number, key: number, source: number, size: number, generation: number): number;
  /** 0 | ENOENT | EPERM | errno. */
  kvDelete(kv: number, key: number): number;
  /** Puts a value for the lowest free key, which is staged then: key | -errno, -E2BIG without a free key. */
  kvClaim(kv: number, source: number, size: number): number;
  /** Frees the keys of an owner. 0 | errno. */
  kvSweep(kv: number, owner: number): number;
  /** Puts a manifest in force: 0 | errno | ERRNO_LIMIT + number of an entry whose value has changed. */
  kvSwitch(
    kv: number,
    changes: number,
    count: number,
    text: number,
    bytes: number,
    generation: number,
  ): number;
  /** Copies u32 generation and the text of the manifest to `target`: bytes of the text, which may be more than `room` | -errno. */
  kvManifest(kv: number, target: number, room: number): number;

  /** Byte offsets into the header of a table. */
  readonly COUNT_OFFSET: WasmGlobal;
  readonly VERSION_OFFSET: WasmGlobal;
  readonly FROZEN_OFFSET: WasmGlobal;
  /** Where the header of an array has the address of its first value. */
  readonly ARRAY_DATA_OFFSET: WasmGlobal;
  /** And the number of values that stand there; growth puts the others elsewhere. */
  readonly ARRAY_BASE_OFFSET: WasmGlobal;
  /** Free slots of the low-water mark, 0 without one. */
  readonly LOW_FREE_OFFSET: WasmGlobal;
  /** u64 S0, S1, S2 of the hash, the last two odd. */
  readonly SEEDS_OFFSET: WasmGlobal;
  /** Address and number of bytes of the hash's secrets of the whole host: the words of NH. */
  readonly SECRETS_ADDRESS: WasmGlobal;
  readonly SECRETS_BYTES: WasmGlobal;
  /** Where that of a KV store has the addresses of metadata, page table and owners, the pages in use, and the generation. */
  readonly KV_METADATA_OFFSET: WasmGlobal;
  readonly KV_PAGES_OFFSET: WasmGlobal;
  readonly KV_OWNERS_OFFSET: WasmGlobal;
  readonly KV_PAGE_COUNT_OFFSET: WasmGlobal;
  readonly KV_GENERATION_OFFSET: WasmGlobal;
  readonly STAGE_BYTES: WasmGlobal;
  readonly STAGE_ERRNO: WasmGlobal;
  /** A cursor takes CURSOR_BYTES + keySize bytes; its first 8 bytes zero = the beginning. */
  readonly CURSOR_BYTES: WasmGlobal;
}
