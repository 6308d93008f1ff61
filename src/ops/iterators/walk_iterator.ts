import { IteratorBase } from "../iterator_base.ts";

/** What the iterators of a map have beside `next`, as those of JavaScript's Map do. */
export abstract class WalkIterator<T> extends IteratorBase {
  abstract next(): IteratorResult<T, undefined>;
  abstract return(): IteratorResult<T, undefined>;

  [Symbol.iterator](): this {
    return this;
  }

  [Symbol.dispose](): void {
    this.return();
  }

  get [Symbol.toStringTag](): string {
    return "Map Iterator";
  }
}
