#!/usr/bin/env node
// The counted workload. `npm run bench -- counters` and `npm run bench:check` run it.
import { parseArgs } from "node:util";
import { measure, profile } from "./measure.mjs";
import { profileText, textOf } from "./report.mjs";

const HELP = `usage: node bench/counters/main.mjs [options]
  --profile   instead: the instructions of every operation by function of the core
  --json      one JSON object instead of a table; the same text on every machine
  --help      this text`;

let options;
try {
  options = parseArgs({
    options: {
      profile: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  }).values;
} catch (error) {
  console.error(`${error.message}\n${HELP}`);
  process.exit(2);
}

if (options.help) console.log(HELP);
else {
  const result = options.profile ? await profile() : await measure();
  const text = options.profile ? profileText : textOf;
  console.log(options.json ? JSON.stringify(result, undefined, 2) : text(result));
}
