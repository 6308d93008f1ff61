/**
 * What methods of expressions are called with: constants and other expressions, checked.
 *
 * @module
 */
import { describe } from "../../arguments/mismatch.ts";
import { constant } from "./nodes.ts";
import { ANY_INTEGER, type Range, S64 } from "./range.ts";
import { scalarType } from "./scalar_types.ts";
import { checkScope, Part, type Scope } from "./scope.ts";
import type { BooleanNode, FloatNode, IntegerNode, NumberNode } from "./tree.ts";

/** An expression that is a number or a condition. */
export abstract class NodePart extends Part {
  /** @internal */
  readonly node: NumberNode | BooleanNode;

  /** @internal */
  constructor(scope: Scope, size: number, node: NumberNode | BooleanNode) {
    super(scope, size);
    this.node = node;
  }
}

/** A checked operand. */
export interface Sized<N> {
  readonly node: N;
  readonly size: number;
}

/** What messages call the place of an error; a function, as it is made of the text of an expression. */
export type Path = () => string;

const isNumber = (node: NumberNode | BooleanNode): node is NumberNode => "type" in node;

/** A number or a bigint that is exactly an integer of a range. */
function integerConstant(
  scope: Scope,
  path: Path,
  value: number | bigint,
  name: string,
  range: Range,
): bigint {
  const expected = `expected ${name} (${range.low}..${range.high}), got ${describe(value)}`;
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    const hint = Number.isInteger(value) ? "; pass large ones as bigints" : "";
    throw scope.outOfRange(path(), expected + hint);
  }
  const integer = BigInt(value);
  if (integer < range.low || integer > range.high) throw scope.outOfRange(path(), expected);
  return integer;
}

/**
 * An integer beside another one.
 *
 * @param beside of which a constant takes the sign, if it has none of its own
 * @param compared whether a constant must be one that `beside` can be, when that is a number in memory
 */
export function integerOperand(
  scope: Scope,
  path: Path,
  other: unknown,
  beside: IntegerNode,
  compared: boolean,
): Sized<IntegerNode> {
  if (typeof other === "number" || typeof other === "bigint") {
    const type = compared && beside.op === "load" ? scalarType(beside.scalar) : undefined;
    const value = integerConstant(scope, path, other, type?.name ?? "an integer", type?.range ?? ANY_INTEGER);
    const sign = value < 0n ? "signed" : value > S64.high ? "unsigned" : beside.sign;
    return { node: constant(value, sign), size: 1 };
  }
  const found = expression(scope, path, other, "an integer");
  if (found.node.type === "integer") return found as Sized<IntegerNode>;
  throw scope.wrongType(path(), "expected an integer, got a float; to(i64) makes one of it, to(f64) a float");
}

/** A float beside another one. */
export function floatOperand(scope: Scope, path: Path, other: unknown): Sized<FloatNode> {
  if (typeof other === "number") {
    if (Number.isNaN(other)) throw scope.outOfRange(path(), "expected a number, got NaN");
    return { node: { type: "float", op: "constant", value: other }, size: 1 };
  }
  const found = expression(scope, path, other, "a number");
  if (found.node.type === "float") return found as Sized<FloatNode>;
  throw scope.wrongType(path(), "expected a float, got an integer; to(f64) makes one of it");
}

function expression(scope: Scope, path: Path, other: unknown, expected: string): Sized<NumberNode> {
  if (!(other instanceof NodePart) || !isNumber(other.node)) {
    const got = other instanceof Part ? "an expression that is no number" : describe(other);
    throw scope.wrongType(path(), `expected ${expected} or an expression that is one, got ${got}`);
  }
  checkScope(scope, path, other);
  return { node: other.node, size: other.size };
}

/** A condition beside another one. */
export function booleanOperand(scope: Scope, path: Path, other: unknown): Sized<BooleanNode> {
  if (typeof other === "boolean") return { node: { op: "constant", value: other }, size: 1 };
  if (!(other instanceof NodePart) || isNumber(other.node)) {
    const got = other instanceof Part ? "an expression that is none" : describe(other);
    throw scope.wrongType(path(), `expected a condition, got ${got}`);
  }
  checkScope(scope, path, other);
  return { node: other.node, size: other.size };
}
