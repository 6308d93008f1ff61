/**
 * How much a suite does: `npm test` the small part of it, `npm run test:all` everything. A file that asks for a size runs in both
 * (vitest.all.config.ts finds it by its import of this module).
 */

/** Whether everything is asked for: `TEST_SIZE=full`. */
function isFull(): boolean {
  const given = process.env.TEST_SIZE ?? "small";
  if (given !== "small" && given !== "full") {
    throw new RangeError(`TEST_SIZE is ${JSON.stringify(given)}, expected small or full`);
  }
  return given === "full";
}

/** The one of two sizes that is asked for. */
export const bySize = <T>(small: T, full: T): T => (isFull() ? full : small);

/** Defines tests that only the full size has. */
export function inFull(define: () => void): void {
  if (isFull()) define();
}
