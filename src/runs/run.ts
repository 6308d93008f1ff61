/**
 * One run of a filter over a map, and of a dumper over what it deleted.
 *
 * The whole run is a section, so that nothing it has the address of moves or is used again. Buckets are visited in memory order where
 * they cannot change meanwhile, and in the order of scans otherwise (assembly/programs/run.ts).
 *
 * @module
 */

import { checkNoPromise } from "../arguments/functions.ts";
import { describe } from "../arguments/mismatch.ts";
import { ACT_DELETE, ACT_KEEP, ACT_STOP } from "../constants.ts";
import { MOST_ELEMENT_RUNS, RunRecord } from "../core/memory/run_record.ts";
import { noBlock } from "../core/memory/scratch.ts";
import { lockTimeout, sharedCore } from "../core/memory/shared_core.ts";
import { slotAddress } from "../core/memory/shared_memory.ts";
import type { LiveEntry } from "../entries/entry.ts";
import { returnEntry, takeEntry } from "../entries/entry_pool.ts";
import { bpfError, damagedError, ERRNO } from "../errors.ts";
import {
  BY_ENTRY,
  KEEPS_VICTIMS,
  LINEAR,
  NO_BUCKET_LOCK,
  NO_ROOM,
  RESUMABLE,
  SLOT_SEQUENCE,
} from "../generated/abi.js";
import { subjectOf } from "../ops/failure.ts";
import type { EntryHandle } from "../ops/handle.ts";
import type { Program } from "../programs/program.ts";
import { isProgram } from "../programs/runnable.ts";
import type { Scanner } from "../programs/scan/scanner.ts";
import type { Budget } from "./budget.ts";
import { cursorAt, type ProcessCursor, SeenKeys, START } from "./cursor.ts";
import { entryFunction } from "./entry_function.ts";
import type { Dumper, Filter, ProcessResult } from "./process_types.ts";
import { Victims } from "./victims.ts";

/** What a run is to do. */
export interface RunPlan<K, V> {
  readonly filter: Filter<K, V> | Program<K, V>;
  readonly dumper: Dumper<K, V> | Program<K, V> | undefined;
  readonly size: number;
  readonly budget: Budget;
  readonly resumable: boolean;
  readonly cursor: ProcessCursor | undefined;
}

/** Merges between two looks at the clock. */
const MERGES = 16;

/** Throws for what a filter may not return. */
function checkAction(map: EntryHandle<unknown, unknown>, action: unknown): void {
  checkNoPromise(`process: ${subjectOf(map)}: filter`, action);
  const cause = `was given a filter that returned ${describe(action)}`;
  const remedy = "return ACT_KEEP, or ACT_DELETE and ACT_STOP, or both";
  throw bpfError(ERRNO.EINVAL, "process", subjectOf(map), cause, remedy);
}

/** Buckets whose entries there is room for in what is told of them (ops/eviction_hooks.ts). */
const TOLD_BUCKETS = 8;

export class Run<K, V> {
  readonly #map: EntryHandle<K, V>;
  readonly #plan: RunPlan<K, V>;
  readonly #record: RunRecord;
  readonly #entry: LiveEntry<K, V>;
  readonly #filter: (entry: LiveEntry<K, V>) => number;
  readonly #victims: Victims<K, V>;
  readonly #seen: SeenKeys;
  /** Word that changes when this thread writes to the map, on a shared host to any map. */
  readonly #markAt: number;
  /** Where to go on when the filter stopped the run inside a bucket. */
  #inside: ProcessCursor | undefined;
  #stopped = false;
  /** Entries that had expired, and went by the way. */
  #swept = 0;

  /** Throws ENOMEM. */
  constructor(map: EntryHandle<K, V>, plan: RunPlan<K, V>) {
    const { host, table } = map;
    const { filter, dumper, cursor = START, resumable } = plan;
    // Entries stay where they are in a section of the only thread. What has expired is removed from the buckets that come next.
    const linear = !resumable && !host.shared && table.expiry === undefined;
    const flags = (linear ? LINEAR : 0) | (resumable ? RESUMABLE : 0) | (dumper ? KEEPS_VICTIMS : 0);
    this.#map = map;
    this.#plan = plan;
    this.#record = new RunRecord(host, flags, cursor.position, subjectOf(map));
    this.#entry = takeEntry(map);
    this.#filter = entryFunction(filter);
    this.#victims = new Victims(map, this.#record, dumper);
    this.#seen = new SeenKeys(cursor, table.keySize);
    this.#markAt =
      (host.shared ? slotAddress(host.cpu) + SLOT_SEQUENCE : table.handle + host.layout.version) >>> 2;
  }

  toEnd(): ProcessResult {
    const { host, table } = this.#map;
    const { core, registry } = host;
    registry.hold(table); // the filter may close the map
    core.enterSection();
    registry.sections++;
    let result: ProcessResult;
    try {
      this.#visit();
      result = this.#result();
    } finally {
      core.leaveSection();
      try {
        this.#close();
      } finally {
        registry.leaveSection();
        registry.drop(table);
      }
    }
    if (!host.closed) table.listener?.deliver();
    return result;
  }

  /** Visits entries until something ends it. However it ends, what was unlinked is for the dumper. */
  #visit(): void {
    const { filter } = this.#plan;
    const program = isProgram(filter) ? filter : undefined;
    const scanner = program?.scanner;
    try {
      if (program === undefined || scanner === undefined) this.#visitEach();
      else this.#visitCompiled(program, scanner);
    } catch (error) {
      if (!this.#map.host.closed) this.#victims.dump();
      throw error;
    }
    this.#victims.dump();
  }

  get #isOver(): boolean {
    return this.#stopped || this.#record.ended || this.#plan.budget.isSpent(this.#record.visited);
  }

  #close(): void {
    this.#victims.close();
    returnEntry(this.#map, this.#entry);
    if (this.#map.host.closed) return;
    try {
      this.#settle();
    } finally {
      this.#record.close();
    }
  }

  #visitEach(): void {
    do this.#visitBuckets(this.#plan.budget.buckets(this.#record.visited));
    while (!this.#isOver);
  }

  /** Visits the entries of up to `wanted` buckets one by one. */
  #visitBuckets(wanted: number): void {
    const { host, table } = this.#map;
    const { core } = host;
    const most = this.#mostSwept(wanted);
    const record = this.#record;
    let buckets = 0;
    while (!record.ended) {
      this.#sweep(most);
      buckets = core.programEntries(table.handle, record.address, most);
      if (buckets > 0 || record.ended) break;
      if (record.outcome === NO_BUCKET_LOCK) throw lockTimeout(host, "process", subjectOf(this.#map));
      if (!record.growRows(record.needed)) throw noBlock(host, "process", subjectOf(this.#map));
    }
    this.#filterRows(buckets);
  }

  /** Shows the rows of so many buckets to the filter. */
  #filterRows(buckets: number): void {
    const { host, table } = this.#map;
    const { core } = host;
    const { budget, resumable } = this.#plan;
    const record = this.#record;
    const entry = this.#entry;
    const filter = this.#filter;
    const markAt = this.#markAt;
    const passes = this.#seen.concerns(record.position);
    const first = record.rows >>> 2;
    let row = first;
    let bucket = 0;
    let visited = 0;
    let mark = host.u32[markAt];
    // Whether entries may have gone since their rows were written.
    let changed = false;
    try {
      for (; bucket < buckets && !this.#stopped; bucket++) {
        const start = row;
        const end = row + 2 * record.entriesOf(bucket);
        for (; row < end; row += 2) {
          const key = host.u32[row];
          const value = host.u32[row + 1];
          if (changed || host.u32[markAt] !== mark) {
            if (host.closed) throw this.#closedError();
            changed = true;
            if (!this.#isThere(key, value)) continue;
          }
          if (passes && this.#seen.has(host.u8, key)) continue;
          if (key + table.keySize > host.u8.length || value + table.valueBytes > host.u8.length) {
            throw damagedError("process", subjectOf(this.#map));
          }
          visited++;
          const action = filter(entry.at(key, value));
          if (action === ACT_KEEP) continue;
          if (action !== ACT_DELETE && action !== ACT_STOP && action !== (ACT_DELETE | ACT_STOP)) {
            checkAction(this.#map, action);
          }
          if ((action & ACT_DELETE) !== 0) {
            if (host.u32[markAt] !== mark) changed = true;
            if (this.#victims.isFull && this.#victims.makeRoom()) changed = true;
            const errno = core.programUnlink(table.handle, record.address, key, value);
            if (errno !== 0 && errno !== ERRNO.ENOENT) this.#map.fail("process", errno);
            mark = host.u32[markAt];
            if (record.victimCount >= this.#plan.size) changed = this.#victims.dump();
          }
          if ((action & ACT_STOP) !== 0) {
            this.#stopped = true;
            row += 2;
            break;
          }
        }
        if (this.#stopped) {
          if (resumable) this.#inside = this.#cursorInside(bucket, start, row);
          break;
        }
        if (budget.isTimed && record.victimCount > 0) changed = this.#victims.dump();
        if (budget.isSpent(record.visited + visited)) {
          bucket++;
          break;
        }
      }
    } finally {
      if (!host.closed) {
        record.addVisited(visited);
        core.programAdvance(table.handle, record.address, bucket);
        budget.pass(bucket);
      }
    }
    if (host.closed) throw this.#closedError();
  }

  /** Has a compiled program visit whole buckets, and single entries where it cannot. */
  #visitCompiled(program: Program<K, V>, scanner: Scanner): void {
    const { host, table } = this.#map;
    const { core } = host;
    const { budget, size, resumable } = this.#plan;
    const record = this.#record;
    const overElements = !resumable && scanner.elements !== undefined && table.expiry === undefined;
    const loop = overElements && scanner.elements ? scanner.elements : scanner.buckets;
    const { handle } = table;
    // However small the budget, one bucket at least.
    let advanced = false;
    while (!record.ended && !(advanced && this.#isOver)) {
      if (this.#seen.concerns(record.position)) {
        this.#visitBuckets(1);
        advanced = true;
        continue;
      }
      const most = overElements ? MOST_ELEMENT_RUNS : this.#mostSwept(budget.buckets(record.visited));
      this.#sweep(most);
      program.check(); // a hook may have closed it
      if (host.shared) {
        record.bucketsLeft = most;
        this.#run(loop, 0);
      } else {
        const planned = core.programPlan(handle, record.address, most);
        if (planned > 0) {
          this.#run(loop, planned);
          core.programAdvance(handle, record.address, record.bucketsDone);
        }
      }
      const { outcome } = record;
      if (record.stopped) this.#stopCompiled();
      else if (outcome === NO_ROOM) this.#victims.makeRoom(record.needed);
      else if (outcome === BY_ENTRY) this.#visitBuckets(1);
      else if (outcome === NO_BUCKET_LOCK) throw lockTimeout(host, "process", subjectOf(this.#map));
      if (outcome !== NO_ROOM) {
        advanced = true;
        budget.pass(most);
      }
      if (record.victimCount >= size || (budget.isTimed && record.victimCount > 0)) this.#victims.dump();
      program.check(); // the dumper may have closed it, and its code would write to memory that is no longer its own
    }
  }

  /** Removes what has expired from up to `most` buckets that come next: no program sees it. On a shared host that is done under their locks. */
  #sweep(most: number): void {
    const { host, table } = this.#map;
    if (table.expiry === undefined) return;
    table.listener?.deliver();
    if (host.closed) throw this.#closedError();
    host.expiry.touch();
    this.#swept += host.core.programSweep(table.handle, this.#record.address, most);
  }

  /** How many buckets to take at once: where somebody is told what has expired in them, no more than what is told has room for. */
  #mostSwept(buckets: number): number {
    const { expiry, listener } = this.#map.table;
    return expiry === undefined || listener === undefined ? buckets : Math.min(buckets, TOLD_BUCKETS);
  }

  #run(loop: Scanner["buckets"], planned: number): void {
    try {
      loop(this.#map.table.handle, this.#record.address, planned);
    } catch (trap) {
      throw this.#map.trapped("process", trap);
    }
  }

  #stopCompiled(): void {
    this.#stopped = true;
    if (!this.#plan.resumable) return;
    const record = this.#record;
    const from = record.rows >>> 2;
    const behind = this.#map.host.shared ? record.lockedBehind : record.behind(record.bucketsDone);
    this.#inside = {
      position: record.position,
      behind,
      seen: this.#keysOf(from, from + 2 * record.stoppedRows),
    };
  }

  /** Whether an entry is still where its row says. */
  #isThere(key: number, value: number): boolean {
    const { host, table } = this.#map;
    const { core } = host;
    if (host.shared) return sharedCore(host).locate(table.handle, key) >>> 0 === value;
    const found =
      table.keySize === 4
        ? core.lookup4(table.handle, host.u32[key >>> 2])
        : core.lookupAny(table.handle, key);
    return found >>> 0 === value;
  }

  /** The cursor behind the rows from `start` to `end` of bucket number `bucket`, which has more. */
  #cursorInside(bucket: number, start: number, end: number): ProcessCursor {
    const record = this.#record;
    const position = bucket === 0 ? record.position : record.behind(bucket - 1);
    return { position, behind: record.behind(bucket), seen: this.#keysOf(start, end) };
  }

  /** The keys of rows, given as indices of words. In the section they are what they were, whatever became of their entries. */
  #keysOf(start: number, end: number): Uint8Array {
    const { host, table } = this.#map;
    const { keySize } = table;
    const keys = new Uint8Array(((end - start) / 2) * keySize);
    for (let row = start, at = 0; row < end; row += 2, at += keySize) {
      const key = host.u32[row];
      keys.set(host.u8.subarray(key, key + keySize), at);
    }
    return keys;
  }

  /** What a run leaves to do when its section is over. With a budget only as much as its deletes would have done. */
  #settle(): void {
    const { host, table } = this.#map;
    const { core } = host;
    const { budget, resumable } = this.#plan;
    const { visited } = this.#record;
    // On a shared host what has expired goes with its bucket, and nobody counts it.
    const swept = host.shared && table.expiry !== undefined ? 1 : this.#swept;
    const unlinked = this.#record.unlinked + swept;
    if (unlinked === 0) return;
    if (!resumable) core.programSettle(table.handle, unlinked);
    for (let left = resumable ? unlinked : 0; left > 0; left -= MERGES) {
      if (
        (budget.isTimed && budget.isSpent(visited)) ||
        core.programRepay(table.handle, Math.min(MERGES, left)) === 0
      )
        break;
    }
    if (host.u8.length === 0) host.refresh();
  }

  #result(): ProcessResult {
    const { visited, unlinked, ended, position } = this.#record;
    const result = { visited, deleted: unlinked, stopped: this.#stopped };
    if (!this.#plan.resumable || (ended && this.#inside === undefined)) return result;
    return { ...result, cursor: this.#seen.kept(this.#inside ?? cursorAt(position)) };
  }

  #closedError(): Error {
    return bpfError(ERRNO.EBADF, "process", subjectOf(this.#map), "is closed, with its host, by the program");
  }
}
