/** Makes a failing sequence of operations small enough to read. */

import { fromHex } from "./bytes.ts";
import { ReplayDivergence } from "./divergence.ts";
import { ReferenceMap } from "./model.ts";
import { decodeOperations, type Operation } from "./operations.ts";
import { type ReplayOptions, type ReplaySummary, replay } from "./replay.ts";
import type { Subject } from "./subject.ts";

/**
 * Opens a new, empty map, the same every time: on a host of its own with a fixed seed, and of a map whose entries expire with a clock that
 * stands still.
 */
export type OpenSubject = () => Subject;

/** How many operations are replayed to make a failing sequence smaller: some ten seconds. A new map counts as 1000. */
const EFFORT = 1_000_000;
const OPENING = 1000;

function attempt(
  operations: Iterable<Operation>,
  open: OpenSubject,
  options: ReplayOptions,
): ReplaySummary | ReplayDivergence {
  const subject = open();
  try {
    return replay(operations, subject, new ReferenceMap(subject), options);
  } catch (error) {
    // The host of a map that broke may be broken too, so it is left to the garbage collector.
    if (error instanceof ReplayDivergence) return error;
    throw error;
  }
}

/**
 * Drops operations as long as what is left still diverges, in any way: first halves, then quarters, down to single ones.
 * This is the `ddmin` of Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input" (IEEE TSE 28(2), 2002),
 * with complements only.
 */
function shrink(divergence: ReplayDivergence, open: OpenSubject, options: ReplayOptions): ReplayDivergence {
  let smallest = divergence;
  let operations = decodeOperations(fromHex(divergence.encoding));
  let effort = 0;
  let chunk = operations.length >> 1;
  while (chunk >= 1 && effort < EFFORT) {
    let dropped = false;
    for (let start = operations.length; start > 0 && effort < EFFORT; start -= chunk) {
      const rest = [...operations.slice(0, Math.max(start - chunk, 0)), ...operations.slice(start)];
      const outcome = attempt(rest, open, options);
      const diverged = outcome instanceof ReplayDivergence;
      effort += OPENING + (diverged ? outcome.step : rest.length);
      if (!diverged) continue;
      smallest = outcome;
      operations = decodeOperations(fromHex(outcome.encoding)); // ends at the failure, so it may be shorter still
      dropped = true;
      start = Math.min(start, operations.length + chunk);
    }
    if (chunk === 1 && !dropped) break;
    chunk = Math.max(chunk >> 1, 1);
  }
  return smallest;
}

/**
 * {@link replay} on a map of its own. A sequence that diverges is made as small as possible by replaying parts of it on
 * new maps.
 *
 * @throws ReplayDivergence of the shrunk sequence
 * @example
 * ```ts
 * import { createHost } from "bpfmap";
 * import { decodeOperations, openSubject, replayAndShrink } from "bpfmap/testing";
 *
 * // What a fuzzer calls with its bytes:
 * export function fuzz(bytes: Uint8Array): void {
 *   const spec = { type: "rhash", keySize: 4, valueSize: 8, maxEntries: 100 } as const;
 *   replayAndShrink(decodeOperations(bytes), () => openSubject(createHost({ seed: 1 }), spec));
 * }
 * fuzz(Uint8Array.of(0, 7, 1, 0, 216, 0));
 * ```
 */
export function replayAndShrink(
  operations: Iterable<Operation>,
  open: OpenSubject,
  options: ReplayOptions = {},
): ReplaySummary {
  const outcome = attempt(operations, open, options);
  if (outcome instanceof ReplayDivergence) throw shrink(outcome, open, options);
  return outcome;
}
