// Rules, effects, params and counters of programs, in both back ends.
import { describe, expect, it } from "vitest";
import {
  ACT_DELETE,
  ACT_KEEP,
  ACT_STOP,
  array,
  bytes,
  createHost,
  cstring,
  f32,
  f64,
  i8,
  i16,
  i64,
  program,
  struct,
  u8,
  u16,
  u32,
  u53,
  u64,
} from "../../src/index.ts";
import { BACKENDS, decide } from "../support/programs/run.ts";

describe.each(BACKENDS)("backend %s", (backend) => {
  const open = () =>
    createHost({ maxMemory: 1 << 20, cpus: 3 }).createMap({
      type: "rhash",
      name: "flows",
      key: u32,
      value: struct({ bytes: u53, age: u32, flag: u8 }),
      maxEntries: 100,
    });

  it("a rule decides, and what meets none is kept", () => {
    const map = open().set(1, { bytes: 1, age: 5, flag: 0 }).set(2, { bytes: 1, age: 50, flag: 0 });
    for (const action of [ACT_KEEP, ACT_DELETE, ACT_STOP, ACT_DELETE | ACT_STOP]) {
      const made = program(map, ({ value }) => value.age.gt(10).then(action), { backend });
      expect([decide(made, 1), decide(made, 2)]).toEqual([ACT_KEEP, action]);
      expect(made.backend).toBe(backend);
    }
  });

  it("conditions combine", () => {
    const map = open();
    for (let key = 0; key < 8; key++) map.set(key, { bytes: key & 1, age: (key >> 1) & 1, flag: key >> 2 });
    const truth = (build: (a: boolean, b: boolean, c: boolean) => boolean) =>
      Array.from({ length: 8 }, (_, key) => Number(build((key & 1) === 1, (key & 2) === 2, (key & 4) === 4)));
    const conditions = (which: number) =>
      program(
        map,
        ({ value }) => {
          const a = () => value.bytes.eq(1);
          const b = () => value.age.mul(3).shr(1).eq(1);
          const c = () => value.flag.ne(0);
          const all = [
            () => a().and(b()),
            () => a().or(b()),
            () => a().not(),
            () => a().and(b()).or(c()),
            () => a().or(b()).and(c()),
            () => a().and(b().or(c())),
            () => a().or(b().and(c())),
            () => a().and(b().not()).not(),
            () => a().and(true),
            () => a().and(false),
            () => a().or(true),
            () => a().or(false),
            () => c().and(b()).and(a()),
          ];
          return all[which]().then(ACT_DELETE);
        },
        { backend },
      );
    const expected = [
      truth((a, b) => a && b),
      truth((a, b) => a || b),
      truth((a) => !a),
      truth((a, b, c) => (a && b) || c),
      truth((a, b, c) => (a || b) && c),
      truth((a, b, c) => a && (b || c)),
      truth((a, b, c) => a || (b && c)),
      truth((a, b) => !(a && !b)),
      truth((a) => a),
      truth(() => false),
      truth(() => true),
      truth((a) => a),
      truth((a, b, c) => a && b && c),
    ];
    for (const [which, truths] of expected.entries()) {
      const made = conditions(which);
      expect(Array.from({ length: 8 }, (_, key) => decide(made, key))).toEqual(truths);
    }
  });

  it("the first rule that is met decides; otherwise() has the rest", () => {
    const map = open();
    for (const age of [1, 2, 3, 4]) map.set(age, { bytes: 0, age, flag: 0 });
    const decided = (made: Parameters<typeof decide<number>>[0]) =>
      [1, 2, 3, 4].map((key) => decide(made, key));
    const list = program(
      map,
      ({ value: { age } }) => [age.lt(2).then(ACT_DELETE), age.lt(3).then(ACT_STOP), age.lt(4).then(3)],
      { backend },
    );
    expect(decided(list)).toEqual([1, 2, 3, 0]);
    const action = program(map, ({ value: { age } }) => age.eq(2).then(ACT_KEEP).otherwise(ACT_DELETE), {
      backend,
    });
    expect(decided(action)).toEqual([1, 0, 1, 1]);
    const chain = program(
      map,
      ({ value: { age } }) => age.eq(2).then(ACT_KEEP).otherwise(age.eq(3).then(ACT_STOP).otherwise(3)),
      { backend },
    );
    expect(decided(chain)).toEqual([3, 0, 2, 3]);
  });

  it("effects happen in order, of the rule that decides only", () => {
    const map = open().set(1, { bytes: 10, age: 1, flag: 0 }).set(2, { bytes: 20, age: 2, flag: 0 });
    const made = program(
      map,
      ({ value }, { counters: { seen, old, sum, rest } }) => [
        seen.add(1),
        value.age.gt(1).then(ACT_DELETE, old.add(1), sum.add(value.bytes), sum.add(old.value.mul(1000))),
        value.age.gt(0).then(ACT_KEEP, rest.add(seen.value)).otherwise(ACT_STOP, rest.add(100)),
      ],
      { counters: { seen: u32, old: u8, sum: u53, rest: i64 }, backend },
    );
    expect([1, 2, 2, 1].map((key) => decide(made, key))).toEqual([0, 1, 1, 0]);
    expect({ ...made.counters }).toEqual({ seen: 4, old: 2, sum: 3040, rest: 5n });
    map.set(1, { bytes: 1, age: 0, flag: 0 });
    expect(decide(made, 1)).toBe(ACT_STOP);
    expect(made.counters.rest).toBe(105n);
  });

  it("an effect alone is a program", () => {
    const map = open().set(1, { bytes: 10, age: 1, flag: 0 });
    const made = program(map, ({ value }, { counters }) => counters.sum.add(value.bytes), {
      counters: { sum: u53 },
      backend,
    });
    expect([decide(made, 1), decide(made, 1)]).toEqual([ACT_KEEP, ACT_KEEP]);
    expect(made.counters.sum).toBe(20);
  });

  it("rules of a program without any keep everything", () => {
    const made = program(open().set(1, { bytes: 1, age: 1, flag: 1 }), () => [], { backend });
    expect(decide(made, 1)).toBe(ACT_KEEP);
    expect(String(made)).toBe("");
  });

  it("counters of every width wrap in it", () => {
    const map = open().set(1, { bytes: 1, age: 1, flag: 1 });
    const made = program(
      map,
      (_, { counters: c }) => [
        c.a.add(200),
        c.b.add(100),
        c.c.add(40_000),
        c.d.add(30_000),
        c.e.add(3e9),
        c.f.add(2n ** 63n),
        c.g.add(-(2n ** 62n)),
        c.h.add(0.1),
        c.i.add(0.1),
        c.j.add(-1),
      ],
      { counters: { a: u8, b: i8, c: u16, d: i16, e: u32, f: u64, g: i64, h: f32, i: f64, j: u53 }, backend },
    );
    decide(made, 1);
    expect(() => made.counters.j).toThrow('program: map "flows": counters.j: expected u53');
    expect(made.counters.f).toBe(2n ** 63n);
    expect(made.counters.h).toBe(Math.fround(0.1));
    made.counters.j = 2;
    decide(made, 1);
    const { a, b, c, d, e, f, g, h, i, j } = made.counters;
    expect([a, b, c, d, e, f, g]).toEqual([144, -56, 14_464, -5536, 1_705_032_704, 0n, -(2n ** 63n)]);
    expect([h, i, j]).toEqual([Math.fround(Math.fround(0.1) + 0.1), 0.2, 1]);
  });

  it("params are read at every entry, of any layout", () => {
    const map = open().set(1, { bytes: 7, age: 5, flag: 2 });
    const made = program(
      map,
      ({ value }, { params }) =>
        value.age
          .lt(params.limits.old)
          .and(params.name.eq("all").or(params.mask.eq(Uint8Array.of(1, 2, 3))))
          .and(params.flags.at(value.flag).ne(0))
          .and(value.bytes.to(f64).gt(params.ratio))
          .then(ACT_DELETE),
      {
        params: {
          name: cstring(8),
          mask: bytes(3),
          limits: struct({ old: u32 }),
          flags: array(u8, 3),
          ratio: f64,
        },
        backend,
      },
    );
    expect({ ...made.params }).toEqual({
      name: "",
      mask: new Uint8Array(3),
      limits: { old: 0 },
      flags: [0, 0, 0],
      ratio: 0,
    });
    expect(decide(made, 1)).toBe(ACT_KEEP);
    made.params.limits = { old: 6 };
    made.params.flags = [0, 0, 1];
    made.params.ratio = 6.5;
    expect(decide(made, 1)).toBe(ACT_KEEP);
    made.params.name = "all";
    expect(decide(made, 1)).toBe(ACT_DELETE);
    made.params.name = "some";
    expect(decide(made, 1)).toBe(ACT_KEEP);
    made.params.mask = Uint8Array.of(1, 2, 3);
    expect(decide(made, 1)).toBe(ACT_DELETE);
    expect(made.params.limits).toEqual({ old: 6 });
    made.params.ratio = 7;
    expect(decide(made, 1)).toBe(ACT_KEEP);
  });

  it("fields may have the names of methods", () => {
    const host = createHost({ maxMemory: 1 << 20 });
    // biome-ignore lint/suspicious/noThenProperty: it is what the test is about.
    const value = struct({ eq: u32, then: u32, add: u8, at: u8, constructor: u8, toJSON: u8 });
    const map = host.createMap({ type: "hash", key: u8, value, maxEntries: 1 });
    // biome-ignore lint/suspicious/noThenProperty: it is what the test is about.
    map.set(1, { eq: 1, then: 2, add: 3, at: 4, constructor: 5, toJSON: 6 });
    const made = program(
      map,
      (e) => {
        const sum = e.value.eq.add(e.value.then).add(e.value.add).add(e.value.at);
        return sum.add(e.value.constructor).add(e.value.toJSON).eq(21).then(ACT_DELETE);
      },
      { backend },
    );
    expect(decide(made, 1)).toBe(ACT_DELETE);
  });

  it("scalars, nested structs and keys are read in their places", () => {
    const host = createHost({ maxMemory: 1 << 20 });
    const inner = struct({ pad: u8, x: u16, deep: struct({ pad: u8, y: u64 }) });
    const map = host.createMap({ type: "hash", key: inner, value: u16, maxEntries: 2 });
    map.set({ pad: 1, x: 2, deep: { pad: 3, y: 4n } }, 5);
    const made = program(map, ({ key, value }) => key.x.add(key.deep.y).add(value).eq(11).then(ACT_DELETE), {
      backend,
    });
    expect(decide(made, { pad: 1, x: 2, deep: { pad: 3, y: 4n } })).toBe(ACT_DELETE);
  });

  it("per-CPU values: the slot of this thread, and all of them", () => {
    const host = createHost({ maxMemory: 1 << 20, cpus: 3 });
    const value = struct({ hits: u32, seen: u16 });
    const map = host.createMap({ type: "percpu_hash", key: u8, value, maxEntries: 2 });
    map.set(1, [
      { hits: 1, seen: 10 },
      { hits: 20, seen: 30 },
      { hits: 300, seen: 20 },
    ]);
    const sums = program(
      map,
      ({ value, values }, { counters: c }) => [
        c.own.add(value.hits),
        c.sum.add(values.sum((slot) => slot.hits)),
        c.max.add(values.max((slot) => slot.seen)),
        c.last.add(values.at(2).seen),
        c.count.add(values.length),
      ],
      { counters: { own: u32, sum: u32, max: u32, last: u32, count: u8 }, backend },
    );
    decide(sums, 1);
    expect({ ...sums.counters }).toEqual({ own: 1, sum: 321, max: 30, last: 20, count: 3 });
    const scalars = host
      .createMap({ type: "percpu_hash", key: u8, value: u8, maxEntries: 2 })
      .set(1, [1, 2, 4]);
    const made = program(scalars, ({ values }) => values.sum().eq(7).then(ACT_DELETE), { backend });
    expect(decide(made, 1)).toBe(ACT_DELETE);
  });

  it("goes on when host memory has grown", () => {
    const host = createHost();
    const map = host.createMap({ type: "hash", key: u32, value: u32, maxEntries: 10 }).set(1, 5);
    const made = program(
      map,
      ({ value }, { params, counters }) => value.ge(params.least).then(ACT_DELETE, counters.n.add(1)),
      {
        params: { least: u32 },
        counters: { n: u32 },
        backend,
      },
    );
    made.params.least = 5;
    expect(decide(made, 1)).toBe(ACT_DELETE);
    const pages = host.u8.length;
    host.createMap({ type: "array", key: u32, value: u64, maxEntries: 100_000 });
    host.memory.grow(1);
    expect(made.params.least).toBe(5);
    expect(host.u8.length).toBeGreaterThan(pages);
    host.memory.grow(1);
    const [key, value] = [host.core.allocate(8) >>> 0, host.core.lookup4(map.reading, 1) >>> 0];
    expect(made.evaluate(key, value)).toBe(ACT_DELETE);
    host.memory.grow(1);
    made.params.least = 6;
    host.memory.grow(1);
    expect(made.counters.n).toBe(2);
    expect(made.evaluate(key, value)).toBe(ACT_KEEP);
    host.close();
  });
});

describe("memory", () => {
  it("is given back with the program, with its map and with the host", () => {
    const host = createHost({ maxMemory: 1 << 20 });
    const map = host.createMap({ type: "hash", key: u32, value: u32, maxEntries: 10 });
    const before = host.memoryUsage().bytes;
    const make = () =>
      program(map, ({ value }, { params }) => value.lt(params.limit).then(ACT_DELETE), {
        params: { limit: u32 },
      });
    const made = make();
    expect(host.memoryUsage().bytes).toBeGreaterThan(before);
    made.close();
    made.close();
    expect(host.memoryUsage().bytes).toBe(before);
    {
      using again = make();
      expect(again.params.limit).toBe(0);
    }
    expect(host.memoryUsage().bytes).toBe(before);
    const last = make();
    map.close();
    expect(host.memoryUsage().bytes).toBe(0);
    last.close();
    const other = host.createMap({ type: "hash", key: u32, value: u32, maxEntries: 10 });
    const left = program(other, (_, { counters }) => counters.n.add(1), { counters: { n: u32 } });
    host.close();
    expect(() => left.counters.n).toThrow("is closed");
  });

  it("a program without params, counters and indices takes none", () => {
    const host = createHost({ maxMemory: 1 << 20 });
    const map = host.createMap({ type: "hash", key: u32, value: u32, maxEntries: 10 });
    const before = host.memoryUsage().bytes;
    program(map, ({ value }) => value.lt(5).then(ACT_DELETE));
    expect(host.memoryUsage().bytes).toBe(before);
  });
});
