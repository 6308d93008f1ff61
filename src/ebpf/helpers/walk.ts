/**
 * Helpers that call a function of the program back: bpf_loop, and bpf_for_each_map_elem over entries.
 *
 * @module
 */
import { RunRecord } from "../../core/memory/run_record.ts";
import { noBlock } from "../../core/memory/scratch.ts";
import { lockTimeout, sharedCore } from "../../core/memory/shared_core.ts";
import { slotAddress } from "../../core/memory/shared_memory.ts";
import { isArray } from "../../core/tables/registry.ts";
import { ERRNO } from "../../errors.ts";
import { LINEAR, NO_BUCKET_LOCK, SLOT_SEQUENCE } from "../../generated/abi.js";
import type { Host } from "../../host/host.ts";
import { subjectOf } from "../../ops/failure.ts";
import type { BoundMap } from "./bound_map.ts";
import { type Execution, type Helper, STOPPED } from "./execution.ts";

/** BPF_MAX_LOOPS. */
const MOST_ROUNDS = 8 << 20;
/** Buckets whose entries are noted at once. */
const BUCKETS = 64;

/** bpf_loop: how often the function was called. */
export const loop: Helper = (run) => {
  const { state } = run;
  if (state.register(4) !== 0n) return -ERRNO.EINVAL;
  if (state.register(1) > BigInt(MOST_ROUNDS)) return -ERRNO.E2BIG;
  const rounds = run.word(1);
  const slot = run.word(2);
  const context = state.register(3);
  const { address, bytes } = state.reach(3);
  for (let i = 0; i < rounds; i++) {
    state.setWord(1, i);
    state.setRegister(2, context);
    state.setReach(2, address, bytes);
    if (!run.callBack(slot)) return STOPPED;
    if (state.register(0) !== 0n) return i + 1;
  }
  return rounds;
};

/** Shows an entry to the function, by the addresses of its key and its value: false when the walk ends. */
type Visit = (key: number, value: number) => boolean;

/** bpf_for_each_map_elem: how many entries the function has seen, that with which it stopped included. */
export const forEachMapElem: Helper = (run) => {
  const { state } = run;
  if (state.register(4) !== 0n) return -ERRNO.EINVAL;
  const map = run.map(1);
  const slot = run.word(2);
  const handle = run.word(1);
  const context = state.register(3);
  const { address, bytes } = state.reach(3);
  let visited = 0;
  let hasReturned = true;
  const visit: Visit = (key, value) => {
    visited++;
    state.setWord(1, handle);
    state.setWord(2, key);
    state.setReach(2, key, map.keySize);
    state.setWord(3, value + map.slotAt);
    state.setReach(3, value + map.slotAt, map.valueSize);
    state.setRegister(4, context);
    state.setReach(4, address, bytes);
    hasReturned = run.callBack(slot);
    return hasReturned && state.register(0) === 0n;
  };
  if (isArray(map.table.type)) visitElements(run, map, visit);
  else visitEntries(run, map, visit);
  return hasReturned ? visited : STOPPED;
};

/** The index is where the program can read it. */
function visitElements(run: Execution, { table }: BoundMap, visit: Visit): void {
  const { host } = run;
  const key = host.allocate(4);
  if (key === 0) throw noBlock(host, "program", "the host");
  try {
    for (let index = 0; index < table.maxEntries; index++) {
      host.putWord(key, index);
      if (!visit(key, host.core.arrayElement(table.handle, index) >>> 0)) return;
    }
  } finally {
    host.release(key, 4);
  }
}

function visitEntries(run: Execution, map: BoundMap, visit: Visit): void {
  const { host } = run;
  const { table } = map;
  // In a section of the only thread entries stay where they are. What has expired is removed before it is seen.
  const isLinear = !host.shared && table.expiry === undefined;
  const record = new RunRecord(host, isLinear ? LINEAR : 0, 0, subjectOf(map.map));
  try {
    while (!record.ended) {
      const buckets = noteEntries(run, map, record);
      if (!visitRows(host, map, record, buckets, visit)) return;
      host.core.programAdvance(table.handle, record.address, buckets);
    }
  } finally {
    if (!host.closed) record.close();
  }
}

/** Writes the addresses of the next entries to the rows of the record; of how many buckets. */
function noteEntries({ host, swept }: Execution, { table, map }: BoundMap, record: RunRecord): number {
  while (!record.ended) {
    if (table.expiry !== undefined) {
      host.expiry.touch();
      const gone = host.core.programSweep(table.handle, record.address, BUCKETS);
      // On a shared host what has expired goes with its bucket, and nobody counts it.
      swept.set(table, (swept.get(table) ?? 0) + (host.shared ? 1 : gone));
    }
    const buckets = host.core.programEntries(table.handle, record.address, BUCKETS);
    if (buckets > 0 || record.ended) return buckets;
    if (record.outcome === NO_BUCKET_LOCK) throw lockTimeout(host, "program", subjectOf(map));
    if (!record.growRows(record.needed)) throw noBlock(host, "program", subjectOf(map));
  }
  return 0;
}

function visitRows(host: Host, map: BoundMap, record: RunRecord, buckets: number, visit: Visit): boolean {
  const { table } = map;
  // A word that changes when this thread writes to the map, on a shared host to any map.
  const mark = host.shared ? slotAddress(host.cpu) + SLOT_SEQUENCE : table.handle + host.layout.version;
  const before = host.word(mark);
  let at = record.rows;
  for (let bucket = 0; bucket < buckets; bucket++) {
    for (const end = at + record.entriesOf(bucket) * 8; at < end; at += 8) {
      const [key, value] = [host.word(at), host.word(at + 4)];
      const isThere = host.word(mark) === before || liveValue(host, map, key) === value;
      if (isThere && !visit(key, value)) return false;
    }
  }
  return true;
}

/** Where the value of a key is now, without its being a use. */
function liveValue(host: Host, { table }: BoundMap, key: number): number {
  if (host.shared) return sharedCore(host).locate(table.handle, key) >>> 0;
  const { core } = host;
  const address =
    table.keySize === 4 ? core.lookup4(table.handle, host.word(key)) : core.lookupAny(table.handle, key);
  return address >>> 0;
}
