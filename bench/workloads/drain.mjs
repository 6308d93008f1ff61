// Taking everything out of a map, in the ways there are.
import { Fingerprint } from "../data/fingerprint.mjs";
import { keysFrom } from "../data/random.mjs";
import { loadContenders, openEntrants } from "../run/entrants.mjs";
import { measureRows } from "../run/rounds.mjs";

export const name = "drain";
export const title = "scanning and emptying a whole map";
export const defaultSizes = [10_000, 1_000_000];
export const options = {
  drainBatch: { type: "integer", default: 4096, help: "entries of a batch" },
};

const CONTENDERS = ["bpfmap", "js-map", "hashbrown-wasm", "kernel-syscall"];
const ENTRIES = 100_000;

export async function run(context) {
  const { seed } = context;
  const { drainBatch: input } = context.options;
  const contenders = await loadContenders(context.contenders ?? CONTENDERS, context);
  const fingerprint = new Fingerprint();
  const measurements = [];
  for (const size of context.sizes) {
    if (context.stopped) break;
    const keys = keysFrom(0, size);
    const all = {
      input,
      operations: size,
      passes: Math.ceil(ENTRIES / size),
      needs: "full",
      expected: (size * (size - 1)) / 2,
    };
    const rows = [
      { operation: "scan, copied out", method: "walkBatch", ...all, leaves: "full" },
      { operation: "drain with a cursor, copied out", method: "drain", ...all, leaves: "empty" },
      { operation: "drain with a cursor, entries decoded", method: "drainDecoded", ...all, leaves: "empty" },
      {
        operation: "drain without a cursor, entries decoded",
        method: "drainIterator",
        ...all,
        leaves: "empty",
      },
      { operation: "drain without a cursor, copied out", method: "drainAny", ...all, leaves: "empty" },
    ];
    fingerprint.add(size, keys, ...rows.flatMap(({ operation, expected }) => [operation, expected]));
    const entrants = openEntrants(contenders, { size, seed, maxEntries: size, keySize: 4 }, context.skip);
    measurements.push(...(await measureRows({ size, entrants, rows, keys }, context)));
  }
  return {
    unit: "ns",
    parameters: { batch: input },
    fingerprint: `${fingerprint}`,
    measurements,
    notes: [
      "with a cursor: lookupBatch, lookupAndDeleteBatch, and the kernel's; entries decoded: batch.entries()",
      "without a cursor, decoded: map.drain() (a Map: for-of and delete); copied out: what map.drain() calls in the core",
    ],
  };
}
