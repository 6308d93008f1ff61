// The kernel's `bench bpf-hashmap-lookup` (tools/testing/selftests/bpf/benchs/bench_bpf_hashmap_lookup.c), with its options and
// defaults: the keys 1 to nr_entries in a hash with room for max_entries, looked up in this order again and again. A processor
// learns such an order, so the second row takes the same keys at random.

import { Fingerprint } from "../../data/fingerprint.mjs";
import { draws, pick, Random } from "../../data/random.mjs";
import { loadContenders, openEntrants } from "../../run/entrants.mjs";
import { measureRows } from "../../run/rounds.mjs";
import { UsageError } from "../../run/usage_error.mjs";

export const name = "hashmap-lookup";
export const title = "lookups in a hash, as the kernel's bench bpf-hashmap-lookup";
export const options = {
  keySize: { type: "integer", default: 4, least: 4, help: "bytes of a key, a multiple of 4 up to 1024" },
  nrEntries: { type: "integer", default: 500, help: "entries in the map; --sizes goes before it" },
  maxEntries: { type: "integer", help: "room in the map (default twice the entries, so 1000)" },
  nrLoops: { type: "integer", default: 1_000_000, help: "lookups of a pass" },
};

const CONTENDERS = ["bpfmap", "js-map", "js-map-int32", "open-addressing", "hashbrown-wasm", "kernel-bpf"];

export async function run(context) {
  const { seed } = context;
  const { keySize, nrEntries, nrLoops } = context.options;
  if (keySize % 4 !== 0 || keySize > 1024) {
    throw new UsageError(`--key-size: must be a multiple of 4 up to 1024, got ${keySize}`);
  }
  const contenders = await loadContenders(context.contenders ?? CONTENDERS, context);
  const fingerprint = new Fingerprint().add(keySize);
  const measurements = [];
  for (const size of context.sizes ?? [nrEntries]) {
    if (context.stopped) break;
    const { maxEntries = 2 * size } = context.options;
    if (maxEntries < size)
      throw new UsageError(`--max-entries: ${size} entries need more room than ${maxEntries}`);
    const keys = Uint32Array.from({ length: size }, (_, i) => i + 1);
    const inOrder = Uint32Array.from({ length: nrLoops }, (_, i) => i % size);
    const atRandom = draws(nrLoops, size, new Random(seed, 1));
    const rows = [
      ["lookup, in order", inOrder],
      ["lookup, at random", atRandom],
    ].map(([operation, indices]) => ({
      operation,
      method: "lookup",
      input: pick(keys, indices),
      operations: nrLoops,
      needs: "full",
      leaves: "full",
      expected: indices.reduce((sum, index) => sum + index, 0),
    }));
    for (const { input, expected } of rows) fingerprint.add(size, input, expected);
    const entrants = openEntrants(
      contenders,
      { size, seed, maxEntries, keySize, type: "hash" },
      context.skip,
    );
    measurements.push(...(await measureRows({ size, entrants, rows, keys }, context)));
  }
  return {
    unit: "ns",
    parameters: { keySize, nrLoops },
    fingerprint: `${fingerprint}`,
    measurements,
    notes: [
      'bpfmap is a map of type "hash" here',
      ...(keySize > 4 ? ["js-map has a string of one character per byte for each key, made in advance"] : []),
    ],
  };
}
