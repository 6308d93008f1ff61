// The exports of the shared build: those of every build, and what threads need. All answer ETIMEDOUT, EDEADLK or ENOMEM where a lock
// or the journal could not be had; the slot then says who holds the lock (sync/slot.ts).
export * from "./index";
export { abandon } from "./sync/journal";
export { attach, detach } from "./host/attach";
export { synchronizeOthers, synchronizeSections as synchronize } from "./sync/grace";
export { programLock, programUnlock } from "./programs/shared_run";
export { entriesOf as entries } from "./table/limit/credits";
export { add, addParts, fetch, localAdd, localAddParts, localRead, localWrite, locate, lockValue, setPart } from "./maps/shared_access";
export { openClock, raiseClock } from "./table/notes/shared_clock";
export { unlockValue } from "./table/entries/value_lock";
export { arrayAdd, arrayAddParts, arrayGet, arrayGetPart, arrayLockValue, arraySet, arraySetPart } from "./arrays/shared_array";
export { hookLowWater } from "./table/limit/low_water";
export { setLockOffset } from "./maps/info";
export {
  BYTES_OFFSET, MAX_ENTRIES_OFFSET, META_OFFSET, dropTable, holdTable, registerTable, sweepTables, tableAfter, takeMapId,
} from "./host/registry";
export { kvGet, kvSnapshot } from "./kv/access";
export { kvHold, kvRelease } from "./kv/manifest";
export { clearUp, reap } from "./host/reap";
export { holdPinned, pinTable, unpinTable } from "./host/pins";
