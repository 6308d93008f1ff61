// What more threads bring, in words.
import { formatRatio, formatSize, formatSpread } from "../run/format.mjs";
import { ratios, summarise } from "../run/statistics.mjs";
import { nameOf } from "./turns.mjs";

const show = (summary) => `${formatRatio(summary.median)} (${formatSpread(summary)})`;

/** The goal, where there is one, and whether it is reached. */
function goalText({ median }, least) {
  if (least === undefined) return "";
  return `, goal >= ${least}x${median >= least ? "" : ", not reached"}`;
}

/**
 * How many times as much the larger numbers of threads do as the smallest, for each row and contender; and how many times as much as
 * sharedmap ours does.
 *
 * @param {object[]} measurements
 * @param {{ size: number, rows: import("./turns.mjs").Row[], threads: number[], names: string[] }} run
 * @param {{ scaling: number, sharedmap: number }} goals   of rows with `goal`: of two threads over one, and over sharedmap
 * @returns {{ notes: string[], details: object[] }}
 */
export function scalingOf(measurements, { size, rows, threads, names }, goals) {
  const rates = (row, count, contender) =>
    measurements.find(
      (line) =>
        line.size === size &&
        line.unit === "Mops/s" &&
        line.contender === contender &&
        line.operation === nameOf({ row, count }),
    )?.rounds;
  const [least, ...more] = threads.toSorted((a, b) => a - b);
  const notes = [];
  const details = [];
  const entries = `${formatSize(size)} entries`;
  for (const row of rows) {
    for (const count of more) {
      const words = [];
      for (const contender of names) {
        const [few, many] = [least, count].map((count) => rates(row, count, contender));
        if (few === undefined || many === undefined) continue;
        const rounds = many.slice(0, few.length).map((rate, round) => rate / few[round]);
        details.push({ size, operation: row.operation, contender, threads: [least, count], rounds });
        const promised = contender === "bpfmap" && row.goal && least === 1 && count === 2;
        const summary = summarise(rounds);
        words.push(`${contender} ${show(summary)}${goalText(summary, promised ? goals.scaling : undefined)}`);
      }
      const what = `${count} threads / ${least === 1 ? "1 thread" : `${least} threads`}`;
      if (words.length > 0) notes.push(`${row.operation}, ${entries}: ${what}: ${words.join("; ")}`);
    }
    if (!row.goal) continue;
    for (const count of threads) {
      const [theirs, ours] = ["sharedmap", "bpfmap"].map((contender) => rates(row, count, contender));
      if (theirs === undefined || ours === undefined) continue;
      const summary = summarise(ratios(theirs, ours, "Mops/s"));
      const many = `bpfmap does ${show(summary)} what sharedmap does${goalText(summary, goals.sharedmap)}`;
      notes.push(`${nameOf({ row, count })}, ${entries}: ${many}`);
    }
  }
  return { notes, details };
}
