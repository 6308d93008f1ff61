/**
 * What codecs are in a program: the expression of a place in memory that has a layout.
 *
 * @module
 */
import { describe } from "../../arguments/mismatch.ts";
import type { ArrayCodec } from "../../codec/array.ts";
import type { RunCodec } from "../../codec/bytes.ts";
import type { Codec } from "../../codec/codec.ts";
import { isSpecial } from "../../codec/special_fields.ts";
import type { Fields, StructCodec } from "../../codec/struct.ts";
import { eachElement, elementAt } from "./elements.ts";
import { NumberExpression, type Operand } from "./expression.ts";
import { foldFloats, foldIntegers, load } from "./nodes.ts";
import { numberKind } from "./scalar_types.ts";
import { checkScope, Part, record, type Scope } from "./scope.ts";
import { BytesExpression, TextExpression } from "./text.ts";
import type { Fold, NumberNode, Place } from "./tree.ts";

/**
 * The expression of a value of type `T`: a number, text, bytes, an array, or for a struct an object with the expressions of its
 * fields.
 */
export type ExpressionOf<T> = [T] extends [number | bigint]
  ? NumberExpression
  : [T] extends [string]
    ? TextExpression
    : [T] extends [Uint8Array]
      ? BytesExpression
      : [T] extends [readonly (infer E)[]]
        ? ArrayExpression<E>
        : { readonly [F in keyof T]: ExpressionOf<T[F]> };

/** The expression of a place. `size`: operations that it takes to get there. */
export function expressionOf(scope: Scope, codec: Codec<unknown>, place: Place, size: number): unknown {
  const kind = numberKind(codec);
  if (kind !== undefined) return new NumberExpression(scope, size + 1, load(kind, place));
  if ("run" in codec) {
    return (codec as RunCodec<unknown>).run === "text"
      ? new TextExpression(scope, size + 1, codec as RunCodec<string>, place)
      : new BytesExpression(scope, size + 1, codec as RunCodec<Uint8Array>, place);
  }
  if ("element" in codec) {
    const { element, length } = codec as ArrayCodec<unknown>;
    return new ArrayExpression(scope, size, element, element.size, length, place);
  }
  if ("fields" in codec) return structOf(scope, codec as StructCodec<Fields>, place, size);
  throw scope.wrongType(
    place.path,
    `expected a codec of this package, got ${codec.name}, whose bytes only it knows`,
  );
}

function structOf(
  scope: Scope,
  { fields, offsets }: StructCodec<Fields>,
  place: Place,
  size: number,
): object {
  const names = Object.keys(fields).filter((name) => !isSpecial(fields[name]));
  return record(scope, place.path, names, (name) => {
    const field = { ...place, offset: place.offset + offsets[name], path: `${place.path}.${name}` };
    return expressionOf(scope, fields[name] as Codec<unknown>, field, size);
  });
}

/** An `array(codec, n)` of an entry, or all slots of a per-CPU value. */
export class ArrayExpression<E> extends Part {
  /** Elements. */
  readonly length: number;
  readonly #element: Codec<unknown>;
  readonly #stride: number;
  readonly #place: Place;

  /** @internal */
  constructor(
    scope: Scope,
    size: number,
    element: Codec<unknown>,
    stride: number,
    length: number,
    place: Place,
  ) {
    super(scope, size);
    this.#element = element;
    this.#stride = stride;
    this.length = length;
    this.#place = place;
  }

  /**
   * Element number `index`. When that is an expression and there is no such element, all its bytes read as zeros.
   *
   * @throws RangeError for a constant that is no index of the array
   */
  at(index: Operand): ExpressionOf<E> {
    const { scope, length } = this;
    const method = `${this.#place.path}.at`;
    const { place, size } = elementAt(scope, method, this.#place, this.#stride, length, index);
    return expressionOf(scope, this.#element, place, this.size + size) as ExpressionOf<E>;
  }

  /** The sum over all elements. `of`: what to sum up of each; itself when it is a number. */
  sum(of?: (element: ExpressionOf<E>) => NumberExpression): NumberExpression {
    return this.#fold("sum", of);
  }

  /** The smallest over all elements; NaN when one is. */
  min(of?: (element: ExpressionOf<E>) => NumberExpression): NumberExpression {
    return this.#fold("min", of);
  }

  /** The largest over all elements; NaN when one is. */
  max(of?: (element: ExpressionOf<E>) => NumberExpression): NumberExpression {
    return this.#fold("max", of);
  }

  #fold(
    how: Fold<NumberNode>["how"],
    of: ((element: ExpressionOf<E>) => NumberExpression) | undefined,
  ): NumberExpression {
    const { scope, length } = this;
    const path = `${this.#place.path}.${how}`;
    const { element, place } = eachElement(this.#place, this.#stride, length);
    const each = expressionOf(scope, this.#element, place, this.size) as ExpressionOf<E>;
    if (of !== undefined && typeof of !== "function") {
      throw scope.wrongType(path, `expected a function of an element, got ${describe(of)}`);
    }
    const body: unknown = of === undefined ? each : of(each);
    if (!(body instanceof NumberExpression)) {
      const problem =
        of === undefined
          ? "the elements are no numbers: expected a function that makes numbers of them"
          : `expected the function to return a numeric expression, got ${describe(body)}`;
      throw scope.wrongType(path, problem);
    }
    checkScope(scope, () => path, body);
    const { node } = body;
    const folded =
      node.type === "integer" ? foldIntegers(how, element, node) : foldFloats(how, element, node);
    scope.checkSize(path, body.size + 1);
    return scope.made(new NumberExpression(scope, body.size + 1, folded));
  }
}
