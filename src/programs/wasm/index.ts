/**
 * A small encoder of WebAssembly modules, for the code that programs are compiled to.
 *
 * @module
 */
export { CodeWriter, type Label, type Local } from "./code.ts";
export { ModuleWriter, type Signature } from "./module.ts";
export * from "./opcodes.ts";
