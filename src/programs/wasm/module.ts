/**
 * Writes WebAssembly modules: functions over one imported memory.
 *
 * ```
 * magic "\0asm"  version 1
 * section 1   types       signatures, each once
 * section 2   imports     the memory, then functions
 * section 3   functions   the type of each function defined here
 * section 7   exports     functions by name
 * section 10  code        locals and instructions of each function
 * ```
 *
 * A section is its number, its size in bytes and a vector; a vector is a count and so many elements. Functions are numbered
 * with the imported ones first.
 *
 * @module
 */
import { ByteWriter } from "./bytes.ts";
import { CodeWriter, type Local } from "./code.ts";
import type { ValueType } from "./opcodes.ts";

/** Parameters and results. */
export interface Signature {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
}

const MAGIC_AND_VERSION = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);
const SECTION_TYPES = 1;
const SECTION_IMPORTS = 2;
const SECTION_FUNCTIONS = 3;
const SECTION_EXPORTS = 7;
const SECTION_CODE = 10;
const FUNCTION_TYPE = 0x60;
const KIND_FUNCTION = 0;
const KIND_MEMORY = 2;

/** A memory fits an import when it is at least as large and its maximum at most as large: these limits take any memory. */
const PAGES_MIN = 0;
const PAGES_MAX = 65536;
const LIMITS_MAXIMUM = 1;
/** Shared memories have a maximum. */
const LIMITS_SHARED = 3;

/**
 * A module under construction. Its memory is the import `env.memory`.
 *
 * ```
 * const module = new ModuleWriter({ shared: false });
 * module.function("add", { parameters: [TYPE_I32, TYPE_I32], results: [TYPE_I32] }, (code, [a, b]) => {
 *   code.get(a).get(b).op(I32.add);
 * });
 * new WebAssembly.Module(module.finish());
 * ```
 */
export class ModuleWriter {
  readonly #shared: boolean;
  readonly #types: string[] = [];
  readonly #signatures: Signature[] = [];
  readonly #imports: { readonly name: string; readonly type: number }[] = [];
  readonly #functions: { readonly type: number; readonly body: Uint8Array }[] = [];
  readonly #exports: { readonly name: string; readonly index: number }[] = [];

  /** @param memory whether the memory that the module is for is shared */
  constructor(memory: { readonly shared: boolean }) {
    this.#shared = memory.shared;
  }

  /** Imports the function `env.name`; its index. All imports come before the first function. */
  import(name: string, signature: Signature): number {
    if (this.#functions.length > 0) throw new Error("wasm: imports come before functions");
    this.#imports.push({ name, type: this.#type(signature) });
    return this.#imports.length - 1;
  }

  /**
   * Adds a function; its index.
   *
   * @param name under which it is exported; undefined when it is not
   * @param write writes the body; `parameters` are the locals that hold them
   */
  function(
    name: string | undefined,
    signature: Signature,
    write: (code: CodeWriter, parameters: readonly Local[]) => void,
  ): number {
    const { length } = signature.parameters;
    const code = new CodeWriter(length);
    write(
      code,
      Array.from({ length }, (_, i) => i),
    );
    const index = this.#imports.length + this.#functions.length;
    this.#functions.push({ type: this.#type(signature), body: code.finish() });
    if (name !== undefined) this.#exports.push({ name, index });
    return index;
  }

  /** The module as a binary. */
  finish(): Uint8Array<ArrayBuffer> {
    const binary = new ByteWriter();
    binary.bytes(MAGIC_AND_VERSION);
    section(binary, SECTION_TYPES, this.#signatures, (out, { parameters, results }) => {
      out.byte(FUNCTION_TYPE);
      for (const types of [parameters, results]) {
        out.u32(types.length);
        for (const type of types) out.byte(type);
      }
    });
    section(binary, SECTION_IMPORTS, [undefined, ...this.#imports], (out, imported) => {
      out.name("env");
      if (imported === undefined) this.#memory(out);
      else {
        out.name(imported.name);
        out.byte(KIND_FUNCTION);
        out.u32(imported.type);
      }
    });
    section(binary, SECTION_FUNCTIONS, this.#functions, (out, { type }) => out.u32(type));
    section(binary, SECTION_EXPORTS, this.#exports, (out, { name, index }) => {
      out.name(name);
      out.byte(KIND_FUNCTION);
      out.u32(index);
    });
    section(binary, SECTION_CODE, this.#functions, (out, { body }) => {
      out.u32(body.length);
      out.bytes(body);
    });
    return binary.finish();
  }

  #memory(out: ByteWriter): void {
    out.name("memory");
    out.byte(KIND_MEMORY);
    out.byte(this.#shared ? LIMITS_SHARED : LIMITS_MAXIMUM);
    out.u32(PAGES_MIN);
    out.u32(PAGES_MAX);
  }

  #type(signature: Signature): number {
    const key = JSON.stringify([signature.parameters, signature.results]);
    const known = this.#types.indexOf(key);
    if (known >= 0) return known;
    this.#signatures.push(signature);
    return this.#types.push(key) - 1;
  }
}

function section<T>(
  binary: ByteWriter,
  number: number,
  elements: readonly T[],
  write: (out: ByteWriter, element: T) => void,
): void {
  if (elements.length === 0) return;
  const content = new ByteWriter();
  content.u32(elements.length);
  for (const element of elements) write(content, element);
  binary.byte(number);
  binary.u32(content.length);
  binary.bytes(content.finish());
}
