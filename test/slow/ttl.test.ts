import { test } from "vitest";
import { longRun, testSteps } from "../support/long_run.ts";
import { testSeed } from "../support/seed.ts";

const seed = testSeed("slow/ttl.test.ts");
const TYPES = ["hash", "rhash", "percpu_hash", "lru_hash", "lru_percpu_hash"] as const;

test.each(TYPES)("%s with a ttl: a long model run", (type) => {
  longRun(type, Math.ceil(testSteps() * 0.2), seed, 100);
});
