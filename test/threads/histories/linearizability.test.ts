// The checker itself: what it must accept, and planted faults that it must find.
import { describe, expect, test } from "vitest";
import { Random } from "../../../src/testing/index.ts";
import { testSeed } from "../../support/seed.ts";
import { type Call, explain, type Kind } from "./linearizability.ts";

const seed = testSeed("threads/histories/linearizability.test.ts");

/** A call `[thread, start, end, kind, argument, result]` of key 1. */
type Row = readonly [number, number, number | undefined, Kind, (number | undefined)?, Call["result"]?];
const history = (rows: readonly Row[]): Call[] =>
  rows.map(([thread, start, end, kind, argument, result]) => ({
    thread,
    key: 1,
    kind,
    start,
    end,
    ...(argument === undefined ? {} : { argument }),
    result,
  }));

describe("linearizable", () => {
  test.each<[string, Row[]]>([
    ["nothing", []],
    [
      "one thread after another",
      [
        [0, 1, 2, "set", 5],
        [1, 3, 4, "get", undefined, 5],
      ],
    ],
    [
      "a read during a write sees the value before",
      [
        [0, 1, 4, "set", 5],
        [1, 2, 3, "get", undefined, undefined],
      ],
    ],
    [
      "a read during a write sees the value after",
      [
        [0, 1, 4, "set", 5],
        [1, 2, 3, "get", undefined, 5],
      ],
    ],
    [
      "the write that began later comes first",
      [
        [0, 1, 6, "set", 5],
        [1, 2, 3, "set", 6],
        [1, 7, 8, "get", undefined, 5],
      ],
    ],
    [
      "both sums of two adds at once",
      [
        [0, 1, 4, "add", 1, 3],
        [1, 2, 3, "add", 2, 2],
        [0, 5, 6, "get", undefined, 3],
      ],
    ],
    [
      "one of two inserts at once is refused",
      [
        [0, 1, 4, "insert", 1, false],
        [1, 2, 3, "insert", 2, true],
        [0, 5, 6, "get", undefined, 2],
      ],
    ],
    [
      "a replace between two deletes",
      [
        [0, 1, 2, "insert", 1, true],
        [0, 3, 10, "delete", undefined, true],
        [1, 4, 9, "replace", 2, true],
        [2, 5, 6, "get", undefined, 2],
      ],
    ],
    [
      "a call that never returned, and happened",
      [
        [0, 1, undefined, "set", 5],
        [1, 2, 3, "get", undefined, 5],
      ],
    ],
    [
      "a call that never returned, and did not",
      [
        [0, 1, undefined, "set", 5],
        [1, 2, 3, "get", undefined, undefined],
      ],
    ],
    [
      "a call that never returned happens late",
      [
        [0, 1, undefined, "set", 5],
        [1, 2, 3, "get", undefined, undefined],
        [1, 4, 5, "get", undefined, 5],
      ],
    ],
  ])("%s", (_, rows) => {
    expect(explain(history(rows))).toBeUndefined();
  });
});

describe("not linearizable", () => {
  test.each<[string, Row[]]>([
    [
      "a stale read",
      [
        [0, 1, 2, "set", 5],
        [0, 3, 4, "set", 6],
        [1, 5, 6, "get", undefined, 5],
      ],
    ],
    [
      "a read before the write began",
      [
        [1, 1, 2, "get", undefined, 5],
        [0, 3, 4, "set", 5],
      ],
    ],
    [
      "values that go backwards for one reader during one write",
      [
        [0, 1, 2, "set", 5],
        [0, 3, 10, "set", 6],
        [1, 4, 5, "get", undefined, 6],
        [1, 6, 7, "get", undefined, 5],
      ],
    ],
    [
      "values that go backwards from one reader to another",
      [
        [0, 1, 2, "set", 5],
        [0, 3, 10, "set", 6],
        [1, 4, 5, "get", undefined, 6],
        [2, 6, 7, "get", undefined, 5],
      ],
    ],
    [
      "a torn value",
      [
        [0, 1, 2, "set", 0x11],
        [0, 3, 6, "set", 0x22],
        [1, 4, 5, "get", undefined, 0x12],
      ],
    ],
    [
      "a lost update",
      [
        [0, 1, 4, "add", 1, 1],
        [1, 2, 3, "add", 1, 1],
      ],
    ],
    [
      "an update that is lost later",
      [
        [0, 1, 4, "add", 1, 1],
        [1, 2, 3, "add", 1, 2],
        [0, 5, 6, "get", undefined, 1],
      ],
    ],
    [
      "two inserts at once that both succeed",
      [
        [0, 1, 4, "insert", 1, true],
        [1, 2, 3, "insert", 2, true],
      ],
    ],
    ["an insert refused for nothing", [[0, 1, 2, "insert", 1, false]]],
    ["a replace of nothing", [[0, 1, 2, "replace", 1, true]]],
    [
      "one entry taken twice",
      [
        [0, 1, 2, "set", 5],
        [0, 3, 6, "lookupAndDelete", undefined, 5],
        [1, 4, 5, "lookupAndDelete", undefined, 5],
      ],
    ],
    [
      "one entry deleted twice",
      [
        [0, 1, 2, "set", 5],
        [0, 3, 6, "delete", undefined, true],
        [1, 4, 5, "delete", undefined, true],
      ],
    ],
    [
      "a deleted value that comes back",
      [
        [0, 1, 2, "set", 5],
        [0, 3, 4, "delete", undefined, true],
        [1, 5, 6, "get", undefined, 5],
      ],
    ],
    [
      "a call that never returned, and is seen only for a while",
      [
        [0, 1, undefined, "set", 5],
        [1, 2, 3, "get", undefined, 5],
        [1, 4, 5, "get", undefined, undefined],
      ],
    ],
  ])("%s", (_, rows) => {
    expect(explain(history(rows))).toContain("no order explains");
  });
});

test("keys are decided one by one, and one bad key is enough", () => {
  const good = history([
    [0, 1, 2, "set", 5],
    [1, 3, 4, "get", undefined, 5],
  ]);
  const bad = good.map((call) => ({ ...call, key: 2, start: call.start + 10, end: call.end! + 10 }));
  bad[1] = { ...bad[1]!, result: 6 };
  expect(explain([...good, ...bad])).toContain("calls of key 2, which was absent");
  expect(explain([...good, { ...bad[1]! }], new Map([[2, 6]]))).toBeUndefined();
});

test("a thread cannot make two calls at once", () => {
  expect(() =>
    explain(
      history([
        [0, 1, 3, "set", 5],
        [0, 2, 4, "set", 6],
      ]),
    ),
  ).toThrow(RangeError);
});

const KINDS: Kind[] = ["get", "set", "add", "delete", "lookupAndDelete", "insert", "replace"];

/** A history of threads that take turns at random moments; a call does its work at one moment between start and end. */
function simulate(random: Random, threads: number, calls: number, keys: number): Call[] {
  const values = new Map<number, number>();
  const done: Call[] = [];
  const open = new Map<
    number,
    { call: Omit<Call, "end" | "result">; acted: boolean; result: Call["result"] }
  >();
  let time = 0;
  while (done.length < calls) {
    const thread = random.below(threads);
    const current = open.get(thread);
    time++;
    if (current === undefined) {
      const kind = KINDS[random.below(KINDS.length)]!;
      const key = random.below(keys);
      open.set(thread, {
        call: { thread, kind, key, argument: time, start: time },
        acted: false,
        result: undefined,
      });
    } else if (!current.acted) {
      const { kind, key, argument = 0 } = current.call;
      const value = values.get(key);
      if (kind === "get" || kind === "lookupAndDelete") current.result = value;
      else if (kind === "delete") current.result = value !== undefined;
      else if (kind === "insert") current.result = value === undefined;
      else if (kind === "replace") current.result = value !== undefined;
      else if (kind === "add") current.result = (value ?? 0) + argument;
      if (kind === "delete" || kind === "lookupAndDelete") values.delete(key);
      else if (kind === "add") values.set(key, current.result as number);
      else if (kind === "set" || (kind !== "get" && current.result === true)) values.set(key, argument);
      current.acted = true;
    } else {
      done.push({ ...current.call, result: current.result, end: time });
      open.delete(thread);
    }
  }
  for (const { call, result } of open.values()) done.push({ ...call, result, end: undefined });
  return done;
}

test("1000 simulated histories are accepted", () => {
  const random = new Random(seed);
  for (let i = 0; i < 1000; i++) {
    const why = explain(simulate(random, random.between(1, 6), random.between(1, 60), random.between(1, 3)));
    if (why !== undefined) throw new Error(`TEST_SEED=${seed} history ${i}: ${why}`);
  }
});

test("simulated histories with one value that nobody wrote are rejected", () => {
  const random = new Random(seed);
  let planted = 0;
  for (let i = 0; i < 300; i++) {
    const calls = simulate(random, 3, 30, 2);
    const at = calls.findIndex(
      (call) => call.kind === "get" && call.end !== undefined && call.result !== undefined,
    );
    if (at < 0) continue;
    calls[at] = { ...calls[at]!, result: (calls[at]!.result as number) + 0.5 };
    expect(explain(calls), `TEST_SEED=${seed} history ${i}`).toContain("no order explains");
    planted++;
  }
  expect(planted).toBeGreaterThan(100);
});

// A search that goes through all orders would not end.
test("a long history of many threads on one key is decided", () => {
  expect(explain(simulate(new Random(seed), 6, 3000, 1))).toBeUndefined();
});
