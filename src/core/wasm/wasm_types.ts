/**
 * WebAssembly as the published types tell of it. They do not name the `WebAssembly.*` types, which only the DOM library of TypeScript
 * declares and programs for Node often have not; objects of those types fit these.
 *
 * @module
 */

/** A `WebAssembly.Module`. It has no members. */
export type WasmModule = object;

/** A `WebAssembly.Memory`. */
export interface WasmMemory {
  readonly buffer: ArrayBufferLike;
  grow(pages: number): number;
}

/** A `WebAssembly.Global` that is an i32. */
export interface WasmGlobal {
  readonly value: number;
}
