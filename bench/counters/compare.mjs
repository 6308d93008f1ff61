// Two measurements of the counted workload beside each other: what has become worse by more than its limit, and what better.
import { align } from "../run/format.mjs";

/** How much more than in the baseline is allowed. Counts repeat exactly, so this is no noise but room for a trade. */
const LIMITS = { instructions: 0.02, probes: 0.02, bytesPerEntry: 0.01 };

/**
 * @typedef {{ what: string, unit: string, before: number, after: number, change: number, limit: number }} Change
 * @param {import("./measure.mjs").Measurement} baseline
 * @param {import("./measure.mjs").Measurement} measured
 * @returns {{ worse: Change[], better: Change[], problems: string[] }} `problems`: what cannot be compared
 */
export function compare(baseline, measured) {
  const changes = [];
  const problems = [];
  for (const [name, before, after] of pairs("", baseline.cases, measured.cases, problems)) {
    changes.push(change(name, "bytesPerEntry", before.bytesPerEntry, after.bytesPerEntry));
    if (before.fingerprint !== after.fingerprint) {
      problems.push(
        `${name}: fingerprint ${after.fingerprint} instead of ${before.fingerprint}: other work or other results`,
      );
    }
    for (const [what, one, other] of pairs(`${name}: `, before.operations, after.operations, problems)) {
      for (const unit of ["instructions", "probes"]) {
        changes.push(change(what, unit, one[unit] / one.operations, other[unit] / other.operations));
      }
    }
  }
  return {
    worse: changes.filter(({ change, limit }) => change > limit),
    better: changes.filter(({ change, limit }) => change < -limit),
    problems,
  };
}

/** What both have, by name; what only one has is a problem. */
function* pairs(prefix, before, after, problems) {
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (after[name] === undefined) problems.push(`${prefix}${name}: in the baseline, but not measured`);
    else if (before[name] === undefined) problems.push(`${prefix}${name}: measured, but not in the baseline`);
    else yield [`${prefix}${name}`, before[name], after[name]];
  }
}

function change(what, unit, before, after) {
  return {
    what,
    unit,
    before,
    after,
    change: before === after ? 0 : after / before - 1,
    limit: LIMITS[unit],
  };
}

const UNITS = {
  instructions: "instructions per operation",
  probes: "probes per operation",
  bytesPerEntry: "bytes per entry",
};

/** @param {Change[]} changes */
export function changesText(changes) {
  const rows = changes.map(({ what, unit, before, after, change, limit }) => [
    what,
    UNITS[unit],
    before.toFixed(3),
    after.toFixed(3),
    `${change < 0 ? "" : "+"}${(100 * change).toFixed(2)} %`,
    `${100 * limit} %`,
  ]);
  return align([["", "", "baseline", "now", "change", "limit"], ...rows]).join("\n");
}

/** Names of the counts in which two measurements differ; none when they are equal. */
export function differences(one, other, path = "") {
  if (typeof one !== "object" || typeof other !== "object") {
    return one === other ? [] : [`${path}: ${one} and ${other}`];
  }
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].flatMap((name) => differences(one[name], other[name], path ? `${path}: ${name}` : name));
}
