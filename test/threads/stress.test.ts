// Mixed operations of several threads, checked by sequence numbers (jobs/stress.mjs).
import { testSeed } from "../support/seed.ts";
import { every, SMALL, stressRuns } from "./runs.ts";
import { testRuns } from "./suite.ts";

testRuns(testSeed("threads/stress.test.ts"), every(5, stressRuns(SMALL)));
