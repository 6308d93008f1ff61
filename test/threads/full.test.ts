// The limit of the entry count under contention (jobs/full.mjs).
import { testSeed } from "../support/seed.ts";
import { every, fullRuns, SMALL } from "./runs.ts";
import { testRuns } from "./suite.ts";

testRuns(testSeed("threads/full.test.ts"), every(3, fullRuns(SMALL)));
