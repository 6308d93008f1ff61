// The kernel's `bench htab-mem` (tools/testing/selftests/bpf/benchs/bench_htab_mem.c and progs/htab_mem_bench.c) on one CPU: 64 keys in
// a map with room for 8192 that does not preallocate, overwritten, or added and deleted again. There one "op" is 64 updates; here
// each update or deletion counts.
import { BPF_F_NO_PREALLOC } from "../../dist/index.js";
import { Fingerprint } from "../data/fingerprint.mjs";
import { loadContenders, openEntrants } from "../run/entrants.mjs";
import { measureRows } from "../run/rounds.mjs";

/** OP_BATCH, and max_entries, of the original. */
const KEYS = 64;
const MAX_ENTRIES = 8192;

const CONTENDERS = [
  "bpfmap",
  "js-map",
  "js-map-int32",
  "open-addressing",
  "hashbrown-wasm",
  "kernel-bpf",
  "kernel-bpf-noprealloc",
];

/** The workload for one type of bpfmap's maps. */
export function mem(name, type) {
  return {
    name,
    title: `64 keys overwritten, or added and deleted, and the memory that takes; bpfmap's ${type}`,
    options: {},
    run: (context) => run(context, type),
  };
}

async function run(context, type) {
  const { seed, queries } = context;
  const contenders = await loadContenders(context.contenders ?? CONTENDERS, context);
  const keys = Uint32Array.from({ length: KEYS }, (_, i) => i);
  const repeats = Math.ceil(queries / KEYS);
  const again = Uint32Array.from({ length: repeats * KEYS }, (_, i) => i % KEYS);
  const each = { operations: 2 * again.length, needs: "empty", leaves: "empty", expected: again.length };
  const rows = [
    {
      operation: "overwrite",
      method: "overwrite",
      input: again,
      operations: again.length,
      needs: "full",
      leaves: "full",
    },
    {
      operation: "add 64, delete 64",
      method: "remove",
      pass: addDelete,
      input: { keys, repeats },
      ...each,
    },
    {
      operation: "add 64, delete 64, in batches",
      method: "removeMany",
      pass: addDeleteBatch,
      input: { batches: [keys], repeats },
      ...each,
    },
  ];
  const flags = type === "hash" ? BPF_F_NO_PREALLOC : 0;
  const open = { size: KEYS, seed, maxEntries: MAX_ENTRIES, keySize: 4, type, flags };
  const entrants = openEntrants(contenders, open, context.skip);
  const memory = entrants
    .filter(({ subject }) => subject.bytes !== undefined)
    .map((entrant) => {
      const rounds = Array.from({ length: context.rounds }, () => bytesOf(entrant, keys));
      return { size: KEYS, operation: "memory", contender: entrant.name, unit: "bytes", rounds };
    });
  const measurements = await measureRows({ size: KEYS, entrants, rows, keys }, context);
  return {
    unit: "ns",
    parameters: { maxEntries: MAX_ENTRIES, updates: again.length, type },
    fingerprint: `${new Fingerprint().add(keys, again, ...rows.map(({ operation, expected }) => operation + expected))}`,
    measurements: [...measurements, ...memory],
    skipped: [
      {
        contender: "bpfmap",
        reason:
          "adding and deleting on different CPUs: a host has one thread so far; that comes with the shared build",
      },
    ],
    notes: ["the same 64 keys in the same order each time, as in the kernel: a processor learns them"],
  };
}

/** Of a new map with all keys: a hash with a seed of its own puts them elsewhere each time, and takes memory there. */
function bytesOf(entrant, keys) {
  entrant.renew();
  entrant.bring("full", keys);
  return entrant.subject.bytes();
}

function addDelete(subject, { keys, repeats }) {
  let removed = 0;
  let ownNs = subject.ownNs === undefined ? undefined : 0;
  for (let i = 0; i < repeats; i++) {
    subject.insert(keys);
    if (ownNs !== undefined) ownNs += subject.ownNs();
    removed += subject.remove(keys);
    if (ownNs !== undefined) ownNs += subject.ownNs();
  }
  return { result: removed, ownNs };
}

function addDeleteBatch(subject, { batches, repeats }) {
  let removed = 0;
  for (let i = 0; i < repeats; i++) {
    subject.insertMany(batches);
    removed += subject.removeMany(batches);
  }
  return { result: removed, ownNs: undefined };
}
