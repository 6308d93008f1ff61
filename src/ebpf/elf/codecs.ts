/**
 * Codecs of types in BTF: how JavaScript reads and writes what a program keeps in a map or in a variable.
 *
 * What JavaScript has no value for (unions, bit fields, members that overlap) is bytes. A codec has the size of its type, and every field
 * that is one stands where C puts it.
 *
 * @module
 */
import { array } from "../../codec/array.ts";
import { bytes, cstring } from "../../codec/bytes.ts";
import type { Codec } from "../../codec/codec.ts";
import { f32, f64, i8, i16, i32, i64, u8, u16, u32, u53, u64 } from "../../codec/scalars.ts";
import { type SpecialField, spinLock, timer, workqueue } from "../../codec/special_fields.ts";
import { type Fields, struct } from "../../codec/struct.ts";
import type { Btf } from "./btf.ts";
import type { ArrayType, BtfMember, StructType } from "./btf_types.ts";
import { ObjectError } from "./object_error.ts";

/** What `unsigned long long` reads as: a bigint, or a number, which is refused beyond 2^53. */
export type Longs = "bigint" | "number";

/** Structs in structs and arrays, at most. */
const MOST_DEPTH = 32;
/** Fields of a type with all that is in it, at most: a codec has an object for each. */
const MOST_FIELDS = 4096;

const SIGNED: ReadonlyMap<number, Codec<unknown>> = new Map<number, Codec<unknown>>([
  [1, i8],
  [2, i16],
  [4, i32],
  [8, i64],
]);
const UNSIGNED: ReadonlyMap<number, Codec<unknown>> = new Map<number, Codec<unknown>>([
  [1, u8],
  [2, u16],
  [4, u32],
  [8, u64],
]);

/** Fields that the map keeps, not its user. */
const SPECIAL: ReadonlyMap<string, SpecialField> = new Map<string, SpecialField>([
  ["bpf_spin_lock", spinLock],
  ["bpf_timer", timer],
  ["bpf_wq", workqueue],
]);

/**
 * The codec of a type.
 *
 * @throws ObjectError for a type without a size, or one that is larger than a codec can be
 */
export function codecOf(btf: Btf, id: number, longs: Longs = "bigint"): Codec<unknown> {
  const size = btf.sizeOf(id);
  if (size === 0) throw new ObjectError(`type ${id} of BTF has no size`);
  try {
    return new Maker(btf, longs).codec(id, 0);
  } catch (error) {
    if (error instanceof ObjectError) throw error;
    throw new ObjectError(`type ${id} of BTF has no codec: ${(error as Error).message}`);
  }
}

class Maker {
  readonly #btf: Btf;
  readonly #longs: Longs;
  #fields = 0;

  constructor(btf: Btf, longs: Longs) {
    this.#btf = btf;
    this.#longs = longs;
  }

  /** `depth`: how many structs and arrays it is in. */
  codec(id: number, depth: number): Codec<unknown> {
    const type = this.#btf.resolved(id);
    const size = this.#btf.sizeOf(id);
    if (depth > MOST_DEPTH || ++this.#fields > MOST_FIELDS) return bytes(size);
    switch (type.kind) {
      case "int":
        return this.#integer(size, type.isSigned, type.bits);
      case "enum":
      case "enum64":
        return this.#integer(size, type.isSigned, size * 8);
      case "float":
        return size === 4 ? f32 : size === 8 ? f64 : bytes(size);
      case "ptr":
        return this.#integer(8, false, 64);
      case "array":
        return this.#array(type, size, depth);
      case "struct":
        return this.#struct(type, depth) ?? bytes(size);
    }
    return bytes(size);
  }

  #integer(size: number, isSigned: boolean, bits: number): Codec<unknown> {
    if (bits !== size * 8) return bits === 1 && size === 1 ? u8 : bytes(size);
    if (size === 8 && !isSigned && this.#longs === "number") return u53;
    return (isSigned ? SIGNED : UNSIGNED).get(size) ?? bytes(size);
  }

  /** `char[n]` is text, other bytes are bytes. */
  #array({ type, count }: ArrayType, size: number, depth: number): Codec<unknown> {
    const element = this.#btf.resolved(type);
    if (element.kind === "int" && element.size === 1 && !element.isBool) {
      const isText = element.isChar || element.name === "char";
      return isText && size > 1 ? cstring(size) : bytes(size);
    }
    return array(this.codec(type, depth + 1), count);
  }

  /** Undefined for what is no struct of JavaScript. */
  #struct({ size, members }: StructType, depth: number): Codec<unknown> | undefined {
    const fields: Record<string, Fields[string]> = {};
    let end = 0;
    let unnamed = 0;
    const fill = (to: number) => {
      if (to > end) fields[`padding${unnamed++}`] = bytes(to - end);
    };
    for (const member of members) {
      const memberSize = this.#btf.sizeOf(member.type);
      if (memberSize === 0) continue;
      if (member.bits !== 0 || member.bitOffset % 8 !== 0) return undefined;
      const at = member.bitOffset / 8;
      const field = this.#field(member, memberSize, depth);
      const next = roundUp(end, field.align);
      // Packed structs and members that are aligned less than their codec.
      if (next > at || at % field.align !== 0) return undefined;
      if (next < at) fill(at);
      fields[this.#name(member, fields, unnamed)] = field;
      if (member.name === "") unnamed++;
      end = at + memberSize;
    }
    if (Object.keys(fields).length === 0) return undefined;
    const align = Math.max(...Object.values(fields).map((field) => field.align));
    if (roundUp(end, align) < size) fill(size);
    const made = struct(fields as Readonly<Record<string, Codec<unknown>>>);
    return made.size === size ? (made as Codec<unknown>) : undefined;
  }

  #name({ name }: BtfMember, fields: object, unnamed: number): string {
    if (name === "") return `unnamed${unnamed}`;
    if (Object.hasOwn(fields, name)) throw new ObjectError(`BTF has two members ${name} in one struct`);
    return name;
  }

  /** Locks and timers are fields only of the value itself: further in they are bytes that nobody looks at. */
  #field({ type }: BtfMember, size: number, depth: number): Codec<unknown> | SpecialField {
    const resolved = this.#btf.resolved(type);
    const special = resolved.kind === "struct" ? SPECIAL.get(resolved.name) : undefined;
    if (special === undefined) return this.codec(type, depth + 1);
    return depth === 0 && special.size === size ? special : bytes(size);
  }
}

const roundUp = (offset: number, align: number) => Math.ceil(offset / align) * align;
