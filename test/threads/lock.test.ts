// Values with a spinLock (jobs/lock.mjs).
import { testSeed } from "../support/seed.ts";
import { every, lockRuns, SMALL } from "./runs.ts";
import { testRuns } from "./suite.ts";

testRuns(testSeed("threads/lock.test.ts"), every(2, lockRuns(SMALL)));
