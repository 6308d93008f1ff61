/**
 * The interpreter's WebAssembly module, one for each kind of memory.
 *
 * @module
 */
import { unpack } from "../../core/wasm/unpack.ts";
import type { WasmModule } from "../../core/wasm/wasm_types.ts";
import { ebpfSource } from "../../generated/ebpf.js";
import { sharedEbpfSource } from "../../generated/ebpf_shared.js";

/** Compiled on first use, for all hosts of this thread. */
let plain: WebAssembly.Module | undefined;
let shared: WebAssembly.Module | undefined;

/** The module for the memory of a host. Throws a CompileError where code generation is forbidden and none was given. */
export function interpreterModule(isShared: boolean): WasmModule {
  if (!isShared) {
    plain ??= new WebAssembly.Module(unpack(ebpfSource()));
    return plain;
  }
  shared ??= new WebAssembly.Module(unpack(sharedEbpfSource()));
  return shared;
}

/**
 * Gives the interpreter's module where none may be compiled from bytes, as `useWasm` does for the core: a compiled
 * `bpfmap/ebpf.wasm`, and for shared hosts a compiled `bpfmap/ebpf.shared.wasm`.
 *
 * @throws TypeError for anything else
 */
export function useInterpreter(module: WasmModule, isShared: boolean): void {
  if (!(module instanceof WebAssembly.Module)) {
    throw new TypeError("useInterpreter: expected a WebAssembly.Module");
  }
  const imports = WebAssembly.Module.imports(module).map(({ name }) => name);
  const exports = WebAssembly.Module.exports(module).map(({ name }) => name);
  if (imports.toSorted().join() !== "helper,memory" || !exports.includes("run")) {
    throw new TypeError("useInterpreter: the module is not the interpreter of this version of bpfmap");
  }
  if (isShared) shared = module;
  else plain = module;
}
