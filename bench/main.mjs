#!/usr/bin/env node
// The benchmark suite: `npm run bench -- --help`.
import { closeSync, openSync, writeFileSync } from "node:fs";
import v8 from "node:v8";
import vm from "node:vm";
import { runWorkload } from "./children/run_workload.mjs";
import { compare } from "./cli/compare.mjs";
import { parseOptions } from "./cli/options.mjs";
import { drawPlots } from "./cli/plots.mjs";
import { newProgress } from "./cli/progress.mjs";
import { headOf, markdownOfFile, textOf } from "./cli/report.mjs";
import { writeTables } from "./cli/tables.mjs";
import { environment } from "./run/environment.mjs";
import { runChild } from "./run/run_child.mjs";
import { UsageError } from "./run/usage_error.mjs";
import { WORKLOADS } from "./workloads/index.mjs";

// The garbage of one contender is collected before another is timed. Code that a collection finds unused must stay compiled, since
// each contender runs once per round only.
const FLAGS = ["--expose-gc", "--no-flush-bytecode"];
for (const flag of FLAGS) v8.setFlagsFromString(flag);
globalThis.gc ??= vm.runInNewContext("gc");

const workloads = {};
for (const [name, load] of Object.entries(WORKLOADS)) workloads[name] = await load();

const progress = newProgress();
/** Set by the first Ctrl-C: the running workload ends with what it has measured. The second one ends the process. */
let stopped = false;
let child;
process.once("SIGINT", () => {
  stopped = true;
  child?.kill("SIGINT");
  progress.clear();
  console.error("stopping after this pass; Ctrl-C again to stop at once");
});

/** The result of one workload; of several, each runs in a process of its own (bench/children/workload.mjs). */
async function resultOf(name, options) {
  const { sizes, seed, rounds, queries, contenders } = options;
  const task = { sizes, seed, rounds, queries, contenders, own: options.optionsOf(name) };
  const show = (text) => progress.show(text);
  try {
    if (options.workloads.length === 1) return await runWorkload(name, task, show, () => stopped);
    const started = (running) => {
      child = running;
    };
    return await runChild("workload.mjs", { name, task }, { flags: FLAGS, progress: show, started });
  } finally {
    progress.clear();
  }
}

/** The exit status. */
async function main(args) {
  const [command, ...rest] = args;
  if (command === "compare") return compare(rest);
  if (command === "plots") {
    await drawPlots(rest);
    return 0;
  }
  if (command === "tables") {
    writeTables(rest);
    return 0;
  }
  const options = parseOptions(args, workloads);
  if (options === undefined) return 0;
  checkWritable(options);
  const quiet = options.json === "-" || options.markdown === "-";
  const file = { ...environment(options.seed), results: [] };
  if (!quiet) console.log(headOf(file));
  let status = 0;
  for (const name of options.workloads) {
    try {
      const result = await resultOf(name, options);
      if (result === undefined) break; // Ctrl-C before it had begun
      file.results.push(result);
      if (!quiet) console.log(`\n${(workloads[name].textOf ?? textOf)(result)}`);
    } catch (error) {
      if (error instanceof UsageError) throw error;
      // What was measured before is not lost, and what comes after does not depend on it.
      console.error(`${name} failed: ${error.stack}`);
      status = 1;
    }
    write(file, options);
    if (stopped) break;
  }
  if (options.json === "-") console.log(JSON.stringify(file));
  if (options.markdown === "-") console.log(markdownOfFile(file));
  return stopped ? 130 : status;
}

/** Now, and not when there is something to lose. */
function checkWritable({ json, markdown }) {
  for (const [flag, path] of Object.entries({ json, markdown })) {
    if (path === undefined || path === "-") continue;
    try {
      closeSync(openSync(path, "a"));
    } catch (error) {
      throw new UsageError(`--${flag}: ${error.message}`);
    }
  }
}

/** After each workload, so that nothing measured is lost whatever comes. */
function write(file, { json, markdown }) {
  if (json !== undefined && json !== "-") writeFileSync(json, `${JSON.stringify(file)}\n`);
  if (markdown !== undefined && markdown !== "-") writeFileSync(markdown, `${markdownOfFile(file)}\n`);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\nnpm run bench -- --help lists the options`);
  process.exitCode = 2;
}
