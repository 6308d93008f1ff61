// Bytes per entry: what a map says of itself, and what the kernel says of the process.

import { Fingerprint } from "../data/fingerprint.mjs";
import { spacedSizes } from "../memory/accounting.mjs";
import { runChild } from "../run/run_child.mjs";
import { summarise } from "../run/statistics.mjs";

export const name = "memory";
export const title = "bytes per entry, 4-byte keys and 8-byte values";
export const defaultSizes = [500, 10_000, 100_000, 1_000_000, 4_000_000, 16_000_000];

const CONTENDERS = ["bpfmap", "js-map", "js-map-int32", "open-addressing", "hashbrown-wasm"];
/** Their memory is the kernel's, or a file. */
const ELSEWHERE = ["kernel-bpf", "kernel-bpf-noprealloc", "kernel-syscall", "lmdb"];
/** Memory hardly varies from run to run. */
const MOST_ROUNDS = 3;
/** With fewer entries, what V8 takes and gives back meanwhile (+-0.5 MB) is too large a part of what a process grows by. */
const LEAST_FOR_RSS = 1_000_000;
const LEAST_FOR_HEAP = 100_000;
/** A young generation of constant size: it would grow by megabytes meanwhile, with the garbage of any loop. */
const FLAGS = ["--max-semi-space-size=1"];
/** What bpfmap may take per entry at one size, and at every size from another on. */
const BOUND_AT = { size: 10_000, most: 24 };
const BOUND_FROM = { size: 100_000, most: 22 };
/** Sizes of the plot: enough to show how the memory follows the entries. */
const FIRST_SAMPLE = 100;
const SAMPLES = 240;

export async function run(context) {
  const result = { measurements: [], notes: [], details: { processes: [] } };
  const last = Math.max(...context.sizes, BOUND_FROM.size);
  context.progress(`accounting up to ${last} entries`);
  const curve = await runChild("accounting.mjs", {
    seed: context.seed,
    at: [...spacedSizes(FIRST_SAMPLE, last, SAMPLES), BOUND_AT.size],
    from: [BOUND_AT.size, BOUND_FROM.size],
  });
  if (curve !== undefined) {
    result.details.accounting = curve;
    result.notes.push(...boundNotes(curve));
  }
  for (const size of context.sizes) {
    if (context.stopped) break;
    await measure(size, context, result);
  }
  return {
    parameters: { key: 4, value: 8 },
    fingerprint: `${new Fingerprint().add(context.seed, ...context.sizes)}`,
    ...result,
    notes: [
      "accounting: bytes that the map says it takes, or growth of V8's heap and external memory where it does not say",
      "RSS: growth of the resident memory of a fresh process, after a collection; the keys are in no array",
      `RSS is read from ${words(LEAST_FOR_RSS)} entries on, V8's heap from ${words(LEAST_FOR_HEAP)} on`,
      "a WebAssembly memory cannot shrink: its pages stay resident after all is deleted, for the next maps of the host",
      ...result.notes,
    ],
  };
}

function boundNotes({ samples, worst }) {
  const { bytes } = samples.find(({ entries }) => entries === BOUND_AT.size);
  const [, from] = worst;
  const notes = [];
  const check = (where, value, most) => {
    const verdict = value <= most ? "" : ", exceeded";
    notes.push(
      `accounting of bpfmap ${where}: ${value.toFixed(2)} bytes per entry; must be <= ${most}${verdict}`,
    );
  };
  check(`with ${words(BOUND_AT.size)} entries`, bytes / BOUND_AT.size, BOUND_AT.most);
  check(
    `at every size from ${words(BOUND_FROM.size)} on, at most (with ${words(from.entries)} entries)`,
    from.bytesPerEntry,
    BOUND_FROM.most,
  );
  notes.push(
    `at every size from ${words(BOUND_AT.size)} on it is at most ${worst[0].bytesPerEntry.toFixed(2)} (with ` +
      `${words(worst[0].entries)} entries): small tables take memory in larger steps`,
  );
  return notes;
}

const words = (size) => size.toLocaleString("en");

/** What a map says of itself; where it says nothing, what V8 says of its heap, unless that is too little to tell. */
const accountingOf =
  (size) =>
  ({ before, full }) =>
    full.own ?? (size >= LEAST_FOR_HEAP ? full.heap - before.heap : undefined);
const rssOf = ({ before, full }) => full.rss - before.rss;

async function measure(size, context, { measurements, notes, details }) {
  const runs = await runInTurn(size, context);
  for (const [contender, rounds] of runs) {
    details.processes.push({ size, contender, rounds });
    const perEntry = (operation, bytesOf) => {
      const numbers = rounds.map((run) => bytesOf(run) / size);
      if (!numbers.every(Number.isFinite)) return;
      measurements.push({ size, operation, contender, unit: "bytes/entry", rounds: numbers });
    };
    perEntry("accounting", accountingOf(size));
    perEntry("RSS of the linear memory", ({ full }) => full.linear);
    if (size < LEAST_FOR_RSS) continue;
    perEntry("RSS", rssOf);
    perEntry("RSS, peak while growing", ({ before, full }) => full.peak - before.rss);
    perEntry("RSS, all deleted", ({ before, emptied }) => emptied.rss - before.rss);
  }
  const ours = runs.get("bpfmap");
  if (ours !== undefined && size >= LEAST_FOR_RSS) notes.push(agreementNote(size, ours));
}

const median = (numbers) => summarise(numbers).median;

function agreementNote(size, rounds) {
  const over = (bytesOf) => {
    const percent = median(rounds.map((run) => 100 * (bytesOf(run) / run.full.own - 1)));
    return `${percent.toFixed(1)} %`;
  };
  // Not where several mappings are as long as the memory.
  const known = rounds.every(({ full }) => full.linear !== undefined);
  const linear = known ? `, that of its linear memory ${over(({ full }) => full.linear)}` : "";
  return `${words(size)} entries: RSS is ${over(rssOf)} above the accounting of bpfmap${linear}; must agree within 3 %`;
}

/** Every round of a contender in a process of its own, A B C A B C. Who fails once is left out from there on. */
async function runInTurn(size, { contenders = CONTENDERS, rounds, seed, progress, skip }) {
  const runs = new Map(contenders.map((name) => [name, []]));
  const count = Math.min(rounds, MOST_ROUNDS);
  for (let round = 0; round < count; round++) {
    for (const contender of [...runs.keys()]) {
      progress(`${size} entries, round ${round + 1} of ${count}: ${contender}`);
      try {
        if (ELSEWHERE.includes(contender)) throw new Error("its memory is not that of the process");
        const task = { contender, size, seed, patient: size >= LEAST_FOR_RSS };
        const reading = await runChild("memory.mjs", task, { flags: FLAGS });
        if (reading === undefined) return new Map();
        runs.get(contender).push(reading);
      } catch (error) {
        if (contender === "bpfmap") throw error;
        runs.delete(contender);
        skip(contender, `${words(size)} entries: ${error.message}`);
      }
    }
  }
  return runs;
}
