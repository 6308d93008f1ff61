/**
 * The errors of `encode` and `decode`: `PATH: expected WHAT, got WHAT`.
 *
 * A codec knows what it expected but not where in the key or value it stands. Passing a path down would make every
 * call build strings that only a failure needs; so each struct and array puts its own step before the path of an error
 * that passes through it, by {@link within}.
 *
 * @module
 */

interface Mismatch {
  readonly path: string;
  readonly problem: string;
}

/** Which errors are ours: one that a getter of the user's object threw must pass through unchanged. */
const mismatches = new WeakMap<object, Mismatch>();

function make(Kind: typeof TypeError | typeof RangeError, path: string, problem: string): Error {
  const error = new Kind(path === "" ? problem : `${path}: ${problem}`);
  mismatches.set(error, { path, problem });
  return error;
}

/** The value has a JavaScript type that the layout does not hold. */
export function wrongType(expected: string, got: string): Error {
  return make(TypeError, "", `expected ${expected}, got ${got}`);
}

/** The value has the right type, but the layout has no room for it. */
export function outOfRange(expected: string, got: string): Error {
  return make(RangeError, "", `expected ${expected}, got ${got}`);
}

/** Whether an error says that a layout has no room for a value of the right type. */
export function isOutOfRange(error: unknown): boolean {
  return error instanceof RangeError && mismatches.has(error);
}

/**
 * The error to throw on in place of `error`: the same with `step` before its path. A new one, since engines copy the
 * message into `stack` when an error is made.
 *
 * @param step - `.port` or `[3]`; a map says `key` or `value`.
 */
export function within(step: string, error: unknown): unknown {
  const inner = mismatches.get(error as object);
  if (inner === undefined) return error;
  return make(error instanceof RangeError ? RangeError : TypeError, step + inner.path, inner.problem);
}

/** Characters of a user's value that a message repeats. */
const QUOTE_MAX = 40;

const shorten = (text: string): string => (text.length > QUOTE_MAX ? `${text.slice(0, QUOTE_MAX)}...` : text);

/** A value in the words of an error message: `number 5`, `string "80"`, `Array of 3`, `null`. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case "string":
      return `string ${JSON.stringify(shorten(value))}`;
    case "bigint":
      return `bigint ${shorten(`${value}n`)}`;
    case "number":
    case "boolean":
      return `${typeof value} ${value}`;
    case "object": {
      if (value === null) return "null";
      const kind = Object.prototype.toString.call(value).slice("[object ".length, -1);
      return "length" in value && typeof value.length === "number" ? `${kind} of ${value.length}` : kind;
    }
    default:
      return typeof value;
  }
}
