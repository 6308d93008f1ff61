/**
 * How much of a map one call may visit.
 *
 * @module
 */

import { checkKnown } from "../arguments/known.ts";
import { describe } from "../arguments/mismatch.ts";
import { MOST_PLANNED } from "../generated/abi.js";

/** A limit of one run, after which it says where to go on. With both, the one that is reached first ends it. */
export interface ProcessBudget {
  /** Entries to visit. The run ends behind the bucket that reaches them: it visits a few more, and at least one bucket. */
  readonly entries?: number | undefined;
  /** Microseconds to take. The run ends behind the bucket in which they are over. */
  readonly microseconds?: number | undefined;
}

/**
 * Milliseconds that a call takes before its first and behind its last bucket, with caches that its buckets have filled: measured 4 us
 * where all is in the caches and 10 to 15 us on maps of a million entries. They are part of the time that was given.
 */
const OVERHEAD = 0.015;
/** Fewer entries than a bucket holds on average, so that a plan for what is left does not go far beyond it. */
const ENTRIES_PER_BUCKET = 8;

function checkLimit(what: string, value: unknown): number {
  if (value === undefined) return Number.POSITIVE_INFINITY;
  if (typeof value !== "number") throw new TypeError(`${what}: expected a number, got ${describe(value)}`);
  if (!(value > 0)) throw new RangeError(`${what}: expected more than 0, got ${describe(value)}`);
  return value;
}

export class Budget {
  readonly #entries: number;
  readonly #milliseconds: number;
  readonly #start: number;
  /** Buckets done, to know how long one takes. */
  #buckets = 0;

  /** Throws for anything but a {@link ProcessBudget}; undefined is no limit. */
  constructor(what: string, budget: ProcessBudget | undefined) {
    if (budget !== undefined && (typeof budget !== "object" || budget === null)) {
      throw new TypeError(`${what}: expected { entries } or { microseconds }, got ${describe(budget)}`);
    }
    if (budget !== undefined) checkKnown(what, budget, ["entries", "microseconds"]);
    this.#entries = checkLimit(`${what}.entries`, budget?.entries);
    this.#milliseconds = checkLimit(`${what}.microseconds`, budget?.microseconds) / 1000 - OVERHEAD;
    if (budget !== undefined && this.#entries === Number.POSITIVE_INFINITY && !this.isTimed) {
      throw new TypeError(`${what}: expected { entries } or { microseconds }, got neither`);
    }
    this.#start = this.isTimed ? performance.now() : 0;
  }

  get isTimed(): boolean {
    return this.#milliseconds !== Number.POSITIVE_INFINITY;
  }

  /** Whether it is used up by `visited` entries and the time until now. */
  isSpent(visited: number): boolean {
    if (visited >= this.#entries) return true;
    return this.isTimed && performance.now() - this.#start >= this.#milliseconds;
  }

  /** Counts buckets that are done. */
  pass(buckets: number): void {
    this.#buckets += buckets;
  }

  /** How many buckets may be done before somebody asks again: so few that they do not go far beyond what is left. */
  buckets(visited: number): number {
    let most = MOST_PLANNED;
    const left = this.#entries - visited;
    if (left < MOST_PLANNED * ENTRIES_PER_BUCKET) most = Math.ceil(left / ENTRIES_PER_BUCKET);
    if (this.isTimed) {
      const elapsed = performance.now() - this.#start;
      // Half of what the average says, since the next ones may be slower; one by one when it gets close.
      const perBucket = this.#buckets === 0 ? elapsed : elapsed / this.#buckets;
      const byTime = Math.floor((this.#milliseconds - elapsed) / (2 * perBucket));
      most = Math.min(most, this.#buckets === 0 ? 1 : byTime);
    }
    return Math.max(1, most);
  }
}
