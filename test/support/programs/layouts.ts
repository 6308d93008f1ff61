// Random layouts of keys, values and params for the tests of programs, and where every number in them is.
import fc from "fast-check";
import {
  array,
  bytes,
  type Codec,
  cstring,
  f32,
  f64,
  i8,
  i16,
  i32,
  i64,
  struct,
  u8,
  u16,
  u32,
  u53,
  u64,
} from "../../../src/codec/index.ts";

export const INTEGERS = { u8, u16, u32, u53, u64, i8, i16, i32, i64 } as const;
export const FLOATS = { f32, f64 } as const;
export type IntegerName = keyof typeof INTEGERS;
export type FloatName = keyof typeof FLOATS;
export type NumberName = IntegerName | FloatName;
export const NUMBERS: Record<NumberName, Codec<number> | Codec<bigint>> = { ...INTEGERS, ...FLOATS };

/** Where a field is: in which memory, by which names, and how many bytes from its start. */
export interface Where {
  readonly region: "key" | "value" | "params";
  readonly steps: readonly string[];
  readonly offset: number;
}

export interface NumberField extends Where {
  readonly name: NumberName;
}

export interface RunField extends Where {
  readonly text: boolean;
  readonly length: number;
}

/** An array of numbers, or of structs with one number that counts. */
export interface ArrayField extends Where {
  readonly stride: number;
  readonly length: number;
  readonly name: NumberName;
  /** The field of an element, if it is a struct. */
  readonly inner: string | undefined;
  /** Bytes from the start of an element to the number. */
  readonly innerOffset: number;
}

export interface Layout {
  readonly key: Codec<unknown>;
  readonly value: Codec<unknown>;
  readonly params: Record<string, Codec<unknown>>;
  readonly paramsSize: number;
  readonly integers: readonly NumberField[];
  readonly floats: readonly NumberField[];
  readonly runs: readonly RunField[];
  readonly integerArrays: readonly ArrayField[];
  readonly floatArrays: readonly ArrayField[];
}

type Member =
  | { readonly kind: "number"; readonly name: NumberName }
  | { readonly kind: "run"; readonly text: boolean; readonly length: number }
  | { readonly kind: "array"; readonly name: NumberName; readonly length: number }
  | {
      readonly kind: "structs";
      readonly name: NumberName;
      readonly beside: NumberName;
      readonly length: number;
    }
  | { readonly kind: "struct"; readonly names: readonly [NumberName, NumberName] };

const names = fc.constantFrom(...(Object.keys(NUMBERS) as NumberName[]));
const lengths = fc.integer({ min: 1, max: 5 });
const member: fc.Arbitrary<Member> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("number" as const), name: names }) },
  fc.record({
    kind: fc.constant("run" as const),
    text: fc.boolean(),
    length: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(40, 64, 65, 83)),
  }),
  fc.record({ kind: fc.constant("array" as const), name: names, length: lengths }),
  fc.record({ kind: fc.constant("structs" as const), name: names, beside: names, length: lengths }),
  fc.record({ kind: fc.constant("struct" as const), names: fc.tuple(names, names) }),
);

/** What every layout has, so that there is something of each kind to read. */
const ALWAYS: readonly Member[] = [
  { kind: "number", name: "u32" },
  { kind: "number", name: "i64" },
  { kind: "number", name: "u64" },
  { kind: "number", name: "f64" },
  { kind: "run", text: false, length: 9 },
  { kind: "run", text: true, length: 8 },
  { kind: "array", name: "u8", length: 4 },
  { kind: "structs", name: "f32", beside: "u8", length: 2 },
];

function codecOf(member: Member): Codec<unknown> {
  switch (member.kind) {
    case "number":
      return NUMBERS[member.name] as Codec<unknown>;
    case "run":
      return member.text ? cstring(member.length) : bytes(member.length);
    case "array":
      return array(NUMBERS[member.name] as Codec<unknown>, member.length);
    case "structs":
      return array(elementOf(member), member.length);
    case "struct":
      return struct({ x: NUMBERS[member.names[0]], y: NUMBERS[member.names[1]] });
  }
}

const elementOf = ({ name, beside }: { name: NumberName; beside: NumberName }) =>
  struct({ a: NUMBERS[beside], b: NUMBERS[name] });

interface Found {
  integers: NumberField[];
  floats: NumberField[];
  runs: RunField[];
  integerArrays: ArrayField[];
  floatArrays: ArrayField[];
}

const isFloat = (name: NumberName): name is FloatName => name in FLOATS;

function find(found: Found, member: Member, where: Where): void {
  const number = (name: NumberName, at: Where) =>
    (isFloat(name) ? found.floats : found.integers).push({ ...at, name });
  switch (member.kind) {
    case "number":
      number(member.name, where);
      break;
    case "run":
      found.runs.push({ ...where, text: member.text, length: member.length });
      break;
    case "struct": {
      const { offsets } = codecOf(member) as ReturnType<
        typeof struct<{ x: Codec<unknown>; y: Codec<unknown> }>
      >;
      for (const [index, step] of (["x", "y"] as const).entries()) {
        const at = { ...where, steps: [...where.steps, step], offset: where.offset + offsets[step] };
        number(member.names[index], at);
      }
      break;
    }
    default: {
      const { name, length } = member;
      const element = member.kind === "structs" ? elementOf(member) : undefined;
      (isFloat(name) ? found.floatArrays : found.integerArrays).push({
        ...where,
        name,
        length,
        stride: (element ?? NUMBERS[name]).size,
        inner: element && "b",
        innerOffset: element?.offsets.b ?? 0,
      });
    }
  }
}

function place(found: Found, region: Where["region"], members: readonly Member[]) {
  const fields = Object.fromEntries(members.map((each, i) => [`f${i}`, codecOf(each)]));
  const codec = struct(fields);
  for (const [i, each] of members.entries()) {
    find(found, each, { region, steps: [`f${i}`], offset: codec.offsets[`f${i}`] });
  }
  return { codec, fields };
}

export const layouts: fc.Arbitrary<Layout> = fc
  .record({
    key: fc.array(member, { minLength: 1, maxLength: 3 }),
    value: fc.array(member, { maxLength: 5 }),
    params: fc.array(member, { minLength: 1, maxLength: 3 }),
  })
  .map(({ key, value, params }) => {
    const found: Found = { integers: [], floats: [], runs: [], integerArrays: [], floatArrays: [] };
    const keyLayout = place(found, "key", key);
    const valueLayout = place(found, "value", [...ALWAYS, ...value]);
    const paramsLayout = place(found, "params", params);
    return {
      ...found,
      key: keyLayout.codec,
      value: valueLayout.codec,
      params: paramsLayout.fields,
      paramsSize: paramsLayout.codec.size,
    };
  });

/** Bytes of which many are those of numbers at the ends of their ranges, or of equal texts. */
export function memoryOf(size: number): fc.Arbitrary<Uint8Array> {
  const word = fc.oneof(
    fc.constantFrom(
      0n,
      1n,
      2n,
      0xffn,
      0x80n,
      0x7fn,
      1n << 31n,
      1n << 63n,
      (1n << 63n) - 1n,
      (1n << 64n) - 1n,
    ),
    fc.constantFrom((1n << 53n) - 1n, 1n << 53n, 1n << 32n, (1n << 32n) - 1n, 0x8000n, 0x6162n, 0x61006261n),
    fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    fc.double().map((value) => new BigUint64Array(Float64Array.of(value).buffer)[0]),
    fc.integer({ min: 0, max: 300 }).map(BigInt),
  );
  const count = Math.ceil(size / 8);
  return fc
    .array(word, { minLength: count, maxLength: count })
    .map((words) => new Uint8Array(BigUint64Array.from(words).buffer).subarray(0, size));
}
