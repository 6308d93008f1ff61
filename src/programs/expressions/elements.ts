/**
 * Elements of arrays: those that the program chooses, and the one that a pass over all of them has come to.
 *
 * @module
 */
import { describe } from "../../arguments/mismatch.ts";
import { constant } from "./nodes.ts";
import { integerOperand } from "./operands.ts";
import { print } from "./print.ts";
import { Part, type Scope } from "./scope.ts";
import type { Element, Place } from "./tree.ts";

/**
 * The place of an element.
 *
 * @param stride bytes from one element to the next
 * @param index an integer constant, which must be that of an element, or an expression
 * @throws RangeError for a constant outside the array
 */
export function elementAt(
  scope: Scope,
  method: string,
  array: Place,
  stride: number,
  length: number,
  index: unknown,
): { readonly place: Place; readonly size: number } {
  if (!(index instanceof Part)) {
    const expected = `expected an index 0..${length - 1}, got ${describe(index)}`;
    if (typeof index !== "number" && typeof index !== "bigint") throw scope.wrongType(method, expected);
    const at = Number(index);
    if (!Number.isInteger(at) || at < 0 || at >= length) throw scope.outOfRange(method, expected);
    return { size: 0, place: { ...array, offset: array.offset + at * stride, path: `${array.path}[${at}]` } };
  }
  const { node, size } = integerOperand(scope, () => method, index, constant(0n, "unsigned"), false);
  scope.zeros = Math.max(scope.zeros, stride);
  const element: Element = { array, stride, length, index: node };
  return { size: size + 1, place: { base: element, offset: 0, path: `${array.path}[${print(node)}]` } };
}

/** The element that a pass over an array has come to. */
export function eachElement(
  array: Place,
  stride: number,
  length: number,
): { element: Element; place: Place } {
  const element: Element = { array, stride, length, index: undefined };
  return { element, place: { base: element, offset: 0, path: `${array.path}[each]` } };
}
