/** Two short programs on one map, and what must hold whatever the order of their steps. */

import type { Bounds, Explorer, Run } from "../explorer.ts";
import { entriesIn, Model, type Outcome } from "../model.ts";
import { type Event, explain } from "../orders.ts";
import { type Ground, groundOf, type Start, start } from "../start.ts";
import { FIRST, FOURTH, SECOND, THIRD, World } from "../world.ts";
import { contents, endWorld } from "./contents.ts";
import { concatenated, type Operation, outcomesOf } from "./operation.ts";
import { Operations } from "./operations.ts";
import type { Shape } from "./shapes.ts";

/** What a check of a program's own sees of a run. */
export interface Seen {
  readonly ground: Ground;
  /** Of each operation of the first thread. */
  readonly outcomes: readonly (readonly Outcome[])[];
  /** Entries in the end, as text; empty when the map may be gone. */
  readonly after: readonly string[];
}

export interface Program {
  readonly name: string;
  readonly shape: Shape;
  readonly start: Start;
  readonly first: (operations: Operations, ground: Ground) => readonly Operation[];
  readonly second: (operations: Operations, ground: Ground) => readonly Operation[];
  /** Of what no order can explain; instead of comparing what the map has in the end. */
  readonly check?: (seen: Seen) => void;
  /** What a fourth thread has done before it died; nobody has been told of that. */
  readonly dead?: (operations: Operations) => Operation;
  /** The map may be gone afterwards. */
  readonly destroys?: boolean;
}

/** When the parts of an operation happened, and what came out of them. */
function eventsOf(operations: readonly Operation[], run: Run, thread: number, world: World): Event[] {
  let call = 0;
  return operations.flatMap(({ calls, outcomes, parts }) => {
    const results = run.results[thread].subarray(call, call + calls.length);
    const begin = run.spans[thread][call];
    call += calls.length;
    const end = run.spans[thread][call];
    const said = outcomes(results, world).slice(0, parts.length);
    return said.map((outcome, i) => ({ part: parts[i], outcome, begin, end }));
  });
}

/** Explores a program. Throws with the first schedule after which something is wrong. How many schedules there were. */
export function explore(
  explorer: Explorer,
  module: WebAssembly.Module,
  program: Program,
  bounds: Bounds,
): number {
  const { shape, dead } = program;
  const world = dead ? new World(module, FOURTH + 1) : new World(module);
  const table = world.createMap(shape);
  const before = new Model(shape);
  start(world, table, before, program.start);
  const ground = groundOf(module, world, table, before, program.start);
  if (dead) world.run(FOURTH, dead(new Operations(world, FOURTH, table, shape)).calls);
  const operations: [readonly Operation[], readonly Operation[]] = [
    program.first(new Operations(world, FIRST, table, shape), ground),
    program.second(new Operations(world, SECOND, table, shape), ground),
  ];
  const [first, second] = operations.map((list) => concatenated(list.map(({ calls }) => calls)));
  explorer.load(world, first, second);
  return explorer.explore(bounds, (run) => {
    const events = operations.map((list, thread) => eventsOf(list, run, thread, world));
    const states = explain(events, before);
    const said = () =>
      events
        .map(
          (list, i) =>
            `\n  ${"AB"[i]}: ${operations[i].map(({ name }) => name)}: ${list.map(({ outcome }) => outcome)}`,
        )
        .join("");
    if (states.size === 0) throw new Error(`no order of the operations explains ${said()}`);
    const outcomes = outcomesOf(operations[0], run.results[0], world);
    const after = program.destroys
      ? []
      : entriesIn(contents(world, THIRD, table, shape, before.entries.keys()));
    program.check?.({ ground, outcomes, after });
    if (!program.destroys && !program.check && ![...states.values()].some((state) => state.allows(after))) {
      const expected = [...states.keys()].join(" or ");
      throw new Error(`afterwards the map has ${after.join(" ")}, not ${expected} ${said()}`);
    }
    endWorld(world);
  });
}
