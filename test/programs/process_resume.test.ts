// Runs of map.process in parts: budgets, cursors, and whatever happens to the map in between.
import { describe, expect, it } from "vitest";
import {
  ACT_DELETE,
  ACT_KEEP,
  ACT_STOP,
  createHost,
  type HashMap,
  type Host,
  type ProcessBudget,
  type ProcessCursor,
  u32,
  u53,
} from "../../src/index.ts";
import { Random } from "../../src/testing/index.ts";
import { testSeed } from "../support/seed.ts";
import { ENGINES, type Engine, KINDS, type Kind, openKind, valueFor } from "./kinds.ts";

const seed = testSeed("programs/process_resume");

type Map1 = HashMap<number, { n: number }>;

/** Everything in parts of a budget; `between` is called after each, with what the part has visited. */
function inParts(
  map: Map1,
  engine: Engine,
  budget: ProcessBudget,
  action: (n: number) => number,
  between: (visited: number) => void = () => {},
): { visited: number; deleted: number; parts: number } {
  let cursor: ProcessCursor | undefined;
  const sum = { visited: 0, deleted: 0, parts: 0 };
  do {
    const filter = engine.filter(map, action);
    const result = map.process({ filter, budget, cursor });
    cursor = result.cursor && structuredClone(result.cursor);
    sum.visited += result.visited;
    sum.deleted += result.deleted;
    sum.parts++;
    between(result.visited);
  } while (cursor !== undefined);
  return sum;
}

describe.each(ENGINES)("$name", (engine) => {
  describe.each(KINDS)("$type $keySize+$valueSize flags $flags", (kind) => {
    it.each([1, 7, 64, 1000])("in parts of %s entries, each a few more at most", (entries) => {
      const { host, map } = openKind(kind, 2000);
      const parts: number[] = [];
      const seen = engine.seen(map);
      const all = inParts(
        map,
        engine,
        { entries },
        (n) => (n % 4 === 0 ? ACT_DELETE : ACT_KEEP),
        (visited) => parts.push(visited),
      );
      expect([all.visited, all.deleted]).toEqual([2000, 500]);
      expect(seen()).toEqual(Array.from({ length: 2000 }, () => 1));
      for (const visited of parts.slice(0, -1)) expect(visited).toBeGreaterThanOrEqual(1);
      for (const visited of parts) expect(visited).toBeLessThan(entries + 64);
      expect([map.size, host.verify()]).toEqual([1500, []]);
    });

    it("goes on behind the very entry that stopped it", () => {
      const { host, map } = openKind(kind, 300);
      const seen = engine.seen(map);
      let parts = 0;
      let cursor: ProcessCursor | undefined;
      do {
        const filter = engine.filter(map, (n) => (n % 3 === 0 ? ACT_DELETE | ACT_STOP : ACT_STOP));
        const result = map.process({ filter, budget: { entries: 1000 }, cursor });
        if (result.visited > 0) {
          expect([result.visited, result.stopped]).toEqual([1, true]);
          parts++;
        } else expect([result.stopped, result.cursor]).toEqual([false, undefined]);
        cursor = result.cursor;
      } while (cursor !== undefined);
      expect(parts).toBe(300);
      expect(seen()).toEqual(Array.from({ length: 300 }, () => 1));
      expect([map.size, host.verify()]).toEqual([200, []]);
    });

    it("exactly once, whatever grows, shrinks and stops between the parts", () => {
      for (let round = 0; round < 12; round++) {
        const random = new Random(seed + round);
        const entries = [3, 40, 400, 1500][random.below(4)];
        const { host, map } = openKind(kind, entries, {}, 4000);
        check(host, map, kind, engine, entries, random);
      }
    });
  });

  it("in microseconds: it always gets on, and to the end", () => {
    const { map } = openKind(KINDS[0], 20_000);
    const seen = engine.seen(map);
    const all = inParts(map, engine, { microseconds: 0.001 }, () => ACT_KEEP);
    expect(all.visited).toBe(20_000);
    // A bucket each, or nearly.
    expect(all.parts).toBeGreaterThan(1500);
    expect(seen().every((times) => times === 1)).toBe(true);
    expect(inParts(map, engine, { microseconds: 1e9 }, () => ACT_DELETE)).toEqual({
      visited: 20_000,
      deleted: 20_000,
      parts: 1,
    });
    expect(map.size).toBe(0);
  });

  it("a budget of both: what is reached first", () => {
    const { map } = openKind(KINDS[0], 5000);
    const part = map.process({
      filter: engine.filter(map, () => ACT_KEEP),
      budget: { entries: 100, microseconds: 1e9 },
    });
    expect(part.visited).toBeGreaterThanOrEqual(100);
    expect(part.visited).toBeLessThan(200);
  });

  it("takes buckets apart that a long section has left with hundreds of entries", () => {
    const host = createHost({ seed: 3, maxMemory: 64 * 1024 * 1024 });
    const map = host.createMap({ type: "rhash", key: u32, value: u53, maxEntries: 10_000 });
    host.section(() => {
      for (let n = 0; n < 3000; n++) map.set(n, n);
    });
    const times = new Map<number, number>();
    let cursor: ProcessCursor | undefined;
    do {
      const result = map.process({
        filter: (entry) => {
          times.set(entry.key, (times.get(entry.key) ?? 0) + 1);
          return entry.key % 100 === 99 ? ACT_STOP : ACT_KEEP;
        },
        budget: { entries: 1000 },
        cursor,
      });
      cursor = result.cursor;
    } while (cursor !== undefined);
    expect([times.size, [...times.values()].every((n) => n === 1)]).toEqual([3000, true]);
  });
});

/** One sweep in parts, with changes between them, beside a model. */
function check(host: Host, map: Map1, kind: Kind, engine: Engine, entries: number, random: Random): void {
  const model = new Set(Array.from({ length: entries }, (_, n) => n));
  // From start to end there, and never touched.
  const stable = new Set(model);
  const seen = new Set<number>();
  const deleted = (n: number) => n % 5 === 0;
  const deleteNow = random.chance(50);
  const stop = random.below(3) === 0 ? random.between(2, 9) : 0;
  let next = entries;
  let cursor: ProcessCursor | undefined;
  const times = engine.seen(map);
  let parts = 0;
  do {
    const before = times();
    const filter = engine.filter(
      map,
      (n) => (deleteNow && deleted(n) ? ACT_DELETE : ACT_KEEP) | (stop > 0 && n % stop === 1 ? ACT_STOP : 0),
    );
    const budget = { entries: random.between(1, 80) };
    const result = map.process({ filter, budget, cursor });
    cursor = result.cursor;
    const after = times();
    let visited = 0;
    for (let n = 0; n < after.length; n++) {
      if (after[n] === (before[n] ?? 0)) continue;
      expect([n, after[n] - (before[n] ?? 0), model.has(n)]).toEqual([n, 1, true]);
      expect(seen.has(n), `${n} comes once`).toBe(false);
      seen.add(n);
      visited++;
      if (!deleteNow || !deleted(n)) continue;
      model.delete(n);
      stable.delete(n);
    }
    expect(visited).toBe(result.visited);
    // Grow or shrink, by a lot or a little.
    const changes = random.below(4) === 0 ? random.below(600) : random.below(20);
    const grows = random.chance(50);
    for (let i = 0; i < changes && model.size < 3900; i++) {
      if (grows) {
        map.set(next, valueFor(kind, next));
        model.add(next++);
      } else {
        const gone = random.below(next);
        expect(map.delete(gone)).toBe(model.delete(gone));
        stable.delete(gone);
      }
    }
    expect(++parts).toBeLessThan(20_000);
  } while (cursor !== undefined);
  for (const n of stable) expect(seen.has(n), `${n} was there from start to end`).toBe(true);
  expect([...map.keys()].sort((a, b) => a - b)).toEqual([...model].sort((a, b) => a - b));
  expect(host.verify()).toEqual([]);
}
