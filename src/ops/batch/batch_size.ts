/**
 * How many entries a batch has.
 *
 * @module
 */
import { checkInteger } from "../../arguments/integer.ts";
import { checkKnown } from "../../arguments/known.ts";
import { describe } from "../../arguments/mismatch.ts";
import { subjectOf } from "../failure.ts";
import type { MapHandle } from "../handle.ts";

/** Options of {@link EntryMap.batches}. */
export interface BatchOptions {
  /** Entries per batch. */
  readonly size?: number | undefined;
}

/** More is never faster, and counts are 32 bits in the kernel's struct. */
const CAPACITY_MAX = 2 ** 31;
const DEFAULT_BYTES = 65536;
const DEFAULT_ENTRIES_MAX = 4096;

/** The size that options ask for. */
export function batchSizeOf(
  operation: "batches" | "drain",
  map: MapHandle<unknown, unknown>,
  options: BatchOptions,
): number {
  const what = `${operation}: ${subjectOf(map)}`;
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`${what}: expected options { size }, got ${describe(options)}`);
  }
  checkKnown(what, options, ["size"]);
  const { size = defaultBatchSize(map) } = options;
  checkBatchSize(`${what}: size`, size);
  return size;
}

export function checkBatchSize(what: string, size: unknown): void {
  checkInteger(what, size, 1, CAPACITY_MAX);
}

/** As many entries as fit 64 KiB: beyond that, a larger batch saves nothing. */
function defaultBatchSize(map: MapHandle<unknown, unknown>): number {
  const { keySize, valueBytes } = map.table;
  return Math.max(1, Math.min(DEFAULT_ENTRIES_MAX, Math.floor(DEFAULT_BYTES / (keySize + valueBytes))));
}
