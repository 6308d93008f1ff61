// The kernel's `bench htab-mem` (tools/testing/selftests/bpf/benchs/bench_htab_mem.c and progs/htab_mem_bench.c): 64 keys in a map with
// room for 8192 that does not preallocate, overwritten, or added and deleted again. There one "op" is 64 updates; here each update or
// deletion counts. First on one CPU, beside all contenders; then by several producers in threads, beside those that threads can share,
// each with 64 keys of its own, or two with the same 64: one adds them and the other deletes them, in turn.
import { BPF_F_NO_PREALLOC } from "../../../dist/index.js";
import { Fingerprint } from "../../data/fingerprint.mjs";
import { loadContenders, openEntrants } from "../../run/entrants.mjs";
import { measureRows } from "../../run/rounds.mjs";
import { ONLY_THREADS } from "../../threads/contenders/index.mjs";
import { SECONDS } from "../../threads/options.mjs";
import { repeatedStream } from "../../threads/streams.mjs";
import { measureTurns } from "../../threads/turns.mjs";
import { threadContenders } from "../../threads/workload.mjs";

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

/** Those whose map is one for all threads. */
const THREAD_CONTENDERS = ["bpfmap", "sharedmap", "lmdb", "post-message"];

/** The workload for one type of bpfmap's maps. */
export function mem(name, type) {
  return {
    name,
    title: `64 keys overwritten, or added and deleted, and the memory that takes; bpfmap's ${type}`,
    options: {
      producers: {
        type: "integer",
        default: 2,
        most: 63,
        help: "threads of the rows in threads; an even number for those of pairs",
      },
      seconds: SECONDS,
    },
    run: (context) => run(context, type),
  };
}

async function run(context, type) {
  const { producers, seconds } = context.options;
  const alone = await runAlone(context, type);
  const threads = producers > 1 && !context.stopped ? await runProducers(context, type) : [];
  const skipped =
    producers % 2 === 0
      ? []
      : [
          {
            contender: "bpfmap",
            reason: `adding and deleting on different CPUs: needs an even number of producers, got ${producers}`,
          },
        ];
  return {
    ...alone,
    parameters: { ...alone.parameters, producers, seconds },
    measurements: [...alone.measurements, ...threads],
    skipped,
    notes: [
      "the same 64 keys in the same order each time, as in the kernel: a processor learns them",
      "Mops/s: millions of updates and deletions per second, of all producers together; a ratio above 1 is how many times as many " +
        "bpfmap does",
      "by producers: each has 64 keys of its own; on different CPUs: of two, one adds 64 keys and the other deletes them, in turn, " +
        "so that the time to wake the other one counts",
      "lmdb: one transaction for 64 updates; post-message: one message for them, and the owner of the map is one thread more",
    ],
  };
}

/** By threads that share a map. */
function runProducers(context, type) {
  const { producers, seconds } = context.options;
  const rows = [
    { operation: "overwrite", method: "overwrite", stream: "own" },
    { operation: "add 64, delete 64", method: "addDelete", stream: "own", each: 2, expected: allOf },
    { operation: "add and delete on different CPUs", method: "alternate", stream: "pair", expected: allOf },
  ].map((row) => ({ ...row, group: KEYS, memory: true }));
  // As in the kernel: keys of one producer and the next are neighbours.
  const keysOf = (first, step) =>
    repeatedStream(Uint32Array.from({ length: KEYS }, (_, i) => first + i * step));
  const streams = Array.from({ length: producers }, (_, thread) => ({
    own: keysOf(thread, producers),
    pair: keysOf(thread >> 1, producers >> 1),
  }));
  const run = {
    size: KEYS,
    rows: producers % 2 === 0 ? rows : rows.slice(0, -1),
    streams,
    threads: [producers],
    seconds,
    names: threadContenders(context.contenders, THREAD_CONTENDERS),
    open: { kind: "empty", keys: new Uint32Array(0), maxEntries: MAX_ENTRIES, type, flags: flagsOf(type) },
  };
  return measureTurns(run, context);
}

/** Every key was there to be deleted. */
const allOf = (_stream, operations) => operations;

const flagsOf = (type) => (type === "hash" ? BPF_F_NO_PREALLOC : 0);

/** By one thread. */
async function runAlone(context, type) {
  const { seed, queries } = context;
  const names = (context.contenders ?? CONTENDERS).filter((name) => !ONLY_THREADS.includes(name));
  const contenders = await loadContenders(names, context);
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
  const open = { size: KEYS, seed, maxEntries: MAX_ENTRIES, keySize: 4, type, flags: flagsOf(type) };
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
