// `npm run bench -- tables [RESULT.json ...]`: the tables of result files beside them, as Markdown.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { countersPage } from "../counters/page.mjs";
import { pageHead } from "../run/format.mjs";
import { UsageError } from "../run/usage_error.mjs";
import { parseCommand } from "./options.mjs";
import { markdownOfFile } from "./report.mjs";

const RESULTS = fileURLToPath(new URL("../results/", import.meta.url));

/** @param {string[]} args */
export function writeTables(args) {
  const command = new Command("npm run bench -- tables").argument(
    "[FILE...]",
    "results of --json (default: all of bench/results, and bench/baseline.json)",
  );
  if (!parseCommand(command, args)) return;
  const pages = command.args.length === 0 ? publishedPages() : command.args.map(pageOf);
  for (const { path, text } of pages) {
    writeFileSync(path, text);
    console.log(path);
  }
}

/** The pages of bench/results that are written by a program, with what must be in them. */
export function publishedPages() {
  const files = readdirSync(RESULTS).filter((name) => name.endsWith(".json"));
  return [...files.map((name) => pageOf(`${RESULTS}${name}`)), countersPage()];
}

function pageOf(path) {
  if (!path.endsWith(".json"))
    throw new UsageError(`tables: ${path} is no result file: it does not end in .json`);
  const name = basename(path, ".json");
  const intro = `${pageHead(name, basename(path))}
Medians of the rounds; in bold, how many times as long as bpfmap a contender takes (of rates: how many times as many bpfmap does), and
the 10th to 90th percentile of that ratio. Each table is that of \`npm run bench -- WORKLOAD\`, with its sizes and rounds as --sizes and
--rounds.`;
  return { path: path.replace(/json$/, "md"), text: `${intro}\n\n${markdownOfFile(read(path))}\n` };
}

function read(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new UsageError(`tables: ${path} is no result file: ${error.message}`);
  }
}
