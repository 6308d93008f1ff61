// The pause of single operations while a map grows from empty and shrinks to empty again.

import { Fingerprint } from "../data/fingerprint.mjs";
import { histogramOf, percentilesOf } from "../latency/histogram.mjs";
import { runChild } from "../run/run_child.mjs";
import { summarise } from "../run/statistics.mjs";

export const name = "grow-pause";
export const title = "each operation timed, growing from empty and shrinking to empty in random order";
export const defaultSizes = [1_000_000, 16_000_000];

/**
 * The clock read with nothing in between, and with nothing but fresh memory touched in between, show what pauses are the
 * machine's own.
 */
const MACHINE = ["clock", "fresh-memory"];
const CONTENDERS = ["bpfmap", "js-map", ...MACHINE];
const CLASSES = ["insert", "delete"];
/** What one call may do, whatever the size. */
const MOST_SPLITS = 1;
const MOST_MERGES = 2;

export async function run(context) {
  const names = CONTENDERS.filter(
    (name) => MACHINE.includes(name) || (context.contenders ?? CONTENDERS).includes(name),
  );
  const fingerprint = new Fingerprint();
  const result = { measurements: [], notes: [], details: { sizes: [] } };
  for (const size of context.sizes) {
    if (context.stopped) break;
    const runs = await runInTurn(size, names, context);
    // Ctrl-C before the first round of this size was complete.
    if (Object.values(runs).some((list) => list.length === 0)) break;
    result.measurements.push(...measurementsOf(size, runs));
    result.notes.push(...notesOf(size, runs));
    result.details.sizes.push({ size, contenders: detailsOf(runs) });
    fingerprint.add(size, context.seed);
  }
  return {
    parameters: { rounds: context.rounds, keys: 4, values: 8 },
    fingerprint: `${fingerprint}`,
    ...result,
    notes: [
      "every round of a contender is a process of its own; the clock's own time is in all figures (see p50 of clock)",
      "clock: nothing between the two readings; fresh-memory: one byte is written, 20 bytes further each time, which takes as " +
        "much new memory from the machine as bpfmap does",
      ...result.notes,
    ],
  };
}

/** Each contender in a child of its own, A B C A B C. */
async function runInTurn(size, names, { rounds, seed, progress }) {
  const runs = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < names.length; i++) {
      const contender = names[(round + i) % names.length];
      progress(`${size} entries, round ${round + 1} of ${rounds}: ${contender}`);
      const answer = await runChild("grow.mjs", { contender, size, seed });
      if (answer === undefined) return runs;
      const latency = { insert: latencyOf(answer.insert), delete: latencyOf(answer.delete) };
      runs[contender].push({ ...answer, latency });
    }
  }
  return runs;
}

const latencyOf = (sent) => ({
  ...percentilesOf(histogramOf([sent])),
  "worst, not preempted": sent.worstUndisturbed,
});

function measurementsOf(size, runs) {
  const list = [];
  for (const operation of CLASSES) {
    for (const [contender, rounds] of Object.entries(runs)) {
      for (const row of Object.keys(rounds[0].latency[operation])) {
        const numbers = rounds.map(({ latency }) => latency[operation][row]);
        list.push({ size, operation: `${operation}, ${row}`, contender, unit: "ns", rounds: numbers });
      }
    }
  }
  for (const what of ["splits", "merges", "movedEntries"]) {
    if (runs.bpfmap === undefined) break;
    const numbers = runs.bpfmap.map(({ work }) => work[what]);
    list.push({
      size,
      operation: `${what} of one call, at most`,
      contender: "bpfmap",
      unit: "count",
      rounds: numbers,
    });
  }
  return list;
}

function workNote(size, rounds) {
  const most = (what) => Math.max(...rounds.map(({ work }) => work[what]));
  const [splits, merges, moved] = ["splits", "merges", "movedEntries"].map(most);
  const verdict = splits <= MOST_SPLITS && merges <= MOST_MERGES ? "" : ", exceeded";
  return (
    `${words(size)} entries: the most that one call of bpfmap did is ${times(splits, "split")}, ${times(merges, "merge")} ` +
    `and ${moved} entries moved; must be <= ${times(MOST_SPLITS, "split")}, <= ${times(MOST_MERGES, "merge")}${verdict}`
  );
}

const words = (number) => number.toLocaleString("en");
const median = (numbers) => summarise(numbers).median;
const THREE_DIGITS = { minimumSignificantDigits: 3, maximumSignificantDigits: 3 };
const ms = (ns) => `${(ns / 1e6).toLocaleString("en", THREE_DIGITS)} ms`;
const times = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

function notesOf(size, runs) {
  const head = `${words(size)} entries`;
  const notes = [];
  const of = {};
  for (const [contender, rounds] of Object.entries(runs)) {
    // Of both classes.
    const all = (row) => rounds.map(({ latency }) => Math.max(latency.insert[row], latency.delete[row]));
    const worst = all("worst");
    of[contender] = { worst: median(worst), p999999: median(all("p99.9999")) };
    of[contender].undisturbed = median(all("worst, not preempted"));
    notes.push(
      `${head}, ${contender}: worst operation ${ms(of[contender].worst)} (median of ${rounds.length} rounds, ` +
        `${ms(Math.min(...worst))} the least), ${ms(of[contender].undisturbed)} without those in which the scheduler took ` +
        `the core away; p99.9999 ${ms(of[contender].p999999)}`,
    );
  }
  if (of["js-map"] !== undefined && of.bpfmap !== undefined) {
    const worse = (ns) => `${words(Math.round(of["js-map"].worst / ns))} times`;
    notes.push(
      `${head}: the worst of js-map is ${worse(of.bpfmap.p999999)} the p99.9999 of bpfmap, ${worse(of.bpfmap.worst)} its ` +
        `worst, and ${worse(of.bpfmap.undisturbed)} its worst without the scheduler`,
    );
  }
  if (runs.bpfmap !== undefined) notes.push(workNote(size, runs.bpfmap));
  return notes;
}

/** All rounds of a contender together, and its pause up to each number of entries: what the plot shows. */
function detailsOf(runs) {
  const details = {};
  for (const [contender, rounds] of Object.entries(runs)) {
    const classes = {};
    for (const operation of CLASSES) {
      const histogram = histogramOf(rounds.map((round) => round[operation]));
      const slowest = rounds.map((round) => round[operation].slowest);
      classes[operation] = { operations: histogram.totalCount, ...percentilesOf(histogram), slowest };
    }
    const curve = rounds[0].curve.map((point, i) => {
      const medians = {};
      for (const row of Object.keys(point)) medians[row] = median(rounds.map(({ curve }) => curve[i][row]));
      return medians;
    });
    details[contender] = { ...classes, curve };
  }
  return details;
}
