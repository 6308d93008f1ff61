/**
 * Counters: integers of values that `add` and `addMany` add to.
 *
 * @module
 */
import { checkKnown } from "../../arguments/known.ts";
import { describe, outOfRange, within, wrongType } from "../../arguments/mismatch.ts";
import { type Codec, Scalar, type ScalarKind } from "../../codec/codec.ts";
import { type FieldOf, type FieldPath, type FieldPlace, findField } from "../../codec/path.ts";
import { isStruct } from "../../codec/struct.ts";
import type { Operation } from "../../errors.ts";
import { subjectOf } from "../failure.ts";
import type { MapHandle } from "../handle.ts";

/**
 * What `add` counts in, for values of type `V`: number, or bigint for `u64` and `i64`; of a struct, what its fields are. `N` says
 * which, for a struct that has both. It is never more than values have, so that an editor shows no call that cannot be made.
 * Unknown for values without an integer.
 */
export type Count<V, N> = unknown extends V
  ? number | bigint
  : V extends number
    ? number
    : V extends bigint
      ? bigint
      : V extends string | readonly unknown[] | Uint8Array
        ? unknown
        : N extends FieldOf<V, FieldPath<V>>
          ? N
          : [Extract<FieldOf<V, FieldPath<V>>, number | bigint>] extends [never]
            ? unknown
            : Extract<FieldOf<V, FieldPath<V>>, number | bigint>;

/** Names of the fields of `V` that `add` can count in, in integers of type `C`; those of nested structs as `src.port`. */
export type CountField<V, C> = unknown extends V
  ? string
  : { [P in FieldPath<V>]: FieldOf<V, P> extends C ? P : never }[FieldPath<V>];

/** What `addFields` takes: integers by the names of fields. */
export type FieldDeltas<V> = unknown extends V
  ? Readonly<Record<string, number | bigint>>
  : { readonly [P in CountField<V, number | bigint>]?: FieldOf<V, P> };

/** What `add` takes after the key, to count in integers of type `C`; `D` is the type of one delta, or of many. */
export type AddArguments<V, C, D = C> = unknown extends C
  ? never
  : unknown extends V
    ? [delta: D, options?: AddOptions<string>]
    : V extends number | bigint
      ? [delta: D]
      : [delta: D, options: AddOptions<CountField<V, C>>];

/** Options of `add` and `addMany` for values that are structs. */
export interface AddOptions<F> {
  /** The field of the struct to add to. */
  readonly field: F;
}

/** One integer of a value. */
export interface Counter {
  readonly scalar: ScalarKind;
  /** Bytes. */
  readonly width: 1 | 2 | 4 | 8;
  /** Bytes from the start of the value. */
  readonly offset: number;
  /** The name of the field, none of a whole value. */
  readonly field: string;
  /** How errors call it: `value` or `value.packets`. */
  readonly path: string;
}

const WORD = 0x1_0000_0000;
const U64_MAX = 0xffff_ffff_ffff_ffffn;

const WIDTHS: Readonly<Partial<Record<ScalarKind, Counter["width"]>>> = {
  [Scalar.U8]: 1,
  [Scalar.I8]: 1,
  [Scalar.U16]: 2,
  [Scalar.I16]: 2,
  [Scalar.U32]: 4,
  [Scalar.I32]: 4,
  [Scalar.U53]: 8,
  [Scalar.U64]: 8,
  [Scalar.I64]: 8,
};

/** The counters of one map, found once per field. */
export class Counters {
  /** That of a value that is one integer. */
  readonly whole: Counter | undefined;
  #codec: Codec<unknown>;
  #fields = new Map<unknown, Counter>();

  /** @param codec the value's; of the `percpu_` types, that of one CPU's */
  constructor(codec: Codec<unknown>) {
    this.#codec = codec;
    const width = WIDTHS[codec.scalar];
    this.whole = width && { scalar: codec.scalar, width, offset: 0, field: "", path: "value" };
  }

  /** The counter that a call means, or TypeError. */
  find(
    map: MapHandle<unknown, unknown>,
    operation: Operation,
    options: AddOptions<unknown> | undefined,
  ): Counter {
    if (options === undefined && this.whole !== undefined) return this.whole;
    for (const name in options)
      if (name !== "field") checkKnown(`${operation}: ${subjectOf(map)}`, options, ["field"]);
    const field: unknown = options?.field;
    // A getter may have closed it.
    if (options !== undefined && (map.reading === 0 || map.writing === 0)) map.refuse(operation);
    if (typeof options === "object" && options !== null) return this.at(map, operation, field);
    const what = `${operation}: ${subjectOf(map)}`;
    const codec = this.#codec;
    if (options !== undefined)
      throw new TypeError(`${what}: expected options { field }, got ${describe(options)}`);
    const remedy = isStruct(codec) ? '; name one of its fields: { field: "..." }' : "";
    throw new TypeError(`${what}: expected values that are integers, they are ${codec.name}${remedy}`);
  }

  /** The counter that the path of a field names, or TypeError. */
  at(map: MapHandle<unknown, unknown>, operation: Operation, field: unknown): Counter {
    const known = this.#fields.get(field);
    if (known !== undefined) return known;
    const { codec, offset, path } = fieldOf(map, operation, this.#codec, field);
    const { scalar = Scalar.NONE, name } = codec;
    const width = WIDTHS[scalar];
    if (width === undefined) {
      throw new TypeError(`${operation}: ${subjectOf(map)}: field: expected an integer, .${path} is ${name}`);
    }
    const counter: Counter = { scalar, width, offset, field: path, path: `value.${path}` };
    this.#fields.set(path, counter);
    return counter;
  }
}

/** The field of a value that a path names, or TypeError. */
export function fieldOf(
  map: MapHandle<unknown, unknown>,
  operation: Operation,
  codec: Codec<unknown>,
  path: unknown,
): FieldPlace {
  const place = typeof path === "string" ? findField(codec, path) : undefined;
  if (place !== undefined) return place;
  const what = `${operation}: ${subjectOf(map)}`;
  throw new TypeError(
    `${what}: field: expected a field of the values, which are ${codec.name}, got ${describe(path)}`,
  );
}

/** Whether a counter takes a delta: any integer of its width, with either sign. */
export function fitsDelta({ scalar, width }: Counter, delta: unknown): boolean {
  if (width !== 8) {
    return typeof delta === "number" && Math.floor(delta) === delta && delta > -WORD && delta < WORD;
  }
  if (scalar === Scalar.U53) return Number.isSafeInteger(delta);
  return typeof delta === "bigint" && delta >= -U64_MAX && delta <= U64_MAX;
}

/** The error for a delta that a counter does not take. */
export function badDelta({ scalar, width }: Counter, step: string, delta: unknown): unknown {
  const big = width === 8 && scalar !== Scalar.U53;
  const limit = big ? `${U64_MAX}` : `${width === 8 ? Number.MAX_SAFE_INTEGER : WORD - 1}`;
  const expected = `an integer -${limit}..${limit}${big ? " (bigint)" : ""}`;
  const Kind = typeof delta === (big ? "bigint" : "number") ? outOfRange : wrongType;
  return within(step, Kind(expected, describe(delta)));
}

/** Throws for a delta that a counter does not take. */
export function checkDelta(
  map: MapHandle<unknown, unknown>,
  operation: Operation,
  counter: Counter,
  delta: unknown,
): void {
  if (!fitsDelta(counter, delta)) throw badDelta(counter, `${operation}: ${subjectOf(map)}: delta`, delta);
}

/** The error for a u53 that would leave its range. */
export function outOfU53(counter: Counter, step: string, delta: number | bigint): unknown {
  return within(
    step + counter.path,
    outOfRange("u53 (0..9007199254740991)", `a sum beyond it by adding ${delta}`),
  );
}
