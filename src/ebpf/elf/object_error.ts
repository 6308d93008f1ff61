/**
 * What is wrong with an object file. It is not in errors.ts of the package: who loads no objects does not load this.
 *
 * @module
 */

/** A file that is no BPF object, is damaged, or has what is not supported here. The message says which, and where. */
export class ObjectError extends Error {
  constructor(message: string) {
    super(`object: ${message}`);
    this.name = "ObjectError";
  }
}
