/**
 * What the expressions of one program have in common while it is built, and how they are told apart from those of others.
 *
 * @module
 */
import { describe } from "../../arguments/mismatch.ts";
import { cut, INSPECT } from "../../print/inspect.ts";

/** Operations of one program. Larger ones would take the generator's recursion too deep, and mostly come of a slip. */
const MOST_OPERATIONS = 4096;

export class Scope {
  /** The map, as messages call it. */
  readonly subject: string;
  /** Bytes of the largest array element that an expression indexes. */
  zeros = 0;
  /** The build function has returned: an expression that was kept makes no further ones. */
  closed = false;
  /** What was made and is part of nothing yet. */
  readonly #loose = new Set<Part>();

  constructor(subject: string) {
    this.subject = subject;
  }

  /** What was passed is of another type than what is meant. */
  wrongType(path: string, problem: string): TypeError {
    return new TypeError(`program: ${this.subject}: ${path}: ${problem}`);
  }

  outOfRange(path: string, problem: string): RangeError {
    return new RangeError(`program: ${this.subject}: ${path}: ${problem}`);
  }

  /** Notes a part that has to become part of the program. */
  made<P extends Part>(part: P): P {
    this.#loose.add(part);
    return part;
  }

  /** Notes that a part has become part of another one, or of the program. */
  use(part: Part): void {
    this.#loose.delete(part);
  }

  /**
   * Throws when something was made that the program does not have. `a.eq(5) && b.lt(3)` gives the second condition, since an expression is
   * true to JavaScript, whatever an entry has.
   */
  checkAllUsed(): void {
    for (const part of this.#loose) {
      const problem =
        "is not part of what the function returns; &&, ||, ! and ?: of JavaScript drop conditions";
      throw this.wrongType(cut(part.label), `${problem}: use .and(), .or(), .not() and .otherwise()`);
    }
  }

  /** Throws for an expression that is too large. */
  checkSize(method: string, size: number): void {
    if (size <= MOST_OPERATIONS) return;
    // Named by the method only: the text of the expression would be as long.
    const problem = `expected at most ${MOST_OPERATIONS} operations, got ${size}`;
    throw this.outOfRange(method, `${problem}; an expression that is used twice counts twice`);
  }
}

/** Part of a program. */
export abstract class Part {
  /** @internal */
  readonly scope: Scope;
  /** @internal How many operations it is made of. */
  readonly size: number;

  /** @internal */
  constructor(scope: Scope, size: number) {
    this.scope = scope;
    this.size = size;
  }

  /** @internal */
  [INSPECT](): string {
    const text = this.toString();
    const { name } = this.constructor;
    return text.startsWith("[object ") ? name : `${name} ${cut(text)}`;
  }

  /** @internal How messages call it. */
  get label(): string {
    return this.toString();
  }

  /**
   * @internal JavaScript asks for a number when it adds, compares or calculates: an expression has none before the program runs. A text of
   * it is what it would be in C.
   */
  [Symbol.toPrimitive](hint: "string" | "number" | "default"): string {
    if (hint === "string") return this.toString();
    const operators = "JavaScript's operators do not see entries";
    throw this.scope.wrongType(cut(this.label), `${operators}: use .add(), .sub(), .lt(), .eq() and so on`);
  }

  /** @internal Trees have bigints, which JSON has not. */
  toJSON(): string {
    return cut(this.toString());
  }
}

/** Throws for a part of another program. */
export function checkScope(scope: Scope, path: () => string, part: Part): void {
  scope.use(part);
  if (scope.closed)
    throw scope.wrongType(path(), "the program has been built; expressions end with the function");
  if (part.scope !== scope) {
    throw scope.wrongType(path(), `got an expression of another program (of ${part.scope.subject})`);
  }
}

/** Names that engines and tools ask any object for: `await` for `then`, `JSON.stringify` for `toJSON`. */
const ASKED_OF_ANY: readonly unknown[] = [
  "then",
  "toJSON",
  "constructor",
  "$$typeof",
  "asymmetricMatch",
  "nodeType",
];

/**
 * An object with given properties that are made when they are read, and that refuses all others: a misspelt field is an error
 * here, not `undefined` somewhere else. It has no methods, so that a field may have any name.
 *
 * @param make makes a property
 */
export function record(
  scope: Scope,
  path: string,
  names: readonly string[],
  make: (name: string) => unknown,
): object {
  const target: object = Object.create(null);
  for (const name of names) Object.defineProperty(target, name, { enumerable: true, get: () => make(name) });
  return new Proxy(Object.freeze(target), {
    get(_, name) {
      if (typeof name === "string" && names.includes(name)) return make(name);
      if (typeof name === "symbol" || ASKED_OF_ANY.includes(name)) return undefined;
      const known = names.length === 0 ? "it has none" : `it has ${names.join(", ")}`;
      throw scope.wrongType(path, `expected a field, got ${describe(name)}; ${known}`);
    },
  });
}
