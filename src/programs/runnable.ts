/**
 * What runs know of a program. That it was compiled is no concern of theirs: a bundle without {@link program} has no compiler.
 *
 * @module
 */
import type { MapHandle } from "../ops/handle.ts";
import type { Evaluate } from "./evaluate/evaluate.ts";
import type { Scanner } from "./scan/scanner.ts";

export abstract class Runnable {
  /** @internal Decides about one entry, and adds to the counters. */
  abstract get evaluate(): Evaluate;

  /** @internal The loops over a table; undefined when the program runs as JavaScript. */
  abstract get scanner(): Scanner | undefined;

  /** @internal Throws when it is closed. */
  abstract check(): void;

  /** @internal Throws for another map than its own. */
  abstract checkMap(map: MapHandle<unknown, unknown>, what: string): void;
}
