/**
 * Generates the loop of a compiled program over the buckets of its table: straight code of its own, in which the filter is written
 * out. Only what happens to few entries or once per bucket is a call, from module to module: unlinking, and on shared hosts the lock.
 *
 * ```
 * for each bucket of the plan, or (shared) that programLock gives:
 *   for each block of its chain:
 *     for each used slot:
 *       action = filter(key, value)
 *       if action is to delete: note the slot
 *       if action is to stop: note where, unlink what was noted, return
 *     if slots were noted: programDrop
 * ```
 *
 * @module
 */

import { ACT_DELETE, ACT_STOP } from "../constants.ts";
import type { Host } from "../host/host.ts";
import type { SharedExports } from "../host/shared_core.ts";
import { blockWriter } from "./blocks.ts";
import { RECORD } from "./run_record.ts";
import {
  type CodeWriter,
  I32,
  type Local,
  ModuleWriter,
  type Signature,
  TYPE_I32,
  type ValueType,
} from "./wasm/index.ts";

/**
 * Visits `planned` buckets of a run; on a shared host as many as its record says. What it did is in the record
 * (assembly/programs/run.ts).
 */
export type Scanner = (table: number, run: number, planned: number) => void;

/** What the loop needs of a filter. */
export interface FilterCode {
  /** Actions that it may take, all bits together. */
  readonly actions: number;
  /** Writes the filter: leaves the action on the stack for the entry whose addresses are in two locals. */
  emit(code: CodeWriter, key: Local, value: Local): void;
}

const { PLAN, PLANNED, VISITED, BUCKETS_DONE } = RECORD;

function signature(parameters: number, results: number): Signature {
  const types = (count: number) => new Array<ValueType>(count).fill(TYPE_I32);
  return { parameters: types(parameters), results: types(results) };
}

/** The module with the loop, for a table of a host. */
export function scannerModule(host: Host, table: number, filter: FilterCode): Uint8Array<ArrayBuffer> {
  const blocks = blockWriter(host, table);
  const deletes = (filter.actions & ACT_DELETE) !== 0;
  const stops = (filter.actions & ACT_STOP) !== 0;
  const module = new ModuleWriter({ shared: host.shared });
  const drop = module.import("programDrop", signature(5, 0));
  const stop = module.import("programStop", signature(5, 0));
  const lock = host.shared ? module.import("programLock", signature(2, 1)) : 0;
  const unlock = host.shared ? module.import("programUnlock", signature(2, 1)) : 0;

  module.function("scan", signature(3, 0), (code, [m, run, planned]) => {
    const local = () => code.local(TYPE_I32);
    const [bucket, block, first, slot] = [local(), local(), local(), local()];
    const [used, chosen, visited, key, value] = [local(), local(), local(), local(), local()];
    const [done, action] = [local(), local()];
    const walk = { block, first, slot };

    /** Adds what this call has visited to the record. */
    const note = () => {
      code.get(run).get(run).load(I32.load, VISITED).get(visited).op(I32.add).store(I32.store, VISITED);
    };
    const dropChosen = () => {
      code.get(chosen).ifThen(() => code.get(m).get(run).get(block).get(first).get(chosen).call(drop));
    };
    const chooseSlot = (bit: () => void) => {
      bit();
      code.get(slot).op(I32.shl).get(chosen).op(I32.or).set(chosen);
    };
    const end = () => {
      if (host.shared) code.get(m).get(run).call(unlock).drop();
      else code.get(run).get(done).store(I32.store, BUCKETS_DONE);
      code.return();
    };
    /** Ends the run at the current entry. */
    const stopHere = () => {
      code.get(visited).get(used).op(I32.popcnt).op(I32.sub).set(visited);
      note();
      // First: it writes down what the program has seen in this bucket, while it is still there.
      code.get(m).get(run).get(bucket).get(block).get(slot).call(stop);
      if (deletes) dropChosen();
      end();
    };
    const visitEntry = () => {
      code.get(used).op(I32.ctz).set(slot);
      code.get(used).get(used).i32(1).op(I32.sub).op(I32.and).set(used);
      blocks.key(code, walk);
      code.set(key);
      blocks.value(code, walk);
      code.set(value);
      filter.emit(code, key, value);
      if (!stops) {
        // No branch on the action: 0 or 1, and nothing could predict which.
        if (deletes) chooseSlot(() => {});
        else code.drop();
        return;
      }
      code.tee(action).ifThen(() => {
        if (deletes) chooseSlot(() => code.get(action).i32(ACT_DELETE).op(I32.and));
        code.get(action).i32(ACT_STOP).op(I32.and).ifThen(stopHere);
      });
    };
    const visitBucket = () => {
      code.get(bucket).set(block).i32(1).set(first);
      const chain = code.loop();
      blocks.occupied(code, walk);
      code.tee(used).op(I32.popcnt).get(visited).op(I32.add).set(visited);
      if (deletes) code.i32(0).set(chosen);
      code.get(used).ifThen(() => {
        const slots = code.loop();
        visitEntry();
        code.get(used).brIf(slots).end(slots);
        if (deletes) dropChosen();
      });
      blocks.link(code, walk);
      code.set(block).i32(0).set(first).get(block).brIf(chain).end(chain);
    };

    const buckets = code.loop();
    if (host.shared) {
      code
        .get(m)
        .get(run)
        .call(lock)
        .tee(bucket)
        .op(I32.eqz)
        .ifThen(() => code.return());
      code.i32(0).set(visited);
      visitBucket();
      // Before the end of the operation, which takes it back when that fails.
      note();
      code.get(m).get(run).call(unlock).brIf(buckets);
    } else {
      code
        .get(run)
        .get(done)
        .i32(Math.log2(PLANNED))
        .op(I32.shl)
        .op(I32.add)
        .load(I32.load, PLAN)
        .set(bucket);
      visitBucket();
      code.get(done).i32(1).op(I32.add).tee(done).get(planned).op(I32.lt_u).brIf(buckets);
    }
    code.end(buckets);
    if (!host.shared) {
      note();
      end();
    }
  });
  return module.finish();
}

/** What the module imports. */
export function scannerImports({ core, shared }: Host): Record<string, WebAssembly.ImportValue> {
  const { programDrop, programStop } = core;
  if (!shared) return { programDrop, programStop };
  const { programLock, programUnlock } = core as SharedExports;
  return { programDrop, programStop, programLock, programUnlock };
}
