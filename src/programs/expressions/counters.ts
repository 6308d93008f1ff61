/**
 * Counters that programs add to.
 *
 * @module
 */
import { NumberExpression, type Operand } from "./expression.ts";
import { load } from "./nodes.ts";
import { floatOperand, integerOperand } from "./operands.ts";
import { Effect } from "./rules.ts";
import type { NumberKind } from "./scalar_types.ts";
import { Part, type Scope } from "./scope.ts";
import type { Place } from "./tree.ts";

/** A counter of a program while it is built. */
export class CounterExpression extends Part {
  readonly #kind: NumberKind;
  readonly #place: Place;

  /** @internal */
  constructor(scope: Scope, kind: NumberKind, place: Place) {
    super(scope, 1);
    this.#kind = kind;
    this.#place = place;
  }

  /** What it has come to, for conditions: before the effects of the entry that is being looked at. */
  get value(): NumberExpression {
    return new NumberExpression(this.scope, 1, load(this.#kind, this.#place));
  }

  /**
   * An effect: adds to the counter. Integers wrap in the counter's width, and a negative amount is taken off.
   *
   * @param amount an integer for counters that are integers, a float for the others
   */
  add(amount: Operand): Effect {
    const { scope } = this;
    const scalar = this.#kind;
    const counter = this.#place;
    const path = () => `${counter.path}.add`;
    const { node: now } = this.value;
    const by =
      now.type === "integer"
        ? integerOperand(scope, path, amount, now, false)
        : floatOperand(scope, path, amount);
    return scope.made(new Effect(scope, by.size + 1, { scalar, counter, amount: by.node }));
  }
}
