// What the core does for each operation, counted instead of timed: see bench/counters/.
import { measureApart } from "../counters/apart.mjs";
import { textOf as tableOf } from "../counters/report.mjs";
import { Fingerprint } from "../data/fingerprint.mjs";

export const name = "counters";
export const title = "work of the core, counted: the same on every machine";
/** The program is fixed, so that its counts can be compared with bench/baseline.json. */
export const defaultSizes = [10_000, 100_000];
export const options = {};

export async function run({ progress }) {
  progress("counting");
  const counted = JSON.parse(measureApart());
  const fingerprint = new Fingerprint();
  const measurements = [];
  for (const [name, { entries, bytesPerEntry, ...rest }] of Object.entries(counted.cases)) {
    fingerprint.add(rest.fingerprint);
    const measured = (operation, unit, value) =>
      measurements.push({
        size: entries,
        operation: `${name}: ${operation}`,
        contender: "bpfmap",
        unit,
        rounds: [value],
      });
    measured("full", "bytes/entry", bytesPerEntry);
    for (const [operation, row] of Object.entries(rest.operations)) {
      measured(operation, "instructions", row.instructions / row.operations);
    }
  }
  return {
    unit: "instructions",
    parameters: { seed: counted.seed },
    fingerprint: `${fingerprint}`,
    measurements,
    notes: ["a fixed program: sizes, rounds, queries and seed do not apply"],
    details: counted,
  };
}

/** The table of all counters, instead of the one that contenders share. */
export const textOf = ({ details }) => tableOf(details);
