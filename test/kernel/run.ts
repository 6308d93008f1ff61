/** Runs a comparison of many steps; one that fails is made as small as possible. */

import { Mismatch } from "../../src/testing/divergence.ts";
import { Random } from "../../src/testing/index.ts";
import { Differential } from "./differential.ts";
import { Generator } from "./generator.ts";
import { type Operation, showOperation } from "./operations.ts";
import type { Syscalls } from "./syscalls.ts";

/** Both sides, new: the reference first. */
export interface Pair {
  readonly reference: Syscalls;
  readonly subject: Syscalls;
}

export interface RunOptions {
  readonly open: () => Pair;
  readonly cpus: number;
  readonly seed: number;
  readonly steps: number;
  /** called with the steps done so far, after each sequence */
  readonly progress?: (steps: number) => void;
}

/** Each sequence starts with no maps, on a new host. */
const SEQUENCE_STEPS = 5000;
/** Operations replayed to make a sequence smaller. */
const SHRINK_EFFORT = 400_000;
const ATTEMPTS = 3;

interface Failure {
  readonly operations: readonly Operation[];
  readonly error: unknown;
}

/** Replays; gives the failure with the operations up to it, or nothing. */
function attempt(operations: readonly Operation[], options: RunOptions): Failure | undefined {
  const { reference, subject } = options.open();
  const differential = new Differential(reference, subject, options.cpus);
  let step = 0;
  try {
    for (; step < operations.length; step++) differential.step(operations[step]!);
    differential.finish();
  } catch (error) {
    differential.closeAll();
    return { operations: operations.slice(0, step + 1), error };
  }
  return undefined;
}

/** ddmin with complements, as `replayAndShrink` of the test kit. */
function shrink(failure: Failure, options: RunOptions): Failure {
  let smallest = failure;
  let effort = 0;
  for (let chunk = smallest.operations.length >> 1; chunk >= 1 && effort < SHRINK_EFFORT; ) {
    let dropped = false;
    for (let end = smallest.operations.length; end > 0 && effort < SHRINK_EFFORT; end -= chunk) {
      const { operations } = smallest;
      const rest = [...operations.slice(0, Math.max(end - chunk, 0)), ...operations.slice(end)];
      effort += rest.length + 100;
      let outcome: Failure | undefined;
      // The order of the kernel's entries is another one each time, and may decide whether a difference shows.
      for (let i = 0; i < ATTEMPTS && outcome === undefined; i++) outcome = attempt(rest, options);
      if (outcome === undefined) continue;
      smallest = outcome;
      dropped = true;
      end = Math.min(end, outcome.operations.length + chunk);
    }
    if (chunk === 1 && !dropped) break;
    chunk = Math.max(chunk >> 1, 1);
  }
  return smallest;
}

function report(failure: Failure, shrunk: Failure, options: RunOptions, sequence: number): Error {
  const { error } = shrunk;
  const [expected, got] =
    error instanceof Mismatch ? [error.expected, error.got] : ["no crash", String(error)];
  const { reference, subject } = options.open();
  return new Error(
    `step ${failure.operations.length - 1} of sequence ${sequence}: ${subject.name} differs from ${reference.name}; TEST_SEED=${options.seed}\n` +
      `  expected ${expected}\n  got ${got}\n  the ${shrunk.operations.length} operations that lead there:\n` +
      shrunk.operations.map((operation, i) => `  ${i} ${showOperation(operation)}`).join("\n"),
    { cause: error },
  );
}

/** Compares `steps` random steps. Throws an Error with the shrunk sequence at the first difference. */
export function compareSides(options: RunOptions): void {
  const random = new Random(options.seed);
  let done = 0;
  for (let sequence = 0; done < options.steps; sequence++) {
    const { reference, subject } = options.open();
    const differential = new Differential(reference, subject, options.cpus);
    const generator = new Generator(new Random(random.next()), differential.world, options.cpus);
    const operations: Operation[] = [];
    try {
      const length = Math.min(SEQUENCE_STEPS, options.steps - done);
      for (let i = 0; i < length; i++) {
        const operation = generator.next();
        operations.push(operation);
        differential.step(operation);
      }
      differential.finish();
    } catch (error) {
      differential.closeAll();
      const failure = { operations, error };
      throw report(failure, shrink(failure, options), options, sequence);
    }
    done += operations.length;
    options.progress?.(done);
  }
}
