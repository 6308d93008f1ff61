// Reads and writes in a mix, of keys of which some are far more frequent than others: what a cache or a flow table sees.
import { DEFAULT_CONTENDERS } from "../contenders/index.mjs";
import { Fingerprint } from "../data/fingerprint.mjs";
import { keysFrom, pick, Random, shuffled } from "../data/random.mjs";
import { Zipf } from "../data/zipf.mjs";
import { loadContenders, openEntrants } from "../run/entrants.mjs";
import { measureRows } from "../run/rounds.mjs";

export const name = "mixed";
export const title = "90 % get, 10 % set of existing keys, zipfian";
export const defaultSizes = [10_000, 1_000_000];
export const options = {};

const THETA = 0.99;
const WRITES = 0.1;

export async function run(context) {
  const { seed, queries } = context;
  const contenders = await loadContenders(context.contenders ?? DEFAULT_CONTENDERS, context);
  const fingerprint = new Fingerprint();
  const measurements = [];
  for (const size of context.sizes) {
    if (context.stopped) break;
    const keys = keysFrom(0, size);
    const input = mixOf(size, keys, context);
    const row = {
      operation: "get (90 %) or set (10 %)",
      method: "mixed",
      input,
      operations: queries,
      needs: "full",
      leaves: "full",
      expected: input.values.reduce((sum, value, i) => (input.writes[i] === 1 ? sum : sum + value), 0),
    };
    fingerprint.add(size, input.keys, input.values, input.writes, row.expected);
    const entrants = openEntrants(contenders, { size, seed, maxEntries: size, keySize: 4 }, context.skip);
    measurements.push(...(await measureRows({ size, entrants, rows: [row], keys }, context)));
  }
  return {
    unit: "ns",
    parameters: { queries, theta: THETA, writes: WRITES },
    fingerprint: `${fingerprint}`,
    measurements,
    notes: ["which key is how frequent has nothing to do with the order in which the keys were inserted"],
  };
}

/** The operations: a key each, whether it is written, and the value it has and keeps, so that every pass is the same work. */
function mixOf(size, keys, { seed, queries }) {
  const zipf = new Zipf(size, new Random(seed, 1), THETA);
  const random = new Random(seed, 2);
  const byRank = shuffled(
    keys.map((_, index) => index),
    new Random(seed, 3),
  );
  const values = new Uint32Array(queries);
  const writes = new Uint8Array(queries);
  for (let i = 0; i < queries; i++) {
    values[i] = byRank[zipf.next()];
    writes[i] = random.unit() < WRITES ? 1 : 0;
  }
  return { keys: pick(keys, values), values, writes };
}
