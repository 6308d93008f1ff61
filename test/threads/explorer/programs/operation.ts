/**
 * An operation as data: the calls of the core that make it, what came out of them, and what should have. All that the calls need lies in
 * the memory before they start, so the same operation can run again in a memory that was set back.
 */
import type { Argument, Call } from "../calls.mjs";
import type { Model, Outcome } from "../model.ts";
import type { World } from "../world.ts";

/** One change that others see at once, on the model: what it gives. */
export type Part = (model: Model) => Outcome;

export interface Operation {
  readonly name: string;
  readonly calls: readonly Call[];
  /** What came out of each part, as far as it got. */
  readonly outcomes: (results: ArrayLike<number>, world: World) => Outcome[];
  readonly parts: readonly Part[];
  /** In place of parts: it removes what it finds, in an order of its own. */
  readonly removesAll?: boolean;
}

/** Lists of calls one behind the other; what refers to results of its own list still does. */
export function concatenated(lists: readonly (readonly Call[])[]): Call[] {
  const calls: Call[] = [];
  for (const list of lists) {
    const before = calls.length;
    const moved = (argument: Argument) =>
      typeof argument === "number" ? argument : { ...argument, resultOf: argument.resultOf + before };
    calls.push(...list.map(({ name, args }) => ({ name, args: args.map(moved) })));
  }
  return calls;
}

/** What came out of each of some operations whose calls were made one behind the other. */
export function outcomesOf(
  operations: readonly Operation[],
  results: ArrayLike<number>,
  world: World,
): Outcome[][] {
  let call = 0;
  return operations.map(({ calls, outcomes }) => {
    const own = Array.from(calls, (_, i) => results[call + i]);
    call += calls.length;
    return outcomes(own, world);
  });
}
