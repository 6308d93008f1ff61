/**
 * What runs know of a program. That it was compiled is no concern of theirs: a bundle without {@link program} has no compiler.
 *
 * @module
 */
import type { MapHandle } from "../ops/handle.ts";
import type { Evaluate } from "./evaluate/evaluate.ts";
import type { Scanner } from "./scan/scanner.ts";

/** Only programs have it. */
export const RUNNABLE = Symbol("bpfmap.program");

export interface Runnable {
  readonly [RUNNABLE]: true;
  /** Decides about one entry, and adds to the counters. */
  readonly evaluate: Evaluate;
  /** The loops over a table; undefined when the program runs as JavaScript. */
  readonly scanner: Scanner | undefined;
  /** Throws when it is closed. */
  check(): void;
  /** Throws for another map than its own. */
  checkMap(map: MapHandle<unknown, unknown>, what: string): void;
}

/** Whether what a caller gave as a filter or dumper is a program. */
export function isProgram<T>(given: T): given is Extract<T, Runnable> {
  return typeof given === "object" && given !== null && RUNNABLE in given;
}
