// Counting in per-CPU values while the main thread drains them (jobs/percpu.mjs).
import { testSeed } from "../support/seed.ts";
import { countingRuns, every, SMALL } from "./runs.ts";
import { testRuns } from "./suite.ts";

testRuns(testSeed("threads/percpu.test.ts"), every(2, countingRuns(SMALL)));
