// What the workloads in threads have in common.
import { Fingerprint } from "../data/fingerprint.mjs";
import { keysFrom } from "../data/random.mjs";
import { THREAD_CONTENDERS } from "./contenders/index.mjs";
import { GROUP } from "./contenders/sizes.mjs";
import { SECONDS, THREADS } from "./options.mjs";
import { scalingOf } from "./scaling.mjs";
import { sumRead } from "./streams.mjs";
import { measureTurns } from "./turns.mjs";

const NOTES = [
  "Mops/s: millions of operations per second, of all threads together; a ratio above 1 is how many times as many bpfmap does",
  "bpfmap-unshared: a plain host in each thread, which shares nothing: more than it gains from two threads the machine does not give",
  "js-map: a Map in each thread, which does not see what the others write",
  "post-message: the owner of its Map is one thread more; every request waits for its answer",
  `${GROUP} at a time: one call for ${GROUP} keys (one for those that are read, one for those that are written), one message for ${GROUP} ` +
    "requests, one transaction of lmdb for the writes of a group; else each set of lmdb is a transaction",
];

/** The contenders of a workload in threads, by those asked for. */
export const threadContenders = (asked, all = Object.keys(THREAD_CONTENDERS)) =>
  all.filter((name) => asked?.includes(name) ?? true);

/**
 * A workload with rows that are measured with several numbers of threads.
 *
 * @param {object} workload
 * @param {string} workload.name
 * @param {string} workload.title
 * @param {"values" | "counters"} workload.kind of table
 * @param {string} [workload.type] of the maps of bpfmap, where it is not that of the kind
 * @param {(keys: Uint32Array, thread: number, context: object) => object} workload.streams   those of a thread
 * @param {import("./turns.mjs").Row[]} workload.rows   `goal` on those that promises are made about
 * @param {{ scaling: number, sharedmap: number }} workload.goals
 * @param {(crew, log, keys: Uint32Array) => Promise<void>} [workload.check]
 * @param {string[]} [workload.notes]
 */
export function threadWorkload({ name, title, kind, type, streams, rows, goals, check, notes = [] }) {
  return {
    name,
    title,
    defaultSizes: [10_000, 1_000_000],
    options: { threads: THREADS, seconds: SECONDS },
    async run(context) {
      const { threads, seconds } = context.options;
      const fingerprint = new Fingerprint();
      const measurements = [];
      const scaling = { notes: [], details: [] };
      for (const size of context.sizes) {
        if (context.stopped) break;
        const keys = keysFrom(0, size);
        context.progress(`${size} entries: streams`);
        const all = Array.from({ length: Math.max(...threads) }, (_, thread) =>
          streams(keys, thread, context),
        );
        fingerprint.add(size, keys, ...rows.map(({ operation }) => operation));
        for (const own of all) {
          for (const { values, writes = "" } of Object.values(own)) fingerprint.add(values, writes);
        }
        const names = threadContenders(context.contenders);
        const list = await measureTurns(
          {
            size,
            rows,
            streams: all,
            threads,
            seconds,
            names,
            open: { keys, kind, type },
            check: check === undefined ? undefined : (crew, log) => check(crew, log, keys),
          },
          context,
        );
        const found = scalingOf(list, { size, rows, threads, names }, goals);
        measurements.push(...list);
        scaling.notes.push(...found.notes);
        scaling.details.push(...found.details);
      }
      return {
        unit: "Mops/s",
        parameters: { threads: threads.join("/"), seconds, queries: context.queries },
        fingerprint: `${fingerprint}`,
        measurements,
        notes: [...scaling.notes, ...NOTES, ...notes],
        details: { scaling: scaling.details },
      };
    },
  };
}

/** Of methods that read: what the threads must have read. */
export const readRow = (row) => ({ ...row, expected: sumRead });
