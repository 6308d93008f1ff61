/**
 * Functions of the caller's that are called back, and must be done when they return.
 *
 * @module
 */
import { describe } from "./mismatch.ts";

/** Throws for a function that would go on after it has returned. */
export function checkPlainFunction(what: string, fn: unknown, outlived = "section"): void {
  if (typeof fn !== "function") throw new TypeError(`${what}: expected a function, got ${describe(fn)}`);
  if (Object.prototype.toString.call(fn) !== "[object Function]") {
    throw new TypeError(
      `${what}: expected a plain function: an async function or a generator outlives the ${outlived}`,
    );
  }
}

/** Throws for a result that is a promise. */
export function checkNoPromise(what: string, result: unknown, outlived = "section"): void {
  if (typeof (result as { then?: unknown } | null | undefined)?.then === "function") {
    throw new TypeError(`${what}: the function returned a promise, which outlives the ${outlived}`);
  }
}
