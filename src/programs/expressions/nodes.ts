/**
 * Makes the nodes of integers: which sign a result has and what it can be.
 *
 * A result is signed when one of its operands is, and a difference always; a shift has the sign of what is shifted.
 *
 * @module
 */
import {
  all,
  type IntegerOperator,
  type Range,
  rangeAfter,
  readAs,
  type Sign,
  signOf,
  U64,
  within,
} from "./range.ts";
import { type NumberKind, scalarType } from "./scalar_types.ts";
import type { Element, FloatNode, Fold, IntegerNode, NumberNode, Place } from "./tree.ts";

export function constant(value: bigint, sign: Sign): IntegerNode {
  return { type: "integer", op: "constant", sign, range: { low: value, high: value }, value };
}

/** The number at a place. */
export function load(scalar: NumberKind, place: Place): NumberNode {
  const { range } = scalarType(scalar);
  if (range === undefined) return { type: "float", op: "load", scalar, place };
  return { type: "integer", op: "load", sign: signOf(range), range, scalar, place };
}

export function operate(op: IntegerOperator, left: IntegerNode, right: IntegerNode): IntegerNode {
  const sign = signAfter(op, left.sign, right.sign);
  return { type: "integer", op, sign, range: rangeAfter(op, sign, left.range, right.range), left, right };
}

function signAfter(op: IntegerOperator, left: Sign, right: Sign): Sign {
  if (op === "sub") return "signed";
  if (op === "shl" || op === "shr") return left;
  return left === "signed" || right === "signed" ? "signed" : "unsigned";
}

/** Minus is the difference from 0, and signed like every difference. */
export function negate(operand: IntegerNode): IntegerNode {
  return operate("sub", constant(0n, "signed"), operand);
}

/** Not is the exclusive or with all ones. */
export function complement(operand: IntegerNode): IntegerNode {
  return operate("bitXor", operand, constant(operand.sign === "signed" ? -1n : U64.high, operand.sign));
}

/** The number as one of another kind. */
export function convert(scalar: NumberKind, operand: NumberNode): NumberNode {
  const { range } = scalarType(scalar);
  if (range === undefined) {
    if (operand.type === "float" && scalarType(scalar).bytes === 8) return operand;
    return { type: "float", op: "convert", scalar, operand };
  }
  const sign = signOf(range);
  if (operand.type === "integer" && operand.sign === sign && within(operand.range, range)) return operand;
  return { type: "integer", op: "convert", sign, range: converted(range, sign, operand), scalar, operand };
}

function converted(to: Range, sign: Sign, operand: NumberNode): Range {
  if (operand.type === "float") return to;
  const kept = readAs(sign, operand.range);
  return within(kept, to) ? kept : to;
}

export function foldIntegers(
  how: Fold<IntegerNode>["how"],
  element: Element,
  body: IntegerNode,
): IntegerNode {
  const { sign } = body;
  const count = constant(BigInt(element.length), sign);
  const range = how === "sum" ? rangeAfter("mul", sign, body.range, count.range) : body.range;
  return {
    type: "integer",
    op: "fold",
    sign,
    range: within(range, all(sign)) ? range : all(sign),
    how,
    element,
    body,
  };
}

export function foldFloats(how: Fold<FloatNode>["how"], element: Element, body: FloatNode): FloatNode {
  return { type: "float", op: "fold", how, element, body };
}
