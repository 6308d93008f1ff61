// How long a process takes to become fast: V8 first runs bytecode and baseline wasm (Liftoff), and optimises what is called often
// (Maglev, TurboFan) on other threads meanwhile.

import { Fingerprint } from "../data/fingerprint.mjs";
import { sliceEnds } from "../latency/slices.mjs";
import { runChild } from "../run/run_child.mjs";
import { summarise } from "../run/statistics.mjs";

export const name = "warm-up";
export const title = "the first calls of get in a fresh process";
export const defaultSizes = [500];
export const options = {
  calls: { type: "integer", default: 1_000_000, least: 100, help: "calls of get in each process" },
};

const CONTENDERS = ["bpfmap", "js-map"];
/** As fast as it gets, but for noise. */
const NEAR = 1.5;

export async function run(context) {
  const { calls } = context.options;
  const ends = sliceEnds(calls);
  const names = CONTENDERS.filter((name) => context.contenders?.includes(name) ?? true);
  const measurements = [];
  const notes = [];
  for (const size of context.sizes) {
    const runs = await runInTurn(size, calls, names, context);
    if (runs === undefined) break;
    for (const contender of names) {
      let start = 0;
      for (const [i, end] of ends.entries()) {
        const operation = `get, calls ${words(start + 1)} to ${words(end)}`;
        const rounds = runs[contender].map((ns) => ns[i]);
        measurements.push({ size, operation, contender, unit: "ns", rounds });
        start = end;
      }
      notes.push(steadyNote(size, contender, runs[contender], ends));
    }
  }
  return {
    parameters: { calls },
    fingerprint: `${new Fingerprint().add(context.seed, calls, ...context.sizes)}`,
    measurements,
    notes: [
      "each round of a contender is a process of its own that has called set once per entry and get never",
      "the calls of a slice are timed together, with the loop around them, which warms up too; two readings of the clock are " +
        "some 90 ns, 9 ns per call of the first slice",
      ...notes,
    ],
  };
}

const words = (number) => number.toLocaleString("en");

async function runInTurn(size, calls, names, { rounds, seed, progress }) {
  const runs = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < names.length; i++) {
      const contender = names[(round + i) % names.length];
      progress(`${size} entries, round ${round + 1} of ${rounds}: ${contender}`);
      const answer = await runChild("warm_up.mjs", { contender, size, calls, seed });
      if (answer === undefined) return undefined;
      runs[contender].push(answer.ns);
    }
  }
  return runs;
}

/** From where on the medians of all slices stay near the last one. */
function steadyNote(size, contender, runs, ends) {
  const medians = ends.map((_, i) => summarise(runs.map((ns) => ns[i])).median);
  const last = medians.at(-1);
  const slow = medians.findLastIndex((ns) => ns > NEAR * last);
  const from = slow === -1 ? 1 : ends[slow] + 1;
  return `${words(size)} entries, ${contender}: within ${NEAR} times the last slice (${last.toFixed(1)} ns) from call ${words(from)} on`;
}
