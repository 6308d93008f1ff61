/**
 * What {@link HashMap.process} takes and gives.
 *
 * @module
 */
import type { Entry } from "../entries/entry.ts";
import type { Program } from "../programs/program.ts";
import type { ProcessBudget } from "./budget.ts";
import type { ProcessCursor } from "./cursor.ts";

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
