import { WORKLOADS } from "../workloads/index.mjs";

/**
 * Runs one workload.
 *
 * @param {string} name
 * @param {object} task   what the command line says: sizes (or undefined), seed, rounds, queries, contenders (or undefined), own
 *   (the values of the workload's own options)
 * @param {(text: string) => void} progress
 * @param {() => boolean} isStopped   whether Ctrl-C asks it to end with what it has
 */
export async function runWorkload(name, task, progress, isStopped) {
  const { title, defaultSizes, run } = await WORKLOADS[name]();
  const { sizes = defaultSizes, seed, rounds, queries, contenders, own } = task;
  const skipped = [];
  const notes = [];
  const { workload = name, ...result } = await run({
    sizes,
    seed,
    rounds,
    queries,
    options: own,
    contenders,
    progress: (text) => progress(`${name}: ${text}`),
    note: (text) => notes.push(text),
    skip: (contender, reason) => {
      if (skipped.some((entry) => entry.contender === contender && entry.reason === reason)) return;
      skipped.push({ contender, reason });
    },
    get stopped() {
      return isStopped();
    },
  });
  return {
    workload,
    title,
    ...result,
    skipped: [...skipped, ...(result.skipped ?? [])],
    notes: [...(result.notes ?? []), ...notes, ...(isStopped() ? ["stopped before its end by Ctrl-C"] : [])],
  };
}
