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
import { bpfError, ERRNO } from "../errors.ts";
import { subjectOf } from "../ops/failure.ts";
import type { EntryHandle } from "../ops/handle.ts";
import { isProgram, type Runnable } from "../programs/runnable.ts";
import { Budget } from "./budget.ts";
import { takeCursor } from "./cursor.ts";
import type { ProcessOptions, ProcessResult } from "./process_types.ts";
import { Run } from "./run.ts";

function checkProgram<K, V>(
  map: EntryHandle<K, V>,
  what: string,
  program: ((...given: never) => unknown) | Runnable,
): void {
  if (!isProgram(program)) checkPlainFunction(what, program);
  else program.checkMap(map, what);
}

/** {@link HashMap.process}. */
export function processMap<K, V>(map: EntryHandle<K, V>, options: ProcessOptions<K, V>): ProcessResult {
  if (map.reading === 0 || map.writing === 0) map.refuse("process");
  const subject = subjectOf(map);
  if (map.table.texts) {
    const cause = "has keys of any length, which a run does not read";
    throw bpfError(ERRNO.EOPNOTSUPP, "process", subject, cause, "use entries(), or drain()");
  }
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
  if (map.host.shared && dumper !== undefined && map.host.registry.sections > 0) {
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
