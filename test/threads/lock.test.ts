// Values with a spinLock (jobs/lock.mjs).
import { testSeed } from "../support/seed.ts";
import { lockRuns, SMALL } from "./runs.ts";
import { testRuns } from "./suite.ts";

testRuns(testSeed("threads/lock.test.ts"), lockRuns(SMALL));
