// Going over all entries: one by one, and in batches of growing size, beside the live kernel through bpf(2).
import { Fingerprint } from "../data/fingerprint.mjs";
import { keysFrom } from "../data/random.mjs";
import { loadContenders, openEntrants } from "../run/entrants.mjs";
import { measureRows } from "../run/rounds.mjs";

export const name = "batch-walk";
export const title = "walks one by one and in batches";
export const defaultSizes = [500, 100_000];
export const options = {};

const CONTENDERS = ["bpfmap", "js-map", "hashbrown-wasm", "kernel-syscall"];
const BATCHES = [1, 10, 100, 1000, 10_000];
const DRAIN = 100;
/** Small maps are walked again and again, so that each turn does about as much work. */
const ENTRIES = 100_000;

export async function run(context) {
  const { seed } = context;
  const contenders = await loadContenders(context.contenders ?? CONTENDERS, context);
  const fingerprint = new Fingerprint();
  const measurements = [];
  for (const size of context.sizes) {
    if (context.stopped) break;
    const keys = keysFrom(0, size);
    const walk = {
      operations: size,
      passes: Math.ceil(ENTRIES / size),
      needs: "full",
      leaves: "full",
      expected: (size * (size - 1)) / 2,
    };
    const rows = [
      { operation: "iterator", method: "walk", ...walk },
      { operation: "nextKey + get", method: "walkKeys", ...walk },
      ...BATCHES.map((n) => ({ operation: `lookupBatch(${n})`, method: "walkBatch", input: n, ...walk })),
      {
        operation: `lookupAndDeleteBatch(${DRAIN})`,
        method: "drain",
        input: DRAIN,
        ...walk,
        leaves: "empty",
      },
    ];
    fingerprint.add(size, keys, ...rows.flatMap(({ operation, expected }) => [operation, expected]));
    const entrants = openEntrants(contenders, { size, seed, maxEntries: size, keySize: 4 }, context.skip);
    measurements.push(...(await measureRows({ size, entrants, rows, keys }, context)));
  }
  return {
    unit: "ns",
    parameters: { batches: BATCHES.join("/") },
    fingerprint: `${fingerprint}`,
    measurements,
    notes: [
      "per entry; a batch is copied out and its values are added up",
      "hashbrown-wasm is iterated over inside of its wasm, without a call per entry",
      "the kernel's HASH ends a batch at the end of a bucket, so that a batch of 1 needs a second call for each longer bucket",
    ],
  };
}
