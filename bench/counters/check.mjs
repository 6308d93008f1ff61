#!/usr/bin/env node
// Runs the counted workload and compares it with the committed baseline: `npm run bench:check`.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { measureApart } from "./apart.mjs";
import { changesText, compare, differences } from "./compare.mjs";
import { countersPage } from "./page.mjs";

const HELP = `usage: npm run bench:check -- [options] [BASELINE]
Counts instructions, probes and bytes of a fixed workload. Exits with 1 when instructions or probes per operation have risen by more
than 2 % or bytes per entry by more than 1 % against BASELINE (default: bench/baseline.json), or when other work was done. Prints
the fingerprint of what each case has done.
  --update     writes the counts to BASELINE instead, and the table of bench/baseline.json
  --repeat N   runs N times, each in a process of its own, and exits with 1 unless all counts are equal
  --help       this text`;

let options;
try {
  options = parseArgs({
    allowPositionals: true,
    options: {
      update: { type: "boolean", default: false },
      repeat: { type: "string", default: "1" },
      help: { type: "boolean", default: false },
    },
  });
  if (!/^[1-9]\d*$/.test(options.values.repeat)) throw new Error("--repeat: expected a number of runs");
  if (options.positionals.length > 1) throw new Error("more than one baseline");
} catch (error) {
  console.error(`${error.message}\n${HELP}`);
  process.exit(2);
}
const { update, repeat, help } = options.values;
const baselineFile = options.positionals[0] ?? fileURLToPath(new URL("../baseline.json", import.meta.url));

function main() {
  const text = measureApart();
  const measured = JSON.parse(text);
  for (let run = 2; run <= Number(repeat); run++) {
    const again = measureApart();
    if (again === text) continue;
    console.log(`run ${run} differs from run 1:\n${differences(measured, JSON.parse(again)).join("\n")}`);
    return 1;
  }
  if (repeat !== "1") console.log(`${repeat} runs, all counts equal`);
  // Equal ones say that the same work was done, with the same results, also where the counts differ.
  for (const [name, { fingerprint }] of Object.entries(measured.cases))
    console.log(`${name}: ${fingerprint}`);
  if (update) {
    writeFileSync(baselineFile, text);
    console.log(`written: ${baselineFile}`);
    const { path, text: table } = countersPage();
    writeFileSync(path, table);
    console.log(`written: ${path}`);
    return 0;
  }
  return report(compare(JSON.parse(readFileSync(baselineFile, "utf8")), measured));
}

function report({ worse, better, problems }) {
  for (const problem of problems) console.log(problem);
  if (worse.length > 0) console.log(`worse than the baseline:\n${changesText(worse)}`);
  if (better.length > 0) console.log(`better than the baseline:\n${changesText(better)}`);
  if (worse.length + better.length + problems.length === 0)
    console.log("as in the baseline, within the limits");
  else console.log("npm run bench:check -- --update makes this the baseline");
  return worse.length + problems.length > 0 ? 1 : 0;
}

if (help) console.log(HELP);
else process.exitCode = main();
