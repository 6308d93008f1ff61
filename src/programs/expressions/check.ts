/**
 * A last look at a program: whether the elements that `sum`, `min` and `max` hand to their functions stay in there.
 *
 * @module
 */
import type { Scope } from "./scope.ts";
import type { Element, Statement } from "./tree.ts";

/** Throws for an element that is used where no pass over its array is. */
export function checkElements(scope: Scope, statements: readonly Statement[]): void {
  const visit = (part: unknown, open: readonly Element[]): void => {
    if (typeof part !== "object" || part === null || part instanceof Uint8Array) return;
    if (isElement(part)) {
      if (part.index === undefined && !open.includes(part)) {
        throw scope.wrongType(
          `${part.array.path}[each]`,
          "an element that a function of sum, min or max got is used outside of that function",
        );
      }
      visit(part.array, open);
      visit(part.index, open);
    } else if ("element" in part && "body" in part) {
      const element = part.element as Element;
      visit(element.array, open);
      visit(part.body, [...open, element]);
    } else for (const inner of Object.values(part)) visit(inner, open);
  };
  visit(statements, []);
}

function isElement(part: object): part is Element {
  return "stride" in part;
}
