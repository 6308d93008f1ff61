// What a shared host costs a program that uses it from one thread: bpfmap on a shared host beside bpfmap on a plain one, in turn.
import { Fingerprint } from "../../data/fingerprint.mjs";
import { loadContenders, openEntrants } from "../../run/entrants.mjs";
import { measureRows } from "../../run/rounds.mjs";
import { ratios, roundsOf, summarise } from "../../run/statistics.mjs";
import { drawn, prepare, rowsOf } from "../operations.mjs";

export const name = "shared-overhead";
export const title = "single-threaded use of a shared host beside a plain one";
export const defaultSizes = [1_000_000];
export const options = {
  batch: { type: "integer", default: 256, help: "keys of a batch call" },
};

const PLAIN = "bpfmap";
const SHARED = "bpfmap-shared";

/** The size that promises are made about. */
const PROMISED = 1_000_000;
/** How many times as long as on a plain host, at most, by the method of the row. */
const MOST = {
  lookup: 1.35,
  miss: 1.35,
  insert: 1.6,
  overwrite: 1.6,
  lookupMany: 1.3,
  lookupManyOwn: 1.3,
  insertMany: 1.3,
  removeMany: 1.3,
  walkBatch: 1.3,
};

export async function run(context) {
  const { seed, options } = context;
  const contenders = await loadContenders([PLAIN, SHARED], context);
  const fingerprint = new Fingerprint();
  const measurements = [];
  const notes = [];
  for (const size of context.sizes) {
    if (context.stopped) break;
    const data = prepare(size, context);
    const rows = withScan(rowsOf(size, data, options.batch), size, options.batch);
    fingerprint.add(size, ...drawn(data));
    for (const { operation, expected } of rows) fingerprint.add(operation, expected ?? "");
    const entrants = openEntrants(contenders, { size, seed, maxEntries: size, keySize: 4 }, context.skip);
    const list = await measureRows({ size, entrants, rows, keys: data.keys }, context);
    measurements.push(...list);
    notes.push(...rows.flatMap((row) => verdictOf(row, size, list)));
  }
  return {
    unit: "ns",
    parameters: { queries: context.queries, batch: options.batch },
    fingerprint: `${fingerprint}`,
    measurements,
    notes: [
      ...notes,
      "per operation, for batches per key; each of the two has the library, its core and its loops for itself",
    ],
  };
}

/** With a scan of the full map, where the keys still have their own values: before these are overwritten. */
function withScan(rows, size, batch) {
  const scan = {
    operation: `lookupBatch(${batch})`,
    method: "walkBatch",
    input: batch,
    operations: size,
    needs: "full",
    leaves: "full",
    expected: (size * (size - 1)) / 2,
  };
  const at = rows.findIndex(({ method }) => method === "overwrite");
  return rows.toSpliced(at, 0, scan);
}

function verdictOf({ operation, method }, size, list) {
  const of = (name) => roundsOf(list, operation, name);
  const [plain, shared] = [of(PLAIN), of(SHARED)];
  const most = size === PROMISED ? MOST[method] : undefined;
  if (most === undefined || plain === undefined || shared === undefined) return [];
  const { median } = summarise(ratios(shared, plain, "ns"));
  const verdict = median <= most ? "" : ", not reached";
  return [`${operation}: ${median.toFixed(2)} times a plain host, goal <= ${most}${verdict}`];
}
