/** A reporter of Vitest: prints the files that took longest, so that a slow one is seen when it comes. */
import type { Reporter, TestModule } from "vitest/node";

const SHOWN = 5;

/** ms of a file: its import and its tests. */
function duration(module: TestModule): number {
  const { collectDuration, setupDuration, duration } = module.diagnostic();
  return collectDuration + setupDuration + duration;
}

export default class Slowest implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const slowest = modules.toSorted((one, other) => duration(other) - duration(one)).slice(0, SHOWN);
    if (modules.length <= SHOWN) return;
    console.log("\n Slowest files");
    for (const module of slowest) {
      const seconds = (duration(module) / 1000).toFixed(1).padStart(8);
      const { name } = module.project;
      console.log(`${seconds} s  ${module.relativeModuleId}${name === "" ? "" : ` (${name})`}`);
    }
  }
}
