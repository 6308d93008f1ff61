// Fields of values that several threads add to (jobs/fields.mjs).
import { testSeed } from "../support/seed.ts";
import { every, fieldRuns, SMALL } from "./runs.ts";
import { testRuns } from "./suite.ts";

testRuns(testSeed("threads/fields.test.ts"), every(2, fieldRuns(SMALL)));
