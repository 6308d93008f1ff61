/**
 * Programmable batches: a filter over all entries of a map, and a dumper over those that it deletes.
 *
 * As the slides of the batch API draw it (LPC 2019): the filter sees every entry; what it wants deleted is unlinked; after a grace
 * period, when no reader can hold an address of it any more, the dumper sees it; then it is freed.
 *
 * @module
 */

import { checkPlainFunction } from "../arguments/functions.ts";
import { checkInteger } from "../arguments/integer.ts";
import { checkKnown } from "../arguments/known.ts";
import { describe } from "../arguments/mismatch.ts";
import type { Entry } from "../entries/entry.ts";
import { bpfError, ERRNO } from "../errors.ts";
import type { EntryMap } from "../maps/base/entry_map.ts";
import { subjectOf } from "../ops/failure.ts";
import { Program } from "../programs/program.ts";
import { Budget, type ProcessBudget } from "./budget.ts";
import { type ProcessCursor, takeCursor } from "./cursor.ts";
import { Run } from "./run.ts";

// Types of methods: what is a map of numbers is then a map of unknown values, too, as with `forEach`.
/** Decides about an entry: `ACT_KEEP`, or `ACT_DELETE` and `ACT_STOP`, or both of these (`ACT_DELETE | ACT_STOP`). */
export type Filter<K, V> = { filter(entry: Entry<K, V>): number }["filter"];

/** Sees an entry that was deleted. */
export type Dumper<K, V> = { dumper(entry: Entry<K, V>): void }["dumper"];

/** Options of {@link HashMap.process}. */
export interface ProcessOptions<K, V> {
  /** Called for every entry, or a compiled program. It gets one entry object that is used again: take copies. */
  readonly filter: Filter<K, V> | Program<K, V>;
  /** Called for every entry that the filter had deleted, when nobody else can have its address any more. */
  readonly dumper?: Dumper<K, V> | Program<K, V> | undefined;
  /**
   * How many deleted entries may wait for their grace period and the dumper; then these come before the filter goes on. A compiled
   * filter may go beyond it by a few buckets. Default: the dumper comes when the filter has seen everything.
   */
  readonly size?: number | undefined;
  /** Ends the run early; its result then has a cursor. Default: none, the whole map. */
  readonly budget?: ProcessBudget | undefined;
  /** Where an earlier run with a budget ended. Default: the start. */
  readonly cursor?: ProcessCursor | undefined;
}

/** Result of {@link HashMap.process}. */
export interface ProcessResult {
  /** Entries that the filter has seen. */
  readonly visited: number;
  /** Entries that were deleted. */
  readonly deleted: number;
  /** Whether the filter ended the run by `ACT_STOP`. */
  readonly stopped: boolean;
  /** Only of a run with a budget or a cursor, and only when it did not come to the end: where to go on. */
  readonly cursor?: ProcessCursor;
}

function checkProgram<K, V>(map: EntryMap<K, V>, what: string, program: unknown): void {
  if (!(program instanceof Program)) checkPlainFunction(what, program);
  else program.checkMap(map, what);
}

/** {@link HashMap.process}. */
export function processMap<K, V>(map: EntryMap<K, V>, options: ProcessOptions<K, V>): ProcessResult {
  if (map.reading === 0 || map.writing === 0) map.refuse("process");
  const subject = subjectOf(map);
  const what = `process: ${subject}`;
  if (typeof options !== "object" || options === null) {
    throw new TypeError(
      `${what}: expected { filter, dumper, size, budget, cursor }, got ${describe(options)}`,
    );
  }
  checkKnown(what, options, ["filter", "dumper", "size", "budget", "cursor"]);
  const { filter, dumper, size, budget, cursor: given } = options;
  checkProgram(map, `${what}: filter`, filter);
  if (dumper !== undefined) checkProgram(map, `${what}: dumper`, dumper);
  if (size !== undefined) checkInteger(`${what}: size`, size, 1, 2 ** 31);
  const cursor = given === undefined ? undefined : takeCursor(`${what}: cursor`, given, map.table.keySize);
  const limits = new Budget(`${what}: budget`, budget);
  // A getter of the options may have closed it.
  if (map.reading === 0 || map.writing === 0) map.refuse("process");
  if (map.frozen) map.fail("process", ERRNO.EPERM);
  if (map.host.shared && dumper !== undefined && map.host.tables.sections > 0) {
    const cause =
      "is processed in a section of this thread, whose end the grace period before the dumper would wait for";
    throw bpfError(ERRNO.EDEADLK, "process", subject, cause, "call it outside, or without a dumper");
  }
  const resumable = budget !== undefined || cursor !== undefined;
  const run = new Run(map, {
    filter,
    dumper,
    size: size ?? Number.POSITIVE_INFINITY,
    budget: limits,
    resumable,
    cursor,
  });
  return run.toEnd();
}
