/**
 * What the core for shared memory exports beyond the plain one.
 *
 * @module
 */
import type { CoreExports } from "./exports.ts";
import type { WasmGlobal } from "./wasm_types.ts";

/**
 * Whatever is the same as in {@link CoreExports} may answer ETIMEDOUT, too. Beyond that, `lookup*` give the address of a copy of
 * the value, in the buffer that the slot names; blocks of `allocate` belong to the slot and go with it; `upsert*` insert zeros; `getNumber4` and `getPart*` give NaN also when they gave up; and the flags
 * of `update` and `updateMany` may hold BPF_F_LOCK. The bytes of a spin lock are never written, and read as zeros.
 */
export interface SharedExports extends CoreExports {
  /** Sets the origin of the host's clock, unless it has one: from then on it can be raised. */
  openClock(now: number): void;
  /** Raises the host's clock to a time, unless that is past. */
  raiseClock(now: number): void;
  /** Sets up the slot that was taken. `systemThread`: see deaths.ts; 0 for unknown. */
  attach(mayWait: number, systemThread: number): void;
  /** Takes back what a call had begun that a trap has ended, and releases its locks. */
  abandon(): void;
  /** Frees the slot and what it owns: 0 | EBUSY in a section | ETIMEDOUT. */
  detach(): number;
  /**
   * Declares the thread of a slot dead and clears up behind it, without waiting: 0 | EBUSY with something left for `clearUp` | ENOENT
   * when no thread uses it | EINVAL for one's own.
   */
  reap(cpu: number): number;
  /** Clears up behind all threads that are gone, without waiting: whether something is left. */
  clearUp(): number;
  /** Waits for all sections that are open: 0 | ETIMEDOUT | EDEADLK in one's own. */
  synchronize(): number;
  /** The same from inside of one section of this thread, which does not count: 0 | ETIMEDOUT | EDEADLK in a further one. */
  synchronizeOthers(): number;
  /** Locks the next bucket of a run for a compiled program: its address | 0 (assembly/programs/shared_run.ts). */
  programLock(m: number, run: number): number;
  /** Ends its visit: 1 to go on | 0. */
  programUnlock(m: number, run: number): number;

  /** Address of the live value of the key at an address | 0 | errno. */
  locate(m: number, key: number): number;
  /** Copies the value to `target`: 1 | 0 absent | errno. BPF_F_LOCK: under the value's lock. */
  fetch(m: number, key: number, target: number, flags: number): number;
  /**
   * Adds the 8 bytes at `delta` to the field of kind `scalar` at `offset`; an absent key starts as zeros. The new count goes to the
   * 8 bytes at `out`. 0 | errno | ERANGE for a u53 that would leave its range.
   */
  add(m: number, key: number, delta: number, scalar: number, offset: number, out: number): number;
  /**
   * Adds to `count` fields, or to none of them. The list has for each 8 bytes that are added, a u32 offset and a u32 kind. 0 | errno | ERANGE.
   */
  addParts(m: number, key: number, list: number, count: number): number;
  /** Writes a part of the value of a key that is there. 0 | ENOENT | errno. */
  setPart(m: number, key: number, offset: number, bytes: number, source: number): number;
  /**
   * The calling thread's slot of a percpu_hash, without locks; `offset` from the start of all slots. 1 | 0 absent | errno. Any part of
   * any value can be read so.
   */
  localRead(m: number, key: number, offset: number, bytes: number, target: number): number;
  localWrite(m: number, key: number, offset: number, bytes: number, source: number, flags: number): number;
  localAdd(m: number, key: number, delta: number, scalar: number, offset: number, out: number): number;
  localAddParts(m: number, key: number, offset: number, list: number, count: number): number;
  /** Takes the spin lock of a value and enters a section: address of the live value | 0 absent | errno. */
  lockValue(m: number, key: number): number;
  arrayLockValue(m: number, index: number): number;
  unlockValue(m: number, address: number): void;
  /** Where the spin lock is in the values; 0xffffffff: nowhere. Once, after the table is created. */
  setLockOffset(m: number, offset: number): void;
  /** Says that the values of a table are per CPU. Once, after it is created. */
  /** Entries; exact while nobody writes. */
  entries(m: number): number;

  /** Copies an element to `target`: 1 | 0 out of range | errno. */
  arrayGet(m: number, index: number, target: number, flags: number): number;
  /** 0 | EPERM | E2BIG | errno. */
  arraySet(m: number, index: number, source: number, flags: number): number;
  /** As `add`. */
  arrayAdd(m: number, index: number, delta: number, scalar: number, offset: number, out: number): number;
  /** Parts of values, as `localRead`, `setPart` and `addParts`. Writing: 0 | EPERM | E2BIG | errno. */
  arrayGetPart(m: number, index: number, offset: number, bytes: number, target: number): number;
  arraySetPart(m: number, index: number, offset: number, bytes: number, source: number): number;
  arrayAddParts(m: number, index: number, list: number, count: number): number;

  /** Counts the tables that this thread has low-water hooks of: -1 or 1 more. */
  hookLowWater(tables: number): void;

  /** Copies a value of a KV store to `target`, room for 4096 bytes: its size | 0 absent | -errno. */
  kvGet(kv: number, key: number, target: number, generation: number): number;
  /** Copies values, each a u32 key and a u32 size at `keys`, as of one moment. 0 | ESTALE | errno. */
  kvSnapshot(kv: number, keys: number, count: number, target: number, generation: number): number;
  /** Takes, and releases, the lock of rollouts (0) or the gate (1) of a KV store. 0 | errno. */
  kvHold(kv: number, gate: number): number;
  kvRelease(kv: number, gate: number): number;

  /** The registry of maps (assembly/host/registry.ts). An id, 0 when the lock could not be had. */
  takeMapId(): number;
  /** 0 | errno. */
  registerTable(m: number): number;
  /** A table with a reference for the caller | 0 | errno. */
  holdTable(id: number): number;
  holdPinned(path: number, length: number): number;
  /** The table with the next id, without a reference: for the length of a section | 0 | errno. */
  tableAfter(id: number): number;
  /** 0 | errno. */
  dropTable(m: number): number;
  pinTable(m: number, path: number, length: number): number;
  unpinTable(path: number, length: number): number;
  /** Destroys the tables that died in sections. */
  sweepTables(): void;
  /** Where a header has the words that shared_registry.ts names. */
  readonly META_OFFSET: WasmGlobal;
  readonly MAX_ENTRIES_OFFSET: WasmGlobal;
  readonly BYTES_OFFSET: WasmGlobal;
}
