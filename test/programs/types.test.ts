// Types of programs. The compiler checks this file (`npm run lint`); each @ts-expect-error is an error that users get.
import { expect, expectTypeOf, it } from "vitest";
import {
  ACT_DELETE,
  type ArrayExpression,
  array,
  type BooleanExpression,
  type BytesExpression,
  bytes,
  createHost,
  cstring,
  type NumberExpression,
  type Program,
  program,
  struct,
  type TextExpression,
  u8,
  u32,
  u53,
  u64,
} from "../../src/index.ts";

const host = createHost({ maxMemory: 1 << 20, cpus: 2 });
const key = struct({ source: bytes(4), proto: u8 });
const value = struct({
  lastSeen: u32,
  total: u64,
  comm: cstring(16),
  hits: array(u8, 4),
  parts: array(struct({ n: u8 }), 2),
  inner: struct({ x: u8 }),
});
const map = host.createMap({ type: "rhash", key, value, maxEntries: 4 });

it("follow from the codecs of the map", () => {
  program(map, (e) => {
    expectTypeOf(e.value.lastSeen).toEqualTypeOf<NumberExpression>();
    expectTypeOf(e.value.total).toEqualTypeOf<NumberExpression>();
    expectTypeOf(e.value.comm).toEqualTypeOf<TextExpression>();
    expectTypeOf(e.key.source).toEqualTypeOf<BytesExpression>();
    expectTypeOf(e.value.hits).toEqualTypeOf<ArrayExpression<number>>();
    expectTypeOf(e.value.hits.at(1)).toEqualTypeOf<NumberExpression>();
    expectTypeOf(e.value.parts.at(e.value.lastSeen).n).toEqualTypeOf<NumberExpression>();
    expectTypeOf(e.value.inner.x.lt).returns.toEqualTypeOf<BooleanExpression>();
    return e.value.inner.x.eq(e.key.proto).then(ACT_DELETE);
  });
  const scalars = host.createMap({ type: "hash", key: u32, value: cstring(4), maxEntries: 4 });
  program(scalars, (e) => {
    expectTypeOf(e.key).toEqualTypeOf<NumberExpression>();
    expectTypeOf(e.value).toEqualTypeOf<TextExpression>();
    return e.value.eq("abc").then(ACT_DELETE);
  });
  const perCpu = host.createMap({ type: "percpu_hash", key: u32, value: struct({ n: u53 }), maxEntries: 4 });
  program(perCpu, (e) => {
    expectTypeOf(e.value.n).toEqualTypeOf<NumberExpression>();
    expectTypeOf(e.values).toEqualTypeOf<ArrayExpression<{ n: number }>>();
    return e.values
      .sum((slot) => slot.n)
      .eq(0)
      .then(ACT_DELETE);
  });
});

it("refuse what the runtime refuses", () => {
  expect(wrong).toBeTypeOf("function");
});

it("of params and counters follow from their codecs", () => {
  const made = program(
    map,
    (e, { params, counters }) => {
      expectTypeOf(params.name).toEqualTypeOf<TextExpression>();
      expectTypeOf(counters.n.value).toEqualTypeOf<NumberExpression>();
      return e.value.lastSeen.lt(params.before).then(ACT_DELETE, counters.n.add(e.value.total));
    },
    { params: { before: u32, name: cstring(8) }, counters: { n: u64 } },
  );
  expectTypeOf(made.params).toEqualTypeOf<{ before: number; name: string }>();
  expectTypeOf(made.counters).toEqualTypeOf<{ n: bigint }>();
  made.params.before = 5;
  made.counters.n = 0n;
  // A program with params is one where any is wanted.
  const plain: Program<Parameters<typeof map.set>[0], Parameters<typeof map.set>[1]> = made;
  expect(plain.map).toBe(map);
});

/** Never called: the compiler reads it. */
function wrong(): void {
  // @ts-expect-error no such field
  program(map, (e) => e.value.lastseen.lt(1).then(1));
  // @ts-expect-error no such part
  program(map, (e) => e.keys.proto.lt(1).then(1));
  // @ts-expect-error bytes with a number
  program(map, (e) => e.key.source.eq(5).then(1));
  // @ts-expect-error bytes with a text
  program(map, (e) => e.key.source.eq("abc").then(1));
  // @ts-expect-error a text with a number
  program(map, (e) => e.value.comm.eq(5).then(1));
  // @ts-expect-error a number with a text
  program(map, (e) => e.value.lastSeen.eq("5").then(1));
  // @ts-expect-error texts have no order
  program(map, (e) => e.value.comm.lt("abc").then(1));
  // @ts-expect-error a struct is no number
  program(map, (e) => e.value.lastSeen.eq(e.value.inner).then(1));
  // @ts-expect-error a number is no condition
  program(map, (e) => e.value.lastSeen.then(1));
  // @ts-expect-error a condition without an action
  program(map, (e) => e.value.lastSeen.lt(1));
  // @ts-expect-error a condition is no number
  program(map, (e) => e.value.lastSeen.lt(e.value.lastSeen.lt(1)).then(1));
  // @ts-expect-error slots of a map that has one value per key
  program(map, (e) => e.values.sum().lt(1).then(1));
  program(map, (e) => {
    // @ts-expect-error a sum of structs
    const sum = e.value.parts.sum((part) => part);
    return sum.lt(1).then(1);
  });
  // @ts-expect-error no such param
  program(map, (e, { params }) => e.value.lastSeen.lt(params.before).then(1));
  // @ts-expect-error no such counter
  program(map, (_, { counters }) => counters.n.add(1), { counters: { m: u32 } });
  // @ts-expect-error a counter that is no number
  program(map, () => [], { counters: { m: cstring(4) } });
  // @ts-expect-error no such back end
  program(map, () => [], { backend: "asm" });
  const made = program(map, () => [], { params: { limit: u32 }, counters: { n: u64 } });
  // @ts-expect-error no such param
  made.params.limits = 5;
  // @ts-expect-error a text for a number
  made.params.limit = "5";
  // @ts-expect-error a number for a bigint
  made.counters.n = 5;
}
