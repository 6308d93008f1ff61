/** Defines the tests of the protocol: killing threads at steps, and interleavings. As much of them as a suite has time for. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { COMPILE_MS, steppedCore } from "./core.ts";
import { type Bounds, Explorer } from "./explorer.ts";
import { KillCase } from "./kills/kill.ts";
import { KILLS, type Kills, RECOVERY_KILLS } from "./kills/kills.ts";
import { NEWS, PoolCase } from "./kills/pool.ts";
import { POOLS } from "./kills/pools.ts";
import { explore, type Program } from "./programs/program.ts";
import { PROGRAMS } from "./programs/programs.ts";

/** How many steps of one operation on one map are tried. */
export interface KillSizes {
  readonly steps: number;
  /** The same where the recoverer dies, and how many steps of its work are. */
  readonly recoverySteps: number;
  readonly recoveries: number;
  /** Every how many of the cases: 1 for all. */
  readonly cases: number;
}

/** How many steps of each member of a pool are tried, and of whoever clears up behind them. */
export interface PoolSizes {
  readonly steps: number;
  readonly clearingSteps: number;
}

/** Some of 1 .. count, `most` or fewer, not always the same. */
function* some(count: number, most: number, seed: number): Generator<number> {
  const stride = Math.ceil(count / most);
  for (let step = 1 + (seed % stride); step <= count; step += stride) yield step;
}

/** With names that `%s` prints in full; `$name` cuts them. */
export function named<T extends { readonly name: string }>(list: readonly T[]): [string, T][] {
  return list.map((item) => [item.name, item]);
}

/** The cases of a list, or every so many of them: odd numbers take both of `pinned` in turn. */
export function* casesOf(
  core: WebAssembly.Module,
  { shapes, starts, makes }: Omit<Kills, "name">,
  every = 1,
): Generator<KillCase> {
  let index = 0;
  for (const shape of shapes) {
    for (const start of starts) {
      for (const operation of makes) {
        for (const pinned of [false, true]) {
          if (index++ % every === 0) yield new KillCase(core, { shape, start, operation, pinned });
        }
      }
    }
  }
}

export function testKills(sizes: KillSizes): void {
  let core: WebAssembly.Module;
  let kills = 0;
  beforeAll(() => {
    core = steppedCore();
  }, COMPILE_MS);
  afterAll(() => console.log(`${kills} kills`));

  test.each(named(KILLS))("a thread dies: %s", (_, list) => {
    let seed = 0;
    for (const subject of casesOf(core, list, sizes.cases)) {
      for (const step of some(subject.steps, sizes.steps, seed++)) {
        expect(subject.kill(step)).toBe(true);
        kills++;
      }
    }
  });

  test.each(named(RECOVERY_KILLS))("who recovers it dies: %s", (_, list) => {
    let seed = 0;
    for (const subject of casesOf(core, list, sizes.cases)) {
      for (const step of some(subject.steps, sizes.recoverySteps, seed++)) {
        for (const recovery of some(subject.recoverySteps(step), sizes.recoveries, seed)) {
          expect(subject.kill(step, recovery)).toBe(true);
          kills++;
        }
      }
    }
  });
}

/** Kills all members of a pool at some steps of each, and in some runs the one that clears up behind them. How many kills. */
export function killPool(subject: PoolCase, sizes: PoolSizes): number {
  let kills = 0;
  let seed = 0;
  for (const first of some(subject.steps[0], sizes.steps, seed++)) {
    for (const second of some(subject.steps[1], sizes.steps, seed++)) {
      const steps = [first, second];
      const news = NEWS[kills % NEWS.length];
      for (const one of NEWS) subject.kill(steps, one);
      for (const clearing of some(subject.clearingSteps(steps), sizes.clearingSteps, seed++)) {
        subject.kill(steps, news, clearing);
        kills++;
      }
      kills += NEWS.length;
    }
  }
  return kills;
}

export function testPools(sizes: PoolSizes): void {
  let core: WebAssembly.Module;
  let kills = 0;
  beforeAll(() => {
    core = steppedCore();
  }, COMPILE_MS);
  afterAll(() => console.log(`${kills} pools`));

  test.each(named(POOLS))("all members of a pool die: %s", (_, pool) => {
    const killed = killPool(new PoolCase(core, pool), sizes);
    expect(killed).toBeGreaterThan(sizes.steps);
    kills += killed;
  });
}

/** Each pair of programs on one of its maps, not always on the same. */
export function onOneMap(programs: readonly Program[]): Program[] {
  const pairs = new Map<string, Program[]>();
  for (const program of programs) {
    const pair = program.name.slice(0, -program.shape.name.length);
    pairs.set(pair, [...(pairs.get(pair) ?? []), program]);
  }
  return [...pairs.values()].map((maps, i) => maps[i % maps.length]);
}

/** Explores programs within each of the bounds. */
export function testInterleavings(bounds: Readonly<Record<string, Bounds>>, programs = PROGRAMS): void {
  let core: WebAssembly.Module;
  let explorer: Explorer;
  let schedules = 0;
  beforeAll(() => {
    core = steppedCore();
    explorer = new Explorer(core);
  }, COMPILE_MS);
  afterAll(async () => {
    await explorer.close();
    console.log(`${schedules} schedules`);
  });

  describe.each(Object.entries(bounds))("%s", (_, limits) => {
    test.each(named(programs))("%s", (_, program) => {
      const explored = explore(explorer, core, program, limits);
      expect(explored).toBeGreaterThan(2);
      schedules += explored;
    });
  });
}
