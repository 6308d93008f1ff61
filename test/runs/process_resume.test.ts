// Runs of map.process in parts: budgets, cursors, and whatever happens to the map in between.
import { describe, expect, it } from "vitest";
import { ACT_DELETE, type Host, type ProcessBudget, type ProcessCursor } from "../../src/index.ts";
import { Random } from "../../src/testing/index.ts";
import { testSeed } from "../support/seed.ts";
import { bySize } from "../support/size.ts";
import {
  actionFor,
  ENGINES,
  type Engine,
  KINDS,
  type Kind,
  type NumberMap,
  openKind,
  type Rule,
  ruleProgram,
  setRule,
  valueFor,
} from "./kinds.ts";

const seed = testSeed("runs/process_resume.test.ts");

/** Everything in parts of a budget; `between` is called after each, with what the part has visited. */
function inParts(
  map: NumberMap,
  kind: Kind,
  engine: Engine,
  budget: ProcessBudget,
  rule: Rule,
  between: (visited: number) => void = () => {},
): { visited: number; deleted: number; parts: number; seen: number[] } {
  let cursor: ProcessCursor | undefined;
  const sum = { visited: 0, deleted: 0, parts: 0, seen: [] as number[] };
  do {
    const result = engine.run(map, kind, rule, { budget, cursor }, sum.seen);
    cursor = result.cursor && structuredClone(result.cursor);
    sum.visited += result.visited;
    sum.deleted += result.deleted;
    sum.parts++;
    between(result.visited);
  } while (cursor !== undefined);
  sum.seen.sort((a, b) => a - b);
  return sum;
}

const ENTRIES = bySize(400, 2000);

const below = (count: number) => Array.from({ length: count }, (_, n) => n);

describe.each(ENGINES)("$name", (engine) => {
  describe.each(KINDS)("$type $keySize+$valueSize flags $flags", (kind) => {
    it("whole maps", () => {
      for (const entries of [0, 1, 5, ENTRIES]) {
        const { host, map } = openKind(kind, entries);
        const seen: number[] = [];
        const result = engine.run(map, kind, { deletes: [3, 0] }, {}, seen);
        expect(result).toEqual({ visited: entries, deleted: Math.ceil(entries / 3), stopped: false });
        expect(seen.sort((a, b) => a - b)).toEqual(below(entries));
        expect([map.size, host.verify()]).toEqual([entries - Math.ceil(entries / 3), []]);
      }
    });

    it("stops where it should", () => {
      const { map } = openKind(kind, 1000);
      const seen: number[] = [];
      const result = engine.run(map, kind, { stops: [100, 42] }, {}, seen);
      expect([result.stopped, result.visited, seen.at(-1)! % 100]).toEqual([true, seen.length, 42]);
      expect([seen.filter((n) => n % 100 === 42).length, new Set(seen).size]).toEqual([1, seen.length]);
    });

    it.each(bySize([1, 64], [1, 7, 64, 1000]))(
      "in parts of %s entries, each a few more at most",
      (entries) => {
        const { host, map } = openKind(kind, ENTRIES);
        const parts: number[] = [];
        const all = inParts(map, kind, engine, { entries }, { deletes: [4, 0] }, (visited) =>
          parts.push(visited),
        );
        expect([all.visited, all.deleted]).toEqual([ENTRIES, ENTRIES / 4]);
        expect(all.seen).toEqual(below(ENTRIES));
        expect(Math.max(...parts)).toBeLessThan(entries + 64);
        expect([map.size, host.verify()]).toEqual([(ENTRIES / 4) * 3, []]);
      },
    );

    it.runIf(engine.name === "JavaScript")("goes on behind the very entry that stopped it", () => {
      const entries = bySize(100, 300);
      const { host, map } = openKind(kind, entries);
      const seen: number[] = [];
      let parts = 0;
      let cursor: ProcessCursor | undefined;
      do {
        const rule: Rule = { deletes: [3, 0], stops: [1, 0] };
        const result = engine.run(map, kind, rule, { budget: { entries: 1000 }, cursor }, seen);
        if (result.visited === 1 && result.stopped) parts++;
        else expect(result).toEqual({ visited: 0, deleted: 0, stopped: false });
        cursor = result.cursor;
      } while (cursor !== undefined);
      expect(parts).toBe(entries);
      expect(seen.sort((a, b) => a - b)).toEqual(below(entries));
      expect([map.size, host.verify()]).toEqual([Math.floor((entries / 3) * 2), []]);
    });

    it("exactly once, whatever grows, shrinks and stops between the parts", () => {
      for (let round = 0; round < bySize(1, 12); round++) {
        const random = new Random(seed + round);
        const entries = [3, 40, 400, 1500][random.below(4)]!;
        const { host, map } = openKind(kind, entries, {}, 4000);
        check(host, map, kind, engine, entries, random);
      }
    });
  });

  it("in microseconds: it always gets on, and to the end", () => {
    const entries = bySize(2000, 20_000);
    const { map } = openKind(KINDS[0]!, entries);
    const all = inParts(map, KINDS[0]!, engine, { microseconds: 0.001 }, {});
    expect(all.visited).toBe(entries);
    // A bucket each, or nearly.
    expect(all.parts).toBeGreaterThan(entries / 14);
    expect(all.seen).toEqual(below(entries));
    const rest = inParts(map, KINDS[0]!, engine, { microseconds: 1e9 }, { deletes: [1, 0] });
    expect([rest.visited, rest.deleted, rest.parts, map.size]).toEqual([entries, entries, 1, 0]);
  });

  it("a budget of both: what is reached first", () => {
    const { map } = openKind(KINDS[0]!, 5000);
    const part = engine.run(map, KINDS[0]!, {}, { budget: { entries: 100, microseconds: 1e9 } }, []);
    expect(part.visited).toBeGreaterThanOrEqual(100);
    expect(part.visited).toBeLessThan(200);
  });

  it("takes buckets apart that a long section has left with hundreds of entries", () => {
    const { host, map } = openKind(KINDS[0]!, 0, {}, 10_000);
    host.section(() => {
      for (let n = 0; n < 3000; n++) map.set(n, { n });
    });
    const all = inParts(map, KINDS[0]!, engine, { entries: 1000 }, { stops: [100, 99] });
    expect([all.visited, all.seen]).toEqual([3000, below(3000)]);
  });
});

describe.each(["wasm", "js"] as const)("a compiled program (%s) does what a function does", (backend) => {
  it.each(KINDS)("$type $keySize+$valueSize flags $flags", (kind) => {
    for (let round = 0; round < bySize(1, 12); round++) {
      const random = new Random(seed + 1000 + round);
      const entries = [3, 40, 400, 1500][random.below(4)]!;
      // Two hosts that are the same: same seed, same calls, same layout and order.
      const [a, b] = [openKind(kind, entries, {}, 4000), openKind(kind, entries, {}, 4000)];
      const filter = ruleProgram(b.map, backend);
      const rule: Rule = {
        deletes: random.chance(70) ? [random.between(2, 9), 1] : undefined,
        stops: random.chance(70) ? [random.between(2, 50), 0] : undefined,
      };
      setRule(filter, rule);
      let cursors: (ProcessCursor | undefined)[] = [undefined, undefined];
      let next = entries;
      let sum = 0;
      const done: unknown[][] = [[], []];
      do {
        // Bucket by bucket: with more, a compiled program may visit a few buckets more than a function.
        const budget = { entries: 1 };
        const seen: number[] = [];
        const first = ENGINES[0]!.run(a.map, kind, rule, { budget, cursor: cursors[0] }, seen);
        const second = b.map.process({ filter, budget, cursor: cursors[1] });
        sum += seen.reduce((x, y) => x + y, 0);
        const summary = ({ cursor, ...rest }: typeof first) => ({
          ...rest,
          at: cursor && [cursor.position, cursor.behind],
        });
        done[0]!.push(summary(first), sum);
        done[1]!.push(summary(second), filter.counters.sum);
        cursors = [first.cursor, second.cursor];
        for (let i = random.below(10); i > 0 && a.map.size < 3900; i--) {
          const key = random.chance(50) ? next++ : random.below(next);
          for (const { map } of [a, b]) {
            if (key === next - 1) map.set(key, valueFor(kind, key));
            else map.delete(key);
          }
        }
      } while (cursors[0] !== undefined);
      expect(done[1]).toEqual(done[0]);
      expect([...b.map.keys()]).toEqual([...a.map.keys()]);
      expect(b.host.verify()).toEqual([]);
    }
  });
});

/** One sweep in parts, with changes between them, beside a model. */
function check(
  host: Host,
  map: NumberMap,
  kind: Kind,
  engine: Engine,
  entries: number,
  random: Random,
): void {
  const model = new Set(below(entries));
  // From start to end there, and never touched.
  const stable = new Set(model);
  const seen = new Set<number>();
  const divisor = random.between(2, 9);
  const rule: Rule = {
    deletes: random.chance(50) ? [5, 0] : undefined,
    stops: engine.name === "JavaScript" && random.below(3) === 0 ? [divisor, 1] : undefined,
  };
  let next = entries;
  let cursor: ProcessCursor | undefined;
  let parts = 0;
  do {
    const part: number[] = [];
    const result = engine.run(map, kind, rule, { budget: { entries: random.between(1, 80) }, cursor }, part);
    cursor = result.cursor;
    if (part.length !== result.visited) throw new Error(`${result.visited} of ${part.length} are counted`);
    for (const n of part) {
      if (!model.has(n)) throw new Error(`${n} is not there`);
      if (seen.has(n)) throw new Error(`${n} comes twice`);
      seen.add(n);
      if ((actionFor(n, rule) & ACT_DELETE) === 0) continue;
      model.delete(n);
      stable.delete(n);
    }
    // Grow or shrink, by a lot or a little.
    const changes = random.below(4) === 0 ? random.below(600) : random.below(20);
    const grows = random.chance(50);
    for (let i = 0; i < changes && model.size < 3900; i++) {
      if (grows) {
        map.set(next, valueFor(kind, next));
        model.add(next++);
      } else {
        const gone = random.below(next);
        if (map.delete(gone) !== model.delete(gone)) throw new Error(`delete(${gone})`);
        stable.delete(gone);
      }
    }
    if (++parts === 20_000) throw new Error("the sweep does not end");
  } while (cursor !== undefined);
  expect([...stable].filter((n) => !seen.has(n))).toEqual([]); // there from start to end
  expect([...map.keys()].sort((a, b) => a - b)).toEqual([...model].sort((a, b) => a - b));
  expect(host.verify()).toEqual([]);
}
