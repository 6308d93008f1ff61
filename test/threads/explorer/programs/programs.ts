/** The pairs of programs whose interleavings are explored. */

import { DEAD, type Ground } from "../start.ts";
import { FOURTH } from "../world.ts";
import type { Program, Seen } from "./program.ts";
import {
  ARRAYS,
  EVICTING,
  EXPIRING,
  EXPIRING_LOCKED,
  HASHES,
  PER_CPU,
  type Shape,
  SPIN_LOCKED,
} from "./shapes.ts";

const [RHASH, SMALL, HASH, LAZY] = [0, 1, 2, 3].map((type) => HASHES.filter((_, i) => i % 4 === type));

const NEW = 500;
const OTHER = 501;

type Rest = Omit<Program, "shape" | "name">;

const on = (shapes: readonly Shape[], name: string, rest: Rest): Program[] =>
  shapes.map((shape) => ({ name: `${name}: ${shape.name}`, shape, ...rest }));

/** Entries of a scan: those that nobody touches once each, the others at most once, each as it was at some time. */
function checkScan(touched: readonly string[]): (seen: Seen) => void {
  return ({ ground: { model: before }, outcomes }) => {
    const seen = outcomes.flat();
    const keys = seen.map((entry) => entry.split("=")[0]);
    const twice = keys.find((key, i) => keys.indexOf(key) !== i);
    if (twice !== undefined) throw new Error(`a scan gave ${twice} twice: ${seen.join(" ")}`);
    const entries = before.toString().split(" ");
    const strange = seen.find((entry) => !entries.includes(entry) && !touched.includes(entry));
    if (strange !== undefined) throw new Error(`a scan gave ${strange}, which never was`);
    const touchedKeys = touched.map((entry) => entry.split("=")[0]);
    const missed = entries.find(
      (entry) => !touchedKeys.includes(entry.split("=")[0]) && !seen.includes(entry),
    );
    if (missed !== undefined) throw new Error(`a scan did not give ${missed}: ${seen.join(" ")}`);
  };
}

/** Entries of a drain and of the map afterwards: each that was there once, and `added` where it was added. */
function checkDrain(added: string): (seen: Seen) => void {
  return ({ ground: { model: before }, outcomes, after }) => {
    const all = [...outcomes.flat(), ...after].sort();
    const expected = [...before.toString().split(" "), added].sort();
    if (all.join(" ") !== expected.join(" ")) throw new Error(`drained or left: ${all.join(" ")}`);
  };
}

/** What an address gave within a section: the value of its key at some time, and it did not change. */
function checkAddress(allowed: (ground: Ground) => readonly string[]): (seen: Seen) => void {
  return ({ outcomes: [[outcome]], ground }) => {
    if (!allowed(ground).includes(outcome)) throw new Error(`an address in a section: ${outcome}`);
  };
}

/** A key of the map that the next merge leaves where it is. */
function stays({ model, moving }: Ground): number {
  return [...model.entries.keys()].find((key) => !moving.includes(key)) ?? 0;
}

const words = (program: Rest & { shapes: readonly Shape[]; name: string }) => {
  const { shapes, name, ...rest } = program;
  return on(shapes, name, rest);
};

const sections = RHASH.flatMap((shape) => {
  const filledWith = (number: number) => `[${new Array(shape.valueSize / 8).fill(number)}]`;
  const start = { entries: 4 };
  const old = filledWith(1 + 3);
  return [
    ...on([shape], "an address and a set", {
      start,
      first: (to) => [to.lookupInSection(3)],
      second: (to) => [to.set(3, 70)],
      check: checkAddress(() => [`same ${old}`, `same ${filledWith(70)}`]),
    }),
    ...on([shape], "an address, a delete and an insert", {
      start,
      first: (to) => [to.lookupInSection(3)],
      second: (to, { beside }) => [to.remove(3), to.set(beside(3), 70)],
      check: checkAddress(() => ["absent", `same ${old}`, `gone ${old}`]),
    }),
    ...on([shape], "an address and a split", {
      start: "split",
      first: (to, { moving }) => [to.lookupInSection(moving[0])],
      second: (to, { absent }) => [to.set(absent[0], 70)],
      check: checkAddress(({ moving }) => [`same ${filledWith(1 + moving[0])}`]),
    }),
    ...on([shape], "an address and a merge", {
      start: "merge",
      first: (to, { moving }) => [to.lookupInSection(moving[0])],
      second: (to, ground) => [to.remove(stays(ground))],
      check: checkAddress(({ moving }) => [`same ${filledWith(1 + moving[0])}`]),
    }),
  ];
});

/** Of a map that evicts: entries that were there or were put in, no more than it may have. */
function checkKept(put: readonly string[], limit: number): (seen: Seen) => void {
  return ({ ground: { model: before }, after }) => {
    const entries = before.toString().split(" ");
    const strange = after.find((entry) => !entries.includes(entry) && !put.includes(entry));
    if (strange !== undefined) throw new Error(`the map has ${strange}, which never was`);
    if (after.length > limit) throw new Error(`the map has ${after.length} entries`);
  };
}

/** The same of what a scan gave: all but one, which may have been evicted, and those once. */
function checkEvictingScan(put: string, limit: number): (seen: Seen) => void {
  return (seen) => {
    checkKept([put], limit)(seen);
    const given = seen.outcomes.flat();
    checkKept([put], limit + 1)({ ...seen, after: given });
    const keys = given.map((entry) => entry.split("=")[0]);
    if (new Set(keys).size !== keys.length) throw new Error(`a scan gave a key twice: ${given.join(" ")}`);
    if (keys.length < limit - 1) throw new Error(`a scan gave ${keys.length} of ${limit} entries`);
  };
}

const evictions = EVICTING.filter(({ maxEntries }) => maxEntries > 9).flatMap((shape) => {
  const { maxEntries } = shape;
  const start = { entries: maxEntries, churn: 45 };
  return [
    ...on([shape], "two inserts that evict", {
      start,
      first: (to) => [to.set(NEW, 70), to.get(NEW)],
      second: (to) => [to.set(OTHER, 80)],
    }),
    ...on([shape], "two inserts that evict for one bucket", {
      start,
      first: (to) => [to.set(NEW, 70)],
      second: (to, { beside }) => [to.set(beside(NEW), 80)],
    }),
    ...on([shape], "get and an insert that evicts", {
      start,
      first: (to, { foreign: of }) => [to.get(of()[1]), to.get(of()[0]), to.get(of()[1])],
      second: (to, { foreign }) => [to.set(foreign()[0], 70)],
    }),
    // Those that look at all their buckets differ in nothing else.
    ...(maxEntries < 32 ? [] : othersThatEvict(shape)),
  ];
});

function othersThatEvict(shape: Shape): Program[] {
  const { maxEntries, valueSize, perCpu } = shape;
  const start = { entries: maxEntries, churn: 45 };
  const put = `${NEW}=${new Array(valueSize / 8).fill(70)}`;
  return [
    ...on([shape], "two inserts of a key that evict", {
      start,
      first: (to) => [to.set(NEW, 70, 1), to.get(NEW)],
      second: (to) => [to.set(NEW, 80, 1)],
    }),
    ...on([shape], "add and an insert that evicts", {
      start,
      first: (to, { foreign }) => [to.add(foreign()[1], 5)],
      second: (to, { foreign }) => [to.set(foreign()[0], 70)],
    }),
    ...on([shape], "delete and an insert that evicts", {
      start,
      first: (to, { foreign }) => [to.remove(foreign()[1])],
      second: (to, { foreign }) => [to.set(foreign()[0], 70)],
    }),
    ...on([shape], "clear and an insert that evicts", {
      start,
      first: (to) => [to.clear()],
      second: (to) => [to.set(NEW, 70)],
      check: checkKept([put], maxEntries),
    }),
    ...on([shape], "scan and an insert that evicts", {
      start,
      first: (to) => [to.scan(Math.ceil(maxEntries / 16) + 2)],
      second: (to) => [to.set(NEW, 70)],
      check: checkEvictingScan(put, maxEntries),
    }),
    ...(perCpu
      ? on([shape], "local adds and an insert that evicts", {
          start,
          first: (to, { foreign }) => [to.localAdd(foreign()[1], 5), to.localAdd(foreign()[1], 5)],
          second: (to, { foreign }) => [to.set(foreign()[0], 70)],
        })
      : on([shape], "an address and an insert that evicts", {
          start,
          first: (to, { foreign }) => [to.lookupInSection(foreign()[1])],
          second: (to, { foreign }) => [to.set(foreign()[0], 70)],
          check: checkAddress(({ model, foreign }) => {
            const old = `[${model.entries.get(foreign()[1])}]`;
            return ["absent", `same ${old}`, `gone ${old}`];
          }),
        })),
  ];
}

/** Of two buckets. Where one is empty, all that an insert there can evict is in the other, which somebody else may have locked. */
const tinyEvictions = EVICTING.filter(({ maxEntries }) => maxEntries <= 9).flatMap((shape) => [
  ...on([shape], "inserts that evict, one for an empty bucket", {
    start: "lopsided",
    first: (to, { absent }) => [to.set(absent[0], 70), to.get(absent[0])],
    second: (to, { model, beside }) => [to.set(beside([...model.entries.keys()][0]), 80)],
  }),
  ...on([shape], "several inserts into a small map that evicts", {
    start: { entries: 9 },
    first: (to) => [to.set(NEW, 70), to.set(NEW + 2, 71)],
    second: (to) => [to.set(OTHER, 80), to.set(OTHER + 2, 81)],
  }),
]);

/** Beside entries that have expired: inserts sweep them, writes of their keys revive them. */
const expiries = EXPIRING.flatMap((shape) => {
  const start = { entries: 8, expired: 30 };
  return [
    ...on([shape], "two inserts that sweep", {
      start,
      first: (to) => [to.set(NEW, 70), to.set(NEW + 2, 71), to.get(3)],
      second: (to) => [to.set(OTHER, 80), to.set(OTHER + 2, 81)],
    }),
    ...on([shape], "gets and an insert that sweeps", {
      start,
      first: (to) => [to.get(DEAD), to.get(3), to.get(DEAD + 5), to.get(NEW)],
      second: (to) => [to.set(NEW, 70), to.set(OTHER, 80)],
    }),
    ...on([shape], "two writes of a key that has expired", {
      start,
      first: (to) => [to.set(DEAD, 70, 1), to.get(DEAD)],
      second: (to) => [to.set(DEAD, 80, 1), to.remove(DEAD)],
    }),
    ...on([shape], "a delete and a write of a key that has expired", {
      start,
      first: (to) => [to.remove(DEAD), to.get(DEAD)],
      second: (to) => [to.set(DEAD, 70), to.take(DEAD)],
    }),
    ...on([shape], "add to a key that has expired, and an insert that sweeps", {
      start,
      first: (to) => [to.add(DEAD, 5), to.add(DEAD, 5)],
      second: (to) => [to.set(NEW, 70), to.get(DEAD), to.set(DEAD, 80, 2)],
    }),
    ...on([shape], "a sweep and an insert that sweeps", {
      start,
      first: (to) => [to.sweep(4)],
      second: (to) => [to.set(NEW, 70), to.remove(3), to.set(3, 71)],
    }),
    ...on([shape], "a tick, and who reads and writes", {
      start,
      first: (to) => [to.get(3), to.get(3), to.set(3, 70), to.get(3)],
      second: (to) => [to.tick(), to.get(3), to.add(4, 5)],
    }),
    ...(shape.perCpu
      ? on([shape], "local adds to a key that has expired, and a sweep", {
          start,
          first: (to) => [to.localAdd(DEAD, 5), to.localAdd(DEAD, 5), to.localRead(DEAD)],
          second: (to) => [to.sweep(20), to.localAdd(DEAD, 7), to.set(NEW, 70)],
        })
      : []),
    ...(shape.perCpu
      ? on([shape], "local adds, a tick, and inserts where they were", {
          start: { entries: 3 },
          first: (to) => [to.localAdd(1, 5), to.localAdd(2, 5)],
          second: (to) => [
            to.tick(),
            to.sweep(20),
            to.set(NEW, 70),
            to.set(OTHER, 71),
            to.set(OTHER + 1, 72),
          ],
        })
      : []),
  ];
});

const lockedExpiries = on([EXPIRING_LOCKED], "a lock, and a write when it has expired", {
  start: { entries: 4, expired: 12 },
  first: (to) => [to.lockedAdd(3, 5), to.get(3)],
  second: (to) => [to.tick(), to.set(3, 70, 4), to.lockedAdd(3, 2)],
});

export const PROGRAMS: readonly Program[] = [
  ...words({
    name: "get and set",
    shapes: RHASH,
    start: { entries: 5 },
    first: (to) => [to.get(3), to.get(3)],
    second: (to) => [to.set(3, 70), to.set(3, 71)],
  }),
  ...words({
    name: "get and split",
    shapes: RHASH,
    start: "split",
    first: (to, { moving, absent }) => [to.get(moving[0]), to.get(absent[0])],
    second: (to, { absent }) => [to.set(absent[0], 70)],
  }),
  ...words({
    name: "get and merge",
    shapes: RHASH,
    start: "merge",
    first: (to, { moving, absent }) => [to.get(moving[0]), to.get(absent[0])],
    second: (to, ground) => [to.remove(stays(ground))],
  }),
  ...words({
    name: "get and another key in its slot",
    shapes: [...RHASH, ...HASH, ...LAZY],
    start: { entries: 4 },
    first: (to, { beside }) => [to.get(3), to.get(beside(3))],
    second: (to, { beside }) => [to.remove(3), to.set(beside(3), 70)],
  }),
  ...words({
    name: "two sets of a key",
    shapes: RHASH,
    start: { entries: 4 },
    first: (to) => [to.set(3, 70), to.get(3)],
    second: (to) => [to.set(3, 80), to.get(3)],
  }),
  ...words({
    name: "two inserts of a key",
    shapes: [...RHASH, ...LAZY],
    start: { entries: 0 },
    first: (to) => [to.set(NEW, 70, 1), to.get(NEW)],
    second: (to) => [to.set(NEW, 80, 1)],
  }),
  ...words({
    name: "two adds",
    shapes: RHASH,
    start: { entries: 4 },
    first: (to) => [to.add(3, 5), to.add(NEW, 5)],
    second: (to) => [to.add(NEW, 7), to.add(3, 7)],
  }),
  ...words({
    name: "two inserts at the limit",
    shapes: [...SMALL, ...HASH, ...LAZY],
    start: { entries: 59 },
    first: (to) => [to.set(NEW, 70)],
    second: (to) => [to.set(OTHER, 80)],
  }),
  ...words({
    name: "delete and insert at the limit",
    shapes: [...SMALL, ...HASH],
    start: { entries: 60 },
    first: (to) => [to.remove(3), to.set(NEW, 70)],
    second: (to) => [to.set(OTHER, 80)],
  }),
  ...words({
    name: "inserts while the limit comes near",
    shapes: RHASH.map((shape) => ({ ...shape, maxEntries: 206 })),
    start: { entries: 10 },
    first: (to) => [to.set(NEW, 70), to.remove(3), to.set(NEW + 1, 71)],
    second: (to) => [to.set(OTHER + 1, 80), to.set(OTHER + 2, 81), to.set(OTHER + 3, 82)],
  }),
  ...words({
    name: "batches while the limit comes near",
    shapes: RHASH.map((shape) => ({ ...shape, maxEntries: 206 })),
    start: { entries: 10 },
    first: (to) => [to.updateMany([NEW, NEW + 1, NEW + 2], 70), to.removeMany([3, NEW])],
    second: (to) => [to.updateMany([OTHER + 5, OTHER + 6, OTHER + 7], 80), to.remove(4)],
  }),
  ...words({
    name: "a batch and a split",
    shapes: RHASH,
    start: "split",
    first: (to, { absent, moving }) => [to.updateMany([moving[0], absent[0], absent[1]], 70)],
    second: (to, { absent, moving }) => [to.set(absent[2] ?? NEW, 80), to.get(moving[0])],
  }),
  ...words({
    name: "delete and insert of a key",
    shapes: [...RHASH, ...HASH],
    start: { entries: 4 },
    first: (to) => [to.remove(3), to.get(3)],
    second: (to) => [to.set(3, 70), to.take(3)],
  }),
  ...words({
    name: "two splits",
    shapes: RHASH,
    start: "split",
    first: (to, { absent }) => [to.set(absent[0], 70)],
    second: (to, { absent }) => [to.set(absent[1], 80)],
  }),
  ...words({
    name: "split and merge",
    shapes: RHASH,
    start: "split",
    first: (to, { absent }) => [to.set(absent[0], 70)],
    second: (to, ground) => [to.remove(ground.moving[0]), to.remove(stays(ground))],
  }),
  ...words({
    name: "two merges",
    shapes: RHASH,
    start: "merge",
    first: (to, ground) => [to.remove(stays(ground)), to.set(ground.absent[0], 70)],
    second: (to, { moving }) => [to.take(moving[0])],
  }),
  ...words({
    name: "scan and split",
    shapes: RHASH,
    start: "split",
    first: (to) => [to.scan(3)],
    second: (to) => [to.set(NEW, 70)],
    check: checkScan(RHASH.map(({ valueSize }) => `${NEW}=${new Array(valueSize / 8).fill(70)}`)),
  }),
  ...words({
    name: "scan and merge",
    shapes: RHASH,
    start: "merge",
    first: (to) => [to.scan(3)],
    second: (to) => [to.remove(0)],
    check: checkScan(RHASH.map(({ valueSize }) => `0=${new Array(valueSize / 8).fill(1)}`)),
  }),
  ...words({
    name: "many lookups and a split",
    shapes: RHASH,
    start: "split",
    first: (to, ground) => [to.lookupMany([ground.moving[0], stays(ground), ground.absent[0]])],
    second: (to, { absent }) => [to.set(absent[0], 70)],
  }),
  ...words({
    name: "many lookups and a merge",
    shapes: RHASH,
    start: "merge",
    first: (to, ground) => [to.lookupMany([ground.moving[0], stays(ground)])],
    second: (to, ground) => [to.remove(stays(ground))],
  }),
  ...RHASH.flatMap((shape) =>
    on([shape], "drain and insert", {
      start: { entries: 8 },
      first: (to) => [to.drain(3)],
      second: (to) => [to.set(NEW, 70)],
      check: checkDrain(`${NEW}=${new Array(shape.valueSize / 8).fill(70)}`),
    }),
  ),
  ...words({
    name: "local adds and take",
    shapes: PER_CPU,
    start: { entries: 4 },
    first: (to) => [to.localAdd(3, 5), to.localAdd(3, 5)],
    second: (to) => [to.take(3), to.take(3)],
  }),
  ...words({
    name: "two local adds to a new key",
    shapes: PER_CPU,
    start: { entries: 4 },
    first: (to) => [to.localAdd(NEW, 5), to.get(NEW)],
    second: (to) => [to.localAdd(NEW, 7), to.localRead(NEW)],
  }),
  ...words({
    name: "a batch of local adds and take",
    shapes: PER_CPU,
    start: { entries: 4 },
    first: (to) => [to.localAddMany([3, 2, 3], 5)],
    second: (to) => [to.take(3), to.localAddMany([3], 7)],
  }),
  ...evictions,
  ...tinyEvictions,
  ...expiries,
  ...lockedExpiries,
  ...sections,
  ...words({
    name: "two segments get their memory",
    shapes: LAZY,
    start: { entries: 0 },
    first: (to) => [to.set(NEW, 70), to.get(OTHER)],
    second: (to) => [to.set(OTHER, 80)],
  }),
  ...words({
    name: "destroy and open",
    shapes: RHASH,
    start: { entries: 7 },
    first: (to) => [to.openMap(3, 70)],
    second: (to) => [to.destroyMap()],
    destroys: true,
    check: ({ outcomes: [[outcome]] }) => {
      if (outcome !== "absent" && !/^0 \[(70,?)+\]$/.test(outcome))
        throw new Error(`an opened map: ${outcome}`);
    },
  }),
  ...words({
    name: "writes in chains",
    shapes: RHASH,
    start: "chains",
    first: (to) => [to.set(3, 70), to.get(20)],
    second: (to) => [to.set(20, 80), to.remove(3)],
  }),
  ...words({
    name: "reads in a chain that splits",
    shapes: RHASH,
    start: "chains",
    first: (to, { moving, absent }) => [to.get(moving[0]), to.get(absent[0])],
    second: (to, { absent }) => [to.set(absent[0], 70)],
  }),
  ...words({
    name: "get and set",
    shapes: ARRAYS,
    start: { entries: 10 },
    first: (to) => [to.get(3), to.get(3)],
    second: (to) => [to.set(3, 70), to.set(3, 71)],
  }),
  ...words({
    name: "set and add",
    shapes: ARRAYS,
    start: { entries: 10 },
    first: (to) => [to.set(3, 70), to.add(3, 1)],
    second: (to) => [to.add(3, 5), to.get(3)],
  }),
  ...words({
    name: "growth and who uses the new elements",
    shapes: ARRAYS,
    start: { entries: 10 },
    first: (to) => [to.setMaxEntries(11), to.setMaxEntries(20)],
    second: (to) => [to.get(10), to.set(10, 70), to.add(19, 5), to.get(19), to.get(3)],
  }),
  ...words({
    name: "two that grow",
    shapes: ARRAYS,
    start: { entries: 10 },
    first: (to) => [to.setMaxEntries(14), to.set(13, 70)],
    second: (to) => [to.setMaxEntries(21), to.get(13)],
  }),
  ...words({
    name: "two inserts at a low-water mark",
    shapes: SMALL,
    start: { entries: 12 },
    first: (to) => [
      to.setLowWater(48),
      to.hookLowWater(),
      to.setAtMark(NEW, 70),
      to.setAtMark(NEW, 70, true),
    ],
    second: (to) => [
      to.hookLowWater(),
      to.setAtMark(OTHER, 71),
      to.setAtMark(OTHER, 71, true),
      to.remove(OTHER),
    ],
  }),
  ...words({
    name: "two holders of a spin lock",
    shapes: SPIN_LOCKED,
    start: { entries: 4 },
    first: (to) => [to.lockedAdd(3, 5), to.get(3, 4)],
    second: (to) => [to.lockedAdd(3, 7)],
  }),
  ...words({
    name: "a spin lock and a set",
    shapes: SPIN_LOCKED,
    start: { entries: 4 },
    first: (to) => [to.lockedAdd(3, 5), to.get(3)],
    second: (to) => [to.set(3, 70, 4), to.lockedAdd(3, 1)],
  }),
  ...words({
    name: "a spin lock and a delete",
    shapes: SPIN_LOCKED,
    start: { entries: 4 },
    first: (to) => [to.lockedAdd(3, 5)],
    second: (to, { beside }) => [to.remove(3), to.set(beside(3), 70)],
  }),
  ...words({
    name: "a section and synchronize",
    shapes: [RHASH[0]],
    start: { entries: 4 },
    first: (to) => [to.inSection([to.get(3), to.set(3, 70)])],
    second: (to) => [to.synchronize(), to.set(3, 80)],
  }),
  ...words({
    name: "clearing up behind a dead thread while maps are made",
    shapes: [RHASH[0]],
    start: { entries: 0 },
    dead: (to) => to.keepMap(ARRAYS[1]),
    first: (to) => [to.reap(FOURTH), to.destroyMap()],
    second: (to) => [to.createMap(ARRAYS[1])],
    destroys: true,
  }),
  ...words({
    name: "two clear up behind a dead thread",
    shapes: [RHASH[0]],
    start: { entries: 0 },
    dead: (to) => to.keepMap(ARRAYS[1]),
    first: (to) => [to.reap(FOURTH), to.set(NEW, 70)],
    second: (to) => [to.reap(FOURTH), to.set(OTHER, 80)],
  }),
  ...words({
    name: "two maps are made",
    shapes: [RHASH[0]],
    start: { entries: 0 },
    first: (to) => [to.blocks()],
    second: (to) => [to.createMap(ARRAYS[1])],
  }),
];
