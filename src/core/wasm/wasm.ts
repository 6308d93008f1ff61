/**
 * Compiles and instantiates the WebAssembly core.
 *
 * @module
 */
import { coreSource } from "../../generated/core.js";
import { CORE_EXPORTS } from "../../generated/core_exports.js";
import { sharedCoreSource } from "../../generated/core_shared.js";
import { CORE_SHARED_EXPORTS } from "../../generated/core_shared_exports.js";
import type { CoreExports } from "./exports.ts";
import type { SharedExports } from "./shared_exports.ts";
import { unpack } from "./unpack.ts";
import type { WasmMemory, WasmModule } from "./wasm_types.ts";

/** Compiled on first use, for all hosts of this thread. */
let compiled: WebAssembly.Module | undefined;
let compiledShared: WebAssembly.Module | undefined;

function compile(bytes: BufferSource): WebAssembly.Module {
  try {
    return new WebAssembly.Module(bytes);
  } catch (cause) {
    // A CSP and the Workers platforms both refuse with a CompileError, whose text differs from engine to engine.
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `bpfmap cannot compile its WebAssembly core here: ${reason}. Where code generation is forbidden, allow ` +
        "'wasm-unsafe-eval' in the Content-Security-Policy (script-src), or pass a compiled module to useWasm(module)",
      { cause },
    );
  }
}

/** A core of the package is text where it is embedded, and bytes where it is a file (src/node.ts). */
function bytesOf(source: string | Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return typeof source === "string" ? unpack(source) : source;
}

/** What the cores may import from `env`. */
const IMPORTS = ["memory", "abort"];
const SHARED_IMPORTS = [...IMPORTS, "slot", "now", "isGone"];

/** Whether a module has all exports that this version of the package calls, and needs nothing but `imports`. */
function isCore(module: WasmModule, exports: string, imports: readonly string[]): boolean {
  const exported = new Set(WebAssembly.Module.exports(module).map(({ name }) => name));
  const imported = WebAssembly.Module.imports(module);
  return (
    exports.split(" ").every((name) => exported.has(name)) &&
    imported.some(({ name, kind }) => name === "memory" && kind === "memory") &&
    imported.every(({ module, name }) => module === "env" && imports.includes(name))
  );
}

/** Whether a module is the core for shared memory. */
export function isSharedCore(module: WasmModule): boolean {
  return isCore(module, CORE_SHARED_EXPORTS, SHARED_IMPORTS);
}

/**
 * Overrides an embedded WebAssembly core for hosts created from now on. Needed where code generation from bytes is
 * forbidden (Workers platforms, a Content-Security-Policy without `'wasm-unsafe-eval'`): pass a module that was compiled
 * elsewhere. On Workers platforms that is what `bpfmap/core.wasm` is when imported, in browsers one that a worker with a
 * policy of its own has posted: see docs/guide/csp.md. For shared hosts do the same with `bpfmap/core.shared.wasm`; threads that
 * attach to one get the module with the handle.
 *
 * @param source a compiled module, or the bytes of `bpfmap/core.wasm` or `bpfmap/core.shared.wasm`
 * @throws TypeError when it is neither, or another module; Error when the bytes cannot be compiled
 * @example
 * ```ts
 * import { readFileSync } from "node:fs";
 * import { useWasm } from "bpfmap";
 *
 * useWasm(readFileSync("node_modules/bpfmap/dist/core.wasm"));
 * ```
 */
export function useWasm(source: WasmModule | ArrayBuffer | Uint8Array): void {
  let module: WebAssembly.Module;
  if (source instanceof WebAssembly.Module) module = source;
  else if (source instanceof ArrayBuffer || source instanceof Uint8Array)
    module = compile(source as BufferSource);
  else throw new TypeError("useWasm: expected a WebAssembly.Module, an ArrayBuffer or a Uint8Array");
  if (isSharedCore(module)) compiledShared = module;
  else if (isCore(module, CORE_EXPORTS, IMPORTS)) compiled = module;
  else {
    throw new TypeError(
      "useWasm: the module is neither core.wasm nor core.shared.wasm of this version of bpfmap",
    );
  }
}

function abort(_message: number, _file: number, line: number, column: number): never {
  throw new Error(`the bpfmap core failed an assertion at ${line}:${column}`);
}

/** Instantiates the core on `memory`. */
export function instantiateCore(memory: WasmMemory): CoreExports {
  compiled ??= compile(bytesOf(coreSource()));
  const env = { memory: memory as WebAssembly.Memory, abort };
  return new WebAssembly.Instance(compiled, { env }).exports as unknown as CoreExports;
}

/** The core for shared memory. */
export function sharedModule(): WasmModule {
  compiledShared ??= compile(bytesOf(sharedCoreSource()));
  return compiledShared;
}

/** Instantiates the core for shared memory for the thread with a slot. */
export function instantiateSharedCore(
  module: WasmModule,
  memory: WasmMemory,
  slot: number,
  isGone: (cpu: number) => boolean,
): SharedExports {
  const env = {
    memory: memory as WebAssembly.Memory,
    abort,
    slot: new WebAssembly.Global({ value: "i32", mutable: false }, slot),
    now: () => performance.now(),
    isGone,
  };
  return new WebAssembly.Instance(module, { env }).exports as unknown as SharedExports;
}
