// Entries that expire while several threads move the clock on (jobs/expiry.mjs).
import { testSeed } from "../support/seed.ts";
import { every, expiryRuns, SMALL } from "./runs.ts";
import { testRuns } from "./suite.ts";

testRuns(testSeed("threads/expiry.test.ts"), every(1, expiryRuns(SMALL)));
