// What a program waits for before its first map answers, in a fresh process: modules, the core's compilation, the first map.
import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { Fingerprint } from "../data/fingerprint.mjs";
import { summarise } from "../run/statistics.mjs";
import { UsageError } from "../run/usage_error.mjs";

export const name = "cold";
export const title = "from import to the first get in a fresh process";
export const defaultSizes = [1];
export const options = {
  nodes: {
    type: "names",
    help: "cold: the programs of Node to measure with (default: the one that runs this)",
  },
  other: { type: "file", help: "cold: dist/ of another version of the package, measured in turn" },
};

const CHILD = fileURLToPath(new URL("../children/cold.mjs", import.meta.url));
const DIST = fileURLToPath(new URL("../../dist", import.meta.url));
const PARTS = ["import", "createHost", "createMap, set, get", "import to first get"];

const runFile = promisify(execFile);

async function start(node, dist) {
  const { stdout } = await runFile(node, [CHILD, pathToFileURL(resolve(dist, "index.js")).href]).catch(
    (error) => {
      throw new UsageError(`cold: ${node} with ${dist}: ${error.message}`);
    },
  );
  return JSON.parse(stdout);
}

export async function run(context) {
  const { nodes = [process.execPath], other } = context.options;
  const builds = { bpfmap: DIST, ...(typeof other === "string" ? { other } : {}) };
  const measurements = [];
  const notes = [
    "each round is a process of its own; before the first line of a program, Node has started already",
  ];
  for (const node of nodes) {
    const names = Object.keys(builds);
    const runs = Object.fromEntries(names.map((name) => [name, []]));
    // Round 0 fills the caches of the file system.
    for (let round = 0; round <= context.rounds && !context.stopped; round++) {
      for (let i = 0; i < names.length; i++) {
        const contender = names[(round + i) % names.length];
        context.progress(`${node}, round ${round} of ${context.rounds}: ${contender}`);
        const answer = await start(node, builds[contender]);
        if (round > 0) runs[contender].push(answer);
      }
    }
    for (const part of PARTS) {
      for (const contender of names) {
        const rounds = runs[contender].map((answer) => answer[part]);
        if (rounds.length === 0) continue;
        const operation = `Node ${runs[contender][0].version}: ${part}`;
        measurements.push({ size: 1, operation, contender, unit: "ms", rounds });
      }
    }
    if (names.length === 2 && runs.other.length > 0) notes.push(ratioNote(runs));
  }
  if (builds.other !== undefined) notes.push("`other` is the build that --other names");
  return { parameters: {}, fingerprint: `${new Fingerprint().add(1, 2)}`, measurements, notes };
}

function ratioNote({ bpfmap, other }) {
  const ratios = PARTS.map((part) => {
    const { median } = summarise(bpfmap.map((ours, i) => ours[part] / other[i][part]));
    return `${part} ${median.toFixed(2)}`;
  });
  return `Node ${bpfmap[0].version}: ours / other, median of the rounds: ${ratios.join("; ")}`;
}
