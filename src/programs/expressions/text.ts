/**
 * Runs of bytes in a program: raw ones, and text.
 *
 * @module
 */
import { describe, within } from "../../arguments/mismatch.ts";
import type { RunCodec } from "../../codec/bytes.ts";
import { Scalar } from "../../codec/codec.ts";
import { elementAt } from "./elements.ts";
import { BooleanExpression, NumberExpression, type Operand } from "./expression.ts";
import { load } from "./nodes.ts";
import { checkScope, Part, type Scope } from "./scope.ts";
import type { BooleanNode, Place } from "./tree.ts";

/** A run of bytes in memory. */
export abstract class RunExpression<T> extends Part {
  /** @internal */
  readonly place: Place;
  /** @internal */
  readonly codec: RunCodec<T>;

  /** @internal */
  constructor(scope: Scope, size: number, codec: RunCodec<T>, place: Place) {
    super(scope, size);
    this.codec = codec;
    this.place = place;
  }

  /** Byte number `index`, an unsigned integer; 0 when there is none. */
  byte(index: Operand): NumberExpression {
    const { scope, codec, place } = this;
    const { size, place: byte } = elementAt(scope, `${place.path}.byte`, place, 1, codec.size, index);
    return new NumberExpression(scope, this.size + size, load(Scalar.U8, byte));
  }

  /** @internal The bytes of a constant, as the codec writes them. */
  protected encode(method: string, value: T): Uint8Array {
    const { scope, codec, place } = this;
    const bytes = new Uint8Array(codec.size);
    try {
      codec.encode(value, new DataView(bytes.buffer), 0);
    } catch (error) {
      throw within(`program: ${scope.subject}: ${place.path}.${method}`, error);
    }
    return bytes;
  }

  /** @internal Throws for what is neither a constant nor a run of the same kind in the same program. */
  protected check(method: string, other: unknown): asserts other is RunExpression<T> {
    const { scope, codec, place } = this;
    const path = `${place.path}.${method}`;
    if (!(other instanceof RunExpression) || other.codec.run !== codec.run) {
      const got = other instanceof Part ? "an expression that is none" : describe(other);
      throw scope.wrongType(path, `expected ${codec.name} or an expression that is one, got ${got}`);
    }
    checkScope(scope, () => path, other);
  }

  /** @internal */
  protected condition(size: number, equal: boolean, node: BooleanNode): BooleanExpression {
    const { scope } = this;
    checkScope(scope, () => this.place.path, this);
    const all = this.size + size + 1;
    return scope.made(new BooleanExpression(scope, all, equal ? node : { op: "not", operand: node }));
  }
}

/** A `bytes(n)` of an entry. */
export class BytesExpression extends RunExpression<Uint8Array> {
  /** Whether all bytes are the same as those of a constant, or of another `bytes` of the same length. */
  eq(other: Uint8Array | BytesExpression): BooleanExpression {
    return this.#same("eq", other);
  }

  ne(other: Uint8Array | BytesExpression): BooleanExpression {
    return this.#same("ne", other);
  }

  #same(method: "eq" | "ne", other: Uint8Array | BytesExpression): BooleanExpression {
    const { place, codec } = this;
    const { size: length } = codec;
    if (!(other instanceof Part)) {
      const right = this.encode(method, other);
      return this.condition(1, method === "eq", { op: "bytes", left: place, right, length });
    }
    this.check(method, other);
    if (other.codec.size !== length) {
      throw this.scope.outOfRange(
        `${place.path}.${method}`,
        `expected ${codec.name}, got ${other.codec.name}`,
      );
    }
    return this.condition(other.size, method === "eq", {
      op: "bytes",
      left: place,
      right: other.place,
      length,
    });
  }
}

/** A `cstring(n)` of an entry. */
export class TextExpression extends RunExpression<string> {
  /** Whether the text up to its NUL is the same as a constant, or as another text, whatever room each has. */
  eq(other: string | TextExpression): BooleanExpression {
    return this.#same("eq", other);
  }

  ne(other: string | TextExpression): BooleanExpression {
    return this.#same("ne", other);
  }

  #same(method: "eq" | "ne", other: string | TextExpression): BooleanExpression {
    const { place, codec } = this;
    if (!(other instanceof Part)) {
      const padded = this.encode(method, other);
      // What stands behind the NUL does not matter.
      const length = padded.indexOf(0) + 1;
      const right = padded.subarray(0, length);
      return this.condition(1, method === "eq", { op: "bytes", left: place, right, length, text: other });
    }
    this.check(method, other);
    const rooms = [codec.size, other.codec.size] as const;
    return this.condition(other.size, method === "eq", {
      op: "texts",
      left: place,
      right: other.place,
      rooms,
    });
  }
}
