/**
 * Whether some order of operations, one after the other, explains what two threads saw: it keeps the order within each thread and that of
 * operations which did not overlap, and a map for one thread would have given the same (linearizability: Herlihy and Wing 1990).
 */
import type { Model, Outcome } from "./model.ts";
import type { Part } from "./programs/operation.ts";

/** A change that an operation has made at some time between its begin and its end. */
export interface Event {
  readonly part: Part;
  readonly outcome: Outcome;
  readonly begin: number;
  readonly end: number;
}

/** The states of the map that orders lead to which explain all outcomes, by their texts; none when no order does. */
export function explain(threads: readonly (readonly Event[])[], before: Model): Map<string, Model> {
  const states = new Map<string, Model>();
  const visit = (model: Model, next: readonly number[]) => {
    if (next.every((index, thread) => index === threads[thread].length))
      states.set(`${model} ${model.evicted} ${model.newest}`, model);
    for (const [thread, index] of next.entries()) {
      const event = threads[thread][index];
      if (!event) continue;
      const isFirst = threads.every((others, other) => {
        const waiting = others[next[other]];
        return !waiting || waiting.end >= event.begin;
      });
      if (!isFirst) continue;
      const after = next.map((old, i) => (i === thread ? old + 1 : old));
      const copy = model.clone();
      if (event.part(copy) === event.outcome) visit(copy, after);
      else {
        for (const other of model.withoutOne()) {
          if (event.part(other) === event.outcome) visit(other, after);
        }
      }
    }
  };
  visit(
    before,
    threads.map(() => 0),
  );
  return states;
}
