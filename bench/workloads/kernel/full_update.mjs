// The kernel's `bench bpf-hashmap-full-update` (tools/testing/selftests/bpf/progs/bpf_hashmap_full_update_bench.c): updates of a map
// that is full. There the key that is updated, 1000 more than the number of the CPU, is none of the 1000 keys in the map, so
// that its figure is that of refused inserts; updates of keys that are there are what one thinks of first. Both are measured.
import { Fingerprint } from "../../data/fingerprint.mjs";
import { draws, keysFrom, mix, pick, Random } from "../../data/random.mjs";
import { loadContenders, openEntrants } from "../../run/entrants.mjs";
import { measureRows } from "../../run/rounds.mjs";

const CONTENDERS = [
  "bpfmap",
  "bpfmap-syscall",
  "js-map",
  "js-map-int32",
  "open-addressing",
  "hashbrown-wasm",
  "kernel-bpf",
  "kernel-bpf-noprealloc",
];

/** Refusing takes bpfmap an exception for each key, some microseconds. */
const FEWER_REFUSED = 16;

/** The workload for one type of bpfmap's maps. */
export function fullUpdate(name, type) {
  return {
    name,
    title: `updates of a full ${type}: keys that are there, and keys for which there is no room`,
    defaultSizes: [1000],
    options: {},
    run: (context) => run(context, type),
  };
}

async function run(context, type) {
  const { seed, queries } = context;
  const contenders = await loadContenders(context.contenders ?? CONTENDERS, context);
  const fingerprint = new Fingerprint();
  const measurements = [];
  for (const size of context.sizes) {
    if (context.stopped) break;
    const keys = keysFrom(0, size);
    const present = pick(keys, draws(queries, size, new Random(seed, 1)));
    const refused = Math.ceil(queries / FEWER_REFUSED);
    const absent = draws(refused, size, new Random(seed, 2)).map((draw) => mix(size + draw));
    const rows = [
      { operation: "update, existing key", method: "overwrite", input: present, operations: queries },
      {
        operation: "insert, refused (E2BIG)",
        method: "reject",
        input: absent,
        operations: refused,
        expected: refused,
      },
    ].map((row) => ({ ...row, needs: "full", leaves: "full" }));
    fingerprint.add(size, keys, present, absent);
    const open = { size, seed, maxEntries: size, keySize: 4, type };
    const entrants = openEntrants(contenders, open, context.skip);
    measurements.push(...(await measureRows({ size, entrants, rows, keys }, context)));
  }
  return {
    unit: "ns",
    parameters: { queries, type },
    fingerprint: `${fingerprint}`,
    measurements,
    notes: [
      "refused: bpfmap's set() throws a BpfError with a message and a stack, which is nearly all of its time; bpfmap-syscall " +
        "gets -E2BIG from host.bpf(), as a BPF program does from bpf_map_update_elem",
      "a contender without a limit refuses no insert",
    ],
  };
}
