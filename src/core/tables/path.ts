/**
 * Paths of pins. A shared memory holds them as UTF-8, which has no form for half of a surrogate pair: encoders write U+FFFD, so two paths
 * with different halves would be one.
 *
 * @module
 */
import { describe } from "../../arguments/mismatch.ts";

/** Whether a text can be written as UTF-8 and read back. */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

/** Throws for what is no path. `what` names the call and the argument. */
export function checkPath(what: string, path: unknown): asserts path is string {
  if (typeof path !== "string" || path === "") {
    throw new TypeError(`${what}: expected a non-empty string, got ${describe(path)}`);
  }
  if (!isWellFormed(path)) {
    throw new TypeError(`${what}: expected text without lone surrogates, got ${describe(path)}`);
  }
}
