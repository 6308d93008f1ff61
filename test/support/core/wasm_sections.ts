/**
 * Reads the sections of a WebAssembly binary that the rules for the core are about. Format: WebAssembly Core Specification,
 * chapter 5 "Binary Format"; the shared flag of memories is the threads proposal's.
 */

export type ValueType = "i32" | "i64" | "f32" | "f64" | "v128" | "funcref" | "externref";
export type ExternalKind = "function" | "table" | "memory" | "global";

export interface FunctionType {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
}

export interface GlobalType {
  readonly type: ValueType;
  readonly mutable: boolean;
}

/** In pages of 64 KiB. */
export interface MemoryType {
  readonly minimum: number;
  readonly maximum: number | undefined;
  readonly shared: boolean;
}

export interface WasmImport {
  readonly module: string;
  readonly name: string;
  readonly kind: ExternalKind;
  readonly memory: MemoryType | undefined;
}

export interface WasmExport {
  readonly name: string;
  readonly kind: ExternalKind;
  readonly index: number;
}

/** What a binary holds; functions and globals count the imported ones first, as the indices in it do. */
export interface WasmSections {
  readonly imports: readonly WasmImport[];
  readonly functions: readonly FunctionType[];
  /** defined in the binary, not imported */
  readonly memories: readonly MemoryType[];
  readonly globals: readonly GlobalType[];
  readonly exports: readonly WasmExport[];
  /** data segments that instantiation copies to memory */
  readonly activeData: number;
  /** names of the custom sections */
  readonly custom: readonly string[];
}

const KINDS: readonly ExternalKind[] = ["function", "table", "memory", "global"];
const VALUE_TYPES: Readonly<Record<number, ValueType>> = {
  127: "i32",
  126: "i64",
  125: "f32",
  124: "f64",
  123: "v128",
  112: "funcref",
  111: "externref",
};

/** Opcodes of constant expressions, by the kind of their operand. */
const OP_END = 0x0b;
const WITH_INDEX = new Set([0x23 /* global.get */, 0xd2 /* ref.func */]);
const OP_I32_CONST = 0x41;
const OP_I64_CONST = 0x42;
const OP_F32_CONST = 0x43;
const OP_F64_CONST = 0x44;

class Reader {
  at: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  byte(): number {
    const byte = this.#bytes[this.at++];
    if (byte === undefined) throw new RangeError("the binary ends too early");
    return byte;
  }

  /** Unsigned LEB128 of at most 32 bits. */
  u32(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  /** Any LEB128, whose value does not matter. */
  skipInteger(): void {
    while (this.byte() >= 0x80);
  }

  name(): string {
    const length = this.u32();
    this.at += length;
    return new TextDecoder().decode(this.#bytes.subarray(this.at - length, this.at));
  }

  vector<T>(read: () => T): T[] {
    return Array.from({ length: this.u32() }, read);
  }

  valueType(): ValueType {
    const code = this.byte();
    const type = VALUE_TYPES[code];
    if (type === undefined) throw new RangeError(`unknown value type ${code}`);
    return type;
  }

  globalType(): GlobalType {
    return { type: this.valueType(), mutable: this.byte() === 1 };
  }

  /** Bit 0: has a maximum; bit 1: shared. */
  memoryType(): MemoryType {
    const flags = this.byte();
    if (flags > 3) throw new RangeError(`unknown flags of a memory: ${flags}`);
    const minimum = this.u32();
    return { minimum, maximum: (flags & 1) === 1 ? this.u32() : undefined, shared: (flags & 2) === 2 };
  }

  skipConstant(): void {
    for (;;) {
      const opcode = this.byte();
      if (opcode === OP_END) return;
      if (WITH_INDEX.has(opcode) || opcode === OP_I32_CONST || opcode === OP_I64_CONST) this.skipInteger();
      else if (opcode === OP_F32_CONST) this.at += 4;
      else if (opcode === OP_F64_CONST) this.at += 8;
      else throw new RangeError(`unknown opcode ${opcode} in a constant`);
    }
  }
}

/** Throws RangeError for what the core has no use for: tables, other reference types, passive elements. */
export function readSections(binary: Uint8Array): WasmSections {
  const types: FunctionType[] = [];
  const imports: WasmImport[] = [];
  const functions: FunctionType[] = [];
  const memories: MemoryType[] = [];
  const globals: GlobalType[] = [];
  const exports: WasmExport[] = [];
  const custom: string[] = [];
  let activeData = 0;

  const reader = new Reader(binary, 8);
  const section: Readonly<Record<number, () => void>> = {
    0: () => custom.push(reader.name()),
    1: () =>
      reader.vector(() => {
        if (reader.byte() !== 0x60) throw new RangeError("a type that is no function");
        const parameters = reader.vector(() => reader.valueType());
        types.push({ parameters, results: reader.vector(() => reader.valueType()) });
      }),
    2: () =>
      reader.vector(() => {
        const [module, name, kind] = [reader.name(), reader.name(), KINDS[reader.byte()]];
        let memory: MemoryType | undefined;
        if (kind === "function") functions.push(types[reader.u32()]);
        else if (kind === "memory") memory = reader.memoryType();
        else if (kind === "global") globals.push(reader.globalType());
        else throw new RangeError(`import of kind ${kind}`);
        imports.push({ module, name, kind, memory });
      }),
    3: () => reader.vector(() => functions.push(types[reader.u32()])),
    5: () => reader.vector(() => memories.push(reader.memoryType())),
    6: () =>
      reader.vector(() => {
        globals.push(reader.globalType());
        reader.skipConstant();
      }),
    7: () =>
      reader.vector(() => {
        exports.push({ name: reader.name(), kind: KINDS[reader.byte()], index: reader.u32() });
      }),
    11: () =>
      reader.vector(() => {
        // 0: active; 1: passive; 2: active with a memory index.
        const flag = reader.u32();
        if (flag !== 1) {
          activeData++;
          if (flag === 2) reader.skipInteger();
          reader.skipConstant();
        }
        const length = reader.u32();
        reader.at += length;
      }),
  };
  while (reader.at < binary.length) {
    const id = reader.byte();
    const length = reader.u32();
    const end = reader.at + length;
    if (section[id] !== undefined) {
      section[id]();
      // The content of a custom section beyond its name does not matter.
      if (id !== 0 && reader.at !== end)
        throw new RangeError(`section ${id} has ${end - reader.at} bytes left`);
    }
    reader.at = end;
  }
  return { imports, functions, memories, globals, exports, activeData, custom };
}
