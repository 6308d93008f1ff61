/**
 * Generates the addresses of places.
 *
 * @module
 */
import { narrow } from "../expressions/range.ts";
import type { Element, IntegerNode, Place, Root } from "../expressions/tree.ts";
import { type CodeWriter, I32, I64, type Local, TYPE_I32, TYPE_I64 } from "../wasm/index.ts";

/** Where the caller has the addresses of the entry's key and value: locals of type i32. */
export interface FilterLocals {
  readonly key: Local;
  readonly value: Local;
}

/** Writes integers: what an index needs. */
export interface IndexWriter {
  low(node: IntegerNode): void;
  wide(node: IntegerNode): void;
}

export class PlaceWriter {
  readonly #code: CodeWriter;
  readonly #locals: FilterLocals;
  readonly #block: number;
  readonly #zeros: number;
  readonly #integers: IndexWriter;
  /** Addresses of the elements that the open folds have come to. */
  readonly #current = new Map<Element, Local>();

  /**
   * @param block address of the program's own memory
   * @param zeros where in it the zeros are that are read beside arrays
   */
  constructor(code: CodeWriter, locals: FilterLocals, block: number, zeros: number, integers: IndexWriter) {
    this.#code = code;
    this.#locals = locals;
    this.#block = block;
    this.#zeros = block + zeros;
    this.#integers = integers;
  }

  /** Leaves an i32 on the stack from which the place is the returned number of bytes away, for a load or a store. */
  address({ base, offset }: Place): number {
    if (typeof base === "string") return this.#root(base, offset);
    if (base.index === undefined) this.#code.get(this.#current.get(base) as Local);
    else this.#element(base, base.index);
    return offset;
  }

  /** Leaves the address on the stack. */
  exact(place: Place): void {
    const offset = this.address(place);
    if (offset !== 0) this.#code.i32(offset).op(I32.add);
  }

  /** Runs `write` for every element of the array, from the first one on. */
  each(element: Element, write: () => void): void {
    const code = this.#code;
    const at = code.local(TYPE_I32);
    const end = code.local(TYPE_I32);
    this.exact(element.array);
    code
      .tee(at)
      .i32(element.stride * element.length)
      .op(I32.add)
      .set(end);
    this.#current.set(element, at);
    const next = code.loop();
    write();
    code.get(at).i32(element.stride).op(I32.add).tee(at).get(end).op(I32.ne).brIf(next);
    code.end(next);
    this.#current.delete(element);
  }

  #root(root: Root, offset: number): number {
    if (root !== "block") {
      this.#code.get(this.#locals[root]);
      return offset;
    }
    this.#code.i32(this.#block + offset);
    return 0;
  }

  /** The address of an element, or that of as many zeros. */
  #element({ array, stride, length }: Element, index: IntegerNode): void {
    const code = this.#code;
    // Low words of negative numbers are beyond every array, too, as an array is shorter than 2^31 bytes.
    const short = narrow(index.range) !== undefined;
    const at = code.local(short ? TYPE_I32 : TYPE_I64);
    this.exact(array);
    if (short) this.#integers.low(index);
    else this.#integers.wide(index);
    code.tee(at);
    if (!short) code.op(I32.wrap_i64);
    if (stride !== 1) code.i32(stride).op(I32.mul);
    code.op(I32.add);
    if (index.range.low >= 0n && index.range.high < BigInt(length)) return;
    code.i32(this.#zeros).get(at);
    if (short) code.i32(length).op(I32.lt_u);
    else code.i64(BigInt(length)).op(I64.lt_u);
    code.select();
  }
}
