/**
 * Fields of structs by name, those of nested structs as `src.port`.
 *
 * @module
 */
import type { Codec } from "./codec.ts";
import { isStruct } from "./struct.ts";

/** Names of the fields of a struct's value: `"proto" | "src" | "src.port"`. */
export type FieldPath<V> = unknown extends V
  ? string
  : V extends number | bigint | string | Uint8Array | readonly unknown[]
    ? never
    : { [N in keyof V & string]: N | `${N}.${FieldPath<V[N]>}` }[keyof V & string];

/** The type of the field that a path names. */
export type FieldOf<V, P> = unknown extends V
  ? unknown
  : V extends number | bigint | string | Uint8Array | readonly unknown[]
    ? unknown
    : P extends keyof V
      ? V[P]
      : P extends `${infer N}.${infer R}`
        ? N extends keyof V
          ? FieldOf<V[N], R>
          : never
        : never;

/** Where a field is. */
export interface FieldPlace {
  readonly path: string;
  readonly codec: Codec<unknown>;
  /** Bytes from the start of the outermost struct. */
  readonly offset: number;
}

/** The field of a layout that a path names; undefined without one, and for a special field, which has no value. */
export function findField(codec: Codec<unknown>, path: string): FieldPlace | undefined {
  let found = codec;
  let offset = 0;
  for (const name of path.split(".")) {
    if (!isStruct(found) || !Object.hasOwn(found.fields, name)) return undefined;
    offset += found.offsets[name];
    const field = found.fields[name];
    if (!("encode" in field)) return undefined;
    found = field;
  }
  return { path, codec: found, offset };
}
