// Sweeping a map with a filter, beside the other ways to do it. What process-js and process-compiled have in common.
import {
  Batches,
  Callback,
  Compiled,
  ForOf,
  Interpreted,
  JsMap,
  NextKey,
} from "../../contenders/process/flows.mjs";
import { Fingerprint } from "../../data/fingerprint.mjs";
import { keysFrom } from "../../data/random.mjs";
import { Entrant } from "../../run/entrants.mjs";
import { measureRows } from "../../run/rounds.mjs";
import { ratios, roundsOf, summarise } from "../../run/statistics.mjs";

const ENTRIES = 100_000;
/** Microseconds of a part, in the measurement of parts. */
const BUDGET = 500;

const SUBJECTS = {
  "a compiled program": Compiled,
  "the program as JS": Interpreted,
  "a function": Callback,
  "nextKey + get + delete": NextKey,
  "for of + delete": ForOf,
  "lookupAndDeleteBatch(4096)": Batches,
  "js-map": JsMap,
};

const LAYOUTS = [
  ["u32 to u53", "small"],
  ["u32 to two u64", "u64"],
  ["flows of 16 + 24 bytes", "flow"],
];

const KEEP = "keeps all";
const SOME = "deletes 10 %";
const ALL = "deletes all";

/**
 * @param {string} ours what `bpfmap` is in this workload
 * @param {string[]} others the other contenders
 * @param {(list: object[], size: number, layout: string) => string[]} verdicts how they stand to their goals
 */
export async function runProcess(context, ours, others, verdicts) {
  const subjects = [["bpfmap", SUBJECTS[ours]]];
  for (const name of others) {
    if (context.contenders?.includes(name) ?? true) subjects.push([name, SUBJECTS[name]]);
  }
  const { seed } = context;
  const fingerprint = new Fingerprint();
  const measurements = [];
  const notes = [];
  for (const size of context.sizes) {
    for (const [layout, kind] of LAYOUTS) {
      if (context.stopped) break;
      const keys = keysFrom(0, size);
      const passes = Math.ceil(ENTRIES / size);
      const row = (operation, method, input, expected, leaves) => ({
        operation: `${layout}: ${operation}`,
        method,
        input,
        expected,
        leaves,
        operations: size,
        passes,
        needs: "full",
      });
      const tenth = Math.floor(size / 10);
      const rows = [
        row(KEEP, "sweep", 0, 0, "full"),
        row(SOME, "sweep", tenth, tenth, "empty"),
        row(ALL, "sweepAll", size, size, "empty"),
      ];
      fingerprint.add(seed, size, keys, ...rows.flatMap(({ operation, expected }) => [operation, expected]));
      const open = (Class) => (options) => new Class(options);
      const entrants = subjects.map(
        ([name, Class]) => new Entrant(name, open(Class), { seed, maxEntries: size, kind }),
      );
      const list = await measureRows({ size, entrants, rows, keys }, context);
      measurements.push(...list);
      notes.push(...verdicts(list, size, layout));
      if (!context.stopped)
        notes.push(inParts(SUBJECTS[ours], { seed, maxEntries: size, kind }, keys, layout));
    }
  }
  return {
    unit: "ns",
    parameters: { budget: BUDGET },
    fingerprint: `${fingerprint}`,
    measurements,
    notes: [
      ...notes,
      `bpfmap: map.process with ${ours}; js-map: for ... of and delete; per entry of the map`,
    ],
  };
}

/** The longest part of an eviction of a tenth of the entries, after a few that warm up. */
function inParts(Class, options, keys, layout) {
  const subject = new Class(options);
  let times = [];
  let garbage = 0;
  for (let i = 0; i < 5; i++) {
    subject.insert(keys);
    globalThis.gc?.();
    times = subject.parts(Math.floor(keys.length / 10), BUDGET);
    garbage++;
  }
  subject.close();
  times.sort((a, b) => b - a);
  const [first, second = first] = times;
  const median = times[times.length >>> 1];
  return (
    `${keys.length} entries, ${layout}: a tenth evicted in ${times.length} parts of ${BUDGET} us: median ${median.toFixed(1)}, ` +
    `longest ${first.toFixed(1)} us, the one before ${second.toFixed(1)} us (run ${garbage} of ${garbage})`
  );
}

/** How many times as long as ours another contender takes for an operation. */
export function ratioOf(list, layout, operation, other) {
  const of = (name) => roundsOf(list, `${layout}: ${operation}`, name);
  const [theirs, own] = [of(other), of("bpfmap")];
  return theirs === undefined || own === undefined ? undefined : summarise(ratios(theirs, own, "ns")).median;
}

export { ALL, KEEP, SOME };
