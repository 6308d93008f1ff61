/**
 * How objects of this package print: what `console.log` of Node, Deno and Bun asks for, and chai with it.
 *
 * @module
 */
import { describe } from "../arguments/mismatch.ts";

/** The method that `console.log` and `util.inspect` call. */
export const INSPECT: unique symbol = Symbol.for("nodejs.util.inspect.custom") as never;

/** `util.inspect`, as it hands itself to the method; so this runs where there is no node:util. */
export type Inspect = (value: unknown, options: object) => string;

/** Entries that are printed. */
export const MOST_PRINTED = 10;
/** Characters of a rule, or of a layout. */
const MOST_CHARACTERS = 200;
/** Longest line that all of it may stand on. */
const LINE = 72;

/** One part of an entry on one line. */
const ONE_LINE = {
  compact: true,
  breakLength: Number.POSITIVE_INFINITY,
  maxArrayLength: 8,
  maxStringLength: 100,
};

/** A key or a value on one line; with a `depth` of -1, an object is its name only. */
export function printPart(value: unknown, options: object, inspect: Inspect | undefined, depth = 2): string {
  return inspect === undefined ? describe(value) : inspect(value, { ...options, ...ONE_LINE, depth });
}

/**
 * The first entries, each on a line.
 *
 * @param depth see {@link printPart}; of the values
 */
export function printEntries(
  entries: Iterable<readonly [unknown, unknown]>,
  options: object,
  inspect: Inspect | undefined,
  depth?: number,
): string[] {
  const printed: string[] = [];
  try {
    for (const [key, value] of entries) {
      printed.push(`${printPart(key, options, inspect)} => ${printPart(value, options, inspect, depth)}`);
      if (printed.length === MOST_PRINTED) break;
    }
  } catch (error) {
    // Bytes that mean nothing to the codec, or a lock that could not be had: printing does not throw.
    printed.push(`<${error instanceof Error ? error.message : String(error)}>`);
  }
  return printed;
}

/** A text that may be as long as a program is large. */
export function cut(text: string): string {
  return text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS)}...`;
}

/** `HEAD { a, b }`, on as many lines as it takes. */
export function printList(head: string, parts: readonly string[], more: number): string {
  const all = more > 0 ? [...parts, `... ${more} more`] : parts;
  if (all.length === 0) return `${head} {}`;
  const line = `${head} { ${all.join(", ")} }`;
  return line.length <= LINE ? line : `${head} {\n  ${all.join(",\n  ")}\n}`;
}

/** Has a layout print as its name and size, and not as all that it is made of. */
export function printedByName<C extends { readonly name: string; readonly size: number }>(codec: C): C {
  return Object.defineProperty(codec, INSPECT, { value: () => `${cut(codec.name)} (${codec.size} bytes)` });
}
