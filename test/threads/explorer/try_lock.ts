/** An insert that evicts or sweeps, while somebody has the lock of the bucket that this would be in and does not go on: it may not wait for that. */
import { STEP_BLOCKED, STEP_LOCKED } from "../../../src/generated/abi.js";
import { Model } from "./model.ts";
import { bucketIn, hashesOf } from "./programs/buckets.ts";
import { contents, endWorld } from "./programs/contents.ts";
import { Operations } from "./programs/operations.ts";
import type { Shape } from "./programs/shapes.ts";
import { bucketsOf, DEAD, start, victimOf } from "./start.ts";
import { FIRST, SECOND, THIRD, World } from "./world.ts";

class Stopped extends Error {}

const KEYS = Array.from({ length: 100 }, (_, i) => 500 + i);

/** Throws when an insert waits, or leaves another number of entries. How many inserts there were. */
export function evictBesideLocks(core: WebAssembly.Module, shape: Shape): number {
  const world = new World(core);
  const table = world.createMap(shape);
  const model = new Model(shape);
  start(world, table, model, { entries: shape.maxEntries, churn: 33 });
  const hashes = hashesOf(core, shape, [...model.entries.keys(), ...KEYS]);
  const buckets = bucketsOf(world, table);
  const bucketOf = (key: number) => bucketIn(buckets, hashes.get(key) ?? 0);
  let inserts = 0;
  for (const key of KEYS) {
    const victim = victimOf(world, table, model, key, FIRST);
    if (!hashes.has(key) || !hashes.has(victim) || bucketOf(victim) === bucketOf(key)) continue;
    world.save();
    world.onStep = (cpu, point) => {
      if (cpu === SECOND && point === STEP_LOCKED) throw new Stopped();
      if (point === STEP_BLOCKED) throw new Error(`an insert of ${key} waits for the bucket of ${victim}`);
    };
    stopAt(() => world.run(SECOND, new Operations(world, SECOND, table, shape).set(victim, 9).calls));
    const [errno] = world.run(FIRST, new Operations(world, FIRST, table, shape).set(key, 9).calls);
    if (errno !== 0) throw new Error(`an insert of ${key} gives errno ${errno}`);
    world.onStep = () => {};
    world.cores[FIRST].reap(SECOND);
    const after = contents(world, THIRD, table, shape, [key, victim]);
    if (after.size !== shape.maxEntries) throw new Error(`${after.size} entries are left`);
    if (!after.has(victim) || !after.has(key))
      throw new Error(`what is left has not both ${key} and ${victim}`);
    world.restore();
    for (const scratch of world.scratch) scratch.clear();
    inserts++;
  }
  endWorld(world);
  return inserts;
}

/** The same of inserts that sweep, one behind the other: all buckets but the locked one. How many entries that expired are left. */
export function sweepBesideLocks(core: WebAssembly.Module, shape: Shape): number {
  const world = new World(core);
  const table = world.createMap(shape);
  const model = new Model(shape);
  start(world, table, model, { entries: 4, expired: DEAD_KEYS });
  const hashes = hashesOf(core, shape, [DEAD, ...KEYS]);
  const buckets = bucketsOf(world, table);
  const bucketOf = (key: number) => bucketIn(buckets, hashes.get(key) ?? 0);
  const keys = KEYS.filter((key) => hashes.has(key) && bucketOf(key) !== bucketOf(DEAD)).slice(0, INSERTS);
  world.onStep = (cpu, point) => {
    if (cpu === SECOND && point === STEP_LOCKED) throw new Stopped();
    if (point === STEP_BLOCKED) throw new Error("an insert waits for a bucket that it would sweep");
  };
  stopAt(() => world.run(SECOND, new Operations(world, SECOND, table, shape).set(DEAD, 9).calls));
  for (const key of keys) {
    const [errno] = world.run(FIRST, new Operations(world, FIRST, table, shape).set(key, 9).calls);
    if (errno !== 0) throw new Error(`an insert of ${key} gives errno ${errno}`);
    world.scratch[FIRST].clear();
  }
  world.onStep = () => {};
  world.cores[FIRST].reap(SECOND);
  const left = world.cores[FIRST].entries(table) - keys.length - model.entries.size;
  contents(world, THIRD, table, shape, keys);
  endWorld(world);
  return left;
}

/** They make several buckets, of which inserts of so many others sweep each. */
const DEAD_KEYS = 40;
const INSERTS = 16;

function stopAt(call: () => void): void {
  try {
    call();
  } catch (error) {
    if (error instanceof Stopped) return;
    throw error;
  }
  throw new Error("the lock was not taken");
}
