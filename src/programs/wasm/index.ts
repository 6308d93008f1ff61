/**
 * A small encoder of WebAssembly modules, for the code that programs are compiled to. Our own and not binaryen, which is 13.5 MB of
 * JavaScript: these 700 lines have what the compiler needs.
 *
 * @module
 */
export { CodeWriter, type Label, type Local } from "./code.ts";
export { ModuleWriter, type Signature } from "./module.ts";
export * from "./opcodes.ts";
