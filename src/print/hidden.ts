/**
 * What equality testers and printers may see of an object of this package.
 *
 * They walk over all own properties that are enumerable. From a map these lead to its host, and from there to views of all its
 * memory: a snapshot of one map had 270 MB. So nothing is enumerable but {@link CONTENTS}.
 *
 * @module
 */

/**
 * What an object is compared by: `assert.deepStrictEqual`, chai, Jest and vitest compare enumerable properties, also those with a
 * symbol. It is none with a name, so that `Object.keys`, `for-in` and JSON see nothing.
 */
export const CONTENTS: unique symbol = Symbol("contents");

/**
 * Gives an object properties that are not enumerable. In a constructor, and in the order of use: V8 keeps the first ones inside the
 * object, as if they had been assigned.
 */
export function hide<T extends object>(target: T, properties: Partial<T>): void {
  for (const name in properties) {
    Object.defineProperty(target, name, { value: properties[name], writable: true });
  }
}

/**
 * Says what an object is compared by.
 *
 * @param get one function for all objects of a class, so that they have one shape
 */
export function compareBy(target: object, get: (this: never) => unknown): void {
  Object.defineProperty(target, CONTENTS, { get: get as () => unknown, enumerable: true });
}

/** Says that an object is equal to itself only. */
export function compareAsItself(target: object): void {
  Object.defineProperty(target, CONTENTS, { value: Symbol("itself"), enumerable: true });
}
