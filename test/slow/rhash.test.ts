import { test } from "vitest";
import { longRun, testSteps } from "../support/long_run.ts";
import { testSeed } from "../support/seed.ts";

const seed = testSeed("slow/rhash.test.ts");

test("rhash: a long model run", () => {
  longRun("rhash", Math.ceil(testSteps() * 0.6), seed);
});
