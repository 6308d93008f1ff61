// Threads that are killed in the middle of what they do (jobs/kill.mjs).
import { testSeed } from "../support/seed.ts";
import { every, killRuns, SMALL } from "./runs.ts";
import { testRuns } from "./suite.ts";

testRuns(testSeed("threads/kill.test.ts"), every(3, killRuns(SMALL)));
