// How contenders are measured in turn, with contenders that only count what is done to them.
import { expect, test } from "vitest";
// @ts-expect-error plain JavaScript
import { Entrant } from "../../bench/run/entrants.mjs";
// @ts-expect-error plain JavaScript
import { measureRows } from "../../bench/run/rounds.mjs";
// @ts-expect-error plain JavaScript
import { quantile, ratios, summarise } from "../../bench/run/statistics.mjs";

const keys = Uint32Array.of(7, 8, 9);
const OPTIONS = { size: 3, seed: 1, maxEntries: 3, keySize: 4 };

/** A map that writes down its calls. */
class Counting {
  emptyIsNew = false;
  log: string[];
  name: string;
  map = new Map<number, number>();

  constructor(name: string, log: string[]) {
    this.name = name;
    this.log = log;
    log.push(`${name} open`);
  }

  insert(keys: Uint32Array) {
    this.log.push(`${this.name} insert`);
    keys.forEach((key, i) => {
      this.map.set(key, i);
    });
  }

  lookup(keys: Uint32Array) {
    this.log.push(`${this.name} lookup`);
    return keys.reduce((sum, key) => sum + (this.map.get(key) ?? Number.NaN), 0);
  }

  remove(keys: Uint32Array) {
    this.log.push(`${this.name} remove`);
    return keys.filter((key) => this.map.delete(key)).length;
  }

  close() {
    this.log.push(`${this.name} close`);
  }
}

const INSERT = {
  operation: "insert",
  method: "insert",
  input: keys,
  operations: 3,
  needs: "new",
  leaves: "full",
};
const LOOKUP = {
  operation: "lookup",
  method: "lookup",
  input: keys,
  operations: 3,
  needs: "full",
  leaves: "full",
  expected: 3,
};

function setUp(names: string[], make: (name: string, log: string[]) => Counting) {
  const log: string[] = [];
  const skipped: string[] = [];
  const entrants = names.map((name) => new Entrant(name, () => make(name, log), OPTIONS));
  const context = {
    rounds: 2,
    stopped: false,
    progress: () => {},
    skip: (contender: string, reason: string) => skipped.push(`${contender}: ${reason}`),
  };
  return { log, skipped, entrants, context };
}

const plain = (name: string, log: string[]) => new Counting(name, log);

test("a row is done by all in turn, in an order that rotates, after a round that does not count", async () => {
  const { log, entrants, context } = setUp(["a", "b"], plain);
  log.length = 0;
  const measurements = await measureRows({ size: 3, entrants, rows: [LOOKUP], keys, warmUps: 1 }, context);
  const lookups = log.filter((line) => line.endsWith("lookup"));
  expect(lookups).toEqual(["a", "b", "b", "a", "a", "b"].map((name) => `${name} lookup`));
  expect(log.filter((line) => line.endsWith("close"))).toEqual(["a close", "b close"]);
  expect(measurements).toEqual(
    ["a", "b"].map((contender) => ({
      size: 3,
      operation: "lookup",
      contender,
      unit: "ns",
      rounds: [expect.any(Number), expect.any(Number)],
    })),
  );
});

test("a row that grows gets a new map for every pass, and what it holds is read back once", async () => {
  const { log, entrants, context } = setUp(["a"], plain);
  await measureRows(
    { size: 3, entrants, rows: [{ ...INSERT, passes: 2 }], keys, warmUps: 1 },
    { ...context, rounds: 1 },
  );
  const filled = ["a open", "a insert", "a close"];
  const last = ["a open", "a insert", "a lookup", "a close"];
  expect(log).toEqual([...filled, ...last, ...filled, ...filled]);
});

test("a map that is as good as new when it is empty is emptied instead", async () => {
  const { log, entrants, context } = setUp(["a"], (name, log) => {
    const map = new Counting(name, log);
    map.emptyIsNew = true;
    return map;
  });
  await measureRows(
    { size: 3, entrants, rows: [{ ...INSERT, passes: 2 }], keys, warmUps: 1 },
    { ...context, rounds: 1 },
  );
  const insert = ["a insert", "a remove"];
  expect(log).toEqual([
    "a open",
    ...insert,
    "a insert",
    "a lookup",
    "a remove",
    ...insert,
    "a insert",
    "a close",
  ]);
});

test("a contender's own clock goes before ours", async () => {
  class Clocked extends Counting {
    ownNs() {
      return 3000;
    }
  }
  const { entrants, context } = setUp(["a"], (name, log) => new Clocked(name, log));
  const [{ rounds }] = await measureRows({ size: 3, entrants, rows: [LOOKUP], keys, warmUps: 1 }, context);
  expect(rounds).toEqual([1000, 1000]);
});

test("a contender without the method is left out of the row", async () => {
  const { entrants, context } = setUp(["a"], plain);
  const row = { ...LOOKUP, method: "lookupMany" };
  expect(await measureRows({ size: 3, entrants, rows: [row], keys, warmUps: 1 }, context)).toEqual([]);
});

class Forgetful extends Counting {
  override lookup(keys: Uint32Array) {
    super.lookup(keys);
    return 2;
  }
}

test("a wrong result fails the run", async () => {
  const { entrants, context } = setUp(["a"], (name, log) => new Forgetful(name, log));
  const measured = measureRows({ size: 3, entrants, rows: [LOOKUP], keys, warmUps: 1 }, context);
  await expect(measured).rejects.toThrow("lookup: a got 2 instead of 3");
});

test("so does a map that does not hold what was inserted", async () => {
  const { entrants, context } = setUp(["a"], (name, log) => new Forgetful(name, log));
  const measured = measureRows({ size: 3, entrants, rows: [INSERT], keys, warmUps: 1 }, context);
  await expect(measured).rejects.toThrow("insert: a holds 2, not 3");
});

class Failing extends Counting {
  override lookup(keys: Uint32Array) {
    if (this.log.filter((line) => line === `${this.name} lookup`).length === 2)
      throw new Error("Map maximum size exceeded");
    return super.lookup(keys);
  }
}

test("a contender that throws is left out from there on, with what it did until then", async () => {
  const { skipped, entrants, context } = setUp(["a", "b"], (name, log) =>
    name === "b" ? new Failing(name, log) : new Counting(name, log),
  );
  const measurements = await measureRows({ size: 3, entrants, rows: [LOOKUP], keys, warmUps: 1 }, context);
  expect(measurements.map(({ rounds }: { rounds: number[] }) => rounds.length)).toEqual([2, 1]);
  expect(skipped).toEqual(['b: failed at 3 entries in "lookup": Map maximum size exceeded']);
});

test("ours must not throw", async () => {
  const { log, entrants, context } = setUp(["bpfmap"], (name, log) => new Failing(name, log));
  const measured = measureRows({ size: 3, entrants, rows: [LOOKUP], keys, warmUps: 1 }, context);
  await expect(measured).rejects.toThrow("Map maximum size exceeded");
  expect(log.at(-1)).toBe("bpfmap close");
});

test("when stopped, what was measured is given", async () => {
  const { log, entrants, context } = setUp(["a"], plain);
  const stopping = {
    ...context,
    rounds: 5,
    get stopped() {
      return log.filter((line) => line === "a lookup").length === 3;
    },
  };
  const [{ rounds }] = await measureRows({ size: 3, entrants, rows: [LOOKUP], keys, warmUps: 1 }, stopping);
  expect(rounds.length).toBe(2);
});

test("statistics", () => {
  expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
  expect(quantile([5], 0.9)).toBe(5);
  expect(summarise([30, 10, 20])).toEqual({ median: 20, low: 12, high: 28 });
  expect(ratios([10, 30], [5, 10])).toEqual([2, 3]);
  expect(ratios([10, 30, 50], [5, 10])).toEqual([2, 3]);
});

test("each pass gets the next set of keys, and the map holds just those", async () => {
  const sets = [Uint32Array.of(1, 2, 3), Uint32Array.of(4, 5, 6)].map((keys) => ({ keys, input: keys }));
  const held: number[][] = [];
  class Holding extends Counting {
    override remove(keys: Uint32Array) {
      held.push([...this.map.keys()]);
      return super.remove(keys);
    }
  }
  const { entrants, context } = setUp(["a"], (name, log) => new Holding(name, log));
  const row = { ...LOOKUP, operation: "remove", method: "remove", passes: 3, leaves: "empty", sets };
  await measureRows({ size: 3, entrants, rows: [LOOKUP, row], keys, warmUps: 0 }, { ...context, rounds: 1 });
  expect(held).toEqual([
    [7, 8, 9],
    [1, 2, 3],
    [4, 5, 6],
    [1, 2, 3],
  ]);
});
