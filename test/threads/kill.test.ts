// Threads that are killed in the middle of what they do (jobs/kill.mjs, jobs/kill_evicting.mjs).
import { testSeed } from "../support/seed.ts";
import { every, evictingKillRuns, killRuns, SMALL } from "./runs.ts";
import { testRuns } from "./suite.ts";

const seed = testSeed("threads/kill.test.ts");

testRuns(seed, every(3, killRuns(SMALL)));
testRuns(seed, every(3, evictingKillRuns(SMALL)));
