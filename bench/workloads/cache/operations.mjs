// Single calls: a get of a key that is there, a set of a new key that makes another one go. Beside a hash, which evicts nothing.
import { cacheKeys } from "../../data/cache_keys.mjs";
import { Fingerprint } from "../../data/fingerprint.mjs";
import { draws, Random } from "../../data/random.mjs";
import { measureRows } from "../../run/rounds.mjs";
import { ratios, roundsOf, summarise } from "../../run/statistics.mjs";
import { cacheEntrants } from "./entrants.mjs";

const KINDS = { u32: "", text: ", strings" };
const [FILL, GET, EVICT] = ["set, growing from empty", "get", "set that evicts"];
/** Small caches are filled again and again, so that each turn does about as much work. */
const FILL_OPERATIONS = 100_000;
/** New keys of a turn: as many as the cache has entries, and enough of them. They come in short passes, of which the median counts. */
const LEAST_EVICTIONS = 1 << 17;
const EVICTIONS = 1 << 12;

const LOOPS = {
  insert: ["keys", "for (let i = 0; i < keys.length; i++) map.set(keys[i], i);"],
  fill: ["keys", "for (let i = 0; i < keys.length; i++) map.set(keys[i], i);"],
  lookup: [
    "keys",
    "let total = 0; for (let i = 0; i < keys.length; i++) total += map.get(keys[i]); return total;",
  ],
};
/** Whatever goes, the newest key stays. */
const EVICTING_LOOPS = {
  ...LOOPS,
  evict: [
    "keys",
    "for (let i = 0; i < keys.length; i++) map.set(keys[i], i); return map.get(keys[keys.length - 1]);",
  ],
};

export async function measureOperations(caches, context) {
  const evicting = caches.filter(({ evicts = true }) => evicts);
  const refusing = caches.filter((cache) => !evicting.includes(cache));
  const fingerprint = new Fingerprint();
  const measurements = [];
  const notes = [];
  for (const size of context.sizes) {
    for (const kind of Object.keys(KINDS)) {
      if (context.stopped) break;
      const { keys, rows } = rowsOf(kind, size, context);
      for (const { operation, expected = "" } of rows) fingerprint.add(size, operation, expected);
      const entrants = [
        ...cacheEntrants(evicting, kind, size, EVICTING_LOOPS, context.skip),
        ...cacheEntrants(refusing, kind, size, LOOPS, context.skip),
      ];
      const list = await measureRows({ size, entrants, rows, keys }, context);
      measurements.push(...list);
      notes.push(...goalsOf(size, KINDS[kind], list));
    }
  }
  return { fingerprint, measurements, notes };
}

function rowsOf(kind, size, { seed, queries }) {
  const passes = Math.ceil(FILL_OPERATIONS / size);
  const fills = Array.from({ length: passes }, (_, pass) => cacheKeys(kind, pass * size, size));
  const keys = fills.at(-1);
  const evictPasses = Math.ceil(Math.max(size, LEAST_EVICTIONS) / EVICTIONS);
  const fresh = Array.from({ length: evictPasses }, (_, pass) =>
    cacheKeys(kind, passes * size + pass * EVICTIONS, EVICTIONS),
  );
  const indices = draws(queries, size, new Random(seed, 1));
  const rows = [
    {
      operation: FILL,
      method: "fill",
      sets: fills.map((input) => ({ keys: input, input })),
      ...{ operations: size, passes, needs: "new", leaves: "full" },
    },
    {
      operation: GET,
      method: "lookup",
      input: Array.from(indices, (index) => keys[index]),
      ...{ operations: queries, needs: "full", leaves: "full" },
      expected: indices.reduce((sum, index) => sum + index, 0),
    },
    // Last: what it leaves is full, but of other keys.
    {
      operation: EVICT,
      method: "evict",
      sets: fresh.map((input) => ({ keys, input })),
      ...{ operations: EVICTIONS, passes: evictPasses, needs: "full", leaves: "full" },
      expected: EVICTIONS - 1,
    },
  ];
  return { keys, rows: rows.map((row) => ({ ...row, operation: row.operation + KINDS[kind] })) };
}

/** What is asked of us: lru-cache in times of ours at least, ours in times of a hash at most. */
function goalsOf(size, suffix, list) {
  const goals = [
    { operation: GET, contender: "lru-cache", least: size < FILL_OPERATIONS ? 2 : 4 },
    { operation: EVICT, contender: "lru-cache", least: size < FILL_OPERATIONS ? 3 : 4 },
    { operation: GET, contender: "bpfmap-hash", most: 1.15 },
    { operation: EVICT, contender: "bpfmap-hash", beside: FILL, most: size < FILL_OPERATIONS ? 2 : 1.8 },
  ];
  return goals.flatMap(({ operation, contender, beside = operation, least, most }) => {
    const ours = roundsOf(list, operation + suffix, "bpfmap");
    const theirs = roundsOf(list, beside + suffix, contender);
    if (ours === undefined || theirs === undefined) return [];
    const [over, under] = least === undefined ? [ours, theirs] : [theirs, ours];
    const { median } = summarise(ratios(over, under, "ns"));
    const reached = least === undefined ? median <= most : median >= least;
    const goal = least === undefined ? `<= ${most}` : `>= ${least}`;
    const what = beside === operation ? operation : `${operation} beside "${beside}"`;
    const who = least === undefined ? `times of ${contender}` : `times as fast as ${contender}`;
    const verdict = reached ? "" : ", not reached";
    return [`${size} entries${suffix}: ${what}: ${median.toFixed(2)} ${who}, goal ${goal}${verdict}`];
  });
}
