/**
 * The types of an object, as `.BTF` has them. A program that includes vmlinux.h brings ten thousand of them, of which it uses a few: a type
 * is read when somebody asks for it.
 *
 * ```
 * header:  0 u16 magic | u8 version | u8 flags | u32 bytes of the header | 8 u32 types at | u32 bytes | 16 u32 strings at | u32 bytes
 * type:    0 u32 name | u32 info: 15..0 parts, 28..24 kind, 31 flag | u32 size or type | what KINDS says
 * ```
 *
 * @module
 */
import { type BtfType, KINDS, type SectionType } from "./btf_types.ts";
import { ObjectError } from "./object_error.ts";
import { Reader } from "./reader.ts";

const MAGIC = 0xeb9f;
const TYPE_BYTES = 12;
/** Types through which another one is reached, at most: more is a circle. */
const MOST_STEPS = 64;
/** Bytes of a type. */
const SIZE_MAX = 0xffff_ffff;

export class Btf {
  readonly #types: Reader;
  readonly #strings: Reader;
  /** Where each type is. Type 0, void, is nowhere. */
  readonly #offsets: readonly number[];
  readonly #read = new Map<number, BtfType>();

  /** @throws ObjectError */
  constructor(bytes: Uint8Array) {
    const file = new Reader(bytes, "section .BTF");
    if (file.u16(0) !== MAGIC) throw new ObjectError("section .BTF does not begin with the mark of BTF");
    const header = file.u32(4);
    const part = (at: number, what: string) => file.part(header + file.u32(at), file.u32(at + 4), what);
    this.#types = new Reader(part(8, "the types of BTF"), "the types of BTF");
    this.#strings = new Reader(part(16, "the names of BTF"), "the names of BTF");
    this.#offsets = offsetsOf(this.#types);
  }

  /** Types have the ids below this. */
  get count(): number {
    return this.#offsets.length;
  }

  /** A text by its offset. */
  text(offset: number): string {
    return this.#strings.text(offset);
  }

  type(id: number): BtfType {
    let type = this.#read.get(id);
    if (type === undefined) {
      if (id >= this.count) throw new ObjectError(`BTF has no type ${id}`);
      type = id === 0 ? { kind: "void" } : this.#readType(this.#offsets[id]);
      this.#read.set(id, type);
    }
    return type;
  }

  /** The section of a name, with its variables. */
  section(name: string): SectionType | undefined {
    for (let id = 1; id < this.count; id++) {
      if (this.#kindAt(this.#offsets[id]) !== "datasec") continue;
      const type = this.type(id);
      if (type.kind === "datasec" && type.name === name) return type;
    }
    return undefined;
  }

  /** The id of a type without its typedefs and qualifiers. */
  resolve(id: number): number {
    const first = id;
    for (let steps = 0; steps < MOST_STEPS; steps++) {
      const type = this.type(id);
      switch (type.kind) {
        case "typedef":
        case "volatile":
        case "const":
        case "restrict":
        case "type_tag":
          id = type.type;
          continue;
      }
      return id;
    }
    throw new ObjectError(`type ${first} of BTF leads to itself`);
  }

  /** A type without its typedefs and qualifiers. */
  resolved(id: number): BtfType {
    return this.type(this.resolve(id));
  }

  /** Bytes of a value. */
  sizeOf(id: number): number {
    let count = 1;
    const whole = id;
    for (let steps = 0; steps < MOST_STEPS; steps++) {
      const type = this.resolved(id);
      switch (type.kind) {
        case "array":
          count *= type.count;
          id = type.type;
          continue;
        case "var":
          id = type.type;
          continue;
        case "ptr":
          return checkedSize(count * 8, whole);
        case "int":
        case "struct":
        case "union":
        case "enum":
        case "enum64":
        case "float":
        case "datasec":
          return checkedSize(count * type.size, whole);
      }
      return 0;
    }
    throw new ObjectError(`type ${whole} of BTF contains itself`);
  }

  #kindAt(at: number): BtfType["kind"] {
    return KINDS[(this.#types.u32(at + 4) >>> 24) & 31].kind;
  }

  #readType(at: number): BtfType {
    const types = this.#types;
    const info = types.u32(at + 4);
    const flag = info >>> 31 === 1;
    const parts = info & 0xffff;
    const name = this.text(types.u32(at));
    // One word with two meanings.
    const size = types.u32(at + 8);
    const type = size;
    const behind = at + TYPE_BYTES;
    const { kind, each } = KINDS[(info >>> 24) & 31];
    const list = <T>(read: (at: number) => T) =>
      Array.from({ length: parts }, (_, i) => read(behind + i * each));
    switch (kind) {
      case "int": {
        const how = types.u32(behind);
        const [isSigned, isChar, isBool] = [24, 25, 26].map((bit) => ((how >>> bit) & 1) === 1);
        return { kind, name, size, bits: how & 255, isSigned, isChar, isBool };
      }
      case "ptr":
        return { kind, type };
      case "array":
        return { kind, type: types.u32(behind), count: types.u32(behind + 8) };
      case "struct":
      case "union":
        return { kind, name, size, members: list((member) => this.#member(member, flag)) };
      case "enum":
        return {
          kind,
          name,
          size,
          isSigned: flag,
          values: list((value) => this.#enumerator(value, flag, 4)),
        };
      case "enum64":
        return {
          kind,
          name,
          size,
          isSigned: flag,
          values: list((value) => this.#enumerator(value, flag, 8)),
        };
      case "fwd":
        return { kind, name, isUnion: flag };
      case "typedef":
      case "volatile":
      case "const":
      case "restrict":
      case "type_tag":
        return { kind, name, type };
      case "func":
        return { kind, name, type, linkage: parts };
      case "func_proto":
        return {
          kind,
          type,
          parameters: list((at) => ({ name: this.text(types.u32(at)), type: types.u32(at + 4) })),
        };
      case "var":
        return { kind, name, type, linkage: types.u32(behind) };
      case "datasec": {
        const variables = list((at) => ({
          type: types.u32(at),
          offset: types.u32(at + 4),
          size: types.u32(at + 8),
        }));
        return { kind, name, size, variables };
      }
      case "float":
        return { kind, name, size };
      case "decl_tag":
        return { kind, name, type, component: types.i32(behind) };
    }
    return { kind };
  }

  /** With the flag of its struct, the upper 8 bits of an offset are the size of a bit field. */
  #member(at: number, flag: boolean) {
    const types = this.#types;
    const offset = types.u32(at + 8);
    return {
      name: this.text(types.u32(at)),
      type: types.u32(at + 4),
      bitOffset: flag ? offset & 0xff_ffff : offset,
      bits: flag ? offset >>> 24 : 0,
    };
  }

  #enumerator(at: number, isSigned: boolean, bytes: 4 | 8) {
    const types = this.#types;
    const bits = bytes === 4 ? BigInt(types.i32(at + 4)) : types.i64(at + 4);
    const value = isSigned ? bits : BigInt.asUintN(8 * bytes, bits);
    return { name: this.text(types.u32(at)), value };
  }
}

function checkedSize(size: number, id: number): number {
  if (size > SIZE_MAX) throw new ObjectError(`type ${id} of BTF has ${size} bytes`);
  return size;
}

/** One pass over the types: what comes after a type is known from its kind and the number of its parts. */
function offsetsOf(types: Reader): number[] {
  const offsets = [0];
  for (let at = 0; at < types.length; ) {
    offsets.push(at);
    const info = types.u32(at + 4);
    const number = (info >>> 24) & 31;
    const kind = KINDS[number];
    if (number === 0 || kind === undefined) {
      throw new ObjectError(`type ${offsets.length - 1} of BTF is of kind ${number}, which there is not`);
    }
    at += TYPE_BYTES + kind.own + kind.each * (info & 0xffff);
  }
  return offsets;
}
