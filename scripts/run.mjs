// What `npm start`, `npm test` and their friends run: each installs and builds what it needs, so that one command works
// on a fresh clone. Usage: node scripts/run.mjs TASK [arguments for the task's program]
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const [task = "", ...rest] = process.argv.slice(2);

function install() {
  const done = join(root, "node_modules/.package-lock.json");
  const lock = join(root, "package-lock.json");
  if (existsSync(done) && statSync(done).mtimeMs >= statSync(lock).mtimeMs) return;
  console.error("installing the development dependencies ...");
  execFileSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: root, stdio: ["ignore", 2, 2] });
}

/** Runs a program of node_modules or the project and exits with its status when it fails. */
function node(script, ...args) {
  const run = spawnSync(process.execPath, [join(root, script), ...args], { stdio: "inherit" });
  if (run.status !== 0) process.exit(run.status ?? 1);
}

const VITEST = "node_modules/vitest/vitest.mjs";

const tasks = {
  build: () => {},
  start: () => {
    const captures = readdirSync(join(root, "examples/captures")).filter((name) => /\.pcap(ng)?$/.test(name));
    const args = rest.length > 0 ? rest : ["flows", join(root, "examples/captures", captures[0])];
    node("dist/cli/main.js", ...args);
  },
  test: () => node(VITEST, "run", ...rest),
  all: () => node(VITEST, "run", "--config", "vitest.all.config.ts", ...rest),
  slow: () => node(VITEST, "run", "--config", "vitest.all.config.ts", "--project", "!fast", ...rest),
  kernel: () => {
    const { values } = parseArgs({
      args: rest,
      options: { steps: { type: "string" }, seed: { type: "string" } },
    });
    if (values.steps !== undefined) process.env.TEST_KERNEL_STEPS = values.steps;
    if (values.seed !== undefined) process.env.TEST_SEED = values.seed;
    const config = [
      "--config",
      "vitest.all.config.ts",
      "--project",
      "slow",
      "--disable-console-intercept=true",
    ];
    node(VITEST, "run", "test/slow/kernel.test.ts", ...config);
  },
  browser: () => node("test/browser/run.mjs", ...rest),
  bench: () => {
    // Ctrl-C goes to both processes, and the other one says what it has measured before it ends.
    process.on("SIGINT", () => {});
    node("bench/main.mjs", ...rest);
  },
  check: () => node("bench/counters/check.mjs", ...rest),
  lint: () => {
    node("node_modules/@biomejs/biome/bin/biome", "check", ...rest);
    node("node_modules/typescript/bin/tsc", "-p", "tsconfig.json");
    node("scripts/layers.mjs");
    node("scripts/raw_memory.mjs");
  },
};

/** Cores that a task needs beside the package: built with it, rather than by the first test that asks for one. */
const coresOf = { test: ["stepped"], slow: ["stepped"], all: ["stepped"] };

if (!Object.hasOwn(tasks, task)) {
  console.error(`unknown task ${JSON.stringify(task)}; one of: ${Object.keys(tasks).join(", ")}`);
  process.exit(2);
}
install();
const { buildCore, buildPackage } = await import("./build.mjs");
await Promise.all([buildPackage(), ...(coresOf[task] ?? []).map(buildCore)]);
tasks[task]();
