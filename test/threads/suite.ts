/** Defines the tests of a file from runs of jobs. */
import { beforeAll, expect, test } from "vitest";
import { BUILD_MS, builtRoot } from "../support/built.ts";
import { checkHistories, overlaps, type Shape } from "./histories/histories.ts";
import type { Run } from "./runs.ts";
import { runJob } from "./workers.ts";

/** One test for each run. */
export function testRuns(seed: number, runs: readonly Run[], limit?: number): void {
  beforeAll(builtRoot, BUILD_MS);
  test.each(runs)("$job: $name", async ({ job, options }) => {
    const result = await runJob({ job, seed, options, limit });
    console.log(`TEST_SEED=${seed} ${job} ${JSON.stringify(options)}: ${JSON.stringify(result)}`);
  });
}

/** One test for each kind of map whose histories are recorded and decided over. */
export function testHistories(
  seed: number,
  runs: readonly (Run & { readonly options: Shape })[],
  limit?: number,
): void {
  beforeAll(builtRoot, BUILD_MS);
  test.each(runs)("$job: $name", async ({ job, options }) => {
    let checked = 0;
    let pairs = 0;
    const onData = (data: unknown) => {
      checked += checkHistories(data as Int32Array, options);
      pairs += overlaps(data as Int32Array, options);
    };
    let runs = 0;
    // On a busy machine few histories may pass one thread at a time: until some calls have met.
    for (; pairs === 0; runs++) await runJob({ job, seed, options, limit, onData });
    expect(checked).toBe(runs * options.rounds);
    console.log(`TEST_SEED=${seed} ${checked} histories, ${pairs} pairs of calls at the same time`);
  });
}
