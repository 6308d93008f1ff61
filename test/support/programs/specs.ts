// Random programs: descriptions that are built with the expressions of src/programs, and that reference.ts computes.
import fc from "fast-check";
import {
  type BooleanExpression,
  type BytesExpression,
  type CounterExpression,
  NumberExpression,
  type Rules,
  type TextExpression,
} from "../../../src/index.ts";
import {
  type ArrayField,
  INTEGERS,
  type IntegerName,
  type Layout,
  NUMBERS,
  type NumberName,
  type RunField,
  type Where,
} from "./layouts.ts";

export type IntegerOp = "add" | "sub" | "mul" | "div" | "mod" | "bitAnd" | "bitOr" | "bitXor" | "shl" | "shr";
export type FloatOp = "add" | "sub" | "mul" | "div";
export type Comparison = "eq" | "ne" | "lt" | "le" | "gt" | "ge";
export type How = "sum" | "min" | "max";

/** `pick` chooses among the fields of the layout, modulo how many there are. */
export type IntegerSpec =
  | { readonly k: "field"; readonly pick: number }
  | { readonly k: "counter" }
  | { readonly k: "op"; readonly op: IntegerOp; readonly a: IntegerSpec; readonly b: IntegerSpec | bigint }
  | { readonly k: "neg" | "bitNot"; readonly a: IntegerSpec }
  | { readonly k: "cast"; readonly to: IntegerName; readonly a: IntegerSpec }
  | { readonly k: "truncate"; readonly to: IntegerName; readonly a: FloatSpec }
  | { readonly k: "at"; readonly pick: number; readonly index: IntegerSpec | number }
  | { readonly k: "byte"; readonly pick: number; readonly index: IntegerSpec | number }
  | {
      readonly k: "fold";
      readonly how: How;
      readonly pick: number;
      /** What is done with each element. */
      readonly each: { readonly op: IntegerOp; readonly b: IntegerSpec | bigint } | undefined;
    };

export type FloatSpec =
  | { readonly k: "field"; readonly pick: number }
  | { readonly k: "op"; readonly op: FloatOp; readonly a: FloatSpec; readonly b: FloatSpec | number }
  | { readonly k: "neg"; readonly a: FloatSpec }
  | { readonly k: "convert"; readonly to: "f32" | "f64"; readonly a: IntegerSpec }
  | { readonly k: "round"; readonly a: FloatSpec }
  | { readonly k: "at"; readonly pick: number; readonly index: IntegerSpec | number }
  | {
      readonly k: "fold";
      readonly how: How;
      readonly pick: number;
      readonly each: { readonly op: FloatOp; readonly b: FloatSpec | number } | undefined;
    };

export type BooleanSpec =
  | {
      readonly k: "integers";
      readonly how: Comparison;
      readonly a: IntegerSpec;
      readonly b: IntegerSpec | bigint;
    }
  | { readonly k: "floats"; readonly how: Comparison; readonly a: FloatSpec; readonly b: FloatSpec | number }
  | { readonly k: "and" | "or"; readonly a: BooleanSpec; readonly b: BooleanSpec | boolean }
  | { readonly k: "not"; readonly a: BooleanSpec }
  | { readonly k: "run"; readonly ne: boolean; readonly pick: number; readonly constant: number | undefined };

export interface RuleSpec {
  readonly when: BooleanSpec;
  readonly action: number;
  readonly effects: readonly EffectSpec[];
}

export type EffectSpec =
  | { readonly counter: IntegerName; readonly by: IntegerSpec | bigint }
  | { readonly counter: "f32" | "f64"; readonly by: FloatSpec | number };

export interface ProgramSpec {
  readonly always: readonly EffectSpec[];
  readonly rules: readonly RuleSpec[];
  readonly otherwise: number | undefined;
}

const U64 = (1n << 64n) - 1n;
const pick = fc.nat({ max: 30 });
const integer = fc.oneof(
  fc.constantFrom(0n, 1n, -1n, 2n, 7n, 16n, 31n, 32n, 63n, 64n, -128n, 255n, 1n << 31n, 1n << 32n, 1n << 53n),
  fc.constantFrom((1n << 63n) - 1n, -(1n << 63n), 1n << 63n, U64),
  fc.bigInt({ min: -(1n << 63n), max: U64 }),
);
const double = fc.double({ noNaN: true });
const k = <const T extends string>(...of: T[]) => fc.constantFrom(...of);
const integerName = fc.constantFrom(...(Object.keys(INTEGERS) as IntegerName[]));
const floatName = fc.constantFrom("f32" as const, "f64" as const);
const integerOp = k("add", "sub", "mul", "div", "mod", "bitAnd", "bitOr", "bitXor", "shl", "shr");
const floatOp = k("add", "sub", "mul", "div");
const how = k("sum", "min", "max");
const comparison = k("eq", "ne", "lt", "le", "gt", "ge");

export const specs = fc.letrec<{ integer: IntegerSpec; float: FloatSpec; boolean: BooleanSpec }>((tie) => {
  const index = fc.oneof(tie("integer"), fc.nat({ max: 4 }));
  const b = fc.oneof(integer, tie("integer"));
  const bFloat = fc.oneof(double, tie("float"));
  const deep = { depthSize: "medium", withCrossShrink: true } as const;
  return {
    integer: fc.oneof(
      deep,
      { weight: 4, arbitrary: fc.record({ k: k("field"), pick }) },
      { weight: 6, arbitrary: fc.record({ k: k("op"), op: integerOp, a: tie("integer"), b }) },
      fc.record({ k: k("neg", "bitNot"), a: tie("integer") }),
      fc.record({ k: k("counter") }),
      { weight: 2, arbitrary: fc.record({ k: k("cast"), to: integerName, a: tie("integer") }) },
      fc.record({ k: k("truncate"), to: integerName, a: tie("float") }),
      fc.record({ k: k("at"), pick, index }),
      fc.record({ k: k("byte"), pick, index }),
      fc.record({
        k: k("fold"),
        how,
        pick,
        each: fc.option(fc.record({ op: integerOp, b }), { nil: undefined }),
      }),
    ),
    float: fc.oneof(
      deep,
      { weight: 4, arbitrary: fc.record({ k: k("field"), pick }) },
      { weight: 4, arbitrary: fc.record({ k: k("op"), op: floatOp, a: tie("float"), b: bFloat }) },
      fc.record({ k: k("neg"), a: tie("float") }),
      { weight: 2, arbitrary: fc.record({ k: k("convert"), to: floatName, a: tie("integer") }) },
      fc.record({ k: k("round"), a: tie("float") }),
      fc.record({ k: k("at"), pick, index }),
      fc.record({
        k: k("fold"),
        how,
        pick,
        each: fc.option(fc.record({ op: floatOp, b: bFloat }), { nil: undefined }),
      }),
    ),
    boolean: fc.oneof(
      deep,
      { weight: 6, arbitrary: fc.record({ k: k("integers"), how: comparison, a: tie("integer"), b }) },
      { weight: 2, arbitrary: fc.record({ k: k("floats"), how: comparison, a: tie("float"), b: bFloat }) },
      {
        weight: 2,
        arbitrary: fc.record({
          k: k("run"),
          ne: fc.boolean(),
          pick,
          constant: fc.option(pick, { nil: undefined }),
        }),
      },
      fc.record({
        k: k("and", "or"),
        a: tie("boolean"),
        b: fc.oneof(fc.boolean(), tie("boolean"), tie("boolean")),
      }),
      fc.record({ k: k("not"), a: tie("boolean") }),
    ),
  };
});

const effect: fc.Arbitrary<EffectSpec> = fc.oneof(
  fc.record({ counter: integerName, by: fc.oneof(integer, specs.integer) }),
  fc.record({ counter: floatName, by: fc.oneof(double, specs.float) }),
);
const action = fc.nat({ max: 3 });

export const programs: fc.Arbitrary<ProgramSpec> = fc.record({
  always: fc.array(effect, { maxLength: 2 }),
  rules: fc.array(fc.record({ when: specs.boolean, action, effects: fc.array(effect, { maxLength: 2 }) }), {
    minLength: 1,
    maxLength: 3,
  }),
  otherwise: fc.option(action, { nil: undefined }),
});

/** An expression of a place: of a field, the runtime objects are typed by codecs that only the layout knows. */
type Tree = { readonly [step: string]: Tree } & {
  at(index: unknown): Tree;
} & Record<How, (of?: (element: Tree) => NumberExpression) => NumberExpression>;

export interface Expressions {
  readonly key: unknown;
  readonly value: unknown;
  readonly params: unknown;
  readonly counters: { readonly [N in NumberName]: CounterExpression };
}

export const chosen = <T>(from: readonly T[], at: number): T => from[at % from.length];

/** The run that another one is compared with: of the same kind, and for bytes of the same length. */
export function partner(layout: Layout, run: RunField): RunField {
  const same = layout.runs.filter(({ text, length }) => text === run.text && (text || length === run.length));
  return same[(same.indexOf(run) + 1) % same.length];
}

/** A constant that a run is compared with: a text or bytes that memory often has. */
export function constantRun({ text, length }: RunField, seed: number): string | Uint8Array {
  if (text) return ["", "a", "ab", "ba"][seed % 4].slice(0, length - 1);
  return new Uint8Array(length).fill([0, 255, 1][seed % 3]);
}

/** A constant beside a field must be one that the field can be. */
export function comparable(layout: Layout, a: IntegerSpec, constant: bigint): bigint {
  const name = loaded(layout, a);
  if (name === undefined) return constant;
  const bits = 8 * NUMBERS[name].size;
  return name.startsWith("u") ? BigInt.asUintN(bits, constant) : BigInt.asIntN(bits, constant);
}

function loaded(layout: Layout, a: IntegerSpec): NumberName | undefined {
  switch (a.k) {
    case "field":
      return chosen(layout.integers, a.pick).name;
    case "at":
      return chosen(layout.integerArrays, a.pick).name;
    case "byte":
      return "u8";
    case "counter":
      return "u64";
    case "cast": {
      // A conversion that changes nothing is left out.
      const from = loaded(layout, a.a);
      const widens = from !== undefined && from[0] === a.to[0] && NUMBERS[from].size <= NUMBERS[a.to].size;
      return widens ? from : undefined;
    }
    default:
      return undefined;
  }
}

/** Builds what specs describe. */
export class Builder {
  readonly #layout: Layout;
  readonly #of: Expressions;

  constructor(layout: Layout, of: Expressions) {
    this.#layout = layout;
    this.#of = of;
  }

  body({ always, rules, otherwise }: ProgramSpec) {
    const body: Rules[] = rules.map(({ when, action, effects }) =>
      this.boolean(when).then(action, ...effects.map((effect) => this.#effect(effect))),
    );
    if (otherwise !== undefined) body.push((body.pop() as Rules).otherwise(otherwise));
    return [...always.map((effect) => this.#effect(effect)), ...body];
  }

  boolean(spec: BooleanSpec): BooleanExpression {
    switch (spec.k) {
      case "integers": {
        const b =
          typeof spec.b === "bigint" ? comparable(this.#layout, spec.a, spec.b) : this.integer(spec.b);
        return this.integer(spec.a)[spec.how](b);
      }
      case "floats":
        return this.float(spec.a)[spec.how](typeof spec.b === "number" ? spec.b : this.float(spec.b));
      case "and":
      case "or":
        return this.boolean(spec.a)[spec.k](typeof spec.b === "boolean" ? spec.b : this.boolean(spec.b));
      case "not":
        return this.boolean(spec.a).not();
      case "run": {
        const field = chosen(this.#layout.runs, spec.pick);
        const run = this.#at(field) as unknown as BytesExpression & TextExpression;
        const other =
          spec.constant === undefined
            ? this.#at(partner(this.#layout, field))
            : constantRun(field, spec.constant);
        return run[spec.ne ? "ne" : "eq"](other as Uint8Array & string);
      }
    }
  }

  integer(spec: IntegerSpec): NumberExpression {
    const { integers, integerArrays, runs } = this.#layout;
    switch (spec.k) {
      case "field":
        return this.#number(chosen(integers, spec.pick));
      case "counter":
        return this.#of.counters.u64.value;
      case "op":
        return this.integer(spec.a)[spec.op](this.#integerOr(spec.b));
      case "neg":
      case "bitNot":
        return this.integer(spec.a)[spec.k]();
      case "cast":
        return this.integer(spec.a).to(INTEGERS[spec.to] as typeof INTEGERS.u8);
      case "truncate":
        return this.float(spec.a).to(INTEGERS[spec.to] as typeof INTEGERS.u8);
      case "at":
        return this.#element(chosen(integerArrays, spec.pick), spec.index);
      case "byte": {
        const run = chosen(runs, spec.pick);
        return (this.#at(run) as unknown as BytesExpression).byte(this.#index(spec.index, run.length));
      }
      case "fold": {
        const { each } = spec;
        return this.#fold(
          chosen(integerArrays, spec.pick),
          spec.how,
          each && ((x) => x[each.op](this.#integerOr(each.b))),
        );
      }
    }
  }

  float(spec: FloatSpec): NumberExpression {
    const { floats, floatArrays } = this.#layout;
    const floatOr = (b: FloatSpec | number) => (typeof b === "number" ? b : this.float(b));
    switch (spec.k) {
      case "field":
        return this.#number(chosen(floats, spec.pick));
      case "op":
        return this.float(spec.a)[spec.op](floatOr(spec.b));
      case "neg":
        return this.float(spec.a).neg();
      case "convert":
        return this.integer(spec.a).to(NUMBERS[spec.to] as typeof INTEGERS.u8);
      case "round":
        return this.float(spec.a).to(NUMBERS.f32 as typeof INTEGERS.u8);
      case "at":
        return this.#element(chosen(floatArrays, spec.pick), spec.index);
      case "fold": {
        const { each } = spec;
        return this.#fold(
          chosen(floatArrays, spec.pick),
          spec.how,
          each && ((x) => x[each.op](floatOr(each.b))),
        );
      }
    }
  }

  #integerOr(b: IntegerSpec | bigint) {
    return typeof b === "bigint" ? b : this.integer(b);
  }

  #effect(effect: EffectSpec) {
    const { by, counter } = effect;
    const amount =
      typeof by !== "object"
        ? by
        : counter === "f32" || counter === "f64"
          ? this.float(by as FloatSpec)
          : this.integer(by as IntegerSpec);
    return this.#of.counters[counter].add(amount);
  }

  #at({ region, steps }: Where): Tree {
    return steps.reduce((tree, step) => tree[step], this.#of[region] as Tree);
  }

  #number(field: Where): NumberExpression {
    const found: unknown = this.#at(field);
    if (!(found instanceof NumberExpression)) throw new Error(`${field.steps} is no number`);
    return found;
  }

  #index(index: IntegerSpec | number, length: number) {
    return typeof index === "number" ? index % length : this.integer(index);
  }

  #element(field: ArrayField, index: IntegerSpec | number): NumberExpression {
    const element = this.#at(field).at(this.#index(index, field.length));
    return (field.inner === undefined ? element : element[field.inner]) as unknown as NumberExpression;
  }

  #fold(
    field: ArrayField,
    how: How,
    of: ((x: NumberExpression) => NumberExpression) | undefined,
  ): NumberExpression {
    const { inner } = field;
    if (inner === undefined && of === undefined) return this.#at(field)[how]();
    return this.#at(field)[how]((element) => {
      const number = (inner === undefined ? element : element[inner]) as unknown as NumberExpression;
      return of === undefined ? number : of(number);
    });
  }
}
