// Strings as keys: text() and cstring() beside Map, with strings of three lengths.
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createHost, cstring, text, u32 } from "../../dist/index.js";
import { Fingerprint } from "../data/fingerprint.mjs";
import { draws, mix, Random } from "../data/random.mjs";
import { Entrant } from "../run/entrants.mjs";
import { loopsOf } from "../run/loops.mjs";
import { measureRows } from "../run/rounds.mjs";
import { ratios, roundsOf, summarise } from "../run/statistics.mjs";

export const name = "texts";
export const title = "strings of 8, 20 and 60 bytes as keys";
export const defaultSizes = [500, 1_000_000];
export const options = {};

const LENGTHS = [8, 20, 60];
const MOST = 64;
const [TEXT, CSTRING, MAP] = ["text", "cstring", "Map"];
/** Small maps are filled and gone over again and again, so that each turn does about as much work. */
const ENTRIES = 100_000;
const FILLER = "/abcdefghijklmnopqrstuvwxyz";

const over = (body) => [
  "keys",
  `let total = 0; for (let i = 0; i < keys.length; i++) { ${body} } return total;`,
];
const LOOPS = {
  insert: over("map.set(keys[i], i);"),
  lookup: over("total += map.get(keys[i]);"),
  miss: over("if (map.has(keys[i])) total++;"),
  overwrite: over("map.set(keys[i], i);"),
  entries: [
    "",
    "let total = 0; for (const [key, value] of map) total += key === '' ? 0 : value; return total;",
  ],
  remove: over("if (map.delete(keys[i])) total++;"),
};

/** A key of its own for each number below 2^32, made anew, as those are that come from outside. */
function keyOf(number, length) {
  return (number >>> 0).toString(36).padStart(8, "-").padEnd(length, FILLER);
}

function entrantsOf(size, host) {
  const ours = (key) => () => host.createMap({ type: "rhash", key, value: u32, maxEntries: size });
  return [
    new Entrant(TEXT, loopsOf(LOOPS, ours(text(MOST)))),
    new Entrant(CSTRING, loopsOf(LOOPS, ours(cstring(MOST)))),
    new Entrant(
      MAP,
      loopsOf(LOOPS, () => new Map()),
    ),
  ];
}

function rowsOf(size, length, { indices, keys, hits, misses }) {
  const passes = Math.ceil(ENTRIES / size);
  const expected = indices.reduce((sum, index) => sum + index, 0);
  const all = (size * (size - 1)) / 2;
  const named = (operation) => `${operation}, ${length} bytes`;
  const fill = { operations: size, passes, needs: "new", leaves: "full" };
  const query = { operations: hits.length, needs: "full", leaves: "full" };
  const walk = { operations: size, passes, needs: "full", leaves: "full", expected: all };
  return [
    {
      operation: named("set, growing from empty"),
      method: "insert",
      sets: Array.from({ length: passes }, () => ({ keys, input: keys })),
      ...fill,
    },
    { operation: named("get"), method: "lookup", input: hits, ...query, expected },
    { operation: named("has, absent key"), method: "miss", input: misses, ...query, expected: 0 },
    { operation: named("entries"), method: "entries", ...walk },
    { operation: named("set, existing key"), method: "overwrite", input: hits, ...query },
    {
      operation: named("delete"),
      method: "remove",
      sets: Array.from({ length: passes }, () => ({ keys, input: keys })),
      ...{ operations: size, needs: "full", leaves: "empty", expected: size },
    },
  ];
}

export async function run(context) {
  const { seed, queries } = context;
  const fingerprint = new Fingerprint();
  const measurements = [];
  const notes = [];
  for (const size of context.sizes) {
    for (const length of LENGTHS) {
      if (context.stopped) break;
      const host = createHost({ seed });
      const indices = draws(queries, size, new Random(seed, 1));
      const keys = Array.from({ length: size }, (_, i) => keyOf(mix(i), length));
      const hits = Array.from(indices, (i) => keyOf(mix(i), length));
      const misses = Array.from(indices, (i) => keyOf(mix(size + i), length));
      const rows = rowsOf(size, length, { indices, keys, hits, misses });
      fingerprint.add(size, length, indices, ...rows.map(({ operation }) => operation));
      const list = await measureRows({ size, entrants: entrantsOf(size, host), rows, keys }, context);
      measurements.push(...list);
      notes.push(noteOf(size, length, list), memoryOf(host, size, length, keys));
      host.close();
    }
  }
  return { unit: "ns", parameters: { queries }, fingerprint: `${fingerprint}`, measurements, notes };
}

function noteOf(size, length, list) {
  const of = (operation, contender) => roundsOf(list, `${operation}, ${length} bytes`, contender);
  const times = (operation) => {
    const [ours, theirs] = [of(operation, TEXT), of(operation, MAP)];
    return ours && theirs ? summarise(ratios(ours, theirs, "ns")).median.toFixed(2) : "?";
  };
  const shown = ["set, growing from empty", "get", "has, absent key", "set, existing key", "delete"];
  return `${size} entries, ${length} bytes, text in times of Map: ${shown.map((row) => `${row} ${times(row)}`).join("; ")}`;
}

/** What our maps say that they take, and what V8's heap has more with a Map and its strings in it. */
function memoryOf(host, size, length, keys) {
  const bytes = [text(MOST), cstring(MOST)].map((key) => {
    const map = host.createMap({ type: "rhash", key, value: u32, maxEntries: size });
    for (let i = 0; i < size; i++) map.set(keys[i], i);
    const { bytesPerEntry } = map.stats();
    map.close();
    return bytesPerEntry.toFixed(1);
  });
  const before = heapBytes();
  const maps = Array.from({ length: Math.ceil(ENTRIES / size) }, () => new Map());
  for (const map of maps) for (let i = 0; i < size; i++) map.set(flat(keys[i]), i);
  const perEntry = ((heapBytes() - before) / (maps.length * size)).toFixed(1);
  return `${size} entries, ${length} bytes: text takes ${bytes[0]} bytes an entry, cstring ${bytes[1]}, a Map with its strings ${perEntry}`;
}

/** A string of its own in one piece, as a parser makes them. */
const flat = (string) => Buffer.from(string, "latin1").toString("latin1");

function heapBytes() {
  collect();
  return getHeapStatistics().used_heap_size;
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");
