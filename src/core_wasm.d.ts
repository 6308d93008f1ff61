import type { WasmModule } from "./core/wasm/wasm_types.js";

/**
 * `bpfmap/core.wasm` and `bpfmap/core.shared.wasm` as an import gives them on Workers platforms: the compiled module, for `useWasm`.
 * Elsewhere take their URL, as the bundler or `import.meta.resolve` gives it, and pass the module that was compiled from it.
 */
declare const core: WasmModule;
export default core;
