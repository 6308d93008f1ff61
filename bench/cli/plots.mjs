// `npm run bench -- plots RESULT.json ... [--out DIR]`: draws what result files hold.
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { plots } from "../plots/index.mjs";
import { UsageError } from "../run/usage_error.mjs";

const RESULTS = fileURLToPath(new URL("../results", import.meta.url));

/** @param {string[]} args */
export async function drawPlots(args) {
  const { out, files } = parse(args);
  for (const path of await draw(files, out)) console.log(path);
}

function parse(args) {
  try {
    const options = { out: { type: "string", default: RESULTS } };
    const { values, positionals: files } = parseArgs({ args, options, allowPositionals: true });
    if (files.length === 0) throw new Error("plots: expected result files, got none");
    return { out: values.out, files };
  } catch (error) {
    throw new UsageError(error.message);
  }
}

async function draw(files, out) {
  try {
    return await plots(files, out);
  } catch (error) {
    // A file that cannot be read, drawn or written is an Error; a TypeError and its like are a mistake in the program.
    if (Object.getPrototypeOf(error) !== Error.prototype) throw error;
    throw new UsageError(`plots: ${error.message}`);
  }
}
