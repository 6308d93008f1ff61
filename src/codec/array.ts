/**
 * C arrays of any element.
 *
 * @module
 */
import { describe, outOfRange, within, wrongType } from "../arguments/mismatch.ts";
import { printedByName } from "../print/inspect.ts";
import { type Codec, checkedSize, isCodec, Scalar } from "./codec.ts";
import { specialIn } from "./special_fields.ts";

/** The codec of a C array. */
export interface ArrayCodec<T> extends Codec<T[]> {
  /** The codec of its elements. */
  readonly element: Codec<T>;
  /** Elements. */
  readonly length: number;
}

/**
 * `element x[length]`: a JavaScript array of exactly `length` values. Size and alignment are the element's, as in C.
 *
 * @param length - Elements.
 * @throws TypeError for a value that is not an array, RangeError for one of another length; errors of an element say
 *   which: `[2]: expected u8 (0..255), got 256`.
 * @example
 * const buckets = array(u32, 3);
 * const view = new DataView(new ArrayBuffer(buckets.size));
 * buckets.encode([1, 2, 3], view, 0);
 * buckets.decode(view, 0); // [ 1, 2, 3 ]
 */
export function array<T>(element: Codec<T>, length: number): ArrayCodec<T> {
  if (!isCodec(element))
    throw new TypeError(`array(): expected a codec of the elements, got ${describe(element)}`);
  const special = specialIn(element);
  if (special !== undefined)
    throw new TypeError(`array(): a ${special} is allowed only at the top level of a value`);
  const name = `array(${element.name}, ${length})`;
  const stride = element.size;
  const size = checkedSize(name, length, stride);
  return printedByName({
    name,
    size,
    align: element.align,
    scalar: Scalar.NONE,
    element,
    length,
    encode(value, view, offset) {
      if (!Array.isArray(value)) throw wrongType(`${name} (an array)`, describe(value));
      if (value.length !== length) {
        throw outOfRange(`${name} (exactly ${length} elements)`, `${value.length} elements`);
      }
      let i = 0;
      try {
        for (; i < length; i++) element.encode(value[i], view, offset + i * stride);
      } catch (error) {
        throw within(`[${i}]`, error);
      }
    },
    decode(view, offset) {
      const value = new Array<T>(length);
      let i = 0;
      try {
        for (; i < length; i++) value[i] = element.decode(view, offset + i * stride);
      } catch (error) {
        throw within(`[${i}]`, error);
      }
      return value;
    },
  });
}
