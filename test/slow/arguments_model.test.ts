/** Millions of random operations with arguments in host memory; see test/arguments/model.ts. */
import { expect, test } from "vitest";
import { runModel } from "../arguments/model.ts";
import { testSteps } from "../support/long_run.ts";
import { testSeed } from "../support/seed.ts";

test("random operations with arguments in host memory", () => {
  const steps = testSteps();
  const { operations } = runModel(testSeed("test/slow/arguments_model.test.ts"), steps);
  expect(operations).toBeGreaterThanOrEqual(steps);
});
