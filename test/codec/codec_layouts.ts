// Random C layouts, for the tests of the codecs: each with its C declaration, its values, and which of its bytes are
// not padding, reckoned here once more so that the codecs are not checked against themselves.
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
} from "../../src/codec/index.ts";

export interface Layout {
  readonly codec: Codec<unknown>;
  /** The C declaration of a variable of this layout. */
  declare(name: string): string;
  readonly values: fc.Arbitrary<unknown>;
  /** Per byte: whether a value reaches it. */
  readonly used: readonly boolean[];
  /** Of a struct: the names of its fields. */
  readonly fields?: readonly string[];
}

/** fast-check prints the seed of a failing run; `TEST_SEED=... npx vitest run codec` repeats it. */
const givenSeed = process.env.TEST_SEED ?? process.env.TEST_RUN_SEED;
export const seeded = givenSeed === undefined ? {} : { seed: Number.parseInt(givenSeed, 10) };

function leaf(codec: Codec<unknown>, type: string, values: fc.Arbitrary<unknown>): Layout {
  return { codec, declare: (name) => `${type} ${name}`, values, used: new Array(codec.size).fill(true) };
}

const SCALARS: readonly Layout[] = [
  leaf(u8, "uint8_t", fc.integer({ min: 0, max: 0xff })),
  leaf(u16, "uint16_t", fc.integer({ min: 0, max: 0xffff })),
  leaf(u32, "uint32_t", fc.integer({ min: 0, max: 0xffff_ffff })),
  leaf(i8, "int8_t", fc.integer({ min: -0x80, max: 0x7f })),
  leaf(i16, "int16_t", fc.integer({ min: -0x8000, max: 0x7fff })),
  leaf(i32, "int32_t", fc.integer()),
  leaf(f32, "float", fc.float({ noNaN: true })),
  leaf(f64, "double", fc.double({ noNaN: true })),
  leaf(u53, "uint64_t", fc.maxSafeNat()),
  leaf(u64, "uint64_t", fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
  leaf(i64, "int64_t", fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
];

function runOf(type: string, codec: Codec<unknown>, values: fc.Arbitrary<unknown>): Layout {
  const declare = (name: string) => `${type} ${name}[${codec.size}]`;
  return { codec, declare, values, used: new Array(codec.size).fill(true) };
}

/** Characters of one to four bytes. fast-check's own unit for any text makes a map of all of Unicode first: 200 MB, and half a second. */
const character = fc
  .oneof(
    fc.integer({ min: 1, max: 0x7f }),
    fc.integer({ min: 0x80, max: 0x7ff }),
    fc.integer({ min: 0x800, max: 0xd7ff }),
    fc.integer({ min: 0xe000, max: 0xffff }),
    fc.integer({ min: 0x1_0000, max: 0x10_ffff }),
  )
  .map((code) => String.fromCodePoint(code));

const text = (size: number) =>
  fc.string({ unit: character, maxLength: size - 1 }).filter((string) => Buffer.byteLength(string) < size);

function arrayOf(element: Layout, length: number): Layout {
  return {
    codec: array(element.codec, length),
    declare: (name) => element.declare(`${name}[${length}]`),
    values: fc.array(element.values, { minLength: length, maxLength: length }),
    used: Array.from({ length }, () => element.used).flat(),
  };
}

function structOf(members: readonly Layout[]): Layout {
  const named = members.map((member, i) => [`f${i}`, member] as const);
  const used: boolean[] = [];
  const padTo = (align: number) => {
    while (used.length % align !== 0) used.push(false);
  };
  for (const member of members) {
    padTo(member.codec.align);
    used.push(...member.used);
  }
  padTo(Math.max(...members.map((member) => member.codec.align)));
  return {
    codec: struct(Object.fromEntries(named.map(([name, member]) => [name, member.codec]))),
    declare: (name) =>
      `struct { ${named.map(([field, member]) => `${member.declare(field)}; `).join("")}} ${name}`,
    values: fc.record(Object.fromEntries(named.map(([name, member]) => [name, member.values])), {
      noNullPrototype: true,
    }),
    used,
    fields: named.map(([name]) => name),
  };
}

const { layout, structLayout } = fc.letrec<{ layout: Layout; structLayout: Layout }>((tie) => ({
  layout: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    {
      weight: 4,
      arbitrary: fc.oneof(
        fc.constantFrom(...SCALARS),
        fc.integer({ min: 1, max: 20 }).map((size) => {
          return runOf("uint8_t", bytes(size), fc.uint8Array({ minLength: size, maxLength: size }));
        }),
        fc.integer({ min: 1, max: 20 }).map((size) => runOf("char", cstring(size), text(size))),
      ),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(tie("layout"), fc.integer({ min: 1, max: 4 })).map((args) => arrayOf(...args)),
    },
    { weight: 2, arbitrary: tie("structLayout") },
  ),
  structLayout: fc.array(tie("layout"), { minLength: 1, maxLength: 6 }).map(structOf),
}));

/** Any layout that is a struct at the top. */
export const structs: fc.Arbitrary<Layout> = structLayout;

/** A layout and a value of it. */
export const layoutsWithValue: fc.Arbitrary<{ layout: Layout; value: unknown }> = fc
  .oneof(layout, structLayout)
  .chain((layout) => layout.values.map((value) => ({ layout, value })));
