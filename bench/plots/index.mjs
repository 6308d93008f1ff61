// Pictures of results: `npm run bench -- plots RESULT.json ... [--out DIR]`.
//
// Drawn by these few files and not by @observablehq/plot: that needs a DOM in Node, and with the smallest one (linkedom) it is 62
// packages and 16 MB, as many packages as all other tools of the project together. It has no labels at the ends of lines that move
// apart, and no panels in columns that share their scales: most of the code here would stay.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bytesPerEntryPlot } from "./bytes_per_entry.mjs";
import { nsPerOperationPlot } from "./ns_per_operation.mjs";
import { pausePlot } from "./pause.mjs";

/** By the workload that they show. */
const PLOTS = {
  "grow-pause": { file: "pause.svg", draw: pausePlot },
  memory: { file: "bytes_per_entry.svg", draw: bytesPerEntryPlot },
  operations: { file: "ns_per_operation.svg", draw: nsPerOperationPlot },
};

/**
 * Draws what the result files hold.
 *
 * @param {string[]} files written by `npm run bench -- --json FILE`. Those of one workload are drawn together; where two
 *   measured the same, the later one counts
 * @param {string} directory made when it does not exist
 * @returns {Promise<string[]>} the files written
 * @throws Error when a file cannot be read, holds nothing to draw, or is of another Node or machine than the first one
 */
export async function plots(files, directory) {
  const runs = files.map((file) => ({ file, ...readResults(file) }));
  const [first] = runs;
  for (const { file, node, cpu } of runs) {
    if (node !== first.node || cpu !== first.cpu) {
      throw new Error(
        `${file} is of Node ${node} on ${cpu}, ${first.file} of Node ${first.node} on ${first.cpu}`,
      );
    }
  }
  const machine = `Node ${first.node}, ${first.cpu}`;
  const results = runs.flatMap((run) => run.results);
  const written = [];
  for (const [workload, { file, draw }] of Object.entries(PLOTS)) {
    const shown = results.filter((result) => result.workload === workload && result.measurements.length > 0);
    if (shown.length === 0) continue;
    const svg = draw(shown, machine);
    const path = join(directory, file);
    mkdirSync(directory, { recursive: true });
    writeFileSync(path, svg);
    written.push(path);
  }
  if (written.length === 0) {
    throw new Error(`${files.join(", ")}: no results of ${Object.keys(PLOTS).join(", ")} to draw`);
  }
  return written;
}

function readResults(file) {
  let run;
  try {
    run = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Error(`${file}: ${error.message}`);
  }
  if (!Array.isArray(run?.results)) throw new Error(`${file}: not a result of npm run bench -- --json`);
  return run;
}
