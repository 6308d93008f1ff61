// Growth and low-water hooks under contention (jobs/grow.mjs).
import { testSeed } from "../support/seed.ts";
import { every, growRuns, SMALL } from "./runs.ts";
import { testRuns } from "./suite.ts";

testRuns(testSeed("threads/grow.test.ts"), every(3, growRuns(SMALL)));
