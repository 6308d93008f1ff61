/**
 * How much a suite does: `npm test` the small part of it, `npm run test:all` everything. A file that asks for a size runs
 * in both (vitest.all.config.ts finds it by its import of this module).
 */

/** Whether everything is asked for: `TEST_SIZE=full`. */
export function isFull(): boolean {
  const given = process.env.TEST_SIZE ?? "small";
  if (given !== "small" && given !== "full") {
    throw new RangeError(`TEST_SIZE is ${JSON.stringify(given)}, expected small or full`);
  }
  return given === "full";
}

/** The one of two sizes that is asked for. */
export const sized = <T>(small: T, full: T): T => (isFull() ? full : small);

/**
 * Of a list of cases all, or every `step`-th for the small size: the first, and as many as it takes to come to the end.
 * Which ones they are is always the same.
 */
export function sizedCases<T>(step: number, cases: readonly T[]): T[] {
  return cases.filter((_, i) => isFull() || i % step === 0);
}
