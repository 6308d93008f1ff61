// The exports of the core, nothing else. All parameters and results are 32-bit integers; addresses are unsigned. A result that
// can be an address or an errno is an errno below 4096 and an address otherwise.
export { setLimit } from "./memory/arena";
export { allocate, bytesInUse, initHost, release } from "./host/host";
export { enterSection, leaveSection } from "./sync/section";
export { createTable, destroyTable } from "./maps/create";
export { fullBytes } from "./maps/size";
export { SECRETS_ADDRESS, SECRETS_BYTES } from "./hash/hash";
export {
  clear, lookup16, lookup4, lookup8, lookupAny, lookupText, nextKey, remove16, remove4, remove8, removeAny, removeText, take, update, upsert16,
  upsert4, upsert8, upsertAny, upsertText,
} from "./maps/access";
export { COUNT_OFFSET, FROZEN_OFFSET, LOW_FREE_OFFSET, SEEDS_OFFSET, VERSION_OFFSET, freeze, listen, noteStats, setLowWater, setMaxEntries, tableStats } from "./maps/info";
export { ARRAY_BASE_OFFSET, ARRAY_DATA_OFFSET, arrayElement, arrayObtain, arrayRun } from "./arrays/array";
export { arrayClear, createArray } from "./arrays/create";
export { arrayAddMany, arrayColumns, arrayLookupMany, arrayScan, arrayUpdateMany } from "./arrays/batch";
export { passLowWater, rearmLowWater } from "./table/limit/low_water";
export { CURSOR_BYTES, columns, drain, drainAny, scan } from "./batch/scan";
export { STAGE_BYTES, STAGE_ERRNO } from "./batch/stage";
export { lookupMany } from "./batch/lookup_many";
export { addMany, removeMany, updateMany } from "./batch/write";
export {
  getF32, getF64, getI32, getNumber4, getU32, getU53, removeNumber4, setF32, setF64, setI32, setNumber4, setU32,
  setU53,
} from "./maps/number";
export { getFiltered4, getPartFiltered4, lookupFiltered4 } from "./maps/filtered";
export {
  discard4, discard8, discardAny, discardText, getNoted4, keep4, keep8, keepAny, keepText, nextKeyNoted, seek4, seek8, seekAny, seekText, setNoted4,
  takeNoted, updateNoted,
} from "./maps/noted";
export { addManyNoted, lookupManyNoted, removeManyNoted, updateManyNoted } from "./maps/noted_batch";
export { remainingTtl, setExpiry, sweepExpired } from "./maps/timed";
export { columnsTimed, drainAnyTimed, drainTimed, scanTimed } from "./maps/timed_scan";
export { getPart16, getPart4, getPart8, getPartAny, getPartText } from "./maps/part";
export { verify, verifyArena } from "./verify/verify";
export {
  KV_GENERATION_OFFSET, KV_METADATA_OFFSET, KV_OWNERS_OFFSET, KV_PAGES_OFFSET, KV_PAGE_COUNT_OFFSET, createKv,
} from "./kv/store";
export { kvDelete, kvPut } from "./kv/access";
export { kvClaim, kvManifest, kvSweep, kvSwitch } from "./kv/manifest";
export { verifyExpiry } from "./verify/book";
export { verifyCreated } from "./verify/header";
export { programAdvance, programEntries, programPlan, programSweep } from "./programs/plan";
export { programDrop, programUnlink, programUnlinkRows } from "./programs/unlink";
export { programRepay, programSettle } from "./programs/settle";
export { programStop } from "./programs/stop";
export { RUN_BYTES } from "./programs/run";
