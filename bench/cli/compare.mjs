// `npm run bench -- compare OLD.json NEW.json`: what became slower or faster by more than both spreads.
import { readFileSync } from "node:fs";
import { Command } from "commander";
import { align, formatNumber, formatSize, formatValue } from "../run/format.mjs";
import { isRate, ratios, summarise } from "../run/statistics.mjs";
import { UsageError } from "../run/usage_error.mjs";
import { parseCommand } from "./options.mjs";

/** What should be equal for two files to be comparable; a word of warning where it is not. */
const SAME = ["node", "v8", "cpu", "cores", "kernel"];

/**
 * @param {string[]} args
 * @returns {number} exit status: 1 when something became slower
 */
export function compare(args) {
  const command = new Command("npm run bench -- compare").argument("[FILE...]", "OLD.json and NEW.json");
  command.option("--json", "the changes as JSON");
  if (!parseCommand(command, args)) return 0;
  const files = command.args;
  const { json } = command.opts();
  if (files.length !== 2) throw new UsageError(`compare: expected two files, got ${files.length}`);
  const [before, after] = files.map(readResults);
  const pairs = pairResults(before, after, files);
  const warnings = SAME.filter((key) => before[key] !== after[key]).map(
    (key) => `${key} differs: ${before[key]} and ${after[key]}`,
  );
  const lines = pairs.flatMap(([old, now]) => [...compareTimes(old, now), ...compareRatios(old, now)]);
  const slower = lines.filter(({ verdict }) => verdict === "slower").length;
  const faster = lines.filter(({ verdict }) => verdict === "faster").length;
  if (json) console.log(JSON.stringify({ warnings, slower, faster, lines }));
  else {
    for (const warning of warnings) console.error(`warning: ${warning}`);
    console.log(textOf(lines, slower, faster));
  }
  return slower > 0 ? 1 : 0;
}

function readResults(file) {
  try {
    const results = JSON.parse(readFileSync(file, "utf8"));
    if (!Array.isArray(results.results)) throw new Error("it has no results");
    return results;
  } catch (error) {
    throw new UsageError(`compare: ${file} is no result file: ${error.message}`);
  }
}

/** The results of the same workload in both files; refuses different work. */
function pairResults(before, after, [oldFile, newFile]) {
  const pairs = [];
  for (const now of after.results) {
    const old = before.results.find(({ workload }) => workload === now.workload);
    if (old === undefined) continue;
    if (old.fingerprint !== now.fingerprint) {
      const of = ({ parameters, measurements, fingerprint }, { seed }) =>
        `fingerprint ${fingerprint}, seed ${seed}, sizes ${sizesOf(measurements)}, ${JSON.stringify(parameters)}`;
      throw new UsageError(
        `compare: ${now.workload} did different work, so its times say nothing about each other:\n` +
          `  ${oldFile}: ${of(old, before)}\n  ${newFile}: ${of(now, after)}`,
      );
    }
    pairs.push([old, now]);
  }
  if (pairs.length === 0)
    throw new UsageError(`compare: ${oldFile} and ${newFile} have no workload in common`);
  return pairs;
}

const sizesOf = (measurements) => [...new Set(measurements.map(({ size }) => formatSize(size)))].join(",");

/** The measurements that both have. */
function* common(old, now) {
  for (const { size, operation, contender, unit, rounds } of now.measurements) {
    const same = old.measurements.find(
      (other) => other.size === size && other.operation === operation && other.contender === contender,
    );
    if (same !== undefined) {
      yield { workload: now.workload, size, operation, contender, unit, before: same.rounds, after: rounds };
    }
  }
}

function compareTimes(old, now) {
  return [...common(old, now)].map(({ before, after, ...which }) =>
    judge({ ...which, before: summarise(before), after: summarise(after) }),
  );
}

/** The ratios of the others to bpfmap: those above 1 are in its favour, so that falling is becoming slower. */
function compareRatios(old, now) {
  const lines = [...common(old, now)];
  return lines
    .filter(({ contender }) => contender !== "bpfmap")
    .flatMap(({ size, operation, contender, unit, workload, before, after }) => {
      const ours = lines.find(
        (line) => line.contender === "bpfmap" && line.size === size && line.operation === operation,
      );
      if (ours === undefined) return [];
      const which = { workload, size, operation, contender: `${contender} / bpfmap`, unit: "ratio" };
      const summaries = [ratios(before, ours.before, unit), ratios(after, ours.after, unit)].map(summarise);
      return [judge({ ...which, before: summaries[0], after: summaries[1] })];
    });
}

/** A change counts when the spreads do not meet. */
function judge(line) {
  const { unit, before, after } = line;
  const up = after.low > before.high;
  const down = after.high < before.low;
  const more = unit === "ratio" || isRate(unit);
  const worse = more ? down : up;
  const better = more ? up : down;
  return { ...line, verdict: worse ? "slower" : better ? "faster" : "same" };
}

function textOf(lines, slower, faster) {
  const summary = `${lines.length} compared: ${slower} slower, ${faster} faster, the rest within the spreads`;
  const changed = lines.filter(({ verdict }) => verdict !== "same");
  if (changed.length === 0) return summary;
  const rows = changed.map(({ workload, size, operation, contender, unit, before, after, verdict }) => {
    const show = ({ median, low, high }) =>
      `${formatValue(median, unit)} (${formatNumber(low)} .. ${formatNumber(high)})`;
    const change = `${after.median >= before.median ? "+" : ""}${((after.median / before.median - 1) * 100).toFixed(0)} %`;
    const where = `${workload}, ${formatSize(size)}: ${operation}`;
    return [verdict, where, contender, show(before), show(after), unit, change];
  });
  const head = ["", "", "contender", "before", "after", "unit", "change"];
  return [...align([head, ...rows], 3), "", summary].join("\n");
}
