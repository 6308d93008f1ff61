/**
 * Places as closures in JavaScript: where in host memory they are for the entry that is being looked at.
 *
 * @module
 */
import type { HostViews } from "../../core/memory/views.ts";
import type { Element, IntegerNode, Place } from "../expressions/tree.ts";
import type { Integer } from "./integers.ts";

/** What a part of a program is for the entry that is being looked at. */
export type Reader<T> = () => T;

/** What all closures of a program share. */
export class Evaluation {
  readonly host: HostViews;
  /** Addresses of the entry. */
  key = 0;
  value = 0;
  readonly #block: number;
  readonly #zeros: number;
  readonly #integer: (of: Evaluation, node: IntegerNode) => Reader<Integer>;
  /** Addresses of the elements that the open folds have come to. */
  readonly #current = new Map<Element, { address: number }>();

  /**
   * @param block address of the program's own memory
   * @param zeros where in it the zeros are that are read beside arrays
   * @param integer makes the reader of an integer
   */
  constructor(
    host: HostViews,
    block: number,
    zeros: number,
    integer: (of: Evaluation, node: IntegerNode) => Reader<Integer>,
  ) {
    this.host = host;
    this.#block = block;
    this.#zeros = block + zeros;
    this.#integer = integer;
  }

  /** The address of a place. */
  address({ base, offset }: Place): Reader<number> {
    if (base === "key") return () => this.key + offset;
    if (base === "value") return () => this.value + offset;
    if (base === "block") {
      const address = this.#block + offset;
      return () => address;
    }
    if (base.index === undefined) {
      const current = this.#cell(base);
      return () => current.address + offset;
    }
    const array = this.address(base.array);
    const index = this.#integer(this, base.index);
    const { stride, length } = base;
    const beside = this.#zeros + offset;
    return () => {
      const at = index();
      return typeof at === "number" && at >= 0 && at < length ? array() + at * stride + offset : beside;
    };
  }

  /** Runs `step` for every element of the array, from the first one on. */
  each(element: Element): (step: () => void) => void {
    const array = this.address(element.array);
    const current = this.#cell(element);
    const { stride, length } = element;
    return (step) => {
      current.address = array();
      for (let i = 0; i < length; i++, current.address += stride) step();
    };
  }

  #cell(element: Element): { address: number } {
    let cell = this.#current.get(element);
    if (cell === undefined) {
      cell = { address: 0 };
      this.#current.set(element, cell);
    }
    return cell;
  }
}
