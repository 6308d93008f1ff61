// Growth and low-water hooks under contention (jobs/grow.mjs).
import { testSeed } from "../support/seed.ts";
import { growRuns, SMALL } from "./runs.ts";
import { testRuns } from "./suite.ts";

testRuns(testSeed("threads/grow.test.ts"), growRuns(SMALL));
