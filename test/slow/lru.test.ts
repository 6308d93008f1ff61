import { test } from "vitest";
import { longRun, testSteps } from "../support/long_run.ts";
import { testSeed } from "../support/seed.ts";

const seed = testSeed("slow/lru.test.ts");

test.each(["lru_hash", "lru_percpu_hash"] as const)("%s: a long model run", (type) => {
  longRun(type, Math.ceil(testSteps() * 0.5), seed);
});
