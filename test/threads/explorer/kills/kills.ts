/** What is killed: operations on maps of each kind, as a list of tests. */
import type { Operation } from "../programs/operation.ts";
import type { Operations } from "../programs/operations.ts";
import {
  ARRAYS,
  EVICTING,
  EXPIRING,
  EXPIRING_LOCKED,
  HASHES,
  ODD,
  PER_CPU,
  type Shape,
  SPIN_LOCKED,
} from "../programs/shapes.ts";
import { DEAD, type Start } from "../start.ts";

export type Make = (operations: Operations) => Operation;

/** Every operation on every map from every start, with and without a section of another thread. */
export interface Kills {
  readonly name: string;
  readonly shapes: readonly Shape[];
  readonly starts: readonly Start[];
  readonly makes: readonly Make[];
}

const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);
const NEW = 500;

const SINGLE: readonly Make[] = [
  (to) => to.set(NEW, 9),
  (to) => to.set(3, 9),
  (to) => to.set(NEW, 9, 1),
  (to) => to.remove(3),
  (to) => to.take(3),
  (to) => to.add(3, 2),
  (to) => to.add(NEW, 2),
];

const BULK: readonly Make[] = [
  (to) => to.updateMany([3, ...range(NEW, 4), 4], 9),
  (to) => to.removeMany(range(2, 3)),
  (to) => to.addMany([3, ...range(NEW, 4), 4], 2),
  (to) => to.clear(),
  (to) => to.drain(20),
  (to) =>
    to.sequence(
      "inserts",
      range(NEW, 20).map((key) => to.set(key, 9)),
    ),
  (to) =>
    to.sequence(
      "deletes",
      range(0, 40).map((key) => to.remove(key)),
    ),
  (to) =>
    to.inSection([to.get(3), to.set(3, 9), to.remove(4), to.set(NEW, 9), to.set(NEW + 1, 9), to.remove(0)]),
];

/** Inserts into full maps. What may have been evicted before is not used again. */
const EVICTIONS: readonly Make[] = [
  (to) => to.set(NEW, 9),
  (to) => to.set(NEW, 9, 1),
  (to) => to.set(NEW, 9, 2),
  (to) => to.add(NEW, 2),
  (to) => to.updateMany(range(NEW, 5), 9),
  (to) => to.addMany(range(NEW, 5), 2),
  (to) =>
    to.sequence(
      "inserts",
      range(NEW, 30).map((key) => to.set(key, 9)),
    ),
  (to) => to.sequence("delete and inserts", [to.remove(3), ...range(NEW, 3).map((key) => to.set(key, 9))]),
  (to) => to.sequence("take and inserts", [to.take(3), to.set(3, 9), to.set(NEW, 9)]),
  (to) => to.inSection(range(NEW, 5).map((key) => to.set(key, 9))),
  (to) => to.clear(),
  (to) => to.drain(10),
];

const LOCAL_EVICTIONS: readonly Make[] = [
  ...EVICTIONS,
  (to) => to.localAdd(NEW, 2),
  (to) => to.localWrite(NEW, 9),
  (to) => to.localAddMany(range(NEW, 4), 2),
];

/** Beside entries that have expired. */
const EXPIRIES: readonly Make[] = [
  (to) => to.set(NEW, 9),
  (to) => to.set(3, 9),
  (to) => to.set(DEAD, 9),
  (to) => to.set(DEAD, 9, 1),
  (to) => to.set(DEAD, 9, 2),
  (to) => to.add(DEAD, 2),
  (to) => to.add(NEW, 2),
  (to) => to.remove(DEAD),
  (to) => to.take(DEAD + 1),
  (to) => to.remove(3),
  (to) => to.sweep(40),
  (to) =>
    to.sequence(
      "inserts",
      range(NEW, 20).map((key) => to.set(key, 9)),
    ),
  (to) => to.addMany([3, DEAD, NEW, DEAD + 1], 2),
  (to) => to.inSection([to.set(DEAD, 9), to.set(NEW, 9), to.set(NEW + 1, 9), to.sweep(10), to.remove(0)]),
  (to) =>
    to.sequence("a tick and writes", [to.set(DEAD, 9), to.tick(), to.set(3, 9), to.set(NEW, 9), to.get(4)]),
  (to) => to.clear(),
];

const LOCAL_EXPIRIES: readonly Make[] = [
  ...EXPIRIES,
  (to) => to.localAdd(DEAD, 2),
  (to) => to.localWrite(DEAD, 9),
  (to) => to.localAddMany([3, DEAD, NEW], 2),
];

/** Several splits or merges under one resize lock, and credits taken ahead. */
const GROUPS: readonly Make[] = [
  (to) => to.updateMany(range(NEW, 24), 9),
  (to) => to.removeMany(range(0, 24)),
  (to) => to.sequence("there and back", [to.updateMany(range(NEW, 30), 9), to.removeMany(range(NEW, 30))]),
];

const LOCAL: readonly Make[] = [
  (to) => to.localAdd(3, 2),
  (to) => to.localAdd(NEW, 2),
  (to) => to.localAddMany([3, NEW, 4, 3], 2),
  (to) => to.localWrite(3, 9),
  (to) => to.localWrite(NEW, 9),
  (to) => to.take(3),
  (to) => to.drain(20),
];

const LOCKED: readonly Make[] = [
  (to) => to.lockedAdd(3, 2),
  (to) => to.set(3, 9, 4),
  (to) => to.get(3, 4),
  (to) => to.set(3, 9),
  (to) => to.inSection([to.lockedAdd(3, 2), to.remove(3), to.lockedAdd(4, 1)]),
  (to) =>
    to.sequence(
      "inserts",
      range(NEW, 20).map((key) => to.set(key, 9)),
    ),
];

const ARRAY: readonly Make[] = [
  (to) => to.set(3, 9),
  (to) => to.add(3, 2),
  (to) => to.clear(),
  (to) => to.updateMany([1, 2, 3], 9),
];

const GROWTH: readonly Make[] = [
  (to) => to.setMaxEntries(11),
  (to) => to.setMaxEntries(60),
  (to) => to.setMaxEntries(9),
  (to) =>
    to.sequence("steps", [to.setMaxEntries(12), to.setMaxEntries(40), to.set(39, 9), to.setMaxEntries(90)]),
  (to) =>
    to.sequence("grow and use", [
      to.setMaxEntries(30),
      to.add(25, 3),
      to.updateMany([9, 10, 29], 9),
      to.clear(30),
    ]),
  (to) => to.growWithoutRoom(30_000),
];

const MARKS: readonly Make[] = [
  (to) =>
    to.sequence("inserts across a mark", [
      to.setLowWater(18),
      to.hookLowWater(),
      to.set(NEW, 9),
      to.set(NEW + 1, 9),
      to.setAtMark(NEW + 2, 9),
      to.setAtMark(NEW + 2, 9, true),
      to.remove(NEW + 2),
      to.setAtMark(NEW + 3, 9),
      to.setMaxEntries(61),
      to.setAtMark(NEW + 3, 9),
    ]),
];

const LIMITS: readonly Make[] = [
  (to) => to.setMaxEntries(50),
  (to) => to.sequence("a lower limit, which is refused", [to.setMaxEntries(30), to.set(NEW, 9)]),
];

const WHOLE: readonly Make[] = [
  (to) => to.createMap(HASHES[0]),
  (to) => to.createMap(HASHES[10]),
  (to) => to.createMap(HASHES[11]),
  (to) => to.createMap(ARRAYS[1]),
  (to) => to.destroyMap(),
  (to) => to.blocks(),
];

const FEW: Start = { entries: 5 };
const MORE: Start = { entries: 40 };
const GROWABLE = HASHES.filter(({ growable, maxEntries }) => growable && maxEntries > 100);

export const KILLS: readonly Kills[] = [
  ...HASHES.map((shape) => ({
    name: shape.name,
    shapes: [shape],
    starts: [FEW, MORE],
    makes: [...SINGLE, ...BULK],
  })),
  { name: "buckets with chains", shapes: GROWABLE, starts: ["chains"], makes: [...SINGLE, ...BULK] },
  {
    name: "batches that resize",
    shapes: GROWABLE.map((shape) => ({ ...shape, maxEntries: 240 })),
    starts: [FEW],
    makes: GROUPS,
  },
  { name: "a value of 5 bytes", shapes: [ODD[0]], starts: [FEW, MORE], makes: [...SINGLE, ...BULK] },
  {
    name: "values that need a larger journal",
    shapes: [ODD[1]],
    starts: [FEW],
    makes: [...SINGLE, (to) => to.clear()],
  },
  { name: "per-CPU values", shapes: PER_CPU, starts: [FEW, MORE], makes: LOCAL },
  ...EVICTING.map((shape) => ({
    name: shape.name,
    shapes: [shape],
    starts: [
      { entries: shape.maxEntries },
      { entries: shape.maxEntries, churn: 150 },
      { entries: shape.maxEntries - 2 },
    ],
    makes: shape.perCpu ? LOCAL_EVICTIONS : EVICTIONS,
  })),
  ...EXPIRING.map((shape) => ({
    name: shape.name,
    shapes: [shape],
    starts: [{ entries: 8, expired: 30 }],
    makes: shape.perCpu ? LOCAL_EXPIRIES : EXPIRIES,
  })),
  {
    name: "spin locks of entries that expire",
    shapes: [EXPIRING_LOCKED],
    starts: [{ entries: 8, expired: 30 }],
    makes: [...EXPIRIES, (to) => to.set(DEAD, 9, 4)],
  },
  { name: "spin locks", shapes: SPIN_LOCKED, starts: [FEW, MORE], makes: LOCKED },
  { name: "arrays", shapes: ARRAYS, starts: [{ entries: 10 }], makes: ARRAY },
  { name: "arrays that grow", shapes: ARRAYS, starts: [{ entries: 10 }], makes: GROWTH },
  { name: "a low-water mark", shapes: [HASHES[1], HASHES[5], HASHES[9]], starts: [MORE], makes: MARKS },
  { name: "a new limit", shapes: [HASHES[0], HASHES[1]], starts: [MORE], makes: LIMITS },
  { name: "maps and blocks", shapes: [HASHES[0], HASHES[8], HASHES[11]], starts: [MORE], makes: WHOLE },
];

/** The same where the recoverer dies, too. */
export const RECOVERY_KILLS: readonly Kills[] = [
  { name: "hash maps", shapes: HASHES, starts: [MORE], makes: [...SINGLE, ...BULK] },
  { name: "buckets with chains", shapes: GROWABLE, starts: ["chains"], makes: BULK },
  { name: "per-CPU values", shapes: PER_CPU, starts: [FEW], makes: LOCAL },
  { name: "arrays that grow", shapes: ARRAYS, starts: [{ entries: 10 }], makes: GROWTH },
  {
    name: "maps that evict",
    shapes: EVICTING,
    starts: [{ entries: 9, churn: 100 }],
    makes: EVICTIONS.slice(0, 7),
  },
  {
    name: "maps whose entries expire",
    shapes: EXPIRING,
    starts: [{ entries: 8, expired: 30 }],
    makes: EXPIRIES.slice(0, 12),
  },
  { name: "spin locks", shapes: SPIN_LOCKED, starts: [MORE], makes: LOCKED },
  { name: "maps and blocks", shapes: [HASHES[0], HASHES[8]], starts: [MORE], makes: WHOLE },
];
