/**
 * The loop of a compiled program over buckets:
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

import { ACT_DELETE, ACT_STOP } from "../../constants.ts";
import { GRANULE, RUN_BUCKETS_DONE, RUN_PLAN, RUN_PLANNED, RUN_VISITED } from "../../generated/abi.js";
import { type CodeWriter, I32, type Local, TYPE_I32 } from "../wasm/index.ts";
import type { LoopParts } from "./loop_parts.ts";
import { blockWriter } from "./table_blocks.ts";

export function writeBucketLoop(
  code: CodeWriter,
  [m, run, planned]: readonly Local[],
  { host, table, filter, calls }: LoopParts,
): void {
  const { shared } = host;
  const blocks = blockWriter(host, table);
  const deletes = (filter.actions & ACT_DELETE) !== 0;
  const stops = (filter.actions & ACT_STOP) !== 0;
  const local = () => code.local(TYPE_I32);
  const [bucket, block, first, slot] = [local(), local(), local(), local()];
  const [used, chosen, visited, key, value] = [local(), local(), local(), local(), local()];
  const [done, action, left] = [local(), local(), local()];
  const walk = { block, first, slot };
  /** A chain of more blocks is a circle: assembly/damage.ts. */
  const mostNodes = Math.floor(host.limit / GRANULE);

  /** Adds what was visited to the record. */
  const note = () => {
    code.get(run).get(run).load(I32.load, RUN_VISITED).get(visited).op(I32.add).store(I32.store, RUN_VISITED);
  };
  const dropChosen = () => {
    code.get(chosen).ifThen(() => code.get(m).get(run).get(block).get(first).get(chosen).call(calls.drop));
  };
  /** Notes the slot if the bit on the stack is set. */
  const choose = () => code.get(slot).op(I32.shl).get(chosen).op(I32.or).set(chosen);
  /** Ends the run at the current entry. */
  const stopHere = () => {
    code.get(visited).get(used).op(I32.popcnt).op(I32.sub).set(visited);
    note();
    // First: it writes down what the program has seen in this bucket, while it is still there.
    code.get(m).get(run).get(bucket).get(block).get(slot).call(calls.stop);
    if (deletes) dropChosen();
    if (shared) code.get(m).get(run).call(calls.unlock).drop();
    else code.get(run).get(done).store(I32.store, RUN_BUCKETS_DONE);
    code.return();
  };
  const visitEntry = () => {
    code.get(used).op(I32.ctz).set(slot);
    code.get(used).get(used).i32(1).op(I32.sub).op(I32.and).set(used);
    blocks.key(code, walk);
    code.set(key);
    blocks.value(code, walk);
    code.set(value);
    filter.emit(code, key, value);
    if (stops) {
      code.tee(action).ifThen(() => {
        if (deletes) {
          code.get(action).i32(ACT_DELETE).op(I32.and);
          choose();
        }
        code.get(action).i32(ACT_STOP).op(I32.and).ifThen(stopHere);
      });
    } else if (deletes)
      choose(); // no branch on the action, 0 or 1: nothing could predict which
    else code.drop();
  };
  const visitBucket = () => {
    code.get(bucket).set(block).i32(1).set(first).i32(mostNodes).set(left);
    const chain = code.loop();
    blocks.occupied(code, walk);
    code.tee(used).op(I32.popcnt).get(visited).op(I32.add).set(visited);
    code.get(used).ifThen(() => {
      if (deletes) code.i32(0).set(chosen);
      const slots = code.loop();
      visitEntry();
      code.get(used).brIf(slots).end(slots);
      if (deletes) dropChosen();
    });
    blocks.link(code, walk);
    code
      .set(block)
      .i32(0)
      .set(first)
      .get(block)
      .ifThen(() => {
        code
          .get(left)
          .i32(1)
          .op(I32.sub)
          .tee(left)
          .op(I32.eqz)
          .ifThen(() => code.unreachable());
        code.br(chain);
      })
      .end(chain);
  };

  const buckets = code.loop();
  if (shared) {
    code
      .get(m)
      .get(run)
      .call(calls.lock)
      .tee(bucket)
      .op(I32.eqz)
      .ifThen(() => code.return());
    code.i32(0).set(visited);
    visitBucket();
    note(); // before the end of the operation, which takes it back when that fails
    code.get(m).get(run).call(calls.unlock).brIf(buckets).end(buckets);
    return;
  }
  const shift = Math.log2(RUN_PLANNED);
  code.get(run).get(done).i32(shift).op(I32.shl).op(I32.add).load(I32.load, RUN_PLAN).set(bucket);
  visitBucket();
  code.get(done).i32(1).op(I32.add).tee(done).get(planned).op(I32.lt_u).brIf(buckets).end(buckets);
  note();
  code.get(run).get(done).store(I32.store, RUN_BUCKETS_DONE);
}
