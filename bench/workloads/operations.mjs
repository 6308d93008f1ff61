// Every operation of a map by itself, from empty to full and back.
import { BARE_LINES, BareLines } from "../contenders/bare_lines.mjs";
import { DEFAULT_CONTENDERS } from "../contenders/index.mjs";
import { Fingerprint } from "../data/fingerprint.mjs";
import { draws, keysFrom, mix, pick, Random, shuffled, split } from "../data/random.mjs";
import { loadContenders, openEntrants } from "../run/entrants.mjs";
import { measureRows } from "../run/rounds.mjs";

export const name = "operations";
export const title = "single operations and batches";
export const defaultSizes = [500, 100_000, 1_000_000];
export const options = {
  batch: { type: "integer", default: 256, help: "keys of a batch call" },
};

/** Small maps are filled and emptied again and again, so that each turn does about as much work. */
const FILL_OPERATIONS = 100_000;
/** Keys of this number and on are no keys that are looked up, present or absent: twice as many as the largest map has. */
const FIRST_FILL = 2 ** 26;

export async function run(context) {
  const contenders = await loadContenders(context.contenders ?? DEFAULT_CONTENDERS, context);
  const fingerprint = new Fingerprint();
  const measurements = [];
  for (const size of context.sizes) {
    if (context.stopped) break;
    const data = prepare(size, context);
    const rows = rowsOf(size, data, context.options.batch);
    fingerprint.add(size, ...drawn(data));
    for (const { operation, expected } of rows) fingerprint.add(operation, expected ?? "");
    const open = { size, seed: context.seed, maxEntries: size, keySize: 4 };
    const entrants = openEntrants(contenders, open, context.skip);
    const ours = entrants.find((entrant) => entrant.name === "bpfmap");
    if (ours !== undefined) entrants.push(new BareLines(ours, data.fills[0].shuffled, context));
    measurements.push(...(await measureRows({ size, entrants, rows, keys: data.keys }, context)));
  }
  return {
    unit: "ns",
    parameters: { queries: context.queries, batch: context.options.batch },
    fingerprint: `${fingerprint}`,
    measurements,
    notes: [
      "per operation, for batches per key; every map starts empty in the rows that grow, its limit is the size",
      `${BARE_LINES}: no map, but the bare reading of both cache lines of the 128-byte blocks that hold the keys`,
    ],
  };
}

/** Keys and queries. */
export function prepare(size, { seed, queries, options }) {
  const keys = keysFrom(0, size);
  const indices = draws(queries, size, new Random(seed, 1));
  const absent = draws(queries, size, new Random(seed, 2));
  const hits = pick(keys, indices);
  return {
    keys,
    indices,
    hits,
    misses: absent.map((draw) => mix(size + draw)),
    hitBatches: fullBatches(hits, options.batch),
    fills: fills(keys, Math.ceil(FILL_OPERATIONS / size), seed),
  };
}

/**
 * Keys to fill a map with in each pass, and the same ones shuffled. Those of one pass again and again, and a processor would know by
 * heart how each of its branches goes, in tables that hash the same way every time; with seeds of their own it would not.
 */
function fills(keys, passes, seed) {
  return Array.from({ length: passes }, (_, pass) => {
    const own = pass === 0 ? keys : keysFrom(FIRST_FILL + pass * keys.length, keys.length);
    return { keys: own, shuffled: shuffled(own, new Random(seed, 3 + pass)) };
  });
}

/** All keys of a workload, for its fingerprint. */
export function drawn({ fills, hits, misses }) {
  return [...fills.flatMap(({ keys, shuffled }) => [keys, shuffled]), hits, misses];
}

/** Batches of one size; what is left over is dropped. */
function fullBatches(keys, size) {
  const batches = split(keys, size);
  if (batches.length > 1 && batches.at(-1).length < size) batches.pop();
  return batches;
}

/** The values of keys are their indices. */
function total(indices, count = indices.length) {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += indices[i];
  return sum;
}

/** @returns {import("../run/rounds.mjs").Row[]} */
export function rowsOf(size, data, batch) {
  const { indices, hits, misses, hitBatches, fills } = data;
  const passes = fills.length;
  const sets = (input) => fills.map((fill) => ({ keys: fill.keys, input: input(fill) }));
  const batched = hitBatches.reduce((count, keys) => count + keys.length, 0);
  const fill = { operations: size, passes, needs: "new", leaves: "full" };
  const query = { operations: hits.length, needs: "full", leaves: "full" };
  const empty = { operations: size, passes, needs: "full", leaves: "empty", expected: size };
  return [
    { operation: "set, growing from empty", method: "insert", sets: sets(({ keys }) => keys), ...fill },
    { operation: "get", method: "lookup", input: hits, ...query, expected: total(indices) },
    { operation: "get, absent key", method: "miss", input: misses, ...query, expected: 0 },
    {
      operation: `lookupMany(${batch})`,
      method: "lookupMany",
      input: hitBatches,
      ...query,
      operations: batched,
      expected: total(indices, batched),
    },
    {
      operation: `lookupMany(${batch}), arrays of the caller`,
      method: "lookupManyOwn",
      input: hitBatches,
      ...query,
      operations: batched,
      expected: total(indices, batched),
    },
    // Last of the queries, since it gives the keys other values.
    { operation: "set, existing key", method: "overwrite", input: hits, ...query },
    { operation: "delete, random order", method: "remove", sets: sets(({ shuffled }) => shuffled), ...empty },
    {
      operation: `updateBatch(${batch}), growing from empty`,
      method: "insertMany",
      sets: sets(({ keys }) => split(keys, batch)),
      ...fill,
    },
    {
      operation: `deleteBatch(${batch})`,
      method: "removeMany",
      sets: sets(({ shuffled }) => split(shuffled, batch)),
      ...empty,
    },
  ];
}
