// Compiles what the encoder of src/programs/wasm wrote.
import { expect } from "vitest";
import { type CodeWriter, ModuleWriter, type ValueType } from "../../../src/programs/wasm/index.ts";

export type Wasm = (...values: unknown[]) => number | bigint;

/** Memory of one page that may grow to two. */
export const memory = (shared = false) => new WebAssembly.Memory({ initial: 1, maximum: 2, shared });

/** Validates a module; its exports. */
export function instantiate(
  binary: Uint8Array<ArrayBuffer>,
  env: WebAssembly.ModuleImports = { memory: memory() },
): Record<string, Wasm> {
  expect(WebAssembly.validate(binary)).toBe(true);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(binary), { env });
  return instance.exports as Record<string, Wasm>;
}

/** A function of its own module. */
export function compile(
  parameters: ValueType[],
  result: ValueType,
  write: (code: CodeWriter, locals: readonly number[]) => void,
  shared = false,
): Wasm {
  const module = new ModuleWriter({ shared });
  module.function("run", { parameters, results: [result] }, write);
  return instantiate(module.finish(), { memory: memory(shared) }).run;
}
