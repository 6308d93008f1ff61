/** Bringing a map to where a test of the protocol starts. */

import type { Model } from "./model.ts";
import { bucketIn, hashesOf } from "./programs/buckets.ts";
import { scanned } from "./programs/contents.ts";
import type { Operation } from "./programs/operation.ts";
import { Operations } from "./programs/operations.ts";
import { encodeKey, encodeValue, ORIGIN, plain, type Shape, TTL } from "./programs/shapes.ts";
import { FIRST, SECOND, THIRD, type World } from "./world.ts";

/** What a map is like. */
export type Start =
  /** `churn`: after so many more inserts, which evict. `expired`: beside so many that have expired. */
  | { readonly entries: number; readonly churn?: number; readonly expired?: number }
  /** The next insert splits a bucket, the next delete merges one, or buckets have chains that a section has put off to split. */
  | "split"
  | "merge"
  | "chains"
  /** Full, with all entries in the first bucket. */
  | "lopsided";

/** Entries that a map had before, so that there are holes, free blocks and credits. */
const REMOVED_BEFORE = 12;

/** Sets keys 0 .. entries - 1, after more keys have been there. */
function fill(world: World, table: number, model: Model, entries: number): void {
  const { shape } = model;
  const operations = new Operations(world, FIRST, table, shape);
  const apply = ({ name, calls, outcomes, parts }: Operation) => {
    const results = world.run(FIRST, calls);
    const [outcome] = outcomes(results, world);
    world.scratch[FIRST].clear();
    if (outcome !== parts[0](model)) throw new Error(`${name} gives ${outcome}`);
  };
  const removed = shape.array ? 0 : Math.min(REMOVED_BEFORE, shape.maxEntries - entries);
  for (let key = 0; key < entries + removed; key++) apply(operations.set(key, 1 + (key % 100)));
  for (let key = entries; key < entries + removed; key++) apply(operations.remove(key));
}

/** Keys to choose from. */
const CANDIDATES = Array.from({ length: 100 }, (_, i) => i);

function fillFirstBucket(world: World, table: number, model: Model): void {
  const { shape } = model;
  const operations = new Operations(world, FIRST, table, shape);
  const hashes = hashesOf(world.module, shape, CANDIDATES);
  const buckets = stat(world, table, BUCKETS);
  for (const [key, hash] of hashes) {
    if (bucketIn(buckets, hash) !== 0 || model.entries.size === shape.maxEntries) continue;
    const { calls, parts } = operations.set(key, 1 + key);
    world.run(FIRST, calls);
    world.scratch[FIRST].clear();
    parts[0](model);
  }
  if (model.entries.size < shape.maxEntries) throw new Error(`too few keys in a bucket of ${shape.name}`);
  model.newest = undefined;
}

/** Keys that have expired, from this one on. */
export const DEAD = 3000;
const SHORT = 1;

/** Inserts keys that expire at once. Those that are there live on for a while. */
function bury(world: World, table: number, shape: Shape, count: number): void {
  const { scratch } = world;
  for (let key = DEAD; key < DEAD + count; key++) {
    const at = world.write(scratch[FIRST].take(shape.keySize + 8), encodeKey(shape, key));
    const value = world.write(scratch[FIRST].take(shape.valueSize + 8), encodeValue(shape, plain(shape, 66)));
    const errno = world.cores[FIRST].updateNoted(table, at, value, 0, SHORT);
    if (errno !== 0) throw new Error(`errno ${errno} for a key that is to expire`);
    scratch[FIRST].clear();
  }
  world.cores[FIRST].raiseClock(ORIGIN + TTL / 2);
}

const CHURNED = 2000;

/** Inserts more keys than the map has room for, and looks what is left. */
function churn(world: World, table: number, model: Model, inserts: number): void {
  const { shape, entries } = model;
  const operations = new Operations(world, FIRST, table, shape);
  for (let i = 0; i < inserts; i++) {
    world.run(FIRST, operations.set(CHURNED + i, 1 + (i % 100)).calls);
    world.scratch[FIRST].clear();
  }
  entries.clear();
  for (const [key, value] of scanned(world, THIRD, table, shape)) entries.set(key, value);
  world.scratch[THIRD].clear();
  model.evicted = 0;
  model.newest = undefined;
}

/** What programs have to know of the map that they start with. */
export interface Ground {
  readonly model: Model;
  /** Keys in the map that the next split or merge moves to another bucket. */
  readonly moving: readonly number[];
  /** Keys that are not in the map and belong to the bucket that a split makes. */
  readonly absent: readonly number[];
  /** A key that is not in the map and belongs to the bucket of another. */
  beside(key: number): number;
  /** The key that an insert of another by the second thread evicts, if nobody else is at work. To be asked before that has operations. */
  victim(key: number): number;
  /** A key whose insert evicts from another bucket than its own, and what it evicts. To be asked likewise. */
  foreign(): readonly [key: number, victim: number];
}

const BUCKETS = 1;
const SPLITS = 5;
const MERGES = 6;
const STATS_BYTES = 60;
const STEADY_SPLITS = 2;
const CHAINED = 24;

/** One word of `tableStats`. */
function stat(world: World, table: number, index: number): number {
  const at = world.scratch[THIRD].take(STATS_BYTES);
  world.cores[THIRD].tableStats(table, at);
  world.scratch[THIRD].clear();
  return world.words[(at >>> 2) + index];
}

export function bucketsOf(world: World, table: number): number {
  return stat(world, table, BUCKETS);
}

/** Makes operations up to the last one before `count` counts up. */
function runUntilBefore(world: World, model: Model, count: () => number, next: () => Operation): void {
  const before = count();
  for (;;) {
    world.save();
    const { calls, parts } = next();
    world.run(FIRST, calls);
    world.scratch[FIRST].clear();
    if (count() !== before) break;
    parts[0](model);
  }
  world.restore();
}

/** Brings a new map, and the model of it, to where a test starts. */
export function start(world: World, table: number, model: Model, how: Start): void {
  const operations = new Operations(world, FIRST, table, model.shape);
  if (typeof how === "object") {
    fill(world, table, model, how.entries);
    if (how.churn !== undefined) churn(world, table, model, how.churn);
    if (how.expired !== undefined) bury(world, table, model.shape, how.expired);
    return;
  }
  if (how === "lopsided") {
    fillFirstBucket(world, table, model);
    return;
  }
  if (how === "chains") {
    world.cores[THIRD].enterSection();
    fill(world, table, model, CHAINED);
    world.cores[THIRD].leaveSection();
    return;
  }
  const splits = () => stat(world, table, SPLITS);
  const insert = () => operations.set(model.entries.size, 1 + model.entries.size);
  while (splits() < STEADY_SPLITS) {
    const { calls, parts } = insert();
    world.run(FIRST, calls);
    parts[0](model);
    world.scratch[FIRST].clear();
  }
  if (how === "split") runUntilBefore(world, model, splits, insert);
  else {
    runUntilBefore(
      world,
      model,
      () => stat(world, table, MERGES),
      () => operations.remove(model.entries.size - 1),
    );
  }
}

/** The key that an insert of another evicts. */
export function victimOf(
  world: World,
  table: number,
  { shape, entries }: Model,
  key: number,
  cpu: number = SECOND,
): number {
  world.save();
  world.run(cpu, new Operations(world, cpu, table, shape).set(key, 1).calls);
  const left = scanned(world, THIRD, table, shape);
  world.restore();
  for (const each of [cpu, THIRD]) world.scratch[each].clear();
  const gone = [...entries.keys()].find((old) => !left.has(old));
  if (gone === undefined) throw new Error(`an insert of ${key} evicts nothing in ${shape.name}`);
  return gone;
}

const ABSENT = Array.from({ length: 24 }, (_, i) => 500 + i);

/** Where keys of a map are that has been started. */
export function groundOf(
  module: WebAssembly.Module,
  world: World,
  table: number,
  model: Model,
  how: Start,
): Ground {
  const { shape, entries } = model;
  const hashes = hashesOf(module, shape, [...entries.keys(), ...ABSENT]);
  const buckets = stat(world, table, BUCKETS);
  const bucketOf = (key: number, among = buckets) => bucketIn(among, hashes.get(key) ?? 0);
  const beside = (key: number) => {
    const found = ABSENT.find((absent) => hashes.has(absent) && bucketOf(absent) === bucketOf(key));
    if (!hashes.has(key) || found === undefined) throw new Error(`no key is beside ${key} in ${shape.name}`);
    return found;
  };
  const victims = new Map<number, number>();
  const victim = (key: number) => {
    if (!victims.has(key)) victims.set(key, victimOf(world, table, model, key));
    return victims.get(key) ?? 0;
  };
  const foreign = () => {
    const key = ABSENT.find((absent) => {
      if (!hashes.has(absent) || !hashes.has(victim(absent))) return false;
      return bucketOf(absent) !== bucketOf(victim(absent));
    });
    if (key === undefined) throw new Error(`all inserts evict from their own buckets in ${shape.name}`);
    return [key, victim(key)] as const;
  };
  const common = { model, beside, victim, foreign };
  if (typeof how === "object") return { ...common, moving: [], absent: ABSENT };
  if (how === "lopsided") {
    const absent = ABSENT.filter((key) => hashes.has(key) && bucketOf(key) !== 0);
    return { ...common, moving: [], absent };
  }
  const after = how === "merge" ? buckets : buckets + 1;
  const moves = (key: number) => hashes.has(key) && bucketOf(key, after) === after - 1;
  const moving = [...entries.keys()].filter(moves);
  const absent = ABSENT.filter(moves);
  if (moving.length === 0 || absent.length < 2) throw new Error(`nothing moves in ${shape.name}, ${how}`);
  return { ...common, moving, absent };
}
