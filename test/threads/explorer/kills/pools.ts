/** The pools that are killed (pool.ts), as a list of tests. */

import { ARRAYS, HASHES } from "../programs/shapes.ts";
import type { Make } from "./kills.ts";
import type { Pool } from "./pool.ts";

const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);
const NEW = 500;
const OTHER = 700;

const inserts =
  (from: number): Make =>
  (to) =>
    to.sequence(
      "inserts",
      range(from, 12).map((key) => to.set(key, 9)),
    );
const deletes =
  (from: number): Make =>
  (to) =>
    to.sequence(
      "deletes",
      range(from, 12).map((key) => to.remove(key)),
    );
const sections =
  (from: number): Make =>
  (to) =>
    to.inSection([to.get(from), to.set(from, 9), to.remove(from + 1), to.set(from + NEW, 9)]);
const maps: Make = (to) => to.createMap(HASHES[0]);
const arrays: Make = (to) => to.createMap(ARRAYS[1]);
const blocks: Make = (to) => to.blocks();

const pool = (
  first: Make,
  second: Make,
  shape = HASHES[0],
  then = maps,
): Pool & { readonly name: string } => {
  const name = `${shape.name}: ${[first, second].map((make) => NAMES.get(make)).join(" and ")}`;
  return { name, shape, start: { entries: 30 }, operations: [first, second], then };
};

const [FIRST_INSERTS, SECOND_INSERTS] = [inserts(NEW), inserts(OTHER)];
const [FIRST_DELETES, SECOND_DELETES] = [deletes(0), deletes(15)];
const [FIRST_SECTIONS, SECOND_SECTIONS] = [sections(0), sections(15)];
const NAMES = new Map<Make, string>([
  [FIRST_INSERTS, "inserts"],
  [SECOND_INSERTS, "inserts"],
  [FIRST_DELETES, "deletes"],
  [SECOND_DELETES, "deletes"],
  [FIRST_SECTIONS, "sections"],
  [SECOND_SECTIONS, "sections"],
  [maps, "maps"],
  [arrays, "arrays"],
  [blocks, "blocks"],
]);

export const POOLS = [
  pool(maps, maps),
  pool(maps, arrays),
  pool(blocks, maps),
  pool(maps, SECOND_INSERTS),
  pool(FIRST_INSERTS, SECOND_INSERTS),
  pool(FIRST_INSERTS, SECOND_DELETES, HASHES[8]),
  pool(FIRST_DELETES, SECOND_DELETES, HASHES[4]),
  pool(FIRST_SECTIONS, maps),
  pool(FIRST_SECTIONS, SECOND_SECTIONS, HASHES[8]),
];
