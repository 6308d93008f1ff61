// Tables of results, for a terminal and as Markdown.
import { align, formatRatio, formatSpread, formatValue } from "../run/format.mjs";
import { ratios, summarise } from "../run/statistics.mjs";

/**
 * What a result says, size by size and operation by operation, bpfmap first.
 *
 * @returns {{ size: number, rows: { operation: string, unit: string, cells: object[] }[] }[]}
 */
function summariseResult({ measurements }) {
  const sizes = new Map();
  for (const { size, operation, contender, unit, rounds } of measurements) {
    if (!sizes.has(size)) sizes.set(size, new Map());
    const rows = sizes.get(size);
    const key = `${operation}\n${unit}`;
    if (!rows.has(key)) rows.set(key, { operation, unit, cells: [] });
    rows.get(key).cells.push({ contender, rounds, ...summarise(rounds) });
  }
  return [...sizes].map(([size, rows]) => ({ size, rows: [...rows.values()].map(withRatios) }));
}

function withRatios({ operation, unit, cells }) {
  const ours = cells.find(({ contender }) => contender === "bpfmap");
  const rest = cells.filter((cell) => cell !== ours);
  if (ours === undefined) return { operation, unit, cells };
  const compared = rest.map((cell) => ({
    ...cell,
    ratio: summarise(ratios(cell.rounds, ours.rounds, unit)),
  }));
  return { operation, unit, cells: [ours, ...compared] };
}

function sizeLine(size) {
  return size === undefined ? "" : `${size.toLocaleString("en")} entries`;
}

export function textOf(result) {
  const lines = [`${result.workload}: ${result.title}`];
  for (const { size, rows } of summariseResult(result)) {
    const table = [[sizeLine(size), "contender", "median", "unit", "/ bpfmap", "p10 .. p90"]];
    for (const { operation, unit, cells } of rows) {
      cells.forEach(({ contender, median, ratio }, i) => {
        const numbers = ratio === undefined ? ["", ""] : [formatRatio(ratio.median), formatSpread(ratio)];
        table.push([i === 0 ? operation : "", contender, formatValue(median, unit), unit, ...numbers]);
      });
    }
    lines.push("", ...align(table, 2));
  }
  lines.push("", ...wordsOf(result).map((text) => `- ${text}`));
  return lines.join("\n");
}

function markdownOf(result) {
  const rounds = [...new Set(result.measurements.map(({ rounds }) => rounds.length))].join(" or ");
  const lines = [`## ${result.workload}`, "", `${result.title}; rounds: ${rounds}`];
  for (const { size, rows } of summariseResult(result)) {
    const contenders = [...new Set(rows.flatMap(({ cells }) => cells.map(({ contender }) => contender)))];
    contenders.sort((a, b) => (a === "bpfmap" ? -1 : b === "bpfmap" ? 1 : 0));
    lines.push(
      "",
      `| ${[sizeLine(size), ...contenders].join(" | ")} |`,
      `|---|${"---:|".repeat(contenders.length)}`,
    );
    for (const { operation, unit, cells } of rows) {
      const texts = contenders.map((name) => {
        const cell = cells.find(({ contender }) => contender === name);
        if (cell === undefined) return "";
        const value = `${formatValue(cell.median, unit)}`;
        if (cell.ratio === undefined) return value;
        return `${value} (**${formatRatio(cell.ratio.median)}**, ${formatSpread(cell.ratio)})`;
      });
      lines.push(`| ${operation}, ${unit} | ${texts.join(" | ")} |`);
    }
  }
  lines.push("", ...wordsOf(result).map((text) => `- ${text}`));
  return lines.join("\n");
}

/** What must be said beside the numbers. */
function wordsOf({ notes, skipped, parameters, fingerprint }) {
  const given = Object.entries(parameters).map(([key, value]) => `${key} ${value}`);
  return [
    ...notes,
    ...skipped.map(({ contender, reason }) => `without ${contender}: ${reason.replace(/\s*\n\s*/g, "; ")}`),
    `${given.length === 0 ? "" : `${given.join(", ")}; `}fingerprint ${fingerprint}`,
  ];
}

/** The head of a report: where and when. */
export function headOf({ node, v8, cpu, cores, kernel, commit, dirty, date, seed }) {
  const version = commit === null ? "" : `, commit ${commit.slice(0, 12)}${dirty ? " with changes" : ""}`;
  return `Node ${node} (V8 ${v8}), ${cores} cores of ${cpu}, ${kernel}${version}, seed ${seed}, ${date.slice(0, 10)}`;
}

/** A whole result file as Markdown. */
export const markdownOfFile = (file) => [headOf(file), ...file.results.map(markdownOf)].join("\n\n");
