/**
 * Numbers and conditions of a program.
 *
 * @module
 */
import { describe } from "../../arguments/mismatch.ts";
import type { Codec } from "../../codec/codec.ts";
import { complement, convert, negate, operate } from "./nodes.ts";
import { booleanOperand, floatOperand, integerOperand, NodePart } from "./operands.ts";
import { print, printInner } from "./print.ts";
import type { IntegerOperator } from "./range.ts";
import { type Effect, type Rules, rule } from "./rules.ts";
import { numberKind } from "./scalar_types.ts";
import { checkScope, type Part } from "./scope.ts";
import type { BooleanNode, Comparison, FloatOperator, NumberNode } from "./tree.ts";

/** A number in an operation: an expression of the same program, or a constant. */
export type Operand = number | bigint | NumberExpression;

/**
 * A number that the program computes for each entry: an integer of 64 bits, signed or unsigned, or an IEEE 754 number of 64 bits.
 * docs/programs.md has the exact meaning of every operation.
 *
 * Integers and floats do not mix: convert one with {@link NumberExpression.to}. Constants may be numbers or bigints and must fit.
 */
export class NumberExpression extends NodePart {
  /** @internal */
  declare readonly node: NumberNode;

  /** Integers wrap at 64 bits, here and in all other operations. */
  add(other: Operand): NumberExpression {
    return arithmetic(this, "add", other);
  }

  /** Signed, also for unsigned operands: `a.sub(b).lt(0)` is true when `a` is the smaller one. */
  sub(other: Operand): NumberExpression {
    return arithmetic(this, "sub", other);
  }

  mul(other: Operand): NumberExpression {
    return arithmetic(this, "mul", other);
  }

  /** Integers are rounded towards zero; by zero it gives 0. */
  div(other: Operand): NumberExpression {
    return arithmetic(this, "div", other);
  }

  /** What is left of a division of integers, with the sign of the dividend; by zero it gives the dividend. */
  mod(other: Operand): NumberExpression {
    return integerArithmetic(this, "mod", other);
  }

  neg(): NumberExpression {
    const { node } = this;
    const negated: NumberNode =
      node.type === "integer" ? negate(node) : { type: "float", op: "neg", operand: node };
    return numberOf(this, "neg", this.size + 1, negated);
  }

  bitAnd(other: Operand): NumberExpression {
    return integerArithmetic(this, "bitAnd", other);
  }

  bitOr(other: Operand): NumberExpression {
    return integerArithmetic(this, "bitOr", other);
  }

  bitXor(other: Operand): NumberExpression {
    return integerArithmetic(this, "bitXor", other);
  }

  /** All 64 bits inverted. */
  bitNot(): NumberExpression {
    const { node } = this;
    if (node.type !== "integer") throw noInteger(this, "bitNot");
    return numberOf(this, "bitNot", this.size + 1, complement(node));
  }

  /** Shifted left, by the low six bits of `bits`. */
  shl(bits: Operand): NumberExpression {
    return integerArithmetic(this, "shl", bits);
  }

  /** Shifted right, by the low six bits of `bits`; a signed number keeps its sign. */
  shr(bits: Operand): NumberExpression {
    return integerArithmetic(this, "shr", bits);
  }

  /**
   * Converts to what the codec can hold: integers keep their low bits, as a cast in C; floats are cut towards zero and the
   * nearest integer taken beyond the ends, 0 for NaN; `f64` and `f32` round to the nearest.
   *
   * @param codec the codec of a number
   */
  to(codec: Codec<number> | Codec<bigint>): NumberExpression {
    const kind =
      (codec as { scalar?: unknown } | undefined)?.scalar === undefined ? undefined : numberKind(codec);
    if (kind === undefined) {
      throw this.scope.wrongType(at(this, "to"), `expected the codec of a number, got ${describe(codec)}`);
    }
    return numberOf(this, "to", this.size + 1, convert(kind, this.node));
  }

  eq(other: Operand): BooleanExpression {
    return compare(this, "eq", other);
  }

  ne(other: Operand): BooleanExpression {
    return compare(this, "ne", other);
  }

  /** Numbers are compared by their value, also signed ones with unsigned ones. Any comparison with NaN is false, but for `ne`. */
  lt(other: Operand): BooleanExpression {
    return compare(this, "lt", other);
  }

  le(other: Operand): BooleanExpression {
    return compare(this, "le", other);
  }

  gt(other: Operand): BooleanExpression {
    return compare(this, "gt", other);
  }

  ge(other: Operand): BooleanExpression {
    return compare(this, "ge", other);
  }

  /** The expression as one would write it in C. */
  override toString(): string {
    return print(this.node);
  }
}

/** A condition. */
export class BooleanExpression extends NodePart {
  /** @internal */
  declare readonly node: BooleanNode;

  and(other: BooleanExpression | boolean): BooleanExpression {
    return this.#with("and", other);
  }

  or(other: BooleanExpression | boolean): BooleanExpression {
    return this.#with("or", other);
  }

  not(): BooleanExpression {
    return booleanOf(this, "not", this.size + 1, { op: "not", operand: this.node });
  }

  /**
   * A rule: what to do with the entries that meet the condition.
   *
   * @param action `ACT_KEEP`, or `ACT_DELETE`, `ACT_STOP` or both
   * @param effects counters to add to, in this order
   * @throws RangeError for other bits
   */
  // biome-ignore lint/suspicious/noThenProperty: rules read as "when, then"; awaiting a condition is an error that says so.
  then(action: number, ...effects: Effect[]): Rules {
    checkScope(this.scope, () => at(this, "then"), this);
    return rule(this.scope, at(this, "then"), this, action, effects);
  }

  /** The condition as one would write it in C. */
  override toString(): string {
    return print(this.node);
  }

  #with(op: "and" | "or", other: BooleanExpression | boolean): BooleanExpression {
    const right = booleanOperand(this.scope, () => at(this, op), other);
    return booleanOf(this, op, this.size + right.size + 1, { op, left: this.node, right: right.node });
  }
}

/** A method of an expression, as messages call it. */
function at({ node }: NumberExpression | BooleanExpression, method: string): string {
  return `${printInner(node)}.${method}`;
}

function numberOf(of: NumberExpression, method: string, size: number, node: NumberNode): NumberExpression {
  checkScope(of.scope, () => at(of, method), of);
  of.scope.checkSize(method, size);
  return of.scope.made(new NumberExpression(of.scope, size, node));
}

function booleanOf(of: Part, method: string, size: number, node: BooleanNode): BooleanExpression {
  checkScope(of.scope, () => method, of);
  of.scope.checkSize(method, size);
  return of.scope.made(new BooleanExpression(of.scope, size, node));
}

function noInteger(of: NumberExpression, method: string): TypeError {
  return of.scope.wrongType(at(of, method), "expected an integer, got a float; to(i64) makes one of it");
}

function arithmetic(of: NumberExpression, op: FloatOperator, other: Operand): NumberExpression {
  const { node: left, scope } = of;
  if (left.type === "integer") return integerArithmetic(of, op, other);
  const right = floatOperand(scope, () => at(of, op), other);
  return numberOf(of, op, of.size + right.size + 1, { type: "float", op, left, right: right.node });
}

function integerArithmetic(of: NumberExpression, op: IntegerOperator, other: Operand): NumberExpression {
  const { node: left, scope } = of;
  if (left.type !== "integer") throw noInteger(of, op);
  const right = integerOperand(scope, () => at(of, op), other, left, false);
  return numberOf(of, op, of.size + right.size + 1, operate(op, left, right.node));
}

function compare(of: NumberExpression, how: Comparison, other: Operand): BooleanExpression {
  const { node: left, scope } = of;
  const path = () => at(of, how);
  if (left.type === "integer") {
    const right = integerOperand(scope, path, other, left, true);
    return booleanOf(of, how, of.size + right.size + 1, { op: "integers", how, left, right: right.node });
  }
  const right = floatOperand(scope, path, other);
  return booleanOf(of, how, of.size + right.size + 1, { op: "floats", how, left, right: right.node });
}
