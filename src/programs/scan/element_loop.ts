/**
 * The loop of a compiled program over elements, where entries are out of line: in the order of memory, without their buckets.
 *
 * ```
 * for each run of elements of the plan:
 *   for each element that is live:
 *     action = filter(key, value)
 *     if action is to delete: write a row
 *     if action is to stop: end
 * programUnlinkRows: takes the rows' entries out of their buckets
 * ```
 *
 * @module
 */

import { ACT_DELETE, ACT_STOP } from "../../constants.ts";
import {
  ELEMENT_KEY,
  ELEMENT_LIVE,
  ROW_BYTES,
  RUN_BEHIND,
  RUN_BUCKETS_DONE,
  RUN_NEXT,
  RUN_PLAN,
  RUN_PLANNED,
  RUN_ROWS,
  RUN_STOPPED_AT,
  RUN_VISITED,
} from "../../generated/abi.js";
import { type CodeWriter, I32, type Local, TYPE_I32 } from "../wasm/index.ts";
import type { LoopParts } from "./loop_parts.ts";
import { elementSizes } from "./table_blocks.ts";

export function writeElementLoop(
  code: CodeWriter,
  [m, run, planned]: readonly Local[],
  { host, table, filter, calls }: LoopParts,
): void {
  const { stride, valueOffset } = elementSizes(host, table);
  const deletes = (filter.actions & ACT_DELETE) !== 0;
  const stops = (filter.actions & ACT_STOP) !== 0;
  const local = () => code.local(TYPE_I32);
  const [element, index, end, plan, done] = [local(), local(), local(), local(), local()];
  const [key, value, action, row, visited] = [local(), local(), local(), local(), local()];

  /** Writes a row for the current entry, which counts if the bit on the stack is set. */
  const choose = () => {
    code.i32(Math.log2(ROW_BYTES)).op(I32.shl);
    code.get(row).get(key).store(I32.store).get(row).get(value).store(I32.store, 4);
    code.get(row).op(I32.add).set(row);
  };
  const finish = () => {
    code.get(run).get(run).load(I32.load, RUN_VISITED).get(visited).op(I32.add).store(I32.store, RUN_VISITED);
    code.get(run).get(done).store(I32.store, RUN_BUCKETS_DONE);
    if (!deletes) return;
    code.get(m).get(run).get(row).get(run).load(I32.load, RUN_ROWS).op(I32.sub);
    code.i32(Math.log2(ROW_BYTES)).op(I32.shr_u).call(calls.unlinkRows);
  };
  const visitElement = () => {
    code.get(visited).i32(1).op(I32.add).set(visited);
    code.get(element).i32(ELEMENT_KEY).op(I32.add).set(key);
    code.get(element).i32(valueOffset).op(I32.add).set(value);
    filter.emit(code, key, value);
    if (stops) {
      code.tee(action).ifThen(() => {
        if (deletes) {
          code.get(action).i32(ACT_DELETE).op(I32.and);
          choose();
        }
        code
          .get(action)
          .i32(ACT_STOP)
          .op(I32.and)
          .ifThen(() => {
            code.get(run).get(element).store(I32.store, RUN_STOPPED_AT);
            finish();
            code.return();
          });
      });
    } else if (deletes) choose();
    else code.drop();
  };

  code
    .get(run)
    .load(I32.load, RUN_NEXT)
    .set(index)
    .get(run)
    .set(plan)
    .get(run)
    .load(I32.load, RUN_ROWS)
    .set(row);
  const runs = code.loop();
  code
    .get(plan)
    .load(I32.load, RUN_PLAN)
    .set(element)
    .get(plan)
    .load(I32.load, RUN_PLAN + RUN_BEHIND)
    .set(end);
  const elements = code.loop();
  code.get(element).load(I32.load).i32(ELEMENT_LIVE).op(I32.eq).ifThen(visitElement);
  code.get(element).i32(stride).op(I32.add).set(element);
  code.get(index).i32(1).op(I32.add).tee(index).get(end).op(I32.lt_u).brIf(elements).end(elements);
  code.get(plan).i32(RUN_PLANNED).op(I32.add).set(plan);
  code.get(done).i32(1).op(I32.add).tee(done).get(planned).op(I32.lt_u).brIf(runs).end(runs);
  finish();
}
