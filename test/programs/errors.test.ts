// Rules, params and counters that the builder of programs refuses, and expressions that are used where they do not belong.
import { describe, expect, it } from "vitest";
import {
  ACT_DELETE,
  array,
  createHost,
  cstring,
  type EntryMap,
  program,
  struct,
  u8,
  u32,
  u53,
} from "../../src/index.ts";
import { caught } from "../support/caught.ts";
import { decide } from "../support/programs/run.ts";
import { build, expectRefused, flows, type Refused, type Untyped } from "../support/programs/untyped.ts";

describe("refused while building", () => {
  it.each([
    // Rules.
    [
      "an action with other bits",
      (e) => e.value.age.lt(1).then(4),
      RangeError,
      "(value.age < 1).then: expected ACT_KEEP (0), ACT_DELETE (1), ACT_STOP (2) or both of these, got number 4",
    ],
    [
      "a fraction of an action",
      (e) => e.value.age.lt(1).then(0.5),
      RangeError,
      "(value.age < 1).then: expected ACT_KEEP",
    ],
    [
      "no action",
      (e) => e.value.age.lt(1).then(),
      TypeError,
      "(value.age < 1).then: expected ACT_KEEP (0), ACT_DELETE (1), ACT_STOP (2) or both of these, got undefined",
    ],
    [
      "a computed action",
      (e) => e.value.age.lt(1).then(e.key.proto),
      TypeError,
      "(value.age < 1).then: expected ACT_KEEP",
    ],
    [
      "an action behind otherwise with other bits",
      (e) => e.value.age.lt(1).then(1).otherwise(-1),
      RangeError,
      "otherwise: expected ACT_KEEP",
    ],
    [
      "effects behind rules",
      (e, { counters }) => e.value.age.lt(1).then(1).otherwise(e.value.age.lt(2).then(1), counters.n.add(1)),
      TypeError,
      "otherwise: expected no effects behind rules",
    ],
    [
      "an effect that is none",
      (e) => e.value.age.lt(1).then(1, e.value.age),
      TypeError,
      "(value.age < 1).then: expected effects such as counters.name.add(1) behind the action, got another expression",
    ],
    [
      "a number as an effect",
      (e) => e.value.age.lt(1).then(1, 5),
      TypeError,
      "(value.age < 1).then: expected effects such as counters.name.add(1) behind the action, got number 5",
    ],
    [
      "a condition without an action",
      (e) => e.value.age.lt(1),
      TypeError,
      "the function: expected rules such as condition.then(ACT_DELETE), got a condition without an action",
    ],
    [
      "an expression",
      (e) => e.value.age,
      TypeError,
      "the function: expected rules such as condition.then(ACT_DELETE), got an expression",
    ],
    [
      "nothing",
      () => undefined,
      TypeError,
      "the function: expected rules such as condition.then(ACT_DELETE), got undefined",
    ],
    [
      "a promise",
      async () => [],
      TypeError,
      "the function: expected rules such as condition.then(ACT_DELETE), got Promise",
    ],
    [
      "a list with something else",
      (e) => [e.value.age.lt(1).then(1), true],
      TypeError,
      "rule 1: expected rules such as condition.then(ACT_DELETE), got boolean true",
    ],
    // Counters.
    [
      "a float for an integer counter",
      (e, { counters }) => counters.n.add(e.value.ratio),
      TypeError,
      "counters.n.add: expected an integer, got a float",
    ],
    [
      "an integer for a float counter",
      (e, { counters }) => counters.f.add(e.value.age),
      TypeError,
      "counters.f.add: expected a float, got an integer",
    ],
    [
      "a fraction for an integer counter",
      (_, { counters }) => counters.n.add(0.5),
      RangeError,
      "counters.n.add: expected an integer",
    ],
  ] as Refused[])("%s", (_, fn, type, message) => {
    expectRefused(fn, type, message);
  });

  it("expressions of another program, and of one that is built", () => {
    let kept: Untyped;
    let keptRule: Untyped;
    let keptText: Untyped;
    build((e) => {
      kept = e.value.age;
      keptText = e.value.name;
      keptRule = e.value.age.lt(5).then(ACT_DELETE);
      return keptRule;
    });
    const other = 'got an expression of another program (of map "flows")';
    expect(() => build((e) => e.value.age.lt(kept).then(1))).toThrow(`value.age.lt: ${other}`);
    expect(() => build((e) => e.value.hits.at(kept).eq(1).then(1))).toThrow(`value.hits.at: ${other}`);
    expect(() => build((e) => e.value.name.eq(keptText).then(1))).toThrow(`value.name.eq: ${other}`);
    expect(() =>
      build((e) =>
        e.value.hits
          .sum(() => kept)
          .eq(1)
          .then(1),
      ),
    ).toThrow(`value.hits.sum: ${other}`);
    expect(() => build(() => keptRule)).toThrow(`the function: ${other}`);
    expect(() => build((e) => e.value.age.lt(1).then(1).otherwise(keptRule))).toThrow(`otherwise: ${other}`);
    const built = "the program has been built";
    for (const late of [
      () => kept.add(1),
      () => kept.lt(1),
      () => kept.neg(),
      () => kept.to(u8),
      () => keptText.eq("a"),
      () => keptRule.otherwise(1),
    ]) {
      expect(late).toThrow(built);
    }
  });

  it("an element outside of its pass over the array", () => {
    const leak = (use: (e: Untyped, element: Untyped) => Untyped) =>
      build((e) => {
        let element: Untyped;
        e.value.hits.sum((each: Untyped) => {
          element = each;
          return each;
        });
        return use(e, element).then(ACT_DELETE);
      });
    const message =
      "value.hits[each]: an element that a function of sum, min or max got is used outside of that function";
    expect(() => leak((_, element) => element.eq(1))).toThrow(message);
    expect(() => leak((e, element) => e.value.hits.sum((each: Untyped) => each.add(element)).eq(1))).toThrow(
      message,
    );
    expect(() => leak((e, element) => e.value.hits.at(element).eq(1))).toThrow(message);
  });

  it("an expression that grows without end", () => {
    const double = () =>
      build((e) => {
        let x = e.value.age;
        for (let i = 0; i < 40; i++) x = x.add(x);
        return x.eq(1).then(1);
      });
    expect(double).toThrow('program: map "flows": add: expected at most 4096 operations, got ');
    const many = () => build((e) => Array.from({ length: 2000 }, () => e.value.age.eq(1).then(1)));
    expect(many).toThrow("the program: expected at most 4096 operations");
  });

  it("a condition that is awaited says so, and structs are no promises", async () => {
    let condition: Untyped;
    let inner: Untyped;
    build((e) => {
      inner = e.value.inner;
      condition = e.value.age.lt(1);
      return condition.then(1);
    });
    await expect((async () => condition)()).rejects.toThrow("the program has been built");
    expect(await inner).toBe(inner);
    expect(inner.toJSON).toBeUndefined();
    expect(Object.keys(inner)).toEqual(["x"]);
    expect(() => build((e) => e.value.age.lt(1).then(() => {}))).toThrow("got function");
  });
});

describe("refused by program()", () => {
  const rule = (e: Untyped) => e.value.age.lt(1).then(ACT_DELETE);
  it.each([
    ["params", { params: 5 }, "params: expected an object of codecs, got number 5"],
    ["a param", { params: { a: 5 } }, "params.a: expected a codec without a spinLock, got number 5"],
    [
      "a param with a lock",
      { params: { a: flows.valueCodec } },
      "params.a: expected a codec without a spinLock, got Object",
    ],
    [
      "a counter",
      { counters: { a: cstring(4) } },
      "counters.a: expected the codec of a number, got cstring(4)",
    ],
    ["a backend", { backend: "asm" }, 'backend: expected "wasm" or "js", got string "asm"'],
    ["options", 5, "expected an object of options, got number 5"],
  ])("%s", (_, options, message) => {
    expect(() => build(rule, options)).toThrow(new TypeError(`program: map "flows": ${message}`));
  });

  it("a function and a map", () => {
    expect(() => build(5 as Untyped)).toThrow(
      new TypeError('program: map "flows": expected a function that returns rules, got number 5'),
    );
    expect(() => program(5 as Untyped, rule)).toThrow(new TypeError("program: expected a map, got number 5"));
  });

  it("a closed map, a full host, a closed program", () => {
    const small = createHost({ maxMemory: 1 << 17 });
    const map: EntryMap<number, number> = small.createMap({
      type: "hash",
      key: u32,
      value: u32,
      maxEntries: 4,
    });
    const large = { params: { table: array(u8, 1 << 17) } };
    const error = caught(() => program(map, () => [], large));
    expect(error).toMatchObject({ code: "ENOMEM", syscall: "prog_load" });
    const made = program(map, (_, { counters }) => counters.n.add(1), { counters: { n: u32 } });
    map.close();
    expect(caught(() => program(map, () => []))).toMatchObject({ code: "EBADF" });
    for (const use of [
      () => made.evaluate,
      () => made.backend,
      () => made.counters.n,
      () => (made.counters.n = 1),
    ]) {
      const closed = caught(use) as Error;
      expect(closed).toMatchObject({ code: "EBADF", syscall: "prog_load" });
      expect(closed.message).toContain("is closed, with its map (EBADF)");
    }
  });

  it("params that do not fit, without a trace", () => {
    const key = { mac: new Uint8Array(6), proto: 6 };
    const made = build((e, { params }) => e.key.proto.eq(params.pair.a).then(ACT_DELETE), {
      params: { pair: struct({ a: u8, b: u8 }) },
      counters: { n: u53 },
    });
    const { params, counters } = made as Untyped;
    flows.set(key, {
      age: 1,
      big: 1n,
      signed: 1n,
      ratio: 1,
      name: "",
      mac: new Uint8Array(6),
      hits: [1, 2, 3],
      inner: { x: 1 },
      date: new Date(0),
      many: [{ n: 1 }, { n: 2 }],
    });
    params.pair = { a: 6, b: 7 };
    expect(() => (params.pair = { a: 7, b: 256 })).toThrow(
      new RangeError('program: map "flows": params.pair.b: expected u8 (0..255), got 256'),
    );
    expect(params.pair).toEqual({ a: 6, b: 7 });
    expect(decide(made as Untyped, key)).toBe(ACT_DELETE);
    expect(() => (params.other = 1)).toThrow(TypeError);
    expect(() => (counters.n = -1)).toThrow('program: map "flows": counters.n: expected u53');
  });
});
