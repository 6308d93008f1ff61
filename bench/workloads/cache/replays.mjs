// Loads replayed through each cache: a key that is not there is put there. Hit ratios, and nanoseconds of an access.
import { exactLruHits } from "../../caches/exact_lru.mjs";
import { cacheKeys } from "../../data/cache_keys.mjs";
import { CACHE_LOADS, cacheLoad } from "../../data/cache_loads.mjs";
import { Fingerprint } from "../../data/fingerprint.mjs";
import { rotated } from "../../run/rounds.mjs";
import { cacheEntrants } from "./entrants.mjs";

/** Shares of the keys that the caches have room for. */
const SHARES = [0.001, 0.01, 0.1];
/** The loop is made for one of them. */
const SHARES_OF = { loop: [0.1] };
/** Strings have the same hits: one load shows the time. */
const LOADS_OF = { u32: CACHE_LOADS, text: ["zipf 0.99"] };
/** Hits hardly differ from round to round. */
const MOST_ROUNDS = 3;
/** Accesses of the round before those that count. */
const WARM_UP = 1 << 18;

const LOOPS = {
  replay: [
    "input",
    `const { keys, draws } = input;
    let hits = 0;
    for (let i = 0; i < draws.length; i++) {
      const key = keys[draws[i]];
      if (map.get(key) !== undefined) hits++;
      else map.set(key, i);
    }
    return hits;`,
  ],
};

export async function replayLoads(caches, context) {
  const { seed, options, skip } = context;
  const fingerprint = new Fingerprint();
  const measurements = [];
  const evicting = caches.filter(({ evicts = true }) => evicts);
  const exact = evicting.filter(({ exact }) => exact).map(({ name }) => name);
  for (const [kind, loads] of Object.entries(LOADS_OF)) {
    const keys = cacheKeys(kind, 0, 2 * options.keys);
    for (const load of loads) {
      const draws = cacheLoad(load, options.keys, seed);
      fingerprint.add(load, draws);
      for (const share of SHARES_OF[load] ?? SHARES) {
        if (context.stopped) break;
        const size = Math.ceil(options.keys * share);
        const lru = exactLruHits(draws, size, 2 * options.keys);
        fingerprint.add(size, lru);
        const operation = `${load}, ${100 * share} % of the keys${kind === "text" ? ", strings" : ""}`;
        const entrants = cacheEntrants(evicting, kind, size, LOOPS, skip);
        measurements.push(...replay({ size, operation, entrants, keys, draws, exact, lru }, context));
      }
    }
  }
  return { fingerprint, measurements, notes: NOTES };
}

const NOTES = [
  "hits and ns of an access: each load is read through an empty cache; a key that is not there is put there",
  "quick-lru keeps up to twice as many entries as it is asked for, ttlcache evicts the oldest; the other packages are exact LRU",
  "kernel-lru: a BPF program, timed by the kernel; a lookup by bpf(2) would protect nothing from eviction",
];

/** Replays one load, each cache in turn. Those that are `exact` have the hits `lru`, or their figures are of something else. */
function replay({ size, operation, entrants, keys, draws, exact, lru }, context) {
  const rounds = Math.min(context.rounds, MOST_ROUNDS);
  const runs = new Map(entrants.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    context.progress(`${operation}: round ${round} of ${rounds}`);
    for (const entrant of rotated(entrants, round)) {
      if (context.stopped) break;
      const input = { keys, draws: round === 0 ? draws.subarray(0, WARM_UP) : draws };
      const run = onePass(entrant, input);
      if (round === 0) continue;
      if (exact.includes(entrant.name) && run.hits !== lru)
        throw new Error(`${operation}: ${entrant.name} has ${run.hits} hits, LRU ${lru}`);
      runs.get(entrant.name).push(run);
    }
  }
  for (const entrant of entrants) entrant.close();
  return [...runs]
    .filter(([, list]) => list.length > 0)
    .flatMap(([contender, list]) => [
      {
        size,
        operation,
        contender,
        unit: "% hits",
        rounds: list.map(({ hits }) => (100 * hits) / draws.length),
      },
      { size, operation, contender, unit: "ns", rounds: list.map(({ ns }) => ns / draws.length) },
    ]);
}

/** Through a new cache. */
function onePass(entrant, input) {
  entrant.renew();
  globalThis.gc?.(); // the garbage of the contender before
  const start = process.hrtime.bigint();
  const hits = entrant.subject.replay(input);
  const ns = Number(process.hrtime.bigint() - start);
  return { hits, ns: entrant.subject.ownNs?.() ?? ns };
}
