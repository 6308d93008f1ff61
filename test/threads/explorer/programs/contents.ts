/** Looks at a map as a whole: what a scan, its count, lookups and the core's own check of its invariants say must agree. */
import { CURSOR_BYTES, CURSOR_ENDED, CURSOR_STATE } from "../../../../src/generated/abi.js";
import { entriesText, type Model } from "../model.ts";
import { THIRD, type World } from "../world.ts";
import type { Operation } from "./operation.ts";
import { Operations } from "./operations.ts";
import { decodeKey, decodeValue, type Shape, storedBytes, type Value } from "./shapes.ts";

const ROOM = 5;
const DETAILS = 16;

/** The entries of a map as a scan by a slot gives them. Throws when a key comes twice. */
export function scanned(world: World, cpu: number, table: number, shape: Shape): Map<number, Value> {
  const { keySize, valueSize } = shape;
  const scratch = world.scratch[cpu];
  // The key that a cursor remembers stands behind it.
  const cursorBytes = CURSOR_BYTES + keySize + 8;
  const cursor = scratch.take(cursorBytes);
  const keys = scratch.take(ROOM * keySize + 8);
  const values = scratch.take(ROOM * storedBytes(shape) + 8);
  const entries = new Map<number, Value>();
  const core = world.cores[cpu];
  const add = (i: number) => {
    const key = decodeKey(shape, world.bytes, keys + i * keySize);
    const at = values + i * valueSize;
    if (entries.has(key)) throw new Error(`a scan gave ${key} twice`);
    entries.set(key, decodeValue(shape, world.bytes.slice(at, at + valueSize)));
  };
  world.bytes.fill(0, cursor, cursor + cursorBytes);
  if (shape.array) {
    for (let from = 0, count = ROOM; count === ROOM; from += ROOM) {
      count = core.arrayScan(table, from, keys, values, ROOM);
      for (let i = 0; i < count; i++) add(i);
    }
    return entries;
  }
  while (world.words[(cursor + CURSOR_STATE) >>> 2] !== CURSOR_ENDED) {
    const count = core[shape.expires ? "scanTimed" : "scan"](table, cursor, keys, values, ROOM);
    for (let i = 0; i < count; i++) add(i);
  }
  return entries;
}

/** Throws when the core finds one of its invariants broken. */
export function checkInvariants(world: World, cpu: number, table: number): void {
  const core = world.cores[cpu];
  const out = world.scratch[cpu].take(DETAILS);
  const details = () => [...world.words.subarray(out >>> 2, (out + DETAILS) >>> 2)];
  const broken = core.verify(table, out);
  if (broken !== 0) throw new Error(`invariant ${broken} of the map is broken: ${details()}`);
  const brokenArena = core.verifyArena(out);
  if (brokenArena !== 0) throw new Error(`invariant ${brokenArena} of the arena is broken: ${details()}`);
}

/** Everything that a slot can see of a map must agree: its entries. `keys`: more keys to look up. */
export function contents(
  world: World,
  cpu: number,
  table: number,
  shape: Shape,
  keys: Iterable<number>,
): Map<number, Value> {
  const scratch = world.scratch[cpu];
  scratch.clear();
  checkInvariants(world, cpu, table);
  const entries = scanned(world, cpu, table, shape);
  if (shape.expires) {
    // What has expired counts until it is swept.
    const swept = world.cores[cpu].sweepExpired(table, 2 ** 20);
    if (world.cores[cpu].entries(table) < entries.size)
      throw new Error(`a sweep of ${swept} took more than the dead`);
    checkInvariants(world, cpu, table);
  }
  if (!shape.array) {
    const count = world.cores[cpu].entries(table);
    if (count !== entries.size) throw new Error(`the count is ${count}, a scan gave ${entriesText(entries)}`);
  }
  const operations = new Operations(world, cpu, table, shape);
  for (const key of new Set([...keys, ...entries.keys()])) {
    scratch.clear();
    const lookup = operations.get(key);
    const [outcome] = lookup.outcomes(world.run(cpu, lookup.calls), world);
    const value = entries.get(key);
    const expected = value ? `[${value}]` : "absent";
    if (outcome !== expected) throw new Error(`a lookup of ${key} gave ${outcome}, a scan ${expected}`);
  }
  return entries;
}

/** Uses a map by a slot as any other might: no lock is left behind, no room is lost. */
export function useAll(world: World, cpu: number, table: number, model: Model): void {
  const { shape } = model;
  const scratch = world.scratch[cpu];
  const operations = new Operations(world, cpu, table, shape);
  const step = (operation: Operation, expected: number) => {
    const result = world.run(cpu, operation.calls)[0];
    scratch.clear();
    if (result !== expected) throw new Error(`${operation.name} afterwards: errno ${result}`);
  };
  scratch.clear();
  if (shape.array) {
    for (const key of model.entries.keys()) step(operations.set(key, 7), 0);
    return;
  }
  // Up to the limit, where there are not too many, and not above it.
  const room = Math.min(model.limit - model.entries.size, model.limit > NEAR ? MOST_ADDED : NEAR);
  const added = Array.from({ length: room }, (_, i) => ADDED + i);
  for (const key of added) step(operations.set(key, 7), 0);
  if (model.entries.size + room === model.limit) step(operations.set(ADDED + room, 7), shape.evicts ? 0 : 7);
  for (const key of model.entries.keys()) {
    step(operations.set(key, 8, shape.lockOffset === undefined ? 0 : 4), 0);
  }
  const after = contents(world, cpu, table, shape, []);
  if (after.size !== model.entries.size + room) throw new Error("entries were lost afterwards");
  scratch.clear();
  for (const key of added.slice(0, added.length >> 1)) {
    // What a full map that evicts has evicted since cannot be deleted.
    if (!shape.evicts || after.has(key)) step(operations.remove(key), 0);
  }
  step(operations.clear(), 0);
  if (world.cores[cpu].entries(table) !== 0) throw new Error("entries are left after clear()");
}

const MOST_ADDED = 64;
/** A limit that is always tried. */
const NEAR = 240;
const ADDED = 1_000_000;

/** Ends a world: the map goes, and nothing may be left. */
export function endWorld(world: World): void {
  world.scratch[THIRD].clear();
  world.checkNothingLeft();
}
