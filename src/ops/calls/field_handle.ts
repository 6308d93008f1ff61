/**
 * A map as its fields see it.
 *
 * @module
 */
import type { Operation } from "../../errors.ts";
import type { EntryHandle } from "../handle.ts";
import type { Counter, Counters } from "./counter.ts";
import type { Part } from "./part.ts";

/** A map whose values have fields to read, write and count in. */
export interface FieldHandle<K> extends EntryHandle<K, unknown> {
  readonly counters: Counters;
  /** A part of the value of a key; undefined when it is absent. */
  getPart(key: K, part: Part): unknown;
  /** Writes a number that fits, or else what is in the scratch, to a part of the value of a key: whether it was there. */
  setPart(key: K, part: Part, fits: boolean, x: unknown): boolean;
  /** Adds to one integer of the value of a key; the new count. */
  count(operation: Operation, key: K, counter: Counter, delta: unknown): unknown;
}
