/**
 * Numbers as closures in JavaScript.
 *
 * @module
 */
import { Scalar } from "../../codec/codec.ts";
import { type Range, signOf } from "../expressions/range.ts";
import { type NumberKind, scalarType } from "../expressions/scalar_types.ts";
import type { FloatNode, FloatOperator, Fold, IntegerNode, NumberNode } from "../expressions/tree.ts";
import type { Evaluation, Reader } from "./evaluate_places.ts";
import { castInteger, type Integer, integerOperation, truncate, wrap } from "./integers.ts";

const WORD = 0x1_0000_0000;

/** How an integer of a kind is read at an address. */
export function integerAt(kind: NumberKind): (view: DataView, address: number) => Integer {
  switch (kind) {
    case Scalar.U8:
      return (view, address) => view.getUint8(address);
    case Scalar.I8:
      return (view, address) => view.getInt8(address);
    case Scalar.U16:
      return (view, address) => view.getUint16(address, true);
    case Scalar.I16:
      return (view, address) => view.getInt16(address, true);
    case Scalar.U32:
      return (view, address) => view.getUint32(address, true);
    case Scalar.I32:
      return (view, address) => view.getInt32(address, true);
    case Scalar.I64:
      return (view, address) => {
        const number = view.getInt32(address + 4, true) * WORD + view.getUint32(address, true);
        return Number.isSafeInteger(number) ? number : view.getBigInt64(address, true);
      };
    default:
      return (view, address) => {
        const number = view.getUint32(address + 4, true) * WORD + view.getUint32(address, true);
        return Number.isSafeInteger(number) ? number : view.getBigUint64(address, true);
      };
  }
}

/** How a float of a kind is read at an address. */
export function floatAt(kind: NumberKind): (view: DataView, address: number) => number {
  return kind === Scalar.F32
    ? (view, address) => view.getFloat32(address, true)
    : (view, address) => view.getFloat64(address, true);
}

export function integerReader(of: Evaluation, node: IntegerNode): Reader<Integer> {
  switch (node.op) {
    case "load": {
      const { host } = of;
      const address = of.address(node.place);
      const read = integerAt(node.scalar);
      return () => read(host.view, address());
    }
    case "constant": {
      const value = wrap(node.sign, node.value);
      return () => value;
    }
    case "convert":
      return convertToInteger(of, node.scalar, node.operand);
    case "fold": {
      const step =
        node.how === "sum" ? integerOperation("add", node.sign) : node.how === "min" ? smaller : larger;
      return foldReader(of, node, integerReader(of, node.body), step);
    }
    default: {
      const left = integerReader(of, node.left);
      const right = integerReader(of, node.right);
      const operate = integerOperation(node.op, node.sign);
      return () => operate(left(), right());
    }
  }
}

export function floatReader(of: Evaluation, node: FloatNode): Reader<number> {
  switch (node.op) {
    case "load": {
      const { host } = of;
      const address = of.address(node.place);
      const read = floatAt(node.scalar);
      return () => read(host.view, address());
    }
    case "constant": {
      const { value } = node;
      return () => value;
    }
    case "neg": {
      const operand = floatReader(of, node.operand);
      return () => -operand();
    }
    case "convert":
      return convertToFloat(of, node.scalar, node.operand);
    case "fold": {
      const { how } = node;
      const body = floatReader(of, node.body);
      // As in the generated code, a sum starts at 0, which -0 does not change.
      if (how === "sum") return foldReader(of, node, body, FLOATS.add, 0);
      return foldReader(of, node, body, how === "min" ? Math.min : Math.max);
    }
    default: {
      const left = floatReader(of, node.left);
      const right = floatReader(of, node.right);
      const operate = FLOATS[node.op];
      return () => operate(left(), right());
    }
  }
}

const FLOATS: Readonly<Record<FloatOperator, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
};

const smaller = (a: Integer, b: Integer): Integer => (b < a ? b : a);
const larger = (a: Integer, b: Integer): Integer => (b > a ? b : a);

function convertToInteger(of: Evaluation, scalar: NumberKind, operand: NumberNode): Reader<Integer> {
  const { bytes, range } = scalarType(scalar);
  const { low, high } = range as Range;
  if (operand.type === "float") {
    const read = floatReader(of, operand);
    const convert = truncate(low, high);
    return () => convert(read());
  }
  const read = integerReader(of, operand);
  const convert = castInteger(bytes, signOf({ low, high }));
  return () => convert(read());
}

function convertToFloat(of: Evaluation, scalar: NumberKind, operand: NumberNode): Reader<number> {
  const read: Reader<Integer> =
    operand.type === "float" ? floatReader(of, operand) : integerReader(of, operand);
  return scalar === Scalar.F32 ? () => Math.fround(Number(read())) : () => Number(read());
}

/** Folds from the first element on, or from `start` on. */
function foldReader<T extends Integer>(
  of: Evaluation,
  { element }: Fold<NumberNode>,
  body: Reader<T>,
  step: (result: T, each: T) => T,
  start?: T,
): Reader<T> {
  const each = of.each(element);
  return () => {
    let result = start;
    each(() => {
      const value = body();
      result = result === undefined ? value : step(result, value);
    });
    return result as T;
  };
}
