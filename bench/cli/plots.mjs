// `npm run bench -- plots RESULT.json ... [--out DIR]`: draws what result files hold.
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { plots } from "../plots/index.mjs";
import { UsageError } from "../run/usage_error.mjs";
import { parseCommand } from "./options.mjs";

const RESULTS = fileURLToPath(new URL("../results", import.meta.url));

/** @param {string[]} args */
export async function drawPlots(args) {
  const command = new Command("npm run bench -- plots").argument("[FILE...]", "results of --json");
  command.option("--out <DIR>", "where the pictures go", RESULTS);
  if (!parseCommand(command, args)) return;
  if (command.args.length === 0) throw new UsageError("plots: expected result files, got none");
  for (const path of await draw(command.args, command.opts().out)) console.log(path);
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
