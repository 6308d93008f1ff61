// The KV store beside a JS Map of typed arrays that copies as much: values of 64 bytes, random keys.

import { importCopy } from "../contenders/copy.mjs";
import { Fingerprint } from "../data/fingerprint.mjs";
import { Random } from "../data/random.mjs";
import { Entrant } from "../run/entrants.mjs";
import { measureRows } from "../run/rounds.mjs";
import { ratios, roundsOf, summarise } from "../run/statistics.mjs";

export const name = "kv";
export const title = "KV store, values of 64 bytes, beside a JS Map of typed arrays";
/** 16 pages, and nearly as many as a store may have. */
export const defaultSizes = [1000, 8000];
export const options = {};

const MOST = 8000;
const QUERIES = 100_000;
const SUBJECTS = {
  bpfmap: () => import("../contenders/kv/bpfmap.mjs"),
  "bpfmap-shared": () =>
    importCopy(["bench/contenders/kv/bpfmap.mjs", "bench/contenders/kv/value.mjs", "dist"]),
  "js-map": () => import("../contenders/kv/js_map.mjs"),
};
const GET = "get, a copy";

export async function run(context) {
  const { seed, queries = QUERIES, contenders = Object.keys(SUBJECTS) } = context;
  const subjects = [];
  for (const name of Object.keys(SUBJECTS)) {
    if (!contenders.includes(name)) continue;
    const { load } = await SUBJECTS[name]();
    subjects.push([name, load({ seed, shared: name === "bpfmap-shared" })]);
  }
  const fingerprint = new Fingerprint();
  const measurements = [];
  const notes = [];
  for (const size of context.sizes) {
    if (context.stopped) break;
    if (size > MOST) {
      context.skip("kv", `${size} values of 64 bytes are more than a store takes`);
      continue;
    }
    const random = new Random(seed, 0);
    const draws = Uint32Array.from({ length: queries }, () => random.below(size));
    const keys = Uint32Array.from({ length: size }, (_, i) => i);
    const all = { input: draws, operations: queries, needs: "full", leaves: "full" };
    const sum = draws.reduce((total, key) => total + (key & 255), 0);
    const rows = [
      { operation: GET, method: "get", ...all, expected: sum },
      { operation: "get into a buffer", method: "copy", ...all, expected: sum },
      { operation: "put of the same size", method: "put", ...all },
      { operation: "put of 32 bytes, put of 64", method: "resize", ...all },
      { operation: "a counter: set(get() + 1) of a pair", method: "count", ...all, expected: queries },
    ];
    fingerprint.add(size, draws, ...rows.flatMap(({ operation, expected = "" }) => [operation, expected]));
    const entrants = subjects.map(([name, open]) => new Entrant(name, open, { maxEntries: size }));
    const list = await measureRows({ size, entrants, rows, keys }, context);
    measurements.push(...list);
    notes.push(...verdictOf(size, list));
  }
  return {
    unit: "ns",
    parameters: { queries, bytes: 64 },
    fingerprint: `${fingerprint}`,
    measurements,
    notes: [
      ...notes,
      "js-map: keys are integers, values Uint8Arrays that are copied in and out; its counter has a string for a key",
    ],
  };
}

function verdictOf(size, list) {
  const of = (name) => roundsOf(list, GET, name);
  const [ours, map] = [of("bpfmap"), of("js-map")];
  if (ours === undefined || map === undefined) return [];
  const { median } = summarise(ratios(map, ours, "ns"));
  const verdict = median >= 1 ? "" : ", not reached";
  return [`${size} keys: ${GET}: ${median.toFixed(2)} times as fast as a JS Map, goal >= 1${verdict}`];
}
