import { describe } from "./mismatch.ts";

/** Checks an option that is an integer of a range. */
export function checkInteger(what: string, value: unknown, min: number, max: number): number {
  const expected = `${what}: expected an integer ${min}..${max}, got ${describe(value)}`;
  if (typeof value !== "number") throw new TypeError(expected);
  if (!Number.isInteger(value) || value < min || value > max) throw new RangeError(expected);
  return value;
}
