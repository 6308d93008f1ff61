/**
 * The tree that a program is built as, and that both back ends read: the code generator and the closures in JavaScript.
 *
 * What each node means is written down in docs/programs.md. Nothing here is checked any more: the builder (expression.ts) has
 * refused what does not fit.
 *
 * @module
 */
import type { IntegerOperator, Range, Sign } from "./range.ts";
import type { NumberKind } from "./scalar_types.ts";

/** What an address counts from: the entry's key or value, or the block of the program's own memory. */
export type Root = "key" | "value" | "block";

/** Bytes in memory. */
export interface Place {
  readonly base: Root | Element;
  /** Bytes from there. */
  readonly offset: number;
  /** How messages and `toString` call it: `value.hits[3]`. */
  readonly path: string;
}

/** An element of an array that only the run of the program chooses. */
export interface Element {
  readonly array: Place;
  /** Bytes. */
  readonly stride: number;
  readonly length: number;
  /** Which element, zeros when there is none; undefined for the one that the surrounding {@link Fold} has come to. */
  readonly index: IntegerNode | undefined;
}

/** One pass over the elements of an array, from the first one on. */
export interface Fold<B> {
  readonly how: "sum" | "min" | "max";
  readonly element: Element;
  readonly body: B;
}

export interface Load {
  readonly scalar: NumberKind;
  readonly place: Place;
}

/** An integer of 64 bits. */
export type IntegerNode = { readonly type: "integer"; readonly sign: Sign; readonly range: Range } & (
  | ({ readonly op: "load" } & Load)
  | { readonly op: "constant"; readonly value: bigint }
  | { readonly op: IntegerOperator; readonly left: IntegerNode; readonly right: IntegerNode }
  | { readonly op: "convert"; readonly scalar: NumberKind; readonly operand: NumberNode }
  | ({ readonly op: "fold" } & Fold<IntegerNode>)
);

export type FloatOperator = "add" | "sub" | "mul" | "div";

/** An IEEE 754 number of 64 bits. */
export type FloatNode = { readonly type: "float" } & (
  | ({ readonly op: "load" } & Load)
  | { readonly op: "constant"; readonly value: number }
  | { readonly op: FloatOperator; readonly left: FloatNode; readonly right: FloatNode }
  | { readonly op: "neg"; readonly operand: FloatNode }
  | { readonly op: "convert"; readonly scalar: NumberKind; readonly operand: NumberNode }
  | ({ readonly op: "fold" } & Fold<FloatNode>)
);

export type NumberNode = IntegerNode | FloatNode;

/** A run of bytes: of memory, or constant. */
export type Run = Place | Uint8Array;

export type Comparison = "eq" | "ne" | "lt" | "le" | "gt" | "ge";

export type BooleanNode =
  | { readonly op: "constant"; readonly value: boolean }
  | { readonly op: "and" | "or"; readonly left: BooleanNode; readonly right: BooleanNode }
  | { readonly op: "not"; readonly operand: BooleanNode }
  | {
      readonly op: "integers";
      readonly how: Comparison;
      readonly left: IntegerNode;
      readonly right: IntegerNode;
    }
  | { readonly op: "floats"; readonly how: Comparison; readonly left: FloatNode; readonly right: FloatNode }
  /** Whether `length` bytes are the same. `text`: the constant, when it is one. */
  | {
      readonly op: "bytes";
      readonly left: Place;
      readonly right: Run;
      readonly length: number;
      readonly text?: string;
    }
  /** Whether two texts are the same up to their NUL, or the end of their room of that many bytes. */
  | {
      readonly op: "texts";
      readonly left: Place;
      readonly right: Place;
      readonly rooms: readonly [number, number];
    };

/** Adds to a counter. */
export interface EffectNode {
  readonly scalar: NumberKind;
  readonly counter: Place;
  readonly amount: NumberNode;
}

/**
 * One step of a program. When the condition holds (or there is none), the effects run; then the action ends the program for
 * this entry, or without one it goes on with the next statement.
 */
export interface Statement {
  readonly when: BooleanNode | undefined;
  readonly effects: readonly EffectNode[];
  readonly action: number | undefined;
}

/** All statements of a program. The action is ACT_KEEP when none of them ends it. */
export interface ProgramTree {
  readonly statements: readonly Statement[];
  /** Where in the block the zeros are that elements outside of their arrays read as. */
  readonly zeros: number;
}
