/**
 * C structs of the kernel's interface as tables of named fields, and the two functions that write and read them. All numbers
 * are little-endian, as on every machine that WebAssembly runs on.
 *
 * @module
 */

/** Type of a field: 32-bit, 32-bit signed, 64-bit (sizes, flags, pointers), or the 16 bytes of a map's name (Latin-1). */
export type FieldKind = "u32" | "s32" | "u64" | "name";

/** A field: its type and its offset in bytes. */
export type Field = readonly [kind: FieldKind, offset: number];

/** A struct of the kernel's interface. */
export interface UapiStruct<F extends Readonly<Record<string, Field>> = Readonly<Record<string, Field>>> {
  /** Bytes up to the end of its last field, padding included. */
  readonly size: number;
  readonly fields: F;
}

/** What {@link writeStruct} takes: any of the fields, the others are 0. Pointers are byte offsets into `memory`. */
export type StructInput<S extends UapiStruct> = {
  readonly [Name in keyof S["fields"]]?: S["fields"][Name][0] extends "name"
    ? string
    : S["fields"][Name][0] extends "u64"
      ? number | bigint
      : number;
};

/** What {@link readStruct} gives: every field by its name; 64-bit ones as bigint. */
export type StructOutput<S extends UapiStruct> = {
  -readonly [Name in keyof S["fields"]]: S["fields"][Name][0] extends "name"
    ? string
    : S["fields"][Name][0] extends "u64"
      ? bigint
      : number;
};

const NAME_BYTES = 16;
const BYTES = { u32: 4, s32: 4, u64: 8, name: NAME_BYTES } as const;

function writeName(bytes: Uint8Array, offset: number, name: string): void {
  // As long as the field: what does not end with a NUL is for the kernel to refuse.
  if (name.length > NAME_BYTES) {
    throw new RangeError(`map_name: expected at most ${NAME_BYTES} characters, got ${name.length}`);
  }
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code > 0xff) throw new RangeError(`map_name: expected characters of Latin-1, got "${name[i]}"`);
    bytes[offset + i] = code;
  }
}

function readName(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return String.fromCharCode(...bytes.subarray(0, end < 0 ? NAME_BYTES : end));
}

/**
 * A struct as bytes, ready for `host.bpf`.
 *
 * @throws TypeError for a name that is no field; RangeError for a map_name of more than 16 characters
 *   or of others than Latin-1.
 * @example
 * ```ts
 * import { BPF_ATTR_BATCH, writeStruct } from "bpfmap/uapi";
 *
 * const attr = writeStruct(BPF_ATTR_BATCH, { map_fd: 3, keys: 64, values: 512, count: 100 });
 * console.log(attr.length, attr[16], attr[32], attr[36]); // 56 64 100 3
 * ```
 */
export function writeStruct<S extends UapiStruct>(
  struct: S,
  values: StructInput<S>,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(struct.size);
  const view = new DataView(bytes.buffer);
  for (const [name, value] of Object.entries(values) as [string, number | bigint | string | undefined][]) {
    if (!Object.hasOwn(struct.fields, name)) throw new TypeError(`writeStruct: there is no field ${name}`);
    if (value === undefined) continue;
    const [kind, offset] = struct.fields[name];
    if (kind === "name") writeName(bytes, offset, String(value));
    else if (kind === "u64") view.setBigUint64(offset, BigInt(value), true);
    else view.setUint32(offset, Number(value), true);
  }
  return bytes;
}

/**
 * The fields of a struct by name. Of bytes that end early, as the kernel allows, the missing fields read 0.
 *
 * @example
 * ```ts
 * import { BPF_ATTR_ELEM, readStruct, writeStruct } from "bpfmap/uapi";
 *
 * const attr = writeStruct(BPF_ATTR_ELEM, { map_fd: 3, key: 64 });
 * console.log(readStruct(BPF_ATTR_ELEM, attr).key); // 64n
 * ```
 */
export function readStruct<S extends UapiStruct>(struct: S, bytes: Uint8Array): StructOutput<S> {
  const whole = new Uint8Array(struct.size);
  whole.set(bytes.subarray(0, struct.size));
  const view = new DataView(whole.buffer);
  const values: Record<string, number | bigint | string> = {};
  for (const [name, [kind, offset]] of Object.entries(struct.fields)) {
    if (kind === "name") values[name] = readName(whole.subarray(offset, offset + NAME_BYTES));
    else if (kind === "u64") values[name] = view.getBigUint64(offset, true);
    else values[name] = kind === "s32" ? view.getInt32(offset, true) : view.getUint32(offset, true);
  }
  return values as StructOutput<S>;
}

/** Offset behind a field: where the part of an attribute begins that a command does not know. */
export function endOf(field: Field): number {
  return field[1] + BYTES[field[0]];
}
