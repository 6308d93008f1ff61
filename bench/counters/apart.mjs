// Without what measures, and binaryen with it, which is slow to load: every start of the benchmarks imports this.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** What measure() of measure.mjs gives, in a process of its own. @returns the measurement as JSON text */
export function measureApart() {
  const main = fileURLToPath(new URL("main.mjs", import.meta.url));
  return execFileSync(process.execPath, [main, "--json"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 2 ** 26,
  });
}
