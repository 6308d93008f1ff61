import { test } from "vitest";
import { longRun, testSteps } from "../support/long_run.ts";
import { testSeed } from "../support/seed.ts";

const seed = testSeed("slow/hash.test.ts");

test("hash: a long model run", () => {
  longRun("hash", Math.ceil(testSteps() * 0.4), seed);
});
