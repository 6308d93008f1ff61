// Hunts for torn values (jobs/torn.mjs).
import { testSeed } from "../support/seed.ts";
import { every, SMALL, tornRuns } from "./runs.ts";
import { testRuns } from "./suite.ts";

testRuns(testSeed("threads/torn.test.ts"), every(5, tornRuns(SMALL)));
