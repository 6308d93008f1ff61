// A read takes no lock, and is done again when a write has got in its way: here one does so every time, between the two looks at the version
// of the bucket. After 64 times the read must take the lock, and end (README, "Consistency" 1 and 2).

import { beforeAll, describe, expect, test } from "vitest";
import { STEP_CHECK, STEP_HAZARD, STEP_LOCKED, STEP_READ } from "../../../src/generated/abi.js";
import { COMPILE_MS, steppedCore } from "../explorer/core.ts";
import { Model } from "../explorer/model.ts";
import type { Operation } from "../explorer/programs/operation.ts";
import { Operations } from "../explorer/programs/operations.ts";
import { ARRAYS, HASHES, PER_CPU, plain, type Shape } from "../explorer/programs/shapes.ts";
import { start } from "../explorer/start.ts";
import { named } from "../explorer/suite.ts";
import { FIRST, SECOND, World } from "../explorer/world.ts";

const TRIES = 64;
const KEY = 3;
/** An element of 8 bytes is one word: nothing gets in the way of reading it. */
const SHAPES = [...HASHES, ...ARRAYS.filter(({ valueSize }) => valueSize > 8)];

let core: WebAssembly.Module;
beforeAll(() => {
  core = steppedCore();
}, COMPILE_MS);

/** Reads the key while another thread writes it, up to `times` times. */
function overtake(shape: Shape, read: (operations: Operations) => Operation, times: number) {
  const world = new World(core);
  const table = world.createMap(shape);
  start(world, table, new Model(shape), { entries: 5 });
  const reader = new Operations(world, SECOND, table, shape);
  const writer = new Operations(world, FIRST, table, shape);
  const { calls, outcomes } = read(reader);
  let looks = 0;
  let written = 100;
  let locked = false;
  world.onStep = (cpu, point) => {
    if (cpu !== SECOND) return;
    if (point === STEP_READ) looks++;
    if (point === STEP_LOCKED) locked = true;
    if (point !== STEP_CHECK || looks > times) return;
    world.scratch[FIRST].clear();
    world.run(FIRST, writer.set(KEY, ++written).calls);
  };
  const [outcome] = outcomes(world.run(SECOND, calls), world);
  return { outcome, looks, locked, last: plain(shape, written) };
}

const READS: [string, readonly Shape[], (operations: Operations) => Operation][] = [
  ["get", SHAPES, (to) => to.get(KEY)],
  // With values of one word it has no step of its own between the looks.
  ["lookupMany", HASHES.filter(({ valueSize }) => valueSize > 8), (to) => to.lookupMany([KEY])],
];
const CASES = READS.flatMap(([name, shapes, read]) =>
  named(shapes).map(([shape, of]) => [name, shape, of, read] as const),
);

describe.each(CASES)("%s of a %s", (_name, _shape, shape, read) => {
  test("that is overtaken every time takes the lock in the end", () => {
    const { outcome, looks, locked, last } = overtake(shape, read, Number.POSITIVE_INFINITY);
    expect(outcome).toBe(`[${last}]`);
    expect(locked).toBe(true);
    expect(looks).toBeGreaterThanOrEqual(TRIES);
    // Where a value is one word there is a way of reading that is faster, and has as many tries before the other one has them.
    expect(looks).toBeLessThanOrEqual(2 * TRIES + 1);
  });

  test("that is overtaken a few times takes none", () => {
    const { outcome, looks, locked, last } = overtake(shape, read, 10);
    expect(outcome).toBe(`[${last}]`);
    expect([looks, locked]).toEqual([11, false]);
  });
});

const LOCAL_WRITES: [string, (operations: Operations) => Operation][] = [
  ["localAdd", (to) => to.localAdd(KEY, 5)],
  ["localWrite", (to) => to.localWrite(KEY, 5)],
  ["localAddMany", (to) => to.localAddMany([KEY, KEY - 1], 5)],
];

describe.each(LOCAL_WRITES)("%s", (_name, write) => {
  test.each(named(PER_CPU))("takes no lock where the keys are there: %s", (_shape, shape) => {
    const world = new World(core);
    const table = world.createMap(shape);
    start(world, table, new Model(shape), { entries: 5 });
    const points: number[] = [];
    world.onStep = (_cpu, point) => void points.push(point);
    const { calls, outcomes } = write(new Operations(world, SECOND, table, shape));
    const results = outcomes(world.run(SECOND, calls), world);
    expect(results.filter((outcome) => outcome.startsWith("errno"))).toEqual([]);
    expect(points).toContain(STEP_HAZARD);
    expect(points).not.toContain(STEP_LOCKED);
  });
});
