/**
 * What iterators of maps inherit: %IteratorPrototype%. From Node 22 on, and in browsers of 2025, it has `map`, `filter`, `take`, `drop`,
 * `flatMap`, `reduce`, `toArray`, `forEach`, `some`, `every` and `find`.
 *
 * @module
 */

/** An iterator as those of JavaScript's Map are: with the helpers where TypeScript's library knows them. */
export type ValueIterator<T> = ReturnType<Map<unknown, T>["values"]>;

interface IteratorBase {
  new (): object;
}

export const IteratorBase: IteratorBase = /* @__PURE__ */ (() => {
  function Base(): void {}
  Base.prototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
  return Base as unknown as IteratorBase;
})();
