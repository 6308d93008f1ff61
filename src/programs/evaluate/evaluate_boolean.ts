/**
 * Conditions as closures in JavaScript.
 *
 * @module
 */
import type { BooleanNode, Comparison, Place, Run } from "../expressions/tree.ts";
import { floatReader, integerReader } from "./evaluate_number.ts";
import type { Evaluation, Reader } from "./evaluate_places.ts";
import type { Integer } from "./integers.ts";

/** Numbers and bigints compare by their value, and each integer is always the same one of them (integers.ts). */
const COMPARISONS: Readonly<Record<Comparison, (a: Integer, b: Integer) => boolean>> = {
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  gt: (a, b) => a > b,
  ge: (a, b) => a >= b,
};

export function booleanReader(of: Evaluation, node: BooleanNode): Reader<boolean> {
  switch (node.op) {
    case "constant": {
      const { value } = node;
      return () => value;
    }
    case "not": {
      const operand = booleanReader(of, node.operand);
      return () => !operand();
    }
    case "and":
    case "or": {
      const left = booleanReader(of, node.left);
      const right = booleanReader(of, node.right);
      return node.op === "and" ? () => left() && right() : () => left() || right();
    }
    case "integers":
      return compare(node.how, integerReader(of, node.left), integerReader(of, node.right));
    case "floats":
      return compare(node.how, floatReader(of, node.left), floatReader(of, node.right));
    case "bytes":
      return sameBytes(of, node.left, node.right, node.length);
    case "texts":
      return sameTexts(of, node.left, node.right, node.rooms);
  }
}

function compare(how: Comparison, left: Reader<Integer>, right: Reader<Integer>): Reader<boolean> {
  const test = COMPARISONS[how];
  return () => test(left(), right());
}

function sameBytes(of: Evaluation, left: Place, right: Run, length: number): Reader<boolean> {
  const { host } = of;
  const a = of.address(left);
  const constant = right instanceof Uint8Array ? right : undefined;
  const b = right instanceof Uint8Array ? () => 0 : of.address(right);
  return () => {
    const { u8 } = host;
    const other = constant ?? u8;
    const from = a();
    const to = b();
    for (let i = 0; i < length; i++) if (u8[from + i] !== other[to + i]) return false;
    return true;
  };
}

function sameTexts(
  of: Evaluation,
  left: Place,
  right: Place,
  [roomOfLeft, roomOfRight]: readonly [number, number],
): Reader<boolean> {
  const { host } = of;
  const a = of.address(left);
  const b = of.address(right);
  const most = Math.max(roomOfLeft, roomOfRight);
  return () => {
    const { u8 } = host;
    const from = a();
    const to = b();
    for (let i = 0; i < most; i++) {
      // The end of its room ends a text as a NUL does.
      const byte = i < roomOfLeft ? u8[from + i] : 0;
      if (byte !== (i < roomOfRight ? u8[to + i] : 0)) return false;
      if (byte === 0) return true;
    }
    return true;
  };
}
