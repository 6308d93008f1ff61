// The meaning of programs, computed from their descriptions (specs.ts) with bigints and as docs/programs.md says it.
import type { ArrayField, Layout, NumberName, RunField, Where } from "./layouts.ts";
import {
  type BooleanSpec,
  chosen,
  comparable,
  constantRun,
  type EffectSpec,
  type FloatSpec,
  type How,
  type IntegerOp,
  type IntegerSpec,
  type ProgramSpec,
  partner,
} from "./specs.ts";

/** An integer of 64 bits. */
interface Integer {
  readonly signed: boolean;
  readonly value: bigint;
}

export interface Regions {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly params: Uint8Array;
}

export type Counters = Record<NumberName, number | bigint>;

const wrap = (signed: boolean, value: bigint): Integer => ({
  signed,
  value: signed ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value),
});

const I64_MAX = (1n << 63n) - 1n;

/** A constant is as signed as the integer beside it, unless only one of the two can hold it. */
const constant = (value: bigint, beside: Integer): Integer => ({
  signed: value < 0n || (value <= I64_MAX && beside.signed),
  value,
});

export class Reference {
  readonly #layout: Layout;
  readonly #regions: Regions;
  readonly #counters: Counters;

  constructor(layout: Layout, regions: Regions, counters: Counters) {
    this.#layout = layout;
    this.#regions = regions;
    this.#counters = counters;
  }

  /** The action; adds to the counters. */
  run({ always, rules, otherwise }: ProgramSpec): number {
    for (const effect of always) this.#count(effect);
    for (const { when, action, effects } of rules) {
      if (!this.#boolean(when)) continue;
      for (const effect of effects) this.#count(effect);
      return action;
    }
    return otherwise ?? 0;
  }

  #count({ counter, by }: EffectSpec): void {
    const now = this.#counters[counter];
    if (counter === "f64" || counter === "f32") {
      const sum = (now as number) + (typeof by === "number" ? by : this.#float(by as FloatSpec));
      this.#counters[counter] = counter === "f32" ? Math.fround(sum) : sum;
      return;
    }
    const sum = BigInt(now) + (typeof by === "bigint" ? by : this.#integer(by as IntegerSpec).value);
    this.#counters[counter] = ofWidth(counter, sum);
  }

  #boolean(spec: BooleanSpec): boolean {
    switch (spec.k) {
      case "and":
        return this.#boolean(spec.a) && (typeof spec.b === "boolean" ? spec.b : this.#boolean(spec.b));
      case "or":
        return this.#boolean(spec.a) || (typeof spec.b === "boolean" ? spec.b : this.#boolean(spec.b));
      case "not":
        return !this.#boolean(spec.a);
      case "run":
        return this.#sameRun(chosen(this.#layout.runs, spec.pick), spec.constant) !== spec.ne;
      case "integers": {
        const b =
          typeof spec.b === "bigint" ? comparable(this.#layout, spec.a, spec.b) : this.#integer(spec.b).value;
        return compare(spec.how, this.#integer(spec.a).value, b);
      }
      case "floats":
        return compare(
          spec.how,
          this.#float(spec.a),
          typeof spec.b === "number" ? spec.b : this.#float(spec.b),
        );
    }
  }

  #integer(spec: IntegerSpec): Integer {
    const { integers, integerArrays, runs } = this.#layout;
    switch (spec.k) {
      case "field": {
        const field = chosen(integers, spec.pick);
        return this.#load(field, field.name);
      }
      case "counter":
        return { signed: false, value: this.#counters.u64 as bigint };
      case "op": {
        const a = this.#integer(spec.a);
        return operate(spec.op, a, typeof spec.b === "bigint" ? constant(spec.b, a) : this.#integer(spec.b));
      }
      case "neg":
        return wrap(true, -this.#integer(spec.a).value);
      case "bitNot": {
        const { signed, value } = this.#integer(spec.a);
        return wrap(signed, ~value);
      }
      case "cast":
        return { signed: spec.to.startsWith("i"), value: ofWidth(spec.to, this.#integer(spec.a).value) };
      case "truncate":
        return { signed: spec.to.startsWith("i"), value: truncate(spec.to, this.#float(spec.a)) };
      case "at": {
        const field = chosen(integerArrays, spec.pick);
        const index = this.#index(spec.index, field.length);
        return index === undefined ? this.#zero(field.name) : this.#load(elementOf(field, index), field.name);
      }
      case "byte": {
        const run = chosen(runs, spec.pick);
        const index = this.#index(spec.index, run.length);
        return { signed: false, value: index === undefined ? 0n : BigInt(this.#bytes(run)[index]) };
      }
      case "fold": {
        const field = chosen(integerArrays, spec.pick);
        const { each, how } = spec;
        const all = Array.from({ length: field.length }, (_, i) => {
          const element = this.#load(elementOf(field, i), field.name);
          if (each === undefined) return element;
          const b = typeof each.b === "bigint" ? constant(each.b, element) : this.#integer(each.b);
          return operate(each.op, element, b);
        });
        const values = all.map(({ value }) => value);
        const folded =
          how === "sum"
            ? values.reduce((a, b) => a + b)
            : values.reduce((a, b) => ((how === "min") === a < b ? a : b));
        return wrap(all[0].signed, folded);
      }
    }
  }

  #float(spec: FloatSpec): number {
    const { floats, floatArrays } = this.#layout;
    const operand = (b: FloatSpec | number) => (typeof b === "number" ? b : this.#float(b));
    switch (spec.k) {
      case "field": {
        const field = chosen(floats, spec.pick);
        return this.#loadFloat(field, field.name);
      }
      case "op":
        return arithmetic[spec.op](this.#float(spec.a), operand(spec.b));
      case "neg":
        return -this.#float(spec.a);
      case "convert": {
        const number = Number(this.#integer(spec.a).value);
        return spec.to === "f32" ? Math.fround(number) : number;
      }
      case "round":
        return Math.fround(this.#float(spec.a));
      case "at": {
        const field = chosen(floatArrays, spec.pick);
        const index = this.#index(spec.index, field.length);
        return index === undefined ? 0 : this.#loadFloat(elementOf(field, index), field.name);
      }
      case "fold": {
        const field = chosen(floatArrays, spec.pick);
        const { each } = spec;
        const all = Array.from({ length: field.length }, (_, i) => {
          const element = this.#loadFloat(elementOf(field, i), field.name);
          return each === undefined ? element : arithmetic[each.op](element, operand(each.b));
        });
        const folds: Record<How, () => number> = {
          sum: () => all.reduce((a, b) => a + b, 0),
          min: () => Math.min(...all),
          max: () => Math.max(...all),
        };
        return folds[spec.how]();
      }
    }
  }

  /** The index of an element, or undefined when there is none. */
  #index(index: IntegerSpec | number, length: number): number | undefined {
    if (typeof index === "number") return index % length;
    const { value } = this.#integer(index);
    return value >= 0n && value < length ? Number(value) : undefined;
  }

  #zero(name: NumberName): Integer {
    return { signed: name.startsWith("i"), value: 0n };
  }

  #view({ region, offset }: Where): DataView {
    const { buffer, byteOffset } = this.#regions[region];
    return new DataView(buffer, byteOffset + offset);
  }

  #load(where: Where, name: NumberName): Integer {
    const view = this.#view(where);
    const bytes = { u8: 1, i8: 1, u16: 2, i16: 2, u32: 4, i32: 4, u53: 8, u64: 8, i64: 8, f32: 4, f64: 8 }[
      name
    ];
    let value = 0n;
    for (let i = bytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(view.getUint8(i));
    const signed = name.startsWith("i");
    return { signed, value: signed ? BigInt.asIntN(8 * bytes, value) : value };
  }

  #loadFloat(where: Where, name: NumberName): number {
    return name === "f32" ? this.#view(where).getFloat32(0, true) : this.#view(where).getFloat64(0, true);
  }

  #bytes(run: RunField): Uint8Array {
    return this.#regions[run.region].subarray(run.offset, run.offset + run.length);
  }

  #sameRun(run: RunField, seed: number | undefined): boolean {
    const mine = this.#bytes(run);
    const other = seed === undefined ? this.#bytes(partner(this.#layout, run)) : constantRun(run, seed);
    if (!run.text) return String(mine) === String(other);
    const text = (of: Uint8Array) => {
      const bytes = Array.from(of);
      return bytes.includes(0) ? bytes.slice(0, bytes.indexOf(0)) : bytes;
    };
    // A constant always has its NUL within the room; a text that fills its room has none.
    if (typeof other === "string")
      return mine.includes(0) && String(text(mine)) === String([...new TextEncoder().encode(other)]);
    return String(text(mine)) === String(text(other));
  }
}

const arithmetic = {
  add: (a: number, b: number) => a + b,
  sub: (a: number, b: number) => a - b,
  mul: (a: number, b: number) => a * b,
  div: (a: number, b: number) => a / b,
};

function elementOf(field: ArrayField, index: number): Where {
  return { ...field, offset: field.offset + index * field.stride + field.innerOffset };
}

function operate(op: IntegerOp, a: Integer, b: Integer): Integer {
  const signed = op === "sub" || a.signed || (b.signed && op !== "shl" && op !== "shr");
  const x = op === "shl" || op === "shr" ? a.value : wrap(signed, a.value).value;
  const y = wrap(signed, b.value).value;
  const bits = BigInt.asUintN(6, b.value);
  const results: Record<IntegerOp, () => bigint> = {
    add: () => x + y,
    sub: () => x - y,
    mul: () => x * y,
    div: () => (y === 0n ? 0n : x / y),
    mod: () => (y === 0n ? x : x % y),
    bitAnd: () => x & y,
    bitOr: () => x | y,
    bitXor: () => x ^ y,
    shl: () => x << bits,
    shr: () => x >> bits,
  };
  return wrap(signed, results[op]());
}

function compare<T extends number | bigint>(how: string, a: T, b: T): boolean {
  const results: Record<string, boolean> = {
    eq: a === b,
    ne: a !== b,
    lt: a < b,
    le: a <= b,
    gt: a > b,
    ge: a >= b,
  };
  return results[how];
}

const bitsOf = (name: NumberName): number => (name === "u53" ? 64 : Number(name.slice(1)));

/** The low bits of an integer. */
export function ofWidth(name: NumberName, value: bigint): bigint {
  return name.startsWith("i") ? BigInt.asIntN(bitsOf(name), value) : BigInt.asUintN(bitsOf(name), value);
}

function truncate(name: NumberName, value: number): bigint {
  const bits = BigInt(bitsOf(name));
  const low = name.startsWith("i") ? -(1n << (bits - 1n)) : 0n;
  const high = name.startsWith("i") ? (1n << (bits - 1n)) - 1n : (1n << bits) - 1n;
  if (Number.isNaN(value)) return 0n;
  if (value === Number.POSITIVE_INFINITY) return high;
  if (value === Number.NEGATIVE_INFINITY) return low;
  const whole = BigInt(Math.trunc(value));
  return whole < low ? low : whole > high ? high : whole;
}
