// Programs that delete while other threads count (jobs/sweep.mjs).
import { testSeed } from "../support/seed.ts";
import { every, SMALL, sweepRuns } from "./runs.ts";
import { testRuns } from "./suite.ts";

testRuns(testSeed("threads/sweep.test.ts"), every(3, sweepRuns(SMALL)));
