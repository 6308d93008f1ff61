/**
 * Compiles generated modules, where that is allowed.
 *
 * @module
 */
import type { HostViews } from "../../core/memory/views.ts";

/**
 * Instantiates a generated module on the memory of a host.
 *
 * @param imports functions of `env`
 * @returns its exports; undefined where code generation is forbidden, as by a Content-Security-Policy without
 *   `'wasm-unsafe-eval'` or on Workers platforms
 */
export function instantiate(
  host: HostViews,
  binary: Uint8Array<ArrayBuffer>,
  imports: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> | undefined {
  let module: WebAssembly.Module;
  try {
    module = new WebAssembly.Module(binary);
  } catch {
    // The error differs from engine to engine (see core/wasm/wasm.ts), and an invalid module, which has a test, would be one, too.
    return undefined;
  }
  const env = { ...(imports as WebAssembly.ModuleImports), memory: host.memory as WebAssembly.Memory };
  return new WebAssembly.Instance(module, { env }).exports;
}
