// Counting in per-CPU values while the main thread drains them (jobs/percpu.mjs).
import { testSeed } from "../support/seed.ts";
import { countingRuns, SMALL } from "./runs.ts";
import { testRuns } from "./suite.ts";

testRuns(testSeed("threads/percpu.test.ts"), countingRuns(SMALL));
