// Exactly once, with the writers in other threads (jobs/scan.mjs).
import { testSeed } from "../support/seed.ts";
import { every, SMALL, scanRuns } from "./runs.ts";
import { testRuns } from "./suite.ts";

testRuns(testSeed("threads/scan.test.ts"), every(3, scanRuns(SMALL)));
