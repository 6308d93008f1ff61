/**
 * Types as BTF describes them: all 19 kinds of Documentation/bpf/btf.rst. Other types are named by their id.
 *
 * @module
 */

export interface IntType {
  readonly kind: "int";
  readonly name: string;
  readonly size: number;
  readonly bits: number;
  readonly isSigned: boolean;
  readonly isChar: boolean;
  readonly isBool: boolean;
}

export interface PointerType {
  readonly kind: "ptr";
  readonly type: number;
}

export interface ArrayType {
  readonly kind: "array";
  readonly type: number;
  readonly count: number;
}

export interface BtfMember {
  readonly name: string;
  readonly type: number;
  readonly bitOffset: number;
  /** 0 when it is no bit field. */
  readonly bits: number;
}

export interface StructType {
  readonly kind: "struct" | "union";
  readonly name: string;
  readonly size: number;
  readonly members: readonly BtfMember[];
}

export interface EnumType {
  readonly kind: "enum" | "enum64";
  readonly name: string;
  readonly size: number;
  readonly isSigned: boolean;
  readonly values: readonly { readonly name: string; readonly value: bigint }[];
}

export interface ForwardType {
  readonly kind: "fwd";
  readonly name: string;
  readonly isUnion: boolean;
}

/** Another name of a type, or what is said of one. */
export interface ModifierType {
  readonly kind: "typedef" | "volatile" | "const" | "restrict" | "type_tag";
  readonly name: string;
  readonly type: number;
}

export interface FunctionType {
  readonly kind: "func";
  readonly name: string;
  /** Its prototype. */
  readonly type: number;
  /** 0 static, 1 global, 2 extern. */
  readonly linkage: number;
}

export interface PrototypeType {
  readonly kind: "func_proto";
  /** What it returns. */
  readonly type: number;
  readonly parameters: readonly { readonly name: string; readonly type: number }[];
}

export interface VariableType {
  readonly kind: "var";
  readonly name: string;
  readonly type: number;
  /** 0 static, 1 global, 2 extern. */
  readonly linkage: number;
}

export interface SectionType {
  readonly kind: "datasec";
  readonly name: string;
  readonly size: number;
  /** In files of clang, offset and size are 0: the symbols have them. */
  readonly variables: readonly { readonly type: number; readonly offset: number; readonly size: number }[];
}

export interface FloatType {
  readonly kind: "float";
  readonly name: string;
  readonly size: number;
}

export interface TagType {
  readonly kind: "decl_tag";
  readonly name: string;
  readonly type: number;
  /** Which member or parameter it is on; -1 the whole. */
  readonly component: number;
}

export type BtfType =
  | { readonly kind: "void" }
  | IntType
  | PointerType
  | ArrayType
  | StructType
  | EnumType
  | ForwardType
  | ModifierType
  | FunctionType
  | PrototypeType
  | VariableType
  | SectionType
  | FloatType
  | TagType;

/** Kinds by their number, and how many bytes follow the 12 of each type: by itself, and for each of its parts. */
export const KINDS = [
  { kind: "void", own: 0, each: 0 },
  { kind: "int", own: 4, each: 0 },
  { kind: "ptr", own: 0, each: 0 },
  { kind: "array", own: 12, each: 0 },
  { kind: "struct", own: 0, each: 12 },
  { kind: "union", own: 0, each: 12 },
  { kind: "enum", own: 0, each: 8 },
  { kind: "fwd", own: 0, each: 0 },
  { kind: "typedef", own: 0, each: 0 },
  { kind: "volatile", own: 0, each: 0 },
  { kind: "const", own: 0, each: 0 },
  { kind: "restrict", own: 0, each: 0 },
  { kind: "func", own: 0, each: 0 },
  { kind: "func_proto", own: 0, each: 8 },
  { kind: "var", own: 4, each: 0 },
  { kind: "datasec", own: 0, each: 12 },
  { kind: "float", own: 0, each: 0 },
  { kind: "decl_tag", own: 4, each: 0 },
  { kind: "type_tag", own: 0, each: 0 },
  { kind: "enum64", own: 0, each: 12 },
] as const;
