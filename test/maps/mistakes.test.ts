// Mistakes that used to do something else without a word.
import { describe, expect, it } from "vitest";
import {
  ACT_DELETE,
  ACT_KEEP,
  array,
  type BooleanExpression,
  bytes,
  createHost,
  createMap,
  cstring,
  program,
  struct,
  u8,
  u32,
} from "../../src/index.ts";
import { caught } from "../support/caught.ts";

const host = createHost({ seed: 1, maxMemory: 16 * 1024 * 1024 });
const key = u32;
const value = struct({ n: u32, list: array(u32, 3), mac: bytes(6), text: cstring(8) });
const map = host.createMap({ type: "rhash", name: "m", key, value, maxEntries: 100 });
const cells = host.createMap({ type: "array", name: "a", key, value: u32, maxEntries: 4 });
const store = host.createKvStore({ name: "kv", manifest: { pairs: { a: { codec: u8 } } } });
host.pin("/m", map);
host.pin("/kv", store);
const filter = () => ACT_KEEP;
const spec = { type: "rhash", key, value: u32, maxEntries: 4 } as const;

describe("an option that nobody knows is a TypeError that names the nearest", () => {
  /** The call with more options, the slip, and what was meant. */
  const calls: [string, (more: object) => unknown, string, string][] = [
    ["createHost", (more) => createHost({ seed: 1, ...more }), "maxmemory", "maxMemory"],
    ["createHost", (more) => createHost({ seed: 1, ...more }), "sahred", "shared"],
    ["createMap", (more) => createMap({ ...spec, ...more }), "maxEntires", "maxEntries"],
    ["createMap", (more) => host.createMap({ ...spec, ...more }), "flag", "flags"],
    ["createMap", (more) => host.createMap({ type: "sockmap", maxEntries: 4, ...more }), "nmae", "name"],
    [
      "createMap",
      (more) => host.createMap({ type: "sockhash", key, maxEntries: 4, ...more }),
      "low_water",
      "lowWater",
    ],
    [
      "createMap: lowWater",
      (more) => host.createMap({ ...spec, lowWater: { free: 1, grow() {}, ...more } }),
      "fre",
      "free",
    ],
    [
      "createMap: the sockmap map: lowWater",
      (more) => host.createMap({ type: "sockmap", maxEntries: 4, lowWater: { free: 1, grow() {}, ...more } }),
      "grows",
      "grow",
    ],
    ['open: map "m"', (more) => host.open("/m", { key, value, ...more }), "tpye", "type"],
    ["createKvStore", (more) => host.createKvStore({ maxKeys: 4, ...more }), "maxPage", "maxPages"],
    ["openKvStore", (more) => host.openKvStore("/kv", { ...more }), "manifset", "manifest"],
    [
      "createKvStore: manifest",
      (more) => host.createKvStore({ manifest: { pairs: {}, ...more } }),
      "pair",
      "pairs",
    ],
    [
      'createKvStore: manifest: "a"',
      (more) => host.createKvStore({ manifest: { pairs: { a: { codec: u8, ...more } } } }),
      "defualt",
      "default",
    ],
    [
      'plan.undo: KV store "kv"',
      (more) => store.plan({ pairs: { a: { codec: u8 } } }).undo({ ...more }),
      "discardUpdate",
      "discardUpdates",
    ],
    ['process: map "m"', (more) => map.process({ filter, ...more }), "Dumper", "dumper"],
    [
      'process: map "m": budget',
      (more) => map.process({ filter, budget: { entries: 1, ...more } }),
      "entrys",
      "entries",
    ],
    ['iterator: map "m"', (more) => map.iterator({ show() {}, ...more }), "buffersize", "bufferSize"],
    ['batches: map "m"', (more) => map.batches({ ...more }), "sise", "size"],
    ['drain: map "m"', (more) => map.drain({ ...more }), "siez", "size"],
    ['batches: map "a"', (more) => cells.batches({ ...more }), "sizes", "size"],
    [
      'program: map "m"',
      (more) => program(map, ({ value }) => value.n.lt(1).then(ACT_DELETE), more),
      "param",
      "params",
    ],
    ['add: map "m"', (more) => map.add(1, 1, { field: "n", ...more }), "feild", "field"],
    ['addMany: map "m"', (more) => map.addMany([1], [1], { field: "n", ...more }), "fields", "field"],
  ];

  it.each(calls)("%s", (what, call, slip, meant) => {
    expect(caught(() => call({ [slip]: undefined })).message).toBe(
      `${what}: unknown option "${slip}"; did you mean ${meant}?`,
    );
    expect(caught(() => call({ [slip]: 1 }))).toBeInstanceOf(TypeError);
    // The method of a hook and of an iterator may find what is its own by `this`.
    if (/lowWater$|^iterator/.test(what)) return;
    const far = caught(() => call({ colour: 1 })).message;
    expect(far).toMatch(/: unknown option "colour"; known are [\w, ]+$/);
    expect(far).toContain(meant);
  });

  it("and what others ask for is no option of theirs: a spec opens what it made", () => {
    const made = {
      type: "rhash",
      name: "again",
      key,
      value: u32,
      maxEntries: 4,
      flags: 0,
      mapExtra: 0,
    } as const;
    host.pin("/again", host.createMap(made));
    expect(host.open("/again", made).name).toBe("again");
    expect(map.size).toBe(0);
  });
});

describe("an expression of a program that JavaScript loses is a TypeError", () => {
  type Entry = Parameters<Parameters<typeof program<typeof map>>[1]>[0];
  const refused = (build: (entry: Entry) => unknown): string =>
    caught(() => program(map, build as never, { counters: { c: u32 } } as never)).message;
  const dropped = (text: string) =>
    `program: map "m": ${text}: is not part of what the function returns; &&, ||, ! and ?: of JavaScript drop ` +
    "conditions: use .and(), .or(), .not() and .otherwise()";

  it("by && and ?:", () => {
    expect(refused(({ key, value }) => (key.eq(5) && value.n.lt(3)).then(ACT_DELETE))).toBe(
      dropped("key == 5"),
    );
    expect(refused(({ key, value }) => (key.eq(5) ? value.n.lt(3) : value.n.lt(4)).then(ACT_DELETE))).toBe(
      dropped("key == 5"),
    );
    expect(refused(({ key, value }) => (key.sub(1) && value.n.lt(3)).then(ACT_DELETE))).toBe(
      dropped("key - 1"),
    );
    expect(
      refused(({ value }) => (value.mac.eq(new Uint8Array(6)) && value.n.lt(3)).then(ACT_DELETE)),
    ).toMatch(/value\.mac == .* is not part/);
    expect(refused(({ value }) => (value.text.eq("a") && value.n.lt(3)).then(ACT_DELETE))).toMatch(
      /is not part/,
    );
    expect(refused(({ value }) => (value.list.sum() && value.n.lt(3)).then(ACT_DELETE))).toMatch(
      /is not part/,
    );
  });

  it("by !", () => {
    expect(refused(({ key, value }) => value.n.lt(3).and(!key.eq(5)).then(ACT_DELETE))).toBe(
      dropped("key == 5"),
    );
  });

  it("by a rule or an effect that is not returned", () => {
    expect(
      refused(({ key, value }) => {
        key.eq(5).then(ACT_DELETE);
        return value.n.lt(3).then(ACT_DELETE);
      }),
    ).toBe(dropped("a rule (condition.then())"));
    expect(
      caught(() =>
        program(
          map,
          ({ value }, { counters }) => {
            counters.c.add(1);
            return value.n.lt(3).then(ACT_DELETE);
          },
          { counters: { c: u32 } },
        ),
      ).message,
    ).toBe(dropped("an effect on counters.c"));
  });

  it("by an operator that asks for a number", () => {
    const operators = "JavaScript's operators do not see entries: use .add(), .sub(), .lt(), .eq() and so on";
    const wrong: [string, (n: number) => unknown][] = [
      ["<", (n) => n < 5],
      [">=", (n) => n >= 5],
      ["+", (n) => n + 1],
      ["-", (n) => n - 1],
      // biome-ignore lint/suspicious/noDoubleEquals: as a user may write it
      ["==", (n) => n == 5],
      ["unary -", (n) => -n],
      ["&", (n) => n & 1],
      ["Number()", (n) => Number(n)],
    ];
    for (const [, use] of wrong) {
      expect(refused(({ value }) => use(value.n as never))).toBe(`program: map "m": value.n: ${operators}`);
      expect(refused(({ value }) => use(value.list.sum() as never))).toContain(operators);
      expect(refused(({ value }) => use(value.n.lt(3) as never))).toBe(
        `program: map "m": value.n < 3: ${operators}`,
      );
      expect(refused(({ value }) => use(value.text as never))).toContain(operators);
    }
    expect(refused(({ value }) => Number(value.n.lt(1).then(ACT_DELETE)))).toContain("a rule");
  });

  it("but not one that is used more than once, in part, or by its text", () => {
    const texts: string[] = [];
    const made = program(map, ({ key, value }) => {
      const small: BooleanExpression = value.n.lt(3);
      texts.push(`${small}`);
      return [small.and(key.eq(5)).then(ACT_DELETE), small.not().then(ACT_KEEP).otherwise(ACT_DELETE)];
    });
    expect(texts[0]).toBe("value.n < 3");
    made.close();
  });
});
