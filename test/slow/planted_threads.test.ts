// Bugs of the protocol for threads that are planted into a copy of the core: the tests of test/threads must find each. What they say
// (which schedule, or which step) is printed. The kills and programs named here pass on the core as it is, in the suites themselves.
import { describe, expect, test } from "vitest";
import { Explorer } from "../threads/explorer/explorer.ts";
import { KILLS } from "../threads/explorer/kills/kills.ts";
import { PoolCase } from "../threads/explorer/kills/pool.ts";
import { POOLS } from "../threads/explorer/kills/pools.ts";
import { compilePlanted, matches, PLANTED, type Planted } from "../threads/explorer/planted.ts";
import { explore } from "../threads/explorer/programs/program.ts";
import { PROGRAMS } from "../threads/explorer/programs/programs.ts";
import { EVICTING, EXPIRING } from "../threads/explorer/programs/shapes.ts";
import { casesOf, killPool, named } from "../threads/explorer/suite.ts";
import { evictBesideLocks, sweepBesideLocks } from "../threads/explorer/try_lock.ts";

const PREEMPTIONS = 2;

/** The first thing that is wrong, or undefined. */
async function findByInterleavings(core: WebAssembly.Module, name: string): Promise<string | undefined> {
  const explorer = new Explorer(core);
  try {
    for (const program of PROGRAMS.filter((program) => program.name.startsWith(name))) {
      explore(explorer, core, program, { preemptions: PREEMPTIONS });
    }
    return undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    await explorer.close();
  }
}

function findByKills(core: WebAssembly.Module, name: string): string | undefined {
  try {
    for (const list of KILLS.filter((list) => list.name === name)) {
      for (const subject of casesOf(core, list)) {
        for (let step = 1; step <= subject.steps; step++) subject.kill(step);
      }
    }
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function findByPools(core: WebAssembly.Module, name: string): string | undefined {
  try {
    for (const pool of POOLS.filter((pool) => pool.name === name)) {
      killPool(new PoolCase(core, pool), { steps: 20, clearingSteps: 4 });
    }
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function findByTries(core: WebAssembly.Module, name: string): string | undefined {
  try {
    for (const shape of EVICTING.filter((shape) => shape.name === name)) evictBesideLocks(core, shape);
    for (const shape of EXPIRING.filter((shape) => shape.name === name)) sweepBesideLocks(core, shape);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

async function find(
  { interleavings, kills, pools, besideLocks }: Planted,
  core: WebAssembly.Module,
): Promise<string | undefined> {
  if (interleavings !== undefined) return findByInterleavings(core, interleavings);
  if (besideLocks !== undefined) return findByTries(core, besideLocks);
  if (pools !== undefined) return findByPools(core, pools);
  return kills === undefined ? undefined : findByKills(core, kills);
}

describe.each(named(PLANTED))("%s", (_, planted) => {
  test.each(planted.replacements)("is planted in one place of $file", (replacement) => {
    expect(matches(replacement)).toBe(1);
  });

  test("is found", async () => {
    const found = await find(planted, compilePlanted(planted));
    expect(found).toBeDefined();
    console.log(`${planted.name}: ${found}`);
  });
});
