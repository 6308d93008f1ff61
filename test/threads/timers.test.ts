// Timers in values (jobs/timers.mjs).
import { testSeed } from "../support/seed.ts";
import { every, SMALL, timerRuns } from "./runs.ts";
import { testRuns } from "./suite.ts";

testRuns(testSeed("threads/timers.test.ts"), every(2, timerRuns(SMALL)));
