/**
 * What comes out of the core where its memory is damaged: traps, which become {@link DamagedError}s here.
 *
 * Two ways lead into the core. `host.core` catches each trap by itself. `host.bare` has the exports as they are, for the calls
 * that every nanosecond counts in: a call of a function that calls the core costs 3 to 5 ns more than a call of the core, a `try` around
 * a call of the core nothing (Node 20; V8 puts the core's code into the caller's). Those calls catch traps themselves, with {@link trapError}.
 *
 * @module
 */
import { damagedError, type Operation } from "../../errors.ts";
import type { CoreExports } from "./exports.ts";
import type { SharedExports } from "./shared_exports.ts";

type Functions<T> = { [K in keyof T as T[K] extends (...args: never[]) => unknown ? K : never]: Operation };

/** What messages call the exports. */
const OPERATIONS: Functions<SharedExports> = {
  initHost: "createHost",
  allocate: "createBatch",
  release: "close",
  bytesInUse: "memoryUsage",
  setLimit: "createHost",
  enterSection: "section",
  leaveSection: "section",
  createTable: "createMap",
  fullBytes: "createMap",
  destroyTable: "close",
  lookup4: "lookup",
  lookup8: "lookup",
  lookup16: "lookup",
  lookupAny: "lookup",
  lookupText: "lookup",
  upsert4: "set",
  upsert8: "set",
  upsert16: "set",
  upsertAny: "set",
  upsertText: "set",
  remove4: "delete",
  remove8: "delete",
  remove16: "delete",
  removeAny: "delete",
  removeText: "delete",
  getNumber4: "get",
  getFiltered4: "get",
  lookupFiltered4: "lookup",
  getPartFiltered4: "field.get",
  setNumber4: "set",
  getF64: "get",
  getU53: "get",
  getU32: "get",
  getI32: "get",
  getF32: "get",
  setF64: "set",
  setU53: "set",
  setU32: "set",
  setI32: "set",
  setF32: "set",
  removeNumber4: "delete",
  noteStats: "stats",
  listen: "createMap",
  seek4: "get",
  seek8: "get",
  seekAny: "get",
  seekText: "get",
  keep4: "set",
  keep8: "set",
  keepAny: "set",
  keepText: "set",
  getNoted4: "get",
  setNoted4: "set",
  updateNoted: "update",
  discard4: "delete",
  discard8: "delete",
  discardAny: "delete",
  discardText: "delete",
  takeNoted: "lookupAndDelete",
  nextKeyNoted: "nextKey",
  lookupManyNoted: "lookupMany",
  updateManyNoted: "updateBatch",
  removeManyNoted: "deleteBatch",
  addManyNoted: "addMany",
  setExpiry: "createMap",
  openClock: "createMap",
  raiseClock: "tick",
  remainingTtl: "remainingTtl",
  sweepExpired: "sweep",
  scanTimed: "lookupBatch",
  drainTimed: "lookupAndDeleteBatch",
  drainAnyTimed: "drain",
  columnsTimed: "entries",
  getPart4: "field.get",
  getPart8: "field.get",
  getPart16: "field.get",
  getPartAny: "field.get",
  getPartText: "field.get",
  update: "update",
  take: "lookupAndDelete",
  nextKey: "nextKey",
  scan: "lookupBatch",
  columns: "entries",
  drain: "lookupAndDeleteBatch",
  lookupMany: "lookupMany",
  updateMany: "updateBatch",
  removeMany: "deleteBatch",
  addMany: "addMany",
  drainAny: "drain",
  createArray: "createMap",
  arrayColumns: "entries",
  arrayScan: "lookupBatch",
  arrayLookupMany: "lookupMany",
  arrayUpdateMany: "updateBatch",
  arrayAddMany: "addMany",
  arrayElement: "lookup",
  arrayObtain: "set",
  arrayRun: "view",
  arrayClear: "clear",
  clear: "clear",
  freeze: "freeze",
  setMaxEntries: "grow",
  programPlan: "process",
  programEntries: "process",
  programSweep: "process",
  programAdvance: "process",
  programUnlink: "process",
  programDrop: "process",
  programStop: "process",
  programUnlinkRows: "process",
  programSettle: "process",
  programRepay: "process",
  programLock: "process",
  programUnlock: "process",
  setLowWater: "open",
  passLowWater: "set",
  rearmLowWater: "set",
  hookLowWater: "open",
  tableStats: "stats",
  verify: "verify",
  verifyArena: "verify",
  verifyCreated: "verify",
  verifyExpiry: "verify",
  createKv: "createKvStore",
  kvPut: "kv.put",
  kvDelete: "kv.delete",
  kvClaim: "kv.rollout",
  kvSweep: "kv.rollout",
  kvSwitch: "kv.rollout",
  kvManifest: "kv.bind",
  kvGet: "kv.get",
  kvSnapshot: "kv.read",
  kvHold: "kv.rollout",
  kvRelease: "kv.rollout",
  attach: "attachHost",
  detach: "detach",
  abandon: "detach",
  reap: "reap",
  clearUp: "reap",
  synchronize: "synchronize",
  synchronizeOthers: "process",
  locate: "lookup",
  fetch: "get",
  setPart: "field.set",
  add: "add",
  addParts: "addFields",
  localRead: "local.get",
  localWrite: "local.set",
  localAdd: "add",
  localAddParts: "addFields",
  lockValue: "locked",
  arrayLockValue: "locked",
  unlockValue: "locked",
  setLockOffset: "createMap",
  entries: "size",
  arrayGet: "get",
  arrayGetPart: "field.get",
  arraySet: "set",
  arraySetPart: "field.set",
  arrayAdd: "add",
  arrayAddParts: "addFields",
  takeMapId: "createMap",
  registerTable: "createMap",
  holdTable: "open",
  holdPinned: "open",
  tableAfter: "memoryUsage",
  dropTable: "close",
  pinTable: "pin",
  unpinTable: "unpin",
  sweepTables: "close",
};

/** Whether something thrown is a trap. */
function isTrap(thrown: unknown): boolean {
  return thrown instanceof WebAssembly.RuntimeError;
}

/**
 * The error for what a call of the bare core has thrown: a {@link DamagedError} for a trap. In shared memory, what the call had begun
 * is taken back and its locks are released, so that other threads and other maps go on.
 */
export function trapError(
  core: CoreExports,
  operation: Operation,
  subject: string,
  thrown: unknown,
): unknown {
  if (!isTrap(thrown)) return thrown;
  try {
    (core as Partial<SharedExports>).abandon?.();
  } catch (again) {
    // What is damaged is the journal or a lock: nothing can be taken back.
    if (!isTrap(again)) throw again;
  }
  return damagedError(operation, subject, thrown);
}

/** What is done after a trap; the host that gets the core says it. */
export interface Trapped {
  afterTrap(): void;
}

/** The exports of a core, each of which throws a {@link DamagedError} instead of a trap. */
export function guarded<T extends CoreExports>(bare: T, trapped: Trapped): T {
  const guarded: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(bare)) {
    if (typeof value !== "function") guarded[name] = value;
    else {
      const call = value as (...args: number[]) => unknown;
      const operation = OPERATIONS[name as keyof typeof OPERATIONS];
      // With as many parameters as the core's functions have at most: a rest parameter would make an array in every call.
      guarded[name] = (
        a: number,
        b: number,
        c: number,
        d: number,
        e: number,
        f: number,
        g: number,
        h: number,
      ) => {
        try {
          return call(a, b, c, d, e, f, g, h);
        } catch (thrown) {
          const error = trapError(bare, operation, "the host", thrown);
          trapped.afterTrap();
          throw error;
        }
      };
    }
  }
  return guarded as unknown as T;
}
