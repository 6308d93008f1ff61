// Entries that expire: what a ttl costs a set and a get, and how many dead entries a map has under steady inserts.
import { moveOn } from "../contenders/caches/clock.mjs";
import { EXPIRING, TTL } from "../contenders/caches/expiring.mjs";
import { Fingerprint } from "../data/fingerprint.mjs";
import { draws, keysFrom, pick, Random, shuffled } from "../data/random.mjs";
import { Entrant } from "../run/entrants.mjs";
import { loopsOf } from "../run/loops.mjs";
import { measureRows } from "../run/rounds.mjs";
import { ratios, roundsOf, summarise } from "../run/statistics.mjs";
import { steadyInserts } from "./ttl/steady.mjs";

export const name = "ttl";
export const title =
  "entries that expire: set, get of live and of expired ones, the dead under steady inserts";
export const defaultSizes = [500, 100_000];
export const options = {};

const GET = "get of a live key";
/** What a get with a ttl may take, in times of one without. */
const MOST = 1.3;
/** Small maps are filled again and again, so that each turn does about as much work. */
const OPERATIONS = 100_000;
/** Writes of a turn: ttlcache goes over all keys of a millisecond for each. */
const MOST_WRITES = 1 << 17;
/** With fewer entries, what `tick` sweeps is most of the map. */
const LEAST_FOR_STEADY = 10_000;

const over = (body) => ["keys", `for (let i = 0; i < keys.length; i++) ${body}`];
const LOOPS = {
  insert: over("map.set(keys[i], i);"),
  fill: over("map.set(keys[i], i);"),
  overwrite: over("map.set(keys[i], i);"),
  lookup: [
    "keys",
    "let total = 0; for (let i = 0; i < keys.length; i++) total += map.get(keys[i]); return total;",
  ],
  found: [
    "keys",
    "let found = 0; for (let i = 0; i < keys.length; i++) if (map.get(keys[i]) !== undefined) found++; return found;",
  ],
};
const TTL_LOOPS = {
  ...LOOPS,
  renew: [
    "keys",
    `const options = { ttl: ${TTL / 2} }; for (let i = 0; i < keys.length; i++) map.set(keys[i], i, options);`,
  ],
};

export async function run(context) {
  const maps = await loadMaps(context);
  const fingerprint = new Fingerprint();
  const measurements = [];
  const notes = [];
  for (const size of context.sizes) {
    if (context.stopped) break;
    const { keys, rows, stale } = rowsOf(size, context);
    for (const { operation, expected = "" } of [...rows, stale]) fingerprint.add(size, operation, expected);
    fingerprint.add(keys, stale.sets[0].input, rows.find(({ operation }) => operation === GET).input);
    const list = await measureRows({ size, entrants: entrantsOf(maps, size, false), rows, keys }, context);
    measurements.push(...list);
    notes.push(...goalOf(size, list));
    const timed = maps.filter(({ expires = true, seesTime = true }) => expires && seesTime);
    const entrants = entrantsOf(timed, size, true);
    measurements.push(...(await measureRows({ size, entrants, rows: [stale], keys }, context)));
    if (size >= LEAST_FOR_STEADY) measurements.push(...steadyInserts(timed, size, context));
  }
  return {
    unit: "ns",
    parameters: { queries: context.queries },
    fingerprint: `${fingerprint}`,
    measurements,
    notes: [...notes, ...NOTES],
  };
}

const NOTES = [
  "ttlcache has the clock of the system, which cannot be moved on: it has no expired keys here",
  "lru-cache reads the clock once in a millisecond, and in each call where time is moved on (ttlResolution: 0)",
  "js-map: values with their time; what nobody asks for stays",
];

async function loadMaps({ contenders = Object.keys(EXPIRING), seed, skip }) {
  const maps = [];
  for (const name of contenders) {
    try {
      if (!(name in EXPIRING)) throw new Error("has no entries that expire");
      const map = EXPIRING[name];
      maps.push({ ...map, name, tick: () => map.tick?.(seed), open: await map.load({ seed }) });
    } catch (error) {
      if (name === "bpfmap") throw error;
      skip(name, error.message);
    }
  }
  return maps;
}

function entrantsOf(maps, capacity, precise) {
  return maps.map(({ name, expires = true, open, tick }) => {
    const openLoops = loopsOf(expires ? TTL_LOOPS : LOOPS, open);
    return new Entrant(name, (options) => ({ ...openLoops(options), tick }), { capacity, precise });
  });
}

function rowsOf(size, { seed, queries }) {
  const passes = Math.ceil(OPERATIONS / size);
  const keys = keysFrom(0, size);
  const indices = draws(queries, size, new Random(seed, 1));
  const hits = pick(keys, indices);
  const query = { operations: queries, needs: "full", leaves: "full" };
  const written = hits.subarray(0, MOST_WRITES);
  const write = { ...query, input: written, operations: written.length };
  const sets = (input) => Array.from({ length: passes }, () => ({ keys, input }));
  const rows = [
    {
      operation: "set, growing from empty",
      method: "fill",
      sets: sets(keys),
      ...{ operations: size, passes, needs: "new", leaves: "full" },
    },
    {
      operation: GET,
      method: "lookup",
      input: hits,
      ...query,
      expected: indices.reduce((sum, index) => sum + index, 0),
    },
    { operation: "set, existing key", method: "overwrite", ...write },
    { operation: "set, existing key, with a ttl of its own", method: "renew", ...write },
  ];
  const stale = {
    operation: "get of an expired key",
    method: "found",
    pass: findStale,
    sets: sets(shuffled(keys, new Random(seed, 2))),
    ...{ operations: size, passes, needs: "full", leaves: "empty", expected: 0 },
  };
  return { keys, rows, stale };
}

/** Lets all expire, and looks for them. */
function findStale(subject, keys) {
  moveOn(2 * TTL);
  subject.tick();
  const start = process.hrtime.bigint();
  const result = subject.found(keys);
  return { result, ownNs: Number(process.hrtime.bigint() - start) };
}

function goalOf(size, list) {
  const timed = roundsOf(list, GET, "bpfmap");
  const plain = roundsOf(list, GET, "bpfmap-hash");
  if (timed === undefined || plain === undefined) return [];
  const { median } = summarise(ratios(timed, plain, "ns"));
  const verdict = median <= MOST ? "" : ", not reached";
  return [
    `${size} entries: ${GET}: ${median.toFixed(2)} times of a hash without a ttl, goal <= ${MOST}${verdict}`,
  ];
}
